//! The Parquet answer: row group by row group, zstd inside. The footer comes last, so a part of a file is none.

use arrow::array::new_null_array;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use std::sync::Arc;
use tributary_engine_core::engine::Trailer;
use tributary_engine_core::{Error, Fault, Result};

use super::rows::refuse_doubled_names;
use super::{Encoder, cannot_encode};
use crate::limits::{PARQUET_GROUP_BYTES, PARQUET_GROUP_ROWS};

/// The fastest level: somebody waits for the bytes.
const ZSTD_LEVEL: i32 = 1;

/// Writes one Parquet file.
pub(super) struct File {
    writer: ArrowWriter<Vec<u8>>,
}

impl File {
    /// Refuses columns that Parquet cannot hold.
    pub(super) fn new(schema: &SchemaRef) -> Result<Self> {
        refuse_doubled_names(schema, "a Parquet file")?;
        for field in schema.fields() {
            check(field)?;
        }
        let writer = writer(schema).map_err(cannot_encode("Parquet"))?;
        Ok(Self { writer })
    }

    /// What has been written since the last time.
    fn written(&mut self) -> Result<Vec<u8>> {
        self.writer
            .sync()
            .map_err(|error| Error::internal("write Parquet", error))?;
        Ok(std::mem::take(self.writer.inner_mut()))
    }
}

impl Encoder for File {
    fn head(&mut self) -> Result<Vec<u8>> {
        self.written()
    }

    fn rows(&mut self, batch: &RecordBatch) -> Result<Vec<u8>> {
        self.writer.write(batch).map_err(cannot_encode("Parquet"))?;
        if self.writer.memory_size() >= PARQUET_GROUP_BYTES {
            self.writer.flush().map_err(cannot_encode("Parquet"))?;
        }
        self.written()
    }

    fn tail(&mut self, _: &Trailer) -> Result<Vec<u8>> {
        self.writer
            .finish()
            .map_err(|error| Error::internal("write Parquet", error))?;
        self.written()
    }
}

fn writer(schema: &SchemaRef) -> Result<ArrowWriter<Vec<u8>>, ParquetError> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_max_row_group_row_count(Some(PARQUET_GROUP_ROWS))
        .build();
    ArrowWriter::try_new(Vec::new(), SchemaRef::clone(schema), Some(properties))
}

/// Writes one NULL of the column's type, since the writer looks at some types only when a value comes.
fn check(field: &Field) -> Result<()> {
    let cannot = |source: Option<ParquetError>| {
        let error = Error::new(
            Fault::Invalid,
            format!(
                "column \"{}\" is of type {}, which Parquet cannot hold",
                field.name(),
                super::types::name(field.data_type())
            ),
        )
        .with_hint("Cast the column to another type, or ask for another format.");
        match source {
            Some(source) => error.with_source(source),
            None => error,
        }
    };
    // Unions are no error of the writer but its panic.
    if has_union(field.data_type()) {
        return Err(cannot(None));
    }
    let schema = Arc::new(Schema::new(vec![field.clone().with_nullable(true)]));
    let null = new_null_array(field.data_type(), 1);
    let row = RecordBatch::try_new(Arc::clone(&schema), vec![null])
        .map_err(|error| Error::internal("check column", error))?;
    writer(&schema)
        .and_then(|mut writer| {
            writer.write(&row)?;
            writer.close()
        })
        .map(|_| ())
        .map_err(|error| cannot(Some(error)))
}

fn has_union(data_type: &DataType) -> bool {
    match data_type {
        DataType::Union(_, _) => true,
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _)
        | DataType::RunEndEncoded(_, item) => has_union(item.data_type()),
        DataType::Struct(fields) => fields.iter().any(|field| has_union(field.data_type())),
        DataType::Dictionary(_, value) => has_union(value),
        _ => false,
    }
}
