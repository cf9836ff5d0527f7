//! An import: another system's export becomes rows of the data model, by a mapping. All tables are published together,
//! or nothing is.
//!
//! Mapping → files looked at → statements planned → each target's rows checked and written → one publication. A dry run
//! is the same import into an empty store of its own, which is thrown away.

mod mapping;
mod record;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use tokio::sync::mpsc::UnboundedSender;

use crate::attributes;
use crate::engine::{ImportProgress, ImportedTable, Reject, Unread};
use crate::fault::{Error, Fault, Result};
use crate::ingest;
use crate::limits;
use crate::manufacturer::ManufacturerId;
use crate::model::Table;
use crate::reading::OnError;
use crate::sql::{FilePlan, Files, Sessions};
use crate::store::{self, Store, Written};

pub use mapping::Mapping;
use mapping::Target;
use record::Record;
use source::Opened;

/// The column by which a statement says whose row it is.
const MANUFACTURER: &str = "manufacturer";

/// What an import is made of.
pub struct Job<'a> {
    /// The mapping's name, for the record.
    pub name: &'a str,
    /// The mapping as it is written, for the record.
    pub text: &'a str,
    pub mapping: Mapping,
    /// Where the files are.
    pub folder: &'a Path,
    /// Whose rows they are, in place of whom the mapping names.
    pub manufacturer: Option<ManufacturerId>,
    pub on_error: OnError,
    /// Is told how far it has come.
    pub progress: UnboundedSender<ImportProgress>,
}

/// What became of it.
pub struct Outcome {
    pub id: String,
    pub tables: Vec<ImportedTable>,
    pub unread: Vec<Unread>,
    pub rejects: Vec<Reject>,
}

/// A target whose statement is planned, and whose rows it makes.
struct Ready {
    target: Target,
    plan: FilePlan,
    whose: Whose,
}

/// Whose rows a statement makes.
enum Whose {
    /// All of them one manufacturer's.
    One(ManufacturerId),
    /// Each row says it.
    Each(BTreeSet<ManufacturerId>),
}

