//! CSV (RFC 4180 with a header row) to checked batches. An empty field is NULL.

use std::cell::{Cell, RefCell};
use std::io::{self, Read};
use std::rc::Rc;

use arrow::record_batch::RecordBatch;
use csv::{ByteRecord, ErrorKind, ReaderBuilder};

use super::dialect::Dialect;
use super::header::Header;
use super::quotes::{Followed, Quotes};
use super::reader::{carry, failed};
use super::rejects::{Reason, Rejects, quote};
use super::rows::RowBuilder;
use super::text::OTHER_ENCODING;
use crate::fault::{Error, Fault, Result};
use crate::limits;
use crate::model::Table;
use crate::reading::{Delimiter, Reading};

/// Decodes a whole file; calls `emit` for each batch, first with an empty one that carries the columns.
pub fn decode(
    table: &Table,
    reading: &Reading,
    reader: impl Read,
    mut rejects: Rejects,
    emit: &mut dyn FnMut(RecordBatch) -> Result<()>,
) -> Result<()> {
    let delimiter = reading.delimiter.unwrap_or(Delimiter::Comma);
    let budget = Rc::new(Cell::new(limits::CSV_RECORD_BYTES));
    let quotes = RefCell::new(Quotes::new(delimiter.byte()));
    let mut csv = open(delimiter, reader, &quotes, &budget);
    let header = Header::of(table, &header_names(&mut csv, delimiter)?)?;
    emit(RecordBatch::new_empty(header.schema.clone()))?;

    let mut rows = RowBuilder::new(&header, &Dialect::of(reading));
    let mut record = ByteRecord::new();
    loop {
        budget.set(limits::CSV_RECORD_BYTES);
        match csv.read_byte_record(&mut record) {
            Ok(false) => break,
            Ok(true) => take_record(&record, &header, delimiter, &mut rows, &mut rejects)?,
            Err(error) => fail_record(error, &record, delimiter, &mut rejects)?,
        }
        if rejects.is_full() || quotes.borrow().stray().is_some() {
            break;
        }
        if rows.is_full() {
            let batch = rows.finish()?;
            if rejects.is_empty() {
                emit(batch)?;
            }
        }
    }
    check_quotes(&quotes.borrow())?;
    match rejects.into_error() {
        Some(error) => Err(error),
        None => emit(rows.finish()?),
    }
}

/// The names of the columns alone.
pub fn columns(reading: &Reading, reader: impl Read) -> Result<Vec<String>> {
    let delimiter = reading.delimiter.unwrap_or(Delimiter::Comma);
    let budget = Rc::new(Cell::new(limits::CSV_RECORD_BYTES));
    let quotes = RefCell::new(Quotes::new(delimiter.byte()));
    let mut csv = open(delimiter, reader, &quotes, &budget);
    let names = header_names(&mut csv, delimiter)?;
    if names.len() > limits::INGEST_COLUMNS {
        return Err(Error::limit(
            "ingest_columns",
            limits::INGEST_COLUMNS,
            names.len(),
        ));
    }
    Ok(names)
}

fn open<'a, R: Read>(
    delimiter: Delimiter,
    reader: R,
    quotes: &'a RefCell<Quotes>,
    budget: &Rc<Cell<usize>>,
) -> csv::Reader<Metered<Followed<'a, R>>> {
    let followed = Followed {
        inner: reader,
        quotes,
    };
    let metered = Metered {
        inner: followed,
        budget: Rc::clone(budget),
    };
    ReaderBuilder::new()
        .delimiter(delimiter.byte())
        .buffer_capacity(1 << 17)
        .from_reader(metered)
}

/// A misplaced quote moves every field after it, so it is told instead of what it did to them, and no row is stored.
fn check_quotes(quotes: &Quotes) -> Result<()> {
    let (line, what) = if let Some(line) = quotes.stray() {
        let what =
            "a quote stands inside a field that is not quoted, or text follows a closing quote";
        (line, what)
    } else if let Some(line) = quotes.unclosed() {
        (line, "a quote is opened and never closed")
    } else {
        return Ok(());
    };
    Err(Error::new(Fault::Invalid, format!("line {line}: {what}")).with_hint(
        "Nothing was stored. Double a quote that belongs to a value, and quote the whole value.",
    ))
}

