//! Tries a plugin on made-up rows before it is trusted: a row must get the same result alone and in company, whatever
//! comes before and after it, and in any instance. It deliberately judges no values.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array,
    Float64Array, Int8Array, Int16Array, Int32Array, Int64Array, StringArray,
    TimestampMicrosecondArray, UInt8Array, UInt16Array, UInt32Array, UInt32Builder, UInt64Array,
};
use arrow::compute::{concat, take};
use arrow::row::{RowConverter, SortField};
use arrow::util::display::array_value_to_string;

use crate::call::{Argument, assemble};
use crate::error::{Error, ErrorKind, printable};
use crate::function::{Function, Kind};
use crate::plugin::{Plugin, TRIAL_NOW_US};
use crate::pool::Pool;
use crate::settings::Settings;
use crate::types::{Field, Type};

/// Made-up rows of each function.
const ROWS: usize = 200;
/// Rows that may break a function before it is given up: that shows when it is called, and each may cost a whole budget.
const BROKEN_MAX: usize = 4;
/// Groups of an aggregate: so many that some have no number beside which all others vanish.
const GROUPS: usize = 40;

impl Plugin {
    /// Calls every function on the same made-up rows in several ways. Rows that the plugin refuses or breaks at are left
    /// out. The rows follow from the digest, so that the same upload is always tried in the same way.
    ///
    /// # Errors
    /// `Refused` where a row gets other results in other company.
    pub fn rehearse(self: &Arc<Self>, settings: &Settings) -> Result<(), Error> {
        for (number, function) in self.manifest().functions.iter().enumerate() {
            let rehearsal = Rehearsal {
                plugin: self,
                settings,
                number,
                function,
            };
            let done = match function.kind {
                Kind::Scalar | Kind::Rule => rehearsal.rows(),
                Kind::Aggregate => rehearsal.aggregations(),
            };
            done.map_err(|error| rehearsal.pool().place(number, error))?;
        }
        Ok(())
    }
}

struct Rehearsal<'a> {
    plugin: &'a Arc<Plugin>,
    settings: &'a Settings,
    number: usize,
    function: &'a Function,
}

