//! Rows laid out for a person: numbers to the right, money with two decimals and thousands apart, NULL as ∅.
//!
//! Keeps a bounded number of rows and counts the rest.

use std::io::{self, IsTerminal};

use arrow::array::{Array, AsArray};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Decimal128Type, Float32Type, Float64Type};
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use comfy_table::modifiers::UTF8_ROUND_CORNERS;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use futures::TryStreamExt;
use tributary_engine_core::engine::{Answer, Frame, Trailer};
use tributary_engine_core::{Error, Result};
use unicode_width::UnicodeWidthStr;

use crate::limits::TABLE_CELL_CHARS;

const NULL: &str = "∅";

/// The first rows of an answer.
pub(crate) struct Grid {
    headings: Vec<String>,
    rows: RecordBatch,
    trailer: Trailer,
}

impl Grid {
    /// Takes an answer to its end and keeps its first rows.
    pub(crate) async fn gather(mut answer: Answer, keep: usize) -> Result<Self> {
        let mut kept = Vec::new();
        let mut room = keep;
        while let Some(frame) = answer.frames.try_next().await? {
            match frame {
                Frame::Batch(batch) => {
                    let rows = batch.num_rows().min(room);
                    room -= rows;
                    if rows > 0 {
                        kept.push(batch.slice(0, rows));
                    }
                }
                Frame::End(trailer) => {
                    let rows = concat_batches(&answer.schema, &kept)
                        .map_err(|error| Error::internal("lay out rows", error))?;
                    let fields = answer.schema.fields().iter();
                    return Ok(Self {
                        headings: fields.map(|field| shown(field.name())).collect(),
                        rows,
                        trailer,
                    });
                }
            }
        }
        Err(Error::internal("read answer", "the answer has no end"))
    }

    /// Rows of the whole answer.
    pub(crate) const fn row_count(&self) -> u64 {
        self.trailer.rows
    }

    /// Rows that were counted and not kept.
    pub(crate) fn left_out(&self) -> u64 {
        self.trailer
            .rows
            .saturating_sub(self.rows.num_rows() as u64)
    }

    /// The same with headings in words: `win_rate` becomes `win rate`.
    pub(crate) fn in_words(mut self) -> Self {
        for heading in &mut self.headings {
            *heading = heading.replace('_', " ");
        }
        self
    }

    /// The rows between lines, as wide as the terminal allows.
    pub(crate) fn layout(&self) -> Result<String> {
        self.arranged(lines())
    }

    /// The rows between lines, as wide as they are.
    pub(crate) fn layout_unbroken(&self) -> Result<String> {
        self.arranged(unbroken_lines())
    }

    /// One line for each value, one paragraph for each row: for rows that are wider than the screen.
    pub(crate) fn layout_expanded(&self) -> Result<String> {
        let columns = self.columns()?;
        let widest = self.headings.iter().map(|heading| heading.width()).max();
        let widest = widest.unwrap_or_default();
        let mut out = String::new();
        for row in 0..self.rows.num_rows() {
            out.push_str(&format!("─── row {} ───\n", thousands(row as u64 + 1)));
            for (heading, column) in self.headings.iter().zip(&columns) {
                let pad = " ".repeat(widest - heading.width());
                let value = column[row].replace('\n', &format!("\n{:widest$} │ ", ""));
                out.push_str(&format!("{heading}{pad} │ {value}\n"));
            }
        }
        Ok(out)
    }

    /// The values as text, column by column.
    fn columns(&self) -> Result<Vec<Vec<String>>> {
        let columns = self.rows.columns().iter();
        columns.map(|column| cells(column)).collect()
    }

