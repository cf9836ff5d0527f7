//! Rows that were gathered for a function that reads many: columns of plain numbers, without NULLs, and what is the same
//! for all of them.

use std::collections::HashMap;
use std::str::FromStr;

use arrow::array::Array;
use tributary_engine_stats::invalid::Invalid;

use super::argument::Argument;
use super::row::Column;

/// A gathered column.
#[derive(Debug, Clone)]
pub enum Data {
    Numbers(Vec<f64>),
    Wholes(Vec<i64>),
    Truths(Vec<bool>),
    /// places in [`Texts`]
    Codes(Vec<u32>),
}

/// Texts that rows refer to, each once.
#[derive(Debug, Clone, Default)]
pub struct Texts {
    places: HashMap<Box<str>, u32>,
    texts: Vec<Box<str>>,
}

impl Texts {
    fn place(&mut self, text: &str) -> u32 {
        if let Some(place) = self.places.get(text) {
            return *place;
        }
        let place = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.places.insert(text.into(), place);
        self.texts.push(text.into());
        place
    }

    pub fn get(&self, place: u32) -> &str {
        &self.texts[place as usize]
    }

    pub fn size(&self) -> usize {
        let bytes: usize = self.texts.iter().map(|text| text.len()).sum();
        2 * (bytes + self.texts.len() * size_of::<Box<str>>())
    }
}

impl Data {
    /// An empty column of the kind of an array.
    pub fn like(column: &Column) -> Self {
        match column {
            Column::Numbers(_) => Self::Numbers(Vec::new()),
            Column::Truths(_) => Self::Truths(Vec::new()),
            Column::Texts(_) => Self::Codes(Vec::new()),
            Column::Wholes(_) | Column::Days(_) | Column::Lists(_) => Self::Wholes(Vec::new()),
        }
    }

    /// An empty column of the same kind.
    pub fn empty(&self) -> Self {
        self.permuted(&[])
    }

    /// Takes some rows of a column, none of them NULL.
    pub fn take(&mut self, column: &Column, rows: &[u32], texts: &mut Texts) {
        let rows = rows.iter().map(|row| *row as usize);
        match (self, column) {
            (Self::Numbers(to), Column::Numbers(from)) => {
                to.extend(rows.map(|row| from.value(row)));
            }
            (Self::Wholes(to), Column::Wholes(from)) => to.extend(rows.map(|row| from.value(row))),
            (Self::Wholes(to), Column::Days(from)) => {
                to.extend(rows.map(|row| i64::from(from.value(row))));
            }
            (Self::Truths(to), Column::Truths(from)) => to.extend(rows.map(|row| from.value(row))),
            (Self::Codes(to), Column::Texts(from)) => {
                to.extend(rows.map(|row| texts.place(from.value(row))));
            }
            _ => {}
        }
    }

    /// The values in another order.
    pub fn permuted(&self, order: &[u32]) -> Self {
        let rows = order.iter().map(|row| *row as usize);
        match self {
            Self::Numbers(values) => Self::Numbers(rows.map(|row| values[row]).collect()),
            Self::Wholes(values) => Self::Wholes(rows.map(|row| values[row]).collect()),
            Self::Truths(values) => Self::Truths(rows.map(|row| values[row]).collect()),
            Self::Codes(values) => Self::Codes(rows.map(|row| values[row]).collect()),
        }
    }

    /// Some neighbouring values, each once.
    pub fn distinct(&self, start: usize, len: usize) -> Self {
        match self {
            Self::Numbers(values) => {
                let mut values = values[start..][..len].to_vec();
                values.sort_by(f64::total_cmp);
                values.dedup();
                Self::Numbers(values)
            }
            Self::Wholes(values) => Self::Wholes(once(&values[start..][..len])),
            Self::Truths(values) => Self::Truths(once(&values[start..][..len])),
            Self::Codes(values) => Self::Codes(once(&values[start..][..len])),
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Self::Numbers(values) => values.len(),
            Self::Wholes(values) => values.len(),
            Self::Truths(values) => values.len(),
            Self::Codes(values) => values.len(),
        }
    }

    pub fn size(&self) -> usize {
        match self {
            Self::Numbers(values) => values.capacity() * 8,
            Self::Wholes(values) => values.capacity() * 8,
            Self::Truths(values) => values.capacity(),
            Self::Codes(values) => values.capacity() * 4,
        }
    }
}

fn once<T: Ord + Copy>(values: &[T]) -> Vec<T> {
    let mut values = values.to_vec();
    values.sort_unstable();
    values.dedup();
    values
}

/// The rows of one group, none with a NULL.
pub struct Rows<'a> {
    pub arguments: &'a [Argument],
    /// by argument; of constants there is none
    pub data: &'a [Option<Data>],
    pub texts: &'a Texts,
    /// the first row of the group, and its rows
    pub start: usize,
    pub len: usize,
    /// what is the same for all rows, one row each
    pub constants: &'a [Option<Column>],
}

/// Positions of rows by ascending order, with the rows of one position side by side.
pub struct Series {
    /// what orders them, ascending, each once
    pub order: Vec<i64>,
    /// the position of each row
    pub positions: Vec<usize>,
}

