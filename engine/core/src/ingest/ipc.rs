//! Arrow IPC, stream or file, to checked batches. The reader reserves what a message claims, so claims are checked first.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};

use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::reader::{FileReader, StreamReader};
use arrow::ipc::{Block, Message, RecordBatch as BatchHead, root_as_footer, root_as_message};
use arrow::record_batch::RecordBatch;

use super::convert::Converter;
use super::rejects::Rejects;
use super::source::{Source, check_growth};
use crate::fault::{Error, Fault, Result};
use crate::limits;
use crate::model::Table;

/// How an IPC file begins and ends; a stream does not.
const FILE_MAGIC: &[u8] = b"ARROW1";
/// Length of the footer and the magic behind it.
const TAIL_BYTES: u64 = 10;
/// What stands before the length of a message's head since version 0.15.
const CONTINUATION: u32 = u32::MAX;
/// What a compressed buffer begins with where it is not compressed after all.
const NOT_COMPRESSED: i64 = -1;

type Batches = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>>>;

/// Whether it is a file, by its first bytes.
pub fn is_file(magic: &[u8]) -> bool {
    magic.starts_with(FILE_MAGIC)
}

/// Decodes a whole file or stream; calls `emit` for each batch, first with an empty one that carries the columns.
pub fn decode(
    table: &Table,
    source: Source,
    rejects: Rejects,
    emit: &mut dyn FnMut(RecordBatch) -> Result<()>,
) -> Result<()> {
    let Opened {
        schema,
        batches,
        length,
    } = open(source)?;
    let mut converter = Converter::new(table, &schema, rejects, &[])?.of_file(length);
    emit(RecordBatch::new_empty(converter.schema()))?;
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
    Ok(open(source)?.schema)
}

/// A file whose claims are checked.
struct Opened {
    schema: SchemaRef,
    batches: Batches,
    length: u64,
}

fn open(source: Source) -> Result<Opened> {
    let is_file = is_file(&source.magic);
    let mut file = source.spool()?;
    let length = file.metadata().map_err(unreadable)?.len();
    let mut claims = Claims {
        length,
        unpacked: 0,
        rows: 0,
    };
    let (schema, batches): (_, Batches) = if is_file {
        claims.check_file(&mut file)?;
        file.rewind().map_err(unreadable)?;
        let reader = FileReader::try_new(BufReader::new(file), None).map_err(unreadable)?;
        (reader.schema(), Box::new(reader))
    } else {
        claims.check_stream(&mut BufReader::new(&file))?;
        file.rewind().map_err(unreadable)?;
        let reader = StreamReader::try_new(BufReader::new(file), None).map_err(unreadable)?;
        (reader.schema(), Box::new(reader))
    };
    Ok(Opened {
        schema,
        batches,
        length,
    })
}

fn unreadable(error: impl std::fmt::Display) -> Error {
    let told = error.to_string();
    let first = told.lines().next().unwrap_or_default();
    Error::new(
        Fault::Invalid,
        format!("not readable as Arrow IPC: {first}"),
    )
}

/// What the messages of a file claim to hold.
struct Claims {
    length: u64,
    unpacked: u64,
    rows: u64,
}

impl Claims {
    fn check_stream(&mut self, reader: &mut (impl Read + Seek)) -> Result<()> {
        let mut position = 0;
        while let Some(head) = self.head_length(reader, &mut position)? {
            let metadata = self.read(reader, position, head)?;
            position += head;
            let message = root_as_message(&metadata).map_err(unreadable)?;
            let body = size(message.bodyLength())?;
            self.check_message(&message, position, body, reader)?;
            position += body;
        }
        Ok(())
    }

    /// The length of the next message's head; nothing after the mark that ends the stream. A stream that merely stops
    /// may have lost rows, so it is refused.
    fn head_length(
        &self,
        reader: &mut (impl Read + Seek),
        position: &mut u64,
    ) -> Result<Option<u64>> {
        loop {
            if *position == self.length {
                return Err(unreadable(
                    "the stream has no end mark, so it may be cut short",
                ));
            }
            let word = self.read(reader, *position, 4)?;
            let word = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
            *position += 4;
            match word {
                CONTINUATION => {}
                0 if *position == self.length => return Ok(None),
                0 => return Err(unreadable("bytes follow the end mark of the stream")),
                length => return Ok(Some(u64::from(length))),
            }
        }
    }

