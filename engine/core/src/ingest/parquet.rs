//! Parquet to checked batches. What a small file claims to hold is checked, page by page, before anything is unpacked.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};

use super::convert::Converter;
use super::rejects::Rejects;
use super::source::{Source, check_growth};
use super::thrift;
use crate::fault::{Error, Fault, Result};
use crate::limits;
use crate::model::Table;

/// Number of the encoding whose values repeat what stands before them, however long.
const DELTA_BYTE_ARRAY: i64 = 7;
/// Length of the footer and the magic behind it.
const TAIL_BYTES: u64 = 8;

/// Decodes a whole file; calls `emit` for each batch, first with an empty one that carries the columns.
pub fn decode(
    table: &Table,
    source: Source,
    rejects: Rejects,
    emit: &mut dyn FnMut(RecordBatch) -> Result<()>,
) -> Result<()> {
    let file = source.spool()?;
    let (metadata, schema) = open(&file)?;
    let length = file.metadata().map_err(unreadable)?.len();
    let mut converter = Converter::new(table, &schema, rejects, &[])?.of_file(length);
    let batch_rows = check_pages(metadata.metadata(), &file)?;
    emit(RecordBatch::new_empty(converter.schema()))?;
    let batches = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
        .with_batch_size(batch_rows)
        .build()
        .map_err(unreadable)?;
    for batch in batches {
        converter.take(&batch.map_err(unreadable)?, emit)?;
        if converter.is_full() {
            break;
        }
    }
    converter.finish()
}

/// The schema alone.
pub fn schema(source: Source) -> Result<SchemaRef> {
    Ok(open(&source.spool()?)?.1)
}

/// The footer, with texts to be read as views: a text that is stored once and used often stays one.
fn open(file: &File) -> Result<(ArrowReaderMetadata, SchemaRef)> {
    check_footer(file)?;
    let metadata =
        ArrowReaderMetadata::load(file, ArrowReaderOptions::new()).map_err(unreadable)?;
    check_size(metadata.metadata())?;
    let fields = metadata.schema().fields().iter().map(|field| {
        let is_text = match field.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 => true,
            DataType::Dictionary(_, values) => values.is_string(),
            _ => false,
        };
        if is_text {
            Arc::new(Field::clone(field).with_data_type(DataType::Utf8View))
        } else {
            Arc::clone(field)
        }
    });
    let schema = Arc::new(Schema::new_with_metadata(
        fields.collect::<Vec<_>>(),
        metadata.schema().metadata().clone(),
    ));
    let options = ArrowReaderOptions::new().with_schema(Arc::clone(&schema));
    let metadata = ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options)
        .map_err(unreadable)?;
    Ok((metadata, schema))
}

fn unreadable(error: impl std::error::Error) -> Error {
    let told = error.to_string();
    let first = told.lines().next().unwrap_or_default();
    Error::new(Fault::Invalid, format!("not readable as Parquet: {first}"))
}

/// The reader reserves memory for as many row groups as the footer claims.
fn check_footer(mut file: &File) -> Result<()> {
    let length = file.seek(SeekFrom::End(0)).map_err(unreadable)?;
    if length < TAIL_BYTES {
        return Err(Error::new(
            Fault::Invalid,
            "not readable as Parquet: file is too short",
        ));
    }
    let mut tail = [0; TAIL_BYTES as usize];
    file.seek(SeekFrom::Start(length - TAIL_BYTES))
        .and_then(|_| file.read_exact(&mut tail))
        .map_err(unreadable)?;
    let [a, b, c, d, magic @ ..] = tail;
    let footer = u64::from(u32::from_le_bytes([a, b, c, d]));
    // What is no Parquet at all is told by the reader.
    if magic == *b"PAR1" && footer <= length - TAIL_BYTES {
        file.seek(SeekFrom::Start(length - TAIL_BYTES - footer))
            .map_err(unreadable)?;
        thrift::walk(BufReader::new(file), footer, &mut |_| ()).map_err(unreadable)?;
    }
    file.rewind().map_err(unreadable)
}

/// What the footer claims the whole file to hold.
fn check_size(metadata: &ParquetMetaData) -> Result<()> {
    let decoded: u64 = metadata
        .row_groups()
        .iter()
        .map(|group| u64::try_from(group.total_byte_size()).unwrap_or(u64::MAX))
        .fold(0, u64::saturating_add);
    let rows = u64::try_from(metadata.file_metadata().num_rows()).unwrap_or(u64::MAX);
    if rows > limits::INGEST_ROWS {
        return Err(Error::limit("ingest_rows", limits::INGEST_ROWS, rows));
    }
    if decoded > limits::INGEST_DECODED_BYTES {
        return Err(Error::limit(
            "ingest_decoded_bytes",
            limits::INGEST_DECODED_BYTES,
            decoded,
        ));
    }
    Ok(())
}