impl Job<'_> {
    /// Runs the import into `into`. The tables are those that manufacturers have in `known`: their own columns count in
    /// a dry run too.
    pub async fn run(
        mut self,
        sessions: &Sessions,
        known: &Store,
        into: &Store,
    ) -> Result<Outcome> {
        let opened = self.open().await?;
        let files = opened
            .iter()
            .map(|file| Ok((file.name.clone(), file.provider()?)))
            .collect::<Result<_>>()?;
        let files = sessions.over_files(files)?;
        let mut ready = Vec::new();
        for target in std::mem::take(&mut self.mapping.targets) {
            let place = format!("[tables.{}]", target.table.name);
            let target = self.plan(target, &files).await;
            ready.push(target.map_err(|error| error.within(&place))?);
        }
        let unread = unread(&opened, &ready)?;
        let manufacturers: BTreeSet<ManufacturerId> = ready
            .iter()
            .flat_map(|ready| ready.whose.all())
            .cloned()
            .collect();
        let manufacturers: Vec<ManufacturerId> = manufacturers.into_iter().collect();

        let mut import = into.import(&manufacturers).await?;
        let done = self.write_all(&ready, known, &mut import).await;
        let (tables, rejects) = match done {
            Ok(done) => done,
            Err(error) => {
                import.abandon().await?;
                return Err(error);
            }
        };
        let id = import.id().to_owned();
        import.publish()?;
        Ok(Outcome {
            id,
            tables,
            unread,
            rejects,
        })
    }

    async fn open(&self) -> Result<Vec<Opened>> {
        let mut opened = Vec::with_capacity(self.mapping.sources.len());
        for (name, source) in &self.mapping.sources {
            opened.push(Opened::open(name, source, self.folder).await?);
        }
        Ok(opened)
    }

    async fn plan(&self, target: Target, files: &Files) -> Result<Ready> {
        let plan = files.plan(&target.sql).await?;
        let says = plan.columns().iter().any(|column| column == MANUFACTURER);
        let one = self
            .manufacturer
            .as_ref()
            .or(self.mapping.manufacturer.as_ref());
        let whose = match (says, one) {
            (true, _) => {
                let mut each = BTreeSet::new();
                for id in plan.values(MANUFACTURER).await? {
                    each.insert(ManufacturerId::try_from(id)?);
                }
                Whose::Each(each)
            }
            (false, Some(one)) => Whose::One(one.clone()),
            (false, None) => {
                return Err(Error::new(Fault::Invalid, "nothing says whose rows these are").with_hint(
                    "Put manufacturer = \"…\" into the mapping, or select a column named manufacturer.",
                ));
            }
        };
        Ok(Ready {
            target,
            plan,
            whose,
        })
    }

    async fn write_all(
        &self,
        ready: &[Ready],
        known: &Store,
        import: &mut store::Import<'_>,
    ) -> Result<(Vec<ImportedTable>, Vec<Reject>)> {
        let (mut tables, mut rejects) = (Vec::new(), Vec::new());
        for ready in ready {
            for manufacturer in ready.whose.all() {
                let place = format!("[tables.{}]", ready.target.table.name);
                let table = self
                    .write(ready, manufacturer, known, import, &mut rejects)
                    .await;
                tables.push(table.map_err(|error| error.within(&place))?);
            }
        }
        let record = Record {
            import: import.id().to_owned(),
            mapping: self.name,
            digest: Sha256::digest(self.text)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
            at_us: chrono::Utc::now().timestamp_micros(),
        };
        let mut by_manufacturer: BTreeMap<&ManufacturerId, Vec<&ImportedTable>> = BTreeMap::new();
        for table in &tables {
            by_manufacturer
                .entry(&table.manufacturer)
                .or_default()
                .push(table);
        }
        for (manufacturer, tables) in by_manufacturer {
            import.record(manufacturer, record.rows(&tables)?).await?;
        }
        Ok((tables, rejects))
    }

    /// Writes one manufacturer's rows of one target.
    async fn write(
        &self,
        ready: &Ready,
        manufacturer: &ManufacturerId,
        known: &Store,
        import: &mut store::Import<'_>,
        rejects: &mut Vec<Reject>,
    ) -> Result<ImportedTable> {
        let target = &ready.target;
        let model = known.model(manufacturer, target.table).await?;
        let model = match attributes::missing(&model, &target.attributes)? {
            none if none.is_empty() => model,
            more => Arc::new(model.with(more)),
        };
        let (schema, batches) = match &ready.whose {
            Whose::One(_) => ready.plan.run().await?,
            Whose::Each(_) => {
                ready
                    .plan
                    .run_where(MANUFACTURER, manufacturer.as_str())
                    .await?
            }
        };
        let batches = self.told(batches, manufacturer, &model);
        let decoded = ingest::convert_rows(&model, self.on_error, batches, &schema, &target.round)?;
        let rejected = Arc::clone(&decoded.rejected);
        let written = import
            .write(
                manufacturer,
                Arc::clone(&model),
                Arc::clone(&rejected),
                decoded.rows,
            )
            .await?;
        let room = limits::IMPORT_REJECTS_SHOWN.saturating_sub(rejects.len());
        rejects.extend(rejected.rows().into_iter().take(room).map(|row| Reject {
            table: model.name.to_string(),
            row: row.position,
            column: row.column,
            reason: row.reason,
        }));
        Ok(imported(manufacturer, &model, written, rejected.count()))
    }

    /// The same batches; each is told on its way.
    fn told(
        &self,
        batches: ingest::Batches,
        manufacturer: &ManufacturerId,
        table: &Table,
    ) -> ingest::Batches {
        use futures::StreamExt;
        let progress = self.progress.clone();
        let label = format!("{manufacturer}.{}", table.name);
        let mut rows = 0;
        batches
            .inspect(move |batch| {
                if let Ok(batch) = batch {
                    rows += batch.num_rows() as u64;
                    // Nobody may be watching.
                    let _ = progress.send(ImportProgress {
                        table: label.clone(),
                        rows,
                    });
                }
            })
            .boxed()
    }
}

impl Whose {
    fn all(&self) -> impl Iterator<Item = &ManufacturerId> {
        let (one, each) = match self {
            Self::One(one) => (Some(one), None),
            Self::Each(each) => (None, Some(each)),
        };
        one.into_iter().chain(each.into_iter().flatten())
    }
}

fn imported(
    manufacturer: &ManufacturerId,
    table: &Table,
    written: Written,
    rejected: u64,
) -> ImportedTable {
    ImportedTable {
        manufacturer: manufacturer.clone(),
        table: table.name.to_string(),
        rows_in: written.rows_in + rejected,
        inserted: written.inserted,
        updated: written.updated,
        unchanged: written.unchanged,
        rejected,
    }
}

/// The columns of each file that no statement reads.
fn unread(opened: &[Opened], ready: &[Ready]) -> Result<Vec<Unread>> {
    let mut read: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for ready in ready {
        for (file, columns) in ready.plan.reads()? {
            read.entry(file).or_default().extend(columns);
        }
    }
    let none = BTreeSet::new();
    let unread = opened.iter().map(|file| {
        let read = read.get(&file.name).unwrap_or(&none);
        let columns = file
            .table
            .columns
            .iter()
            .map(|column| column.name.to_string());
        Unread {
            source: file.name.clone(),
            file: file.table.name.to_string(),
            columns: columns.filter(|column| !read.contains(column)).collect(),
        }
    });
    Ok(unread.filter(|unread| !unread.columns.is_empty()).collect())
}