    fn check_file(&mut self, file: &mut File) -> Result<()> {
        let too_short = || unreadable("file is cut short");
        let tail = self.length.checked_sub(TAIL_BYTES).ok_or_else(too_short)?;
        let end = self.read(file, tail, TAIL_BYTES)?;
        if !end.ends_with(FILE_MAGIC) {
            return Err(too_short());
        }
        let footer = u64::from(u32::from_le_bytes([end[0], end[1], end[2], end[3]]));
        let start = tail.checked_sub(footer).ok_or_else(too_short)?;
        let footer = self.read(file, start, footer)?;
        let footer = root_as_footer(&footer).map_err(unreadable)?;
        let blocks = [footer.dictionaries(), footer.recordBatches()];
        for block in blocks.into_iter().flatten().flatten() {
            self.check_block(block, file)?;
        }
        Ok(())
    }

    fn check_block(&mut self, block: &Block, file: &mut File) -> Result<()> {
        let start = size(block.offset())?;
        let head = size(i64::from(block.metaDataLength()))?;
        let body = size(block.bodyLength())?;
        let metadata = self.read(file, start, head)?;
        let message = match metadata.as_slice() {
            [0xFF, 0xFF, 0xFF, 0xFF, _, _, _, _, message @ ..] => message,
            [_, _, _, _, message @ ..] => message,
            _ => return Err(unreadable("a message has no head")),
        };
        let message = root_as_message(message).map_err(unreadable)?;
        self.check_message(&message, start + head, body, file)
    }

    fn check_message(
        &mut self,
        message: &Message<'_>,
        start: u64,
        body: u64,
        reader: &mut (impl Read + Seek),
    ) -> Result<()> {
        if start.saturating_add(body) > self.length {
            return Err(unreadable("a message is longer than the file"));
        }
        if body > limits::INGEST_MESSAGE_BYTES {
            return Err(too_large(body));
        }
        if let Some(head) = message.header_as_record_batch() {
            self.rows = self.rows.saturating_add(size(head.length())?);
            self.check_batch(&head, start, body, reader)?;
        }
        if let Some(head) = message.header_as_dictionary_batch().and_then(|d| d.data()) {
            // Its entries are no rows, but as many as are read at once.
            self.rows = self.rows.saturating_add(size(head.length())?);
            self.check_batch(&head, start, body, reader)?;
        }
        if self.rows > limits::INGEST_ROWS {
            return Err(Error::limit("ingest_rows", limits::INGEST_ROWS, self.rows));
        }
        Ok(())
    }

    fn check_batch(
        &mut self,
        head: &BatchHead<'_>,
        start: u64,
        body: u64,
        reader: &mut (impl Read + Seek),
    ) -> Result<()> {
        let mut message = 0_u64;
        for buffer in head.buffers().into_iter().flatten() {
            let (offset, length) = (size(buffer.offset())?, size(buffer.length())?);
            if offset.saturating_add(length) > body {
                return Err(unreadable("a column is longer than its message"));
            }
            let mut unpacked = length;
            if head.compression().is_some() && length >= 8 {
                let claimed = self.read(reader, start + offset, 8)?;
                let claimed = claimed.as_slice().try_into().map_or(0, i64::from_le_bytes);
                if claimed != NOT_COMPRESSED {
                    unpacked = size(claimed)?;
                }
            }
            message = message.saturating_add(unpacked);
        }
        if message > limits::INGEST_MESSAGE_BYTES {
            return Err(too_large(message));
        }
        self.unpacked = self.unpacked.saturating_add(message);
        check_growth(self.unpacked, self.length)
    }

    /// Some bytes of the file, which has them.
    fn read(&self, reader: &mut (impl Read + Seek), start: u64, length: u64) -> Result<Vec<u8>> {
        if start.saturating_add(length) > self.length {
            return Err(unreadable("file is cut short"));
        }
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        reader
            .seek(SeekFrom::Start(start))
            .and_then(|_| reader.read_exact(&mut bytes))
            .map_err(unreadable)?;
        Ok(bytes)
    }
}

fn size(claimed: i64) -> Result<u64> {
    u64::try_from(claimed).map_err(|_| unreadable("a length is negative"))
}

fn too_large(bytes: u64) -> Error {
    Error::limit("ingest_message_bytes", limits::INGEST_MESSAGE_BYTES, bytes)
        .with_hint("Write the rows in smaller batches.")
}
