//! NDJSON, one object on each line, to checked batches. Numbers keep every digit: none passes through a binary fraction.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Seek, Write};

use arrow::record_batch::RecordBatch;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::builder::ColumnBuilder;
use super::dialect::Dialect;
use super::header::Header;
use super::reader::failed;
use super::rejects::{Reason, Rejects, quote};
use super::rows::RowBuilder;
use super::source::failed_spool;
use super::text::OTHER_ENCODING;
use crate::fault::{Error, Fault, Result};
use crate::limits;
use crate::model::{Semantics, Table};
use crate::reading::{Missing, Reading};

/// Bytes that are read at once.
const BUFFER_BYTES: usize = 1 << 17;
/// How the reason begins for an object with more keys than a file may have columns.
const TOO_MANY_KEYS: &str = "has more keys";
/// Digits that a number with an exponent may have written out.
const EXPANDED_DIGITS: i64 = 400;

/// Decodes a whole file; calls `emit` for each batch, first with an empty one that carries the columns.
pub fn decode(
    table: &Table,
    reading: &Reading,
    reader: impl Read,
    rejects: Rejects,
    emit: &mut dyn FnMut(RecordBatch) -> Result<()>,
) -> Result<()> {
    if table.semantics != Semantics::Upsert {
        // An absent key is NULL, so that the columns are known before the first row.
        let all = table.columns.iter().map(|column| column.name.to_string());
        let header = Header::of(table, &all.collect::<Vec<_>>())?;
        return decode_as(table, header, reading, Missing::Null, reader, rejects, emit);
    }
    let (names, file) = spool(table, reader)?;
    let missing = reading.missing.unwrap_or(Missing::Refuse);
    let header = Header::of(table, &names)?;
    decode_as(table, header, reading, missing, file, rejects, emit)
}

/// Every key of the file, in the order in which they first appear. A bad line ends it.
pub fn columns(reader: impl Read) -> Result<Vec<String>> {
    let mut names = Names::default();
    let mut lines = Lines::new(reader);
    while let Some(line) = lines.next()? {
        let fields = text(&line)
            .and_then(fields)
            .map_err(|reason| bad_line(line.number, reason))?;
        for (name, _) in fields {
            names.add(&name)?;
        }
    }
    lines.refuse_empty()?;
    Ok(names.found)
}

fn bad_line(number: u64, reason: Reason) -> Error {
    let on_error = crate::reading::OnError::Refuse;
    let mut rejects = Rejects::new(super::rejects::Place::Line, on_error, Default::default());
    let added = rejects.add(number, "", reason, || None);
    added
        .err()
        .or_else(|| rejects.into_error())
        .unwrap_or_else(|| Error::new(Fault::Invalid, format!("line {number} is bad")))
}

/// The columns that any row of an upsert names, with those of its key; and the rows again, from the first.
fn spool(table: &Table, reader: impl Read) -> Result<(Vec<String>, File)> {
    let mut names = Names::default();
    for name in table.key {
        names.add(name)?;
    }
    let mut file = BufWriter::new(tempfile::tempfile().map_err(failed_spool)?);
    let mut lines = Lines::new(reader);
    let mut number = 1;
    while let Some(line) = lines.next()? {
        // What is wrong with a line is told when its rows are decoded.
        for (name, _) in text(&line).and_then(fields).unwrap_or_default() {
            if table.column(&name).is_some() {
                names.add(&name)?;
            }
        }
        // Blank lines are kept, so that the others keep their numbers.
        for _ in number..line.number {
            file.write_all(b"\n").map_err(failed_spool)?;
        }
        file.write_all(line.bytes)
            .and_then(|()| file.write_all(b"\n"))
            .map_err(failed_spool)?;
        number = line.number + 1;
    }
    let mut file = file
        .into_inner()
        .map_err(|error| failed_spool(error.into_error()))?;
    file.rewind().map_err(failed_spool)?;
    Ok((names.found, file))
}

fn decode_as(
    table: &Table,
    header: Header,
    reading: &Reading,
    missing: Missing,
    reader: impl Read,
    mut rejects: Rejects,
    emit: &mut dyn FnMut(RecordBatch) -> Result<()>,
) -> Result<()> {
    emit(RecordBatch::new_empty(header.schema.clone()))?;
    let mut rows = RowBuilder::new(&header, &Dialect::of(reading));
    let mut row = Row::new(table, &header, missing);
    let mut lines = Lines::new(reader);
    while let Some(line) = lines.next()? {
        let good = row.take(&line, &mut rows, &mut rejects)?;
        rows.end_row(good, line.bytes.len());
        if rejects.is_full() {
            break;
        }
        if rows.is_full() {
            let batch = rows.finish()?;
            if rejects.is_empty() {
                emit(batch)?;
            }
        }
    }
    lines.refuse_empty()?;
    match rejects.into_error() {
        Some(error) => Err(error),
        None => emit(rows.finish()?),
    }
}

/// The keys of one row on their way to the columns.
struct Row<'a> {
    table: &'a Table,
    missing: Missing,
    columns: HashMap<String, usize>,
    /// Which column the key at this position had in the row before: mostly it is the same again.
    order: Vec<usize>,
    /// The last line that named the column.
    named: Vec<u64>,
}