impl Rehearsal<'_> {
    fn pool(&self) -> Arc<Pool> {
        Arc::new(self.plugin.pool(self.settings, Some(TRIAL_NOW_US)))
    }

    /// Whether each row gets the same alone, in one batch, in a batch the other way round, and in two halves.
    fn rows(&self) -> Result<(), Error> {
        let columns = self.columns();
        let Some((good, alone)) = self.alone(&columns)? else {
            return Ok(());
        };
        let columns = picked(&columns, &good)?;
        let rows = good.len();
        let backwards: UInt32Array = (0..rows as u32).rev().collect();
        let reversed = picked(&columns, &backwards)?;
        let in_reverse =
            |result: ArrayRef| take(&result, &backwards, None).map_err(|error| assemble(&error));
        let ways = [
            self.call(&self.pool(), &columns, 0, rows),
            self.call(&self.pool(), &reversed, 0, rows)
                .and_then(in_reverse),
            self.in_two(&columns, rows / 2, rows),
        ];
        for way in ways {
            match way {
                Ok(result) => match first_other(&alone, &result)? {
                    None => {}
                    Some(row) => return Err(self.other(&columns, row)),
                },
                Err(error) if error.kind == ErrorKind::Internal => return Err(error),
                // What one row takes is no promise for all of them together.
                Err(error) if error.kind == ErrorKind::Limit => {}
                // Each row went well alone.
                Err(error) => {
                    let row = error.place.row.and_then(|row| usize::try_from(row).ok());
                    return Err(self.other(&columns, row.unwrap_or(0).min(rows - 1)));
                }
            }
        }
        Ok(())
    }

    /// The rows that go well, each asked for alone, with their results; nothing if the function is broken.
    fn alone(&self, columns: &[ArrayRef]) -> Result<Option<(UInt32Array, ArrayRef)>, Error> {
        let pool = self.pool();
        let mut good = UInt32Builder::new();
        let mut results: Vec<ArrayRef> = Vec::new();
        let mut broken = 0;
        for row in 0..ROWS {
            match self.call(&pool, columns, row, 1) {
                Ok(result) => {
                    good.append_value(row as u32);
                    results.push(result);
                }
                Err(error) if error.kind == ErrorKind::Internal => return Err(error),
                // Refused for what it is, which says nothing about its company.
                Err(error) if matches!(error.kind, ErrorKind::Row | ErrorKind::Plugin) => {}
                Err(_) => broken += 1,
            }
            if broken == BROKEN_MAX {
                return Ok(None);
            }
        }
        if results.is_empty() {
            return Ok(None);
        }
        let results: Vec<&dyn Array> = results.iter().map(AsRef::as_ref).collect();
        let results = concat(&results).map_err(|error| assemble(&error))?;
        Ok(Some((good.finish(), results)))
    }

    fn in_two(&self, columns: &[ArrayRef], half: usize, rows: usize) -> Result<ArrayRef, Error> {
        let pool = self.pool();
        // The other way round, so that the second half comes to a fresh instance.
        let second = self
            .call(&pool, columns, half, rows - half)
            .map_err(|error| error.after_rows(half as u64))?;
        let first = self.call(&pool, columns, 0, half)?;
        concat(&[first.as_ref(), second.as_ref()]).map_err(|error| assemble(&error))
    }

    fn call(
        &self,
        pool: &Pool,
        columns: &[ArrayRef],
        start: usize,
        rows: usize,
    ) -> Result<ArrayRef, Error> {
        let slices: Vec<ArrayRef> = columns
            .iter()
            .map(|column| column.slice(start, rows))
            .collect();
        let arguments: Vec<Argument<'_>> = slices.iter().map(Argument::Array).collect();
        pool.call(self.number, &arguments, rows)
    }

    /// Whether the same rows give the same values and partial states every time, asked for once or twice, and whether
    /// partial states merge to the same every time. The order of rows may matter to an aggregate, as it does to sums.
    fn aggregations(&self) -> Result<(), Error> {
        let columns = self.columns();
        match [self.accumulated(&columns), self.accumulated(&columns)] {
            [Ok(one), Ok(other)] => {
                for (one, other) in one.iter().zip(&other) {
                    if first_other(one, other)?.is_some() {
                        return Err(other_values("when it is computed again"));
                    }
                }
                Ok(())
            }
            [Err(error), _] | [_, Err(error)]
                if matches!(error.kind, ErrorKind::Internal | ErrorKind::Refused) =>
            {
                Err(error)
            }
            [Err(_), Err(_)] => Ok(()),
            _ => Err(other_values("when it is computed again")),
        }
    }

    /// Values and states of all rows at once, and the values of two halves merged.
    fn accumulated(&self, columns: &[ArrayRef]) -> Result<Vec<ArrayRef>, Error> {
        let pool = self.pool();
        let mut all = pool.aggregate(self.number)?;
        let each = groups(GROUPS);
        all.update(columns, Some(&groups(ROWS)), None, GROUPS)?;
        let once = all.evaluate(&each)?;
        let mut results = all.state(&each)?;
        let twice = all.evaluate(&each)?;
        if first_other(&once, &twice)?.is_some() {
            return Err(other_values("when it is asked for twice"));
        }
        results.push(once);
        let half = ROWS / 2;
        let mut merged = pool.aggregate(self.number)?;
        for start in [0, half] {
            let mut part = pool.aggregate(self.number)?;
            let columns: Vec<ArrayRef> = columns
                .iter()
                .map(|column| column.slice(start, half))
                .collect();
            part.update(&columns, Some(&groups(half)), None, GROUPS)?;
            merged.merge(&part.state(&each)?, Some(&each), None, GROUPS)?;
        }
        results.push(merged.evaluate(&each)?);
        Ok(results)
    }

    fn columns(&self) -> Vec<ArrayRef> {
        let seed = self.plugin.digest().get(..16);
        let seed = seed.and_then(|digits| u64::from_str_radix(digits, 16).ok());
        let mut dice = Dice(seed.unwrap_or_default() ^ self.number as u64);
        let args = self.function.args.iter();
        args.map(|field| column(field, &mut dice)).collect()
    }

    /// The function gives a row another result than it gives it alone.
    fn other(&self, columns: &[ArrayRef], row: usize) -> Error {
        let shown = columns
            .iter()
            .zip(&self.function.args)
            .map(|(column, field)| {
                let value = match column.is_null(row) {
                    true => Ok("NULL".to_owned()),
                    false => array_value_to_string(column, row),
                };
                format!("{} = {}", field.name, value.unwrap_or_default())
            });
        let shown = shown.collect::<Vec<_>>().join(", ");
        Error::refused(format!(
            "gives other results for ({}) alone and among other rows",
            printable(&shown, 200)
        ))
    }
}

fn other_values(when: &str) -> Error {
    Error::refused(format!("gives other values for the same rows {when}"))
}

fn groups(rows: usize) -> Vec<u32> {
    (0..GROUPS as u32).cycle().take(rows).collect()
}

fn picked(columns: &[ArrayRef], rows: &UInt32Array) -> Result<Vec<ArrayRef>, Error> {
    let picked = columns.iter().map(|column| take(column, rows, None));
    picked
        .collect::<Result<_, _>>()
        .map_err(|error| assemble(&error))
}