/// Goes through the heads of all pages, which say how large each is unpacked. Returns how many rows may be decoded at
/// once.
fn check_pages(metadata: &ParquetMetaData, file: &File) -> Result<usize> {
    let length = file.metadata().map_err(unreadable)?.len();
    let mut pages = Pages {
        length,
        unpacked: 0,
        largest_repeating: 0,
    };
    let mut reader = BufReader::new(file);
    for group in metadata.row_groups() {
        for chunk in group.columns() {
            pages.check(chunk, &mut reader)?;
        }
    }
    reader.rewind().map_err(unreadable)?;
    let rows = limits::INGEST_BATCH_BYTES as u64 / pages.largest_repeating.max(1);
    let most = limits::INGEST_BATCH_ROWS;
    Ok(usize::try_from(rows).unwrap_or(most).clamp(1, most))
}

/// The pages of a file, as far as they are checked.
struct Pages {
    length: u64,
    unpacked: u64,
    /// The largest page whose values repeat parts of one another: each may be as long as the page.
    largest_repeating: u64,
}

impl Pages {
    fn check(&mut self, chunk: &ColumnChunkMetaData, reader: &mut BufReader<&File>) -> Result<()> {
        let start = chunk
            .dictionary_page_offset()
            .unwrap_or_else(|| chunk.data_page_offset());
        let sizes = u64::try_from(start)
            .ok()
            .zip(u64::try_from(chunk.compressed_size()).ok());
        let Some((start, mut left)) =
            sizes.filter(|(start, bytes)| start.saturating_add(*bytes) <= self.length)
        else {
            return Err(Error::new(
                Fault::Invalid,
                "not readable as Parquet: a column lies outside of the file",
            ));
        };
        reader.seek(SeekFrom::Start(start)).map_err(unreadable)?;
        while left > 0 {
            left = self.page(reader, left).map_err(unreadable)??;
        }
        Ok(())
    }

    /// Checks one page; how many bytes of the column are left after it.
    fn page(&mut self, reader: &mut BufReader<&File>, left: u64) -> io::Result<Result<u64>> {
        let (mut unpacked, mut packed, mut repeats) = (-1, -1, false);
        let head = thrift::walk(reader.by_ref(), left, &mut |found| {
            match (found.outer, found.inner) {
                (2, 0) => unpacked = found.value,
                (3, 0) => packed = found.value,
                // The encoding of a data page, version 1 or 2.
                (5, 2) | (8, 4) => repeats = found.value == DELTA_BYTE_ARRAY,
                _ => {}
            }
        })?;
        let sizes = u64::try_from(unpacked).ok().zip(u64::try_from(packed).ok());
        let Some((unpacked, packed)) = sizes.filter(|(_, packed)| *packed <= left - head) else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a page is larger than its column",
            ));
        };
        if unpacked > limits::INGEST_PAGE_BYTES {
            return Ok(Err(Error::limit(
                "ingest_page_bytes",
                limits::INGEST_PAGE_BYTES,
                unpacked,
            )));
        }
        self.unpacked += unpacked;
        if let Err(error) = check_growth(self.unpacked, self.length) {
            return Ok(Err(error));
        }
        if repeats {
            self.largest_repeating = self.largest_repeating.max(unpacked);
        }
        reader.seek_relative(i64::try_from(packed).unwrap_or(i64::MAX))?;
        Ok(Ok(left - head - packed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, StringArray};
    use parquet::arrow::ArrowWriter;
    use parquet::basic::Encoding;
    use parquet::file::properties::WriterProperties;

    fn rows_at_once(encoding: Encoding) -> usize {
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(200_000); 100]));
        let batch = RecordBatch::try_from_iter([("text", texts)]).expect("a column");
        let properties = WriterProperties::builder()
            .set_dictionary_enabled(false)
            .set_encoding(encoding)
            .build();
        let mut file = tempfile::tempfile().expect("a file");
        let mut writer =
            ArrowWriter::try_new(&mut file, batch.schema(), Some(properties)).expect("writer");
        writer.write(&batch).expect("written");
        writer.close().expect("closed");
        let (metadata, _) = open(&file).expect("readable");
        check_pages(metadata.metadata(), &file).expect("small")
    }

    #[test]
    fn values_that_repeat_one_another_are_decoded_a_few_at_a_time() {
        assert_eq!(rows_at_once(Encoding::PLAIN), limits::INGEST_BATCH_ROWS);
        let rows = rows_at_once(Encoding::DELTA_BYTE_ARRAY);
        assert!((1..1_000).contains(&rows), "{rows} rows");
    }
}