impl<'a> Row<'a> {
    fn new(table: &'a Table, header: &Header, missing: Missing) -> Self {
        let names = header.columns.iter().enumerate();
        Self {
            table,
            missing,
            columns: names
                .map(|(position, (_, column))| (column.name.to_string(), position))
                .collect(),
            order: Vec::new(),
            named: vec![0; header.columns.len()],
        }
    }

    /// Whether the line was a good row. Every column has taken a value then or NULL in its place.
    fn take(
        &mut self,
        line: &Line<'_>,
        rows: &mut RowBuilder,
        rejects: &mut Rejects,
    ) -> Result<bool> {
        let content = || Some(content(line.bytes));
        let fields = match text(line).and_then(fields) {
            Ok(fields) => fields,
            Err(reason) => {
                rejects.add(line.number, "", reason, content)?;
                rows.columns.iter_mut().for_each(ColumnBuilder::push_null);
                return Ok(false);
            }
        };
        let mut is_good = true;
        let mut reject = |column: &str, reason: Reason| {
            let tell = is_good || !rejects.sets_aside();
            is_good = false;
            if tell {
                rejects.add(line.number, column, reason, content)
            } else {
                Ok(())
            }
        };
        for (place, (name, value)) in fields.iter().enumerate() {
            let Some(position) = self.position(place, name, &rows.columns) else {
                reject("", self.unknown(name))?;
                continue;
            };
            if self.named[position] == line.number {
                reject(name, "appears twice".into())?;
                continue;
            }
            self.named[position] = line.number;
            let column = &mut rows.columns[position];
            if let Err(reason) = push(column, value.get()) {
                column.push_null();
                reject(name, reason)?;
            }
        }
        for (column, named) in rows.columns.iter_mut().zip(&self.named) {
            if *named != line.number
                && let Err(reason) = self.push_missing(column)
            {
                column.push_null();
                let name = column.column().name.clone();
                reject(&name, reason)?;
            }
        }
        Ok(is_good)
    }

    fn position(&mut self, place: usize, name: &str, columns: &[ColumnBuilder]) -> Option<usize> {
        if let Some(position) = self.order.get(place)
            && columns[*position].column().name == name
        {
            return Some(*position);
        }
        let position = *self.columns.get(name)?;
        if place == self.order.len() {
            self.order.push(position);
        } else if let Some(expected) = self.order.get_mut(place) {
            *expected = position;
        }
        Some(position)
    }

    fn unknown(&self, name: &str) -> Reason {
        format!(
            "table \"{}\" has no column {}",
            self.table.name,
            quote(name)
        )
        .into()
    }

    fn push_missing(&self, column: &mut ColumnBuilder) -> Result<(), Reason> {
        if self.missing == Missing::Null || !column.column().nullable {
            return column.push_absent("is missing");
        }
        Err(Reason::or_send(
            "is missing here and present in other rows",
            "missing=null, or write null where a value is to be taken away",
        ))
    }
}

/// Takes one JSON value as it is written.
fn push(column: &mut ColumnBuilder, raw: &str) -> Result<(), Reason> {
    match raw.as_bytes().first() {
        Some(b'"') => match raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')) {
            Some(plain) if !plain.contains('\\') => column.push_text(plain),
            _ => {
                let text: String = serde_json::from_str(raw).map_err(|_| "has a broken escape")?;
                column.push_text(&text)
            }
        },
        Some(b'n') => column.push_absent("must not be null"),
        Some(b't') => column.push_flag(true),
        Some(b'f') => column.push_flag(false),
        Some(b'{' | b'[') => Err("is a nested value, which no column stores".into()),
        _ if column.column().kind == crate::model::Kind::Text => column.push_number(raw),
        _ => column.push_number(&plain(raw)?),
    }
}

/// A JSON number without an exponent and without zeros at the end of its decimals.
fn plain(raw: &str) -> Result<Cow<'_, str>, Reason> {
    if !raw.contains(['e', 'E']) {
        let plain = match raw.contains('.') {
            true => raw.trim_end_matches('0').trim_end_matches('.'),
            false => raw,
        };
        return Ok(plain.into());
    }
    let too_long = || Reason::from(format!("{} has too many digits", quote(raw)));
    let (sign, number) = match raw.strip_prefix('-') {
        Some(number) => ("-", number),
        None => ("", raw),
    };
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let exponent: i64 = exponent.parse().map_err(|_| too_long())?;
    let (whole, decimals) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{decimals}");
    let point = whole.len() as i64 + exponent.clamp(-i64::MAX / 4, i64::MAX / 4);
    if point.abs() > EXPANDED_DIGITS {
        return Err(too_long());
    }
    let length = digits.len() as i64;
    let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
    let (whole, decimals) = if point <= 0 {
        ("0".to_owned(), zeros(-point) + &digits)
    } else if point >= length {
        (digits + &zeros(point - length), String::new())
    } else {
        let (whole, decimals) = digits.split_at(usize::try_from(point).unwrap_or(0));
        (whole.to_owned(), decimals.to_owned())
    };
    let decimals = decimals.trim_end_matches('0');
    let point = if decimals.is_empty() { "" } else { "." };
    Ok(format!("{sign}{whole}{point}{decimals}").into())
}