impl Rows<'_> {
    fn column(&self, place: usize) -> Option<&Data> {
        self.data.get(place).and_then(Option::as_ref)
    }

    /// Whether a call has an argument.
    pub fn has(&self, place: usize) -> bool {
        self.column(place).is_some()
    }

    pub fn numbers(&self, place: usize) -> &[f64] {
        match self.column(place) {
            Some(Data::Numbers(values)) => &values[self.start..][..self.len],
            _ => &[],
        }
    }

    pub fn wholes(&self, place: usize) -> &[i64] {
        match self.column(place) {
            Some(Data::Wholes(values)) => &values[self.start..][..self.len],
            _ => &[],
        }
    }

    pub fn truths(&self, place: usize) -> &[bool] {
        match self.column(place) {
            Some(Data::Truths(values)) => &values[self.start..][..self.len],
            _ => &[],
        }
    }

    /// Counts; a negative one is invalid.
    pub fn counts(&self, place: usize) -> Result<Vec<u64>, Invalid> {
        let counts = self.wholes(place).iter().map(|whole| {
            u64::try_from(*whole).map_err(|_| Invalid {
                argument: self.arguments[place].name,
                needs: "counts of at least 0",
                got: whole.to_string(),
            })
        });
        counts.collect()
    }

    /// For each row the place of its text among those of the group, which are sorted.
    pub fn groups(&self, place: usize) -> (Vec<u32>, Vec<&str>) {
        let codes = match self.column(place) {
            Some(Data::Codes(values)) => &values[self.start..][..self.len],
            _ => return (Vec::new(), Vec::new()),
        };
        let mut present = codes.to_vec();
        present.sort_unstable();
        present.dedup();
        present.sort_by_key(|code| self.texts.get(*code));
        let numbers: HashMap<u32, u32> = (0..)
            .zip(&present)
            .map(|(number, code)| (*code, number))
            .collect();
        let groups = codes.iter().map(|code| numbers[code]).collect();
        (
            groups,
            present.iter().map(|code| self.texts.get(*code)).collect(),
        )
    }

    /// The rows as a series ordered by an argument.
    pub fn series(&self, place: usize) -> Series {
        let values = self.wholes(place);
        let mut order = values.to_vec();
        order.sort_unstable();
        order.dedup();
        let positions = values
            .iter()
            .map(|value| order.partition_point(|known| known < value))
            .collect();
        Series { order, positions }
    }

    /// A number that is the same for all rows.
    pub fn number(&self, place: usize) -> Option<f64> {
        match self.constants.get(place)?.as_ref()? {
            Column::Numbers(array) if array.is_valid(0) => Some(array.value(0)),
            _ => None,
        }
    }

    /// The same, or its default.
    pub fn number_or(&self, place: usize, default: f64) -> f64 {
        self.number(place).unwrap_or(default)
    }

    /// A number that a call cannot do without.
    pub fn needed_number(&self, place: usize) -> Result<f64, Invalid> {
        self.number(place).ok_or_else(|| self.is_null(place))
    }

    /// A count that a call cannot do without.
    pub fn needed_count(&self, place: usize) -> Result<u64, Invalid> {
        self.count(place).ok_or_else(|| self.is_null(place))
    }

    fn is_null(&self, place: usize) -> Invalid {
        Invalid {
            argument: self.arguments[place].name,
            needs: "a value",
            got: "NULL".to_owned(),
        }
    }

    /// A count that is the same for all rows.
    pub fn count(&self, place: usize) -> Option<u64> {
        match self.constants.get(place)?.as_ref()? {
            Column::Wholes(array) if array.is_valid(0) => u64::try_from(array.value(0)).ok(),
            _ => None,
        }
    }

    /// A truth that is the same for all rows.
    pub fn truth(&self, place: usize) -> Option<bool> {
        match self.constants.get(place)?.as_ref()? {
            Column::Truths(array) if array.is_valid(0) => Some(array.value(0)),
            _ => None,
        }
    }

    /// A text that is the same for all rows.
    pub fn text(&self, place: usize) -> Option<&str> {
        match self.constants.get(place)?.as_ref()? {
            Column::Texts(array) if array.is_valid(0) => Some(array.value(0)),
            _ => None,
        }
    }

    /// A word with a meaning, or its default.
    pub fn word<T: FromStr<Err = Invalid>>(&self, place: usize, default: T) -> Result<T, Invalid> {
        self.text(place).map_or(Ok(default), str::parse)
    }
}

impl Series {
    /// Sums by position, in an order that does not depend on that of the rows.
    pub fn summed(&self, values: &[f64]) -> Vec<f64> {
        let mut rows: Vec<(usize, f64)> = self
            .positions
            .iter()
            .copied()
            .zip(values.iter().copied())
            .collect();
        rows.sort_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)));
        let mut sums = vec![0.0; self.order.len()];
        for (position, value) in rows {
            sums[position] += value;
        }
        sums
    }

    /// Sums of counts by position.
    pub fn counted(&self, values: &[u64]) -> Vec<u64> {
        let mut sums = vec![0_u64; self.order.len()];
        for (position, value) in self.positions.iter().zip(values) {
            sums[*position] = sums[*position].saturating_add(*value);
        }
        sums
    }
}
