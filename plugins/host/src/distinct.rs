//! A text column that is a dictionary, where all other arguments are constant: the function is
//! asked once per distinct value, and its answers are handed out to the rows. It deliberately
//! knows only arguments; values no row has are left out, for a plugin may refuse them.

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array, new_null_array};
use arrow::compute::{concat, take};
use arrow::datatypes::DataType;

use crate::batch::Passed;
use crate::call::assemble;
use crate::error::Error;
use crate::types::{Field, Type, is_text};

/// Values a row has, at most so many of them per row: with more there is little to save.
const ROWS_PER_VALUE_MIN: usize = 2;

/// The distinct values of a batch.
pub(crate) struct Distinct {
    /// the arguments, a row per distinct value
    pub(crate) args: Vec<Passed>,
    pub(crate) len: usize,
    /// for each row of the batch, which of them it has
    pub(crate) places: UInt32Array,
}

impl Distinct {
    /// The distinct values, if the arguments are one dictionary and constants.
    pub(crate) fn find(
        args: &[Passed],
        fields: &[Field],
        rows: usize,
    ) -> Result<Option<Self>, Error> {
        let mut columns = args.iter().enumerate().filter(|(_, arg)| !arg.constant);
        let (Some((at, column)), None) = (columns.next(), columns.next()) else {
            return Ok(None);
        };
        let text = fields
            .get(at)
            .is_some_and(|field| matches!(field.ty, Type::Text | Type::Json));
        let DataType::Dictionary(_, value) = column.array.data_type() else {
            return Ok(None);
        };
        let values = column.array.as_any_dictionary().values();
        let few = values.len().saturating_mul(ROWS_PER_VALUE_MIN) <= rows;
        if !text || !is_text(value) || !few || column.array.len() != rows {
            return Ok(None);
        }
        let (column, places) = distinct(&column.array)?;
        let len = column.len();
        let mut args = args.to_vec();
        args[at].array = column;
        Ok(Some(Self { args, len, places }))
    }

    /// An error about a value is one about the first row that has it.
    pub(crate) fn locate(&self, error: Error) -> Error {
        let row = error.place.row.and_then(|value| {
            let mut places = self.places.values().iter();
            places.position(|place| u64::from(*place) == value)
        });
        error.in_row(row.map(|row| row as u64))
    }
}

/// The values that rows have, one of them NULL if a row has that, and which of them each row has.
fn distinct(array: &ArrayRef) -> Result<(ArrayRef, UInt32Array), Error> {
    let dictionary = array.as_any_dictionary();
    let values = dictionary.values();
    // One more than there are values: the NULL of a row without a key.
    const ABSENT: u32 = u32::MAX;
    let mut place_of = vec![ABSENT; values.len() + 1];
    let mut used = Vec::new();
    let keys = normalized(array);
    let places = keys.iter().map(|key| {
        if place_of[*key] == ABSENT {
            place_of[*key] = used.len() as u32;
            used.push(*key as u32);
        }
        place_of[*key]
    });
    let places: UInt32Array = UInt32Array::from_iter_values(places);
    let null = used.iter().position(|key| *key as usize == values.len());
    let column = match null {
        None => take(values, &UInt32Array::from(used), None),
        Some(_) => {
            let null = new_null_array(values.data_type(), 1);
            concat(&[values.as_ref(), null.as_ref()])
                .and_then(|values| take(&values, &UInt32Array::from(used), None))
        }
    };
    Ok((column.map_err(|error| assemble(&error))?, places))
}

/// The key of each row, and the number of values for a row that is NULL.
fn normalized(array: &ArrayRef) -> Vec<usize> {
    let dictionary = array.as_any_dictionary();
    if dictionary.values().is_empty() {
        return vec![0; array.len()];
    }
    let mut keys = dictionary.normalized_keys();
    if let Some(nulls) = dictionary.keys().nulls() {
        let absent = dictionary.values().len();
        for (key, valid) in keys.iter_mut().zip(nulls) {
            if !valid {
                *key = absent;
            }
        }
    }
    keys
}