/// The keys and values of one object, in order.
type Fields<'a> = Vec<(Cow<'a, str>, &'a RawValue)>;

fn fields(line: &str) -> Result<Fields<'_>, Reason> {
    match serde_json::from_str::<Object<'_>>(line) {
        Ok(object) => Ok(object.0),
        Err(error) if error.to_string().starts_with(TOO_MANY_KEYS) => Err(format!(
            "{TOO_MANY_KEYS} than limit \"ingest_columns\" of {}",
            limits::INGEST_COLUMNS
        )
        .into()),
        Err(error) if error.is_data() => Err("is not a JSON object".into()),
        Err(error) => {
            let told = error.to_string();
            let what = told.split(" at line ").next().unwrap_or_default();
            Err(format!("is not JSON at byte {}: {what}", error.column()).into())
        }
    }
}

struct Object<'a>(Fields<'a>);

#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Object<'de>, M::Error> {
                let mut fields = Vec::new();
                while let Some((Key(key), value)) = map.next_entry()? {
                    if fields.len() >= limits::INGEST_COLUMNS {
                        return Err(serde::de::Error::custom(TOO_MANY_KEYS));
                    }
                    fields.push((key, value));
                }
                Ok(Object(fields))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// Names in the order in which they first appear, as many as a file may have.
#[derive(Default)]
struct Names {
    found: Vec<String>,
    known: std::collections::HashSet<String>,
}

impl Names {
    fn add(&mut self, name: &str) -> Result<()> {
        if self.known.contains(name) {
            return Ok(());
        }
        if self.found.len() >= limits::INGEST_COLUMNS {
            return Err(Error::limit(
                "ingest_columns",
                limits::INGEST_COLUMNS,
                "more",
            ));
        }
        self.known.insert(name.to_owned());
        self.found.push(name.to_owned());
        Ok(())
    }
}

/// One line that is not blank.
struct Line<'a> {
    number: u64,
    bytes: &'a [u8],
}

fn text<'a>(line: &Line<'a>) -> Result<&'a str, Reason> {
    std::str::from_utf8(line.bytes).map_err(|error| {
        Reason::or_send(
            format!(
                "is not UTF-8 at byte {} of the line",
                error.valid_up_to() + 1
            ),
            OTHER_ENCODING,
        )
    })
}

fn content(bytes: &[u8]) -> String {
    let shown = &bytes[..bytes.len().min(limits::QUARANTINE_CONTENT_BYTES)];
    String::from_utf8_lossy(shown).into_owned()
}

/// The lines of a file, one at a time, none longer than a record may be.
struct Lines<R> {
    inner: BufReader<R>,
    line: Vec<u8>,
    number: u64,
    is_empty: bool,
}

impl<R: Read> Lines<R> {
    fn new(inner: R) -> Self {
        Self {
            inner: BufReader::with_capacity(BUFFER_BYTES, inner),
            line: Vec::new(),
            number: 0,
            is_empty: true,
        }
    }

    fn next(&mut self) -> Result<Option<Line<'_>>> {
        loop {
            self.line.clear();
            let most = limits::CSV_RECORD_BYTES as u64 + 1;
            let length = (&mut self.inner)
                .take(most)
                .read_until(b'\n', &mut self.line)
                .map_err(failed)?;
            if length == 0 {
                return Ok(None);
            }
            if length as u64 == most {
                return Err(
                    Error::limit("csv_record_bytes", limits::CSV_RECORD_BYTES, "more").with_hint(
                        "NDJSON has one object on each line, without an array around them.",
                    ),
                );
            }
            self.number += 1;
            if !self.line.trim_ascii().is_empty() {
                break;
            }
        }
        self.is_empty = false;
        Ok(Some(Line {
            number: self.number,
            bytes: self.line.trim_ascii_end(),
        }))
    }

    /// To be asked at the end: a file without any row is more likely a mistake.
    fn refuse_empty(&self) -> Result<()> {
        if self.is_empty {
            return Err(Error::new(Fault::Invalid, "file is empty")
                .with_hint("Send one JSON object on each line."));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_out_without_losing_a_digit() {
        for (raw, expected) in [
            ("12", "12"),
            ("-0", "-0"),
            ("12.50", "12.5"),
            ("1.0", "1"),
            ("100", "100"),
            ("-0.00", "-0"),
            ("1e3", "1000"),
            ("1.25E+1", "12.5"),
            ("-1.5e-3", "-0.0015"),
            ("123456789012345.6789", "123456789012345.6789"),
            ("0.1e1", "01"),
        ] {
            assert_eq!(plain(raw).expect(raw), expected, "{raw}");
        }
        for raw in ["1e999", "1e-999", "1e99999999999999999999"] {
            assert!(plain(raw).is_err(), "{raw}");
        }
    }
}
