//! The texts of an Arrow column, in whichever of its layouts they are.

use arrow::array::{
    AnyDictionaryArray, Array, ArrayRef, AsArray, LargeStringArray, StringArray, StringViewArray,
};
use arrow::datatypes::DataType;

/// A column of texts.
pub enum Strings<'a> {
    Short(&'a StringArray),
    Large(&'a LargeStringArray),
    View(&'a StringViewArray),
    Dictionary {
        keys: Vec<usize>,
        array: &'a dyn AnyDictionaryArray,
        values: Box<Self>,
    },
}

impl<'a> Strings<'a> {
    /// The texts of a column; nothing where it has none.
    pub fn of(array: &'a ArrayRef) -> Option<Self> {
        Some(match array.data_type() {
            DataType::Utf8 => Self::Short(array.as_string()),
            DataType::LargeUtf8 => Self::Large(array.as_string()),
            DataType::Utf8View => Self::View(array.as_string_view()),
            DataType::Dictionary(_, values) if values.is_string() => {
                let array = array.as_any_dictionary();
                Self::Dictionary {
                    // Without values there is no key to look up, and the call would not have it.
                    keys: if array.values().is_empty() {
                        Vec::new()
                    } else {
                        array.normalized_keys()
                    },
                    array,
                    values: Box::new(Self::of(array.values())?),
                }
            }
            _ => return None,
        })
    }

    /// The text of a row, or nothing where it is NULL.
    pub fn value(&self, row: usize) -> Option<&'a str> {
        match self {
            Self::Short(array) => array.is_valid(row).then(|| array.value(row)),
            Self::Large(array) => array.is_valid(row).then(|| array.value(row)),
            Self::View(array) => array.is_valid(row).then(|| array.value(row)),
            Self::Dictionary {
                keys,
                array,
                values,
            } => {
                let key = array.keys().is_valid(row).then(|| keys.get(row))??;
                values.value(*key)
            }
        }
    }
}