    fn arranged(&self, mut table: Table) -> Result<String> {
        let schema = self.rows.schema();
        let columns = self.columns()?;
        let rows =
            (0..self.rows.num_rows()).map(|row| columns.iter().map(move |column| &column[row]));
        table.set_header(&self.headings).add_rows(rows);
        for (index, field) in schema.fields().iter().enumerate() {
            if let Some(column) = table
                .column_mut(index)
                .filter(|_| field.data_type().is_numeric())
            {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        Ok(format!("{table}\n"))
    }

    /// How many rows, how many of them are shown, how long it took.
    pub(crate) fn footer(&self) -> String {
        format!("{} · {}", self.count("--format csv"), self.time())
    }

    /// How long it took.
    pub(crate) fn time(&self) -> String {
        format!("{} ms", thousands(self.trailer.elapsed_us / 1_000))
    }

    /// How many rows, and how many of them are shown; `way` names what writes all of them.
    pub(crate) fn count(&self, way: &str) -> String {
        let rows = counted(self.row_count());
        let shown = match self.left_out() {
            0 => String::new(),
            _ => format!(
                ", of which the first {} are shown ({way} writes all)",
                thousands(self.rows.num_rows() as u64)
            ),
        };
        format!("{rows}{shown}")
    }
}

/// A table of texts that are known to be harmless.
pub(crate) fn plain<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> Table {
    let mut table = lines();
    table.set_header(header).add_rows(rows);
    table
}

fn unbroken_lines() -> Table {
    let mut table = Table::new();
    table
        .load_preset(UTF8_FULL_CONDENSED)
        .apply_modifier(UTF8_ROUND_CORNERS);
    table
}

fn lines() -> Table {
    let mut table = unbroken_lines();
    // Elsewhere than on a terminal there is no width to fit.
    if io::stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    table
}

/// The values of one column as text, all in one form.
fn cells(column: &dyn Array) -> Result<Vec<String>> {
    let mut cells: Vec<String> = match column.data_type() {
        DataType::Decimal128(_, scale) => {
            let values = column.as_primitive::<Decimal128Type>().values();
            values.iter().map(|value| money(*value, *scale)).collect()
        }
        DataType::Float64 => floats(column.as_primitive::<Float64Type>().values()),
        DataType::Float32 => {
            let values = column.as_primitive::<Float32Type>().values();
            floats(
                &values
                    .iter()
                    .map(|value| f64::from(*value))
                    .collect::<Vec<_>>(),
            )
        }
        _ => texts(column)?,
    };
    let nulls = column.logical_nulls();
    for (row, cell) in cells.iter_mut().enumerate() {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            NULL.clone_into(cell);
        }
    }
    Ok(cells)
}

fn texts(column: &dyn Array) -> Result<Vec<String>> {
    let format = |error| Error::internal("lay out column", error);
    let formatter = ArrayFormatter::try_new(column, &FORMAT).map_err(format)?;
    let cells = (0..column.len()).map(|row| shown(&formatter.value(row).to_string()));
    Ok(match column.data_type() {
        DataType::Timestamp(_, _) => days(cells.collect()),
        _ => cells.collect(),
    })
}

/// A column of timestamps that are all at midnight holds days.
fn days(cells: Vec<String>) -> Vec<String> {
    const MIDNIGHT: &str = " 00:00:00";
    if !cells
        .iter()
        .all(|cell| cell.ends_with(MIDNIGHT) || cell == NULL)
    {
        return cells;
    }
    cells
        .into_iter()
        .map(|cell| cell.trim_end_matches(MIDNIGHT).to_owned())
        .collect()
}

const FORMAT: FormatOptions<'static> = FormatOptions::new()
    .with_null(NULL)
    .with_display_error(true)
    .with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.f"))
    .with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S%.f"));

/// Two decimals, rounded half away from zero, thousands apart.
fn money(value: i128, scale: i8) -> String {
    let cents = match i32::from(scale) - 2 {
        0 => value,
        down @ 1.. => {
            let unit = 10_i128.pow(down.unsigned_abs());
            (value.abs() / unit + i128::from(value.abs() % unit * 2 >= unit)) * value.signum()
        }
        up => value.saturating_mul(10_i128.saturating_pow(up.unsigned_abs())),
    };
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.unsigned_abs();
    format!("{sign}{}.{:02}", thousands(cents / 100), cents % 100)
}

/// Two decimals where that loses nothing or the numbers are large, else four; the very small with an exponent.
fn floats(values: &[f64]) -> Vec<String> {
    let finite = || values.iter().filter(|value| value.is_finite());
    let large = finite().any(|value| value.abs() >= 1_000.0);
    let exact = finite().all(|value| (value * 100.0 - (value * 100.0).round()).abs() < 1e-6);
    let decimals = if large || exact { 2 } else { 4 };
    values.iter().map(|value| float(*value, decimals)).collect()
}

fn float(value: f64, decimals: usize) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return value.to_string();
    }
    if size >= 1e15 || (decimals == 4 && size > 0.0 && size < 1e-4) {
        return format!("{value:.3e}");
    }
    let text = format!("{size:.decimals$}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let sign = if value < 0.0 && text.bytes().any(|b| (b'1'..=b'9').contains(&b)) {
        "-"
    } else {
        ""
    };
    format!("{sign}{}.{fraction}", apart(whole))
}

/// A number of rows in words: `1 row`, `1,234 rows`.
pub(crate) fn counted(rows: u64) -> String {
    match rows {
        1 => "1 row".to_owned(),
        rows => format!("{} rows", thousands(rows)),
    }
}

/// Thousands apart: `1,234,567`.
pub(crate) fn thousands(number: impl Into<u128>) -> String {
    apart(&number.into().to_string())
}

fn apart(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Text that cannot move the cursor or fill the screen: data is not to be trusted on a terminal.
pub(crate) fn shown(text: &str) -> String {
    let mut out: String = text
        .chars()
        .take(TABLE_CELL_CHARS)
        .map(|c| match c {
            '\n' => '\n',
            '\t' => ' ',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect();
    if text.chars().nth(TABLE_CELL_CHARS).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_two_decimals_and_loses_none_of_the_rest() {
        for (value, scale, expected) in [
            (12_345_678_900, 4, "1,234,567.89"),
            (-9_950, 4, "-1.00"),
            (-9_949, 4, "-0.99"),
            (50, 4, "0.01"),
            (-49, 4, "0.00"),
            (7, 0, "7.00"),
            (75, 1, "7.50"),
            (3, -2, "300.00"),
            (
                99_999_999_999_999_999_999_i128,
                2,
                "999,999,999,999,999,999.99",
            ),
        ] {
            assert_eq!(money(value, scale), expected, "{value} {scale}");
        }
    }

    #[test]
    fn floats_of_one_column_look_alike() {
        for (values, expected) in [
            (
                vec![0.0, 0.1, -12.345_67],
                vec!["0.0000", "0.1000", "-12.3457"],
            ),
            (
                vec![1.5, f64::NAN, -0.001, 1_234_567.891],
                vec!["1.50", "NaN", "0.00", "1,234,567.89"],
            ),
            (vec![12.3, 4.56], vec!["12.30", "4.56"]),
            (vec![1e-9, 0.123_4], vec!["1.000e-9", "0.1234"]),
            (vec![2.5e15], vec!["2.500e15"]),
        ] {
            assert_eq!(floats(&values), expected);
        }
    }

    #[test]
    fn text_cannot_drive_the_terminal() {
        assert_eq!(shown("a\x1b[2Jb\tc"), "a\u{fffd}[2Jb c");
        assert_eq!(
            shown(&"x".repeat(TABLE_CELL_CHARS + 1)).chars().count(),
            TABLE_CELL_CHARS + 1
        );
    }
}