/// The first row in which two columns differ, if only in a bit.
fn first_other(one: &ArrayRef, other: &ArrayRef) -> Result<Option<usize>, Error> {
    let field = SortField::new(one.data_type().clone());
    let converter = RowConverter::new(vec![field]).map_err(|error| assemble(&error))?;
    let rows = |column: &ArrayRef| {
        let rows = converter.convert_columns(std::slice::from_ref(column));
        rows.map_err(|error| assemble(&error))
    };
    let (one, other) = (rows(one)?, rows(other)?);
    Ok(one.iter().zip(&other).position(|(one, other)| one != other))
}

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    /// The next number (Steele, Lea and Flood 2014, SplitMix64).
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[(self.next() % from.len() as u64) as usize]
    }

    /// Mostly what people have in their tables, now and then what they should not have.
    fn integer(&mut self) -> i64 {
        match self.next() % 8 {
            0 => self.pick(&[0, 1, -1, i64::MAX, i64::MIN]),
            1 => self.next() as i64,
            _ => (self.next() % 1000) as i64,
        }
    }

    fn number(&mut self) -> f64 {
        match self.next() % 8 {
            0 => self.pick(&[0.0, -0.0, 1.0, -1.0, f64::MAX, f64::MIN_POSITIVE, f64::NAN]),
            1 => -((self.next() % 1_000_000) as f64) / 7.0,
            _ => (self.next() % 1_000_000) as f64 / 16.0,
        }
    }
}

const TEXTS: [&str; 8] = [
    "",
    "a",
    "metal",
    "Referral",
    "large enterprise in the north",
    "Größe",
    "日本",
    "no\nline",
];
const DOCUMENTS: [&str; 6] = ["{}", "[]", "null", "7", r#"{"a": 1}"#, r#"[{"b": "c"}]"#];

/// A column of made-up values, some of them NULL where the function sees NULLs.
fn column(field: &Field, dice: &mut Dice) -> ArrayRef {
    let nullable = field.nullable;
    macro_rules! filled {
        ($array:ty, $value:expr) => {{
            let value: &mut dyn FnMut(&mut Dice) -> _ = &mut $value;
            let values: $array = (0..ROWS)
                .map(|_| {
                    let made = value(dice);
                    (!nullable || dice.next() % 4 != 0).then_some(made)
                })
                .collect();
            values
        }};
    }
    match field.ty {
        Type::Boolean => Arc::new(filled!(BooleanArray, |dice: &mut Dice| dice
            .next()
            .is_multiple_of(2))),
        Type::Int8 => Arc::new(filled!(Int8Array, |dice: &mut Dice| dice.integer() as i8)),
        Type::Int16 => Arc::new(filled!(Int16Array, |dice: &mut Dice| dice.integer() as i16)),
        Type::Int32 => Arc::new(filled!(Int32Array, |dice: &mut Dice| dice.integer() as i32)),
        Type::Int64 => Arc::new(filled!(Int64Array, Dice::integer)),
        Type::Uint8 => Arc::new(filled!(UInt8Array, |dice: &mut Dice| dice.integer() as u8)),
        Type::Uint16 => Arc::new(filled!(UInt16Array, |dice: &mut Dice| dice.integer() as u16)),
        Type::Uint32 => Arc::new(filled!(UInt32Array, |dice: &mut Dice| dice.integer() as u32)),
        Type::Uint64 => Arc::new(filled!(UInt64Array, |dice: &mut Dice| dice.integer() as u64)),
        Type::Float32 => Arc::new(filled!(Float32Array, |dice: &mut Dice| dice.number() as f32)),
        Type::Float64 => Arc::new(filled!(Float64Array, Dice::number)),
        Type::Date => Arc::new(filled!(
            Date32Array,
            |dice: &mut Dice| (dice.next() % 40_000) as i32
        )),
        Type::Timestamp => Arc::new(filled!(TimestampMicrosecondArray, |dice: &mut Dice| {
            (dice.next() % 4_000_000_000_000_000) as i64
        })),
        Type::Decimal { precision, scale } => {
            let bound = 10_i128.pow(u32::from(precision).min(18));
            let values = filled!(Decimal128Array, |dice: &mut Dice| i128::from(
                dice.integer()
            ) % bound);
            // The bound is within the precision, so this can't fail; without the type it is no argument.
            match values.with_precision_and_scale(precision, scale) {
                Ok(values) => Arc::new(values),
                Err(_) => arrow::array::new_null_array(&field.ty.arrow(), ROWS),
            }
        }
        Type::Text => Arc::new(filled!(StringArray, |dice: &mut Dice| dice.pick(&TEXTS))),
        Type::Json => Arc::new(filled!(StringArray, |dice: &mut Dice| dice.pick(&DOCUMENTS))),
        Type::Binary => Arc::new(filled!(BinaryArray, |dice: &mut Dice| dice
            .pick(&TEXTS)
            .as_bytes())),
    }
}