fn header_names<R: Read>(csv: &mut csv::Reader<R>, delimiter: Delimiter) -> Result<Vec<String>> {
    let record = csv.byte_headers().map_err(broken)?;
    let mut names = Vec::with_capacity(record.len());
    for (position, name) in record.iter().enumerate() {
        let name = std::str::from_utf8(name).map_err(|error| {
            let (column, byte) = (position + 1, error.valid_up_to() + 1);
            Error::new(
                Fault::Invalid,
                format!("line 1: name of column {column} is not UTF-8 at byte {byte}"),
            )
            .with_hint(format!("Send {OTHER_ENCODING}."))
        })?;
        names.push(name.to_owned());
    }
    if names.is_empty() || names == [""] {
        return Err(Error::new(Fault::Invalid, "file is empty")
            .with_hint("Send a header row that names the columns, then one line for each row."));
    }
    if let [name] = names.as_slice() {
        refuse_other_delimiter(name, delimiter)?;
    }
    Ok(names)
}

/// A header of one column that another delimiter would make several.
fn refuse_other_delimiter(name: &str, delimiter: Delimiter) -> Result<()> {
    let others = [
        Delimiter::Semicolon,
        Delimiter::Tab,
        Delimiter::Bar,
        Delimiter::Comma,
    ];
    let found = others
        .iter()
        .filter(|other| **other != delimiter)
        .find(|other| name.as_bytes().contains(&other.byte()));
    match found {
        None => Ok(()),
        Some(other) => Err(Error::new(
            Fault::Invalid,
            format!("line 1: the header is one column, {}", quote(name)),
        )
        .with_hint(format!("Send delimiter={}.", other.word()))),
    }
}

fn take_record(
    record: &ByteRecord,
    header: &Header,
    delimiter: Delimiter,
    rows: &mut RowBuilder,
    rejects: &mut Rejects,
) -> Result<()> {
    let mut is_good = true;
    for ((position, _), column) in header.columns.iter().zip(&mut rows.columns) {
        // The reader has checked that every record is as long as the header.
        if let Err(reason) = column.push(&record[*position]) {
            column.push_null();
            if is_good || !rejects.sets_aside() {
                let name = &column.column().name;
                let content = || Some(content(record, delimiter));
                rejects.add(line(record), name, reason, content)?;
            }
            is_good = false;
        }
    }
    rows.end_row(is_good, record.as_slice().len());
    Ok(())
}

fn line(record: &ByteRecord) -> u64 {
    record.position().map_or(0, csv::Position::line)
}

/// A record with too few or too many fields is one bad row; anything else ends the file.
fn fail_record(
    error: csv::Error,
    record: &ByteRecord,
    delimiter: Delimiter,
    rejects: &mut Rejects,
) -> Result<()> {
    match error.kind() {
        ErrorKind::UnequalLengths {
            pos,
            expected_len,
            len,
        } => {
            let line = pos.as_ref().map_or(0, csv::Position::line);
            let reason = Reason::from(format!("has {len} fields, the header has {expected_len}"));
            rejects.add(line, "", reason, || Some(content(record, delimiter)))
        }
        _ => Err(broken(error)),
    }
}

fn broken(error: csv::Error) -> Error {
    match error.into_kind() {
        ErrorKind::Io(error) => failed(error),
        other => Error::new(Fault::Invalid, format!("not readable as CSV: {other:?}")),
    }
}

/// A record as a line of CSV, for the quarantine; as much of it as is kept.
fn content(record: &ByteRecord, delimiter: Delimiter) -> String {
    let mut line = String::new();
    for (position, field) in record.iter().enumerate() {
        if position > 0 {
            line.push(char::from(delimiter.byte()));
        }
        let shown = &field[..field.len().min(limits::QUARANTINE_CONTENT_BYTES)];
        let text = String::from_utf8_lossy(shown);
        if text.contains(['"', '\n', '\r', char::from(delimiter.byte())]) {
            line.push('"');
            line.push_str(&text.replace('"', "\"\""));
            line.push('"');
        } else {
            line.push_str(&text);
        }
        if line.len() > limits::QUARANTINE_CONTENT_BYTES {
            break;
        }
    }
    line
}

/// Stops a reader that takes more bytes for one record than it may.
struct Metered<R> {
    inner: R,
    budget: Rc<Cell<usize>>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.budget.get() == 0 {
            return Err(carry(
                Error::limit("csv_record_bytes", limits::CSV_RECORD_BYTES, "more").with_hint(
                    "A quote that is opened and never closed makes the rest of the file one field.",
                ),
            ));
        }
        let length = self.inner.read(into)?;
        self.budget.set(self.budget.get().saturating_sub(length));
        Ok(length)
    }
}
