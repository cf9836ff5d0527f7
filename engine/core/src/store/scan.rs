//! Reading the files of a snapshot: which ones a predicate leaves, and the plan node that reads them.

use std::sync::Arc;

use arrow::compute::SortOptions;
use datafusion::common::Statistics;
use datafusion::common::pruning::PrunableStatistics;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::physical_plan::ExecutionPlan;

use super::file::DataFile;
use super::snapshot::Snapshot;
use crate::limits;
use crate::model::Table;

/// How each file is sorted, and what SQL's plain ORDER BY means: ascending, NULLs last.
pub const FILE_ORDER: SortOptions = SortOptions {
    descending: false,
    nulls_first: false,
};

/// What a scan has to deliver.
#[derive(Default)]
pub struct Wanted<'a> {
    /// Columns by position, all of them where absent.
    pub projection: Option<&'a Vec<usize>>,
    /// A filter that lets row groups and pages be skipped; it is applied again above the scan.
    pub predicate: Option<Arc<dyn PhysicalExpr>>,
    /// Rows after which to stop.
    pub limit: Option<usize>,
    /// Streams to read in parallel.
    pub partitions: usize,
}

/// The files in which the log's statistics do not rule the predicate out.
pub fn prune<'a>(
    snapshot: &'a Snapshot,
    predicate: Option<&Arc<dyn PhysicalExpr>>,
) -> Result<Vec<&'a DataFile>> {
    let Some(predicate) = predicate.filter(|_| !snapshot.files.is_empty()) else {
        return Ok(snapshot.files.iter().collect());
    };
    let schema = snapshot.table.schema();
    let statistics = snapshot
        .files
        .iter()
        .map(|file| file.stats.to_datafusion(0))
        .collect();
    let statistics = PrunableStatistics::new(statistics, Arc::clone(&schema));
    let keep = PruningPredicateBuilder::new()
        .with_file_schema(schema)
        .try_build(Arc::clone(predicate))?
        .prune(&statistics)?;
    Ok(snapshot
        .files
        .iter()
        .zip(keep)
        .filter_map(|(file, keep)| keep.then_some(file))
        .collect())
}

/// The plan node that reads these files.
pub fn scan(
    snapshot: &Snapshot,
    files: &[&DataFile],
    wanted: Wanted<'_>,
    runtime: &RuntimeEnv,
) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = snapshot.table.schema();
    let factory = CachedParquetFileReaderFactory::new(
        runtime.object_store(&snapshot.url)?,
        runtime.cache_manager.get_file_metadata_cache(),
    );
    let mut source = ParquetSource::new(Arc::clone(&schema))
        .with_parquet_file_reader_factory(Arc::new(factory))
        .with_enable_page_index(true);
    if let Some(predicate) = wanted.predicate {
        source = source.with_predicate(predicate);
    }
    let group: FileGroup = in_order(&snapshot.table, files)
        .into_iter()
        .map(|file| partitioned(&snapshot.table, file))
        .collect();
    let statistics = files
        .iter()
        .map(|file| file.stats.to_datafusion(bytes(file)));
    let statistics: Vec<_> = statistics.collect();
    let statistics = Statistics::try_merge_iter(statistics.iter().map(AsRef::as_ref), &schema)?;
    // Several ordered partitions are merged in lockstep, which leaves one of two threads waiting for the other: slower
    // than hashing for every comparison measured. A single reader profits.
    let ordering = (wanted.partitions == 1)
        .then(|| ordering(&snapshot.table, files))
        .flatten();
    let config = FileScanConfigBuilder::new(snapshot.url.clone(), Arc::new(source))
        .with_file_groups(group.split_files(wanted.partitions.max(1)))
        .with_projection_indices(wanted.projection.cloned())?
        .with_limit(wanted.limit)
        .with_statistics(statistics)
        .with_output_ordering(ordering.into_iter().collect())
        .build();
    Ok(DataSourceExec::from_data_source(config))
}

/// By least value of the first sort column, so that files which do not overlap form one sorted run.
fn in_order<'a>(table: &Table, files: &[&'a DataFile]) -> Vec<&'a DataFile> {
    let first = table.schema().index_of(table.order[0]).unwrap_or_default();
    let least = |file: &DataFile| file.stats.columns.get(first).map(|range| range.min.clone());
    let mut files = files.to_vec();
    files.sort_by(|a, b| {
        least(a)
            .partial_cmp(&least(b))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    files
}

fn bytes(file: &DataFile) -> usize {
    usize::try_from(file.bytes).unwrap_or(usize::MAX)
}

fn partitioned(table: &Table, file: &DataFile) -> PartitionedFile {
    PartitionedFile::new(format!("{}/{}", table.name, file.path), file.bytes)
        .with_metadata_size_hint(limits::FOOTER_BYTES)
        .with_statistics(file.stats.to_datafusion(bytes(file)))
}

/// The order of the rows of one partition, as far as it goes.
///
/// DataFusion drops the order where the ranges of files overlap, but ranges say nothing of the NULLs at the end of each
/// file: where there are several files, the order ends before the first column that has one.
fn ordering(table: &Table, files: &[&DataFile]) -> Option<LexOrdering> {
    let schema = table.schema();
    let columns = table.order.iter().map(|name| {
        let position = schema
            .index_of(name)
            .expect("the order names columns of the table");
        (*name, position)
    });
    let never_null = |position: usize| {
        let nulls = |file: &&DataFile| {
            file.stats
                .columns
                .get(position)
                .and_then(|range| range.nulls)
        };
        files.iter().all(|file| nulls(file) == Some(0))
    };
    let columns = columns
        .take_while(|(_, position)| files.len() < 2 || never_null(*position))
        .map(|(name, position)| {
            PhysicalSortExpr::new(Arc::new(Column::new(name, position)), FILE_ORDER)
        });
    LexOrdering::new(columns)
}
