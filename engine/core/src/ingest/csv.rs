//! CSV (RFC 4180, UTF-8, header row) to checked batches. An empty field is NULL.

use std::cell::{Cell, RefCell};
use std::io::{self, Read};
use std::rc::Rc;

use arrow::array::ArrayRef;
use arrow::record_batch::RecordBatch;
use csv::{ByteRecord, ErrorKind, ReaderBuilder};

use super::builder::ColumnBuilder;
use super::header::Header;
use super::quotes::{Followed, Quotes};
use super::rejects::{Place, Rejects};
use crate::fault::{Error, Fault, Result};
use crate::limits;
use crate::model::Table;

/// Decodes a whole file; calls `emit` for each batch, first with an empty one that carries the columns.
pub fn decode(
    table: &'static Table,
    reader: impl Read,
    emit: &mut dyn FnMut(RecordBatch) -> Result<()>,
) -> Result<()> {
    let budget = Rc::new(Cell::new(limits::CSV_RECORD_BYTES));
    let quotes = RefCell::new(Quotes::new());
    let followed = Followed {
        inner: reader,
        quotes: &quotes,
    };
    let metered = Metered {
        inner: followed,
        budget: Rc::clone(&budget),
    };
    let mut csv = ReaderBuilder::new()
        .buffer_capacity(1 << 17)
        .from_reader(metered);
    let names = header_names(&mut csv)?;
    let header = Header::of(table, &names)?;
    emit(RecordBatch::new_empty(header.schema.clone()))?;

    let mut builders: Vec<(usize, ColumnBuilder)> = header
        .columns
        .iter()
        .map(|(position, column)| (*position, ColumnBuilder::new(column)))
        .collect();
    let mut rejects = Rejects::new(Place::Line);
    let mut record = ByteRecord::new();
    let mut rows = 0;
    let mut bytes = 0;
    loop {
        budget.set(limits::CSV_RECORD_BYTES);
        match csv.read_byte_record(&mut record) {
            Ok(false) => break,
            Ok(true) => take_record(&record, &mut builders, &mut rejects),
            Err(error) => fail_record(error, &mut rejects)?,
        }
        rows += 1;
        bytes += record.as_slice().len();
        if rejects.is_full() || quotes.borrow().stray().is_some() {
            break;
        }
        let full = rows >= limits::INGEST_BATCH_ROWS || bytes >= limits::INGEST_BATCH_BYTES;
        if full && rejects.is_empty() {
            emit(finish(&header, &mut builders)?)?;
            (rows, bytes) = (0, 0);
        }
    }
    check_quotes(&quotes.borrow())?;
    match rejects.into_error() {
        Some(error) => Err(error),
        None => emit(finish(&header, &mut builders)?),
    }
}

/// A misplaced quote moves every field after it, so it is told instead of what it did to them.
fn check_quotes(quotes: &Quotes) -> Result<()> {
    let mut rejects = Rejects::new(Place::Line);
    if let Some(line) = quotes.stray() {
        let reason =
            "a quote stands inside a field that is not quoted, or text follows a closing quote";
        rejects.add(line, "", reason);
    } else if let Some(line) = quotes.unclosed() {
        rejects.add(line, "", "a quote is opened and never closed");
    }
    rejects.into_error().map_or(Ok(()), Err)
}

fn header_names<R: Read>(csv: &mut csv::Reader<R>) -> Result<Vec<String>> {
    let record = csv.byte_headers().map_err(|error| {
        let mut rejects = Rejects::new(Place::Line);
        fail_record(error, &mut rejects)
            .err()
            .or_else(|| rejects.into_error())
            .unwrap_or_else(|| Error::new(Fault::Invalid, "file has no header row"))
    })?;
    let mut names = Vec::with_capacity(record.len());
    for (position, name) in record.iter().enumerate() {
        let name = if position == 0 {
            name.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(name)
        } else {
            name
        };
        let name = std::str::from_utf8(name).map_err(|_| {
            Error::new(
                Fault::Invalid,
                format!("line 1: name of column {} is not UTF-8", position + 1),
            )
            .with_hint("Save the file as UTF-8.")
        })?;
        names.push(name.to_owned());
    }
    if names.is_empty() || names == [""] {
        return Err(Error::new(Fault::Invalid, "file is empty")
            .with_hint("Send a header row that names the columns, then one line for each row."));
    }
    Ok(names)
}

fn take_record(
    record: &ByteRecord,
    builders: &mut [(usize, ColumnBuilder)],
    rejects: &mut Rejects,
) {
    for (position, builder) in builders {
        // The reader has checked that every record is as long as the header.
        if let Err(reason) = builder.push(&record[*position]) {
            let line = record.position().map_or(0, csv::Position::line);
            rejects.add(line, builder.column().name, &reason);
        }
    }
}

/// A record with too few or too many fields is one bad row; anything else ends the file.
fn fail_record(error: csv::Error, rejects: &mut Rejects) -> Result<()> {
    match error.into_kind() {
        ErrorKind::UnequalLengths {
            pos,
            expected_len,
            len,
        } => {
            let line = pos.map_or(0, |position| position.line());
            rejects.add(
                line,
                "",
                &format!("has {len} fields, the header has {expected_len}"),
            );
            Ok(())
        }
        ErrorKind::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => Err(Error::limit(
            "ingest_body_bytes",
            limits::INGEST_BODY_BYTES,
            "more",
        )),
        ErrorKind::Io(error) if error.kind() == io::ErrorKind::QuotaExceeded => {
            Err(
                Error::limit("csv_record_bytes", limits::CSV_RECORD_BYTES, "more").with_hint(
                    "A quote that is opened and never closed makes the rest of the file one field.",
                ),
            )
        }
        ErrorKind::Io(error) => {
            Err(Error::new(Fault::Invalid, "body ended early").with_source(error))
        }
        other => Err(Error::new(
            Fault::Invalid,
            format!("not readable as CSV: {other:?}"),
        )),
    }
}

fn finish(header: &Header, builders: &mut [(usize, ColumnBuilder)]) -> Result<RecordBatch> {
    let columns: Vec<ArrayRef> = builders
        .iter_mut()
        .map(|(_, builder)| builder.finish())
        .collect();
    RecordBatch::try_new(header.schema.clone(), columns)
        .map_err(|error| Error::internal("decode CSV", error))
}

/// Stops a reader that takes more bytes for one record than it may.
struct Metered<R> {
    inner: R,
    budget: Rc<Cell<usize>>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.budget.get() == 0 {
            return Err(io::Error::new(
                io::ErrorKind::QuotaExceeded,
                "record too long",
            ));
        }
        let length = self.inner.read(into)?;
        self.budget.set(self.budget.get().saturating_sub(length));
        Ok(length)
    }
}
