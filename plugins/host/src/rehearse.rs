//! Tries a plugin on made-up rows before it is trusted: a row must get the same result alone and in company, whatever
//! comes before and after it, and in any instance. It deliberately judges no values.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array,
    Float64Array, Int8Array, Int16Array, Int32Array, Int64Array, StringArray,
    TimestampMicrosecondArray, UInt8Array, UInt16Array, UInt32Array, UInt32Builder, UInt64Array,
};
use arrow::compute::take;
use arrow::row::{RowConverter, SortField};

use crate::call::{Argument, assemble};
use crate::error::{Error, ErrorKind};
use crate::manifest::{Field, Function, Kind, Type};
use crate::plugin::Plugin;
use crate::pool::Pool;
use crate::settings::Settings;

/// Made-up rows of each function.
const ROWS: usize = 48;

impl Plugin {
    /// Calls every function on the same made-up rows in several ways. Rows that the plugin refuses are left out, and so
    /// are functions that fail as a whole: they fail when they are called.
    ///
    /// # Errors
    /// `Refused` where a row gets other results in other company.
    pub fn rehearse(self: &Arc<Self>, settings: &Settings) -> Result<(), Error> {
        let functions = self.manifest().functions.iter().enumerate();
        for (number, function) in functions {
            let rehearsal = Rehearsal {
                plugin: self,
                settings,
                number,
                function,
            };
            let same = match function.kind {
                Kind::Scalar | Kind::Rule => rehearsal.rows_agree()?,
                Kind::Aggregate => rehearsal.aggregations_agree()?,
            };
            if !same {
                let error = Error::refused(
                    "the same row gets another result in other company or in another instance",
                );
                return Err(self.pool(settings, Some(0)).in_function(error, number));
            }
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
        Arc::new(self.plugin.pool(self.settings, Some(0)))
    }

    /// Whether each row gets the same alone, in one batch, in a batch the other way round, and in two halves.
    fn rows_agree(&self) -> Result<bool, Error> {
        let columns = self.columns();
        let alone = self.pool();
        let mut good = UInt32Builder::new();
        let mut results: Vec<ArrayRef> = Vec::new();
        for row in 0..ROWS {
            match self.call(&alone, &columns, row, 1) {
                Ok(result) => {
                    good.append_value(row as u32);
                    results.push(result);
                }
                Err(error) if error.kind == ErrorKind::Internal => return Err(error),
                // Refused for what it is, which says nothing about its company.
                Err(error) if matches!(error.kind, ErrorKind::Row | ErrorKind::Plugin) => {}
                // Broken: that shows when it is called.
                Err(_) => return Ok(true),
            }
        }
        let good = good.finish();
        if good.is_empty() {
            return Ok(true);
        }
        let results: Vec<&dyn Array> = results.iter().map(AsRef::as_ref).collect();
        let alone = arrow::compute::concat(&results).map_err(|error| assemble(&error))?;
        let columns = picked(&columns, &good)?;
        let backwards: UInt32Array = (0..good.len() as u32).rev().collect();
        let half = good.len() / 2;
        let ways = [
            self.call(&self.pool(), &columns, 0, good.len()),
            self.call(&self.pool(), &picked(&columns, &backwards)?, 0, good.len())
                .and_then(|result| {
                    take(&result, &backwards, None).map_err(|error| assemble(&error))
                }),
            self.in_two(&columns, half, good.len()),
        ];
        for way in ways {
            match way {
                Ok(result) if same(&alone, &result)? => {}
                Ok(_) => return Ok(false),
                Err(error) if error.kind == ErrorKind::Internal => return Err(error),
                // Each row went well alone.
                Err(error) if matches!(error.kind, ErrorKind::Row | ErrorKind::Plugin) => {
                    return Ok(false);
                }
                // Broken: that shows when it is called.
                Err(_) => return Ok(true),
            }
        }
        Ok(true)
    }

    fn in_two(&self, columns: &[ArrayRef], half: usize, rows: usize) -> Result<ArrayRef, Error> {
        let pool = self.pool();
        // The other way round, so that the second half comes to a fresh instance.
        let second = self.call(&pool, columns, half, rows - half)?;
        let first = self.call(&pool, columns, 0, half)?;
        arrow::compute::concat(&[first.as_ref(), second.as_ref()]).map_err(|error| assemble(&error))
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

    /// Whether the same rows give the same value twice, however often it is asked for, and through a partial state.
    fn aggregations_agree(&self) -> Result<bool, Error> {
        let columns = self.columns();
        let values = [self.aggregate(&columns), self.aggregate(&columns)];
        match values {
            [Ok(one), Ok(other)] => Ok(same(&one, &other)?),
            [Err(_), Err(_)] => Ok(true),
            _ => Ok(false),
        }
    }

    fn aggregate(&self, columns: &[ArrayRef]) -> Result<ArrayRef, Error> {
        let pool = self.pool();
        let groups: Vec<u32> = (0..ROWS as u32).map(|row| row % 3).collect();
        let mut aggregation = pool.aggregate(self.number)?;
        aggregation.update(columns, Some(&groups), None, 3)?;
        let once = aggregation.evaluate(&[0, 1, 2])?;
        let state = aggregation.state(&[0, 1, 2])?;
        let again = aggregation.evaluate(&[0, 1, 2])?;
        let mut merged = pool.aggregate(self.number)?;
        merged.merge(&state, Some(&[0, 1, 2]), None, 3)?;
        merged.state(&[0, 1, 2])?;
        match same(&once, &again)? {
            true => Ok(once),
            false => Err(Error::output("a value changes when it is asked for twice")),
        }
    }

    fn columns(&self) -> Vec<ArrayRef> {
        let args = self.function.args.iter().enumerate();
        args.map(|(position, field)| column(field, &mut Dice::new(position as u64)))
            .collect()
    }
}

fn picked(columns: &[ArrayRef], rows: &UInt32Array) -> Result<Vec<ArrayRef>, Error> {
    let picked = columns.iter().map(|column| take(column, rows, None));
    picked
        .collect::<Result<_, _>>()
        .map_err(|error| assemble(&error))
}

/// Whether two columns hold the same, bit by bit.
fn same(one: &ArrayRef, other: &ArrayRef) -> Result<bool, Error> {
    let field = SortField::new(one.data_type().clone());
    let converter = RowConverter::new(vec![field]).map_err(|error| assemble(&error))?;
    let rows = |column: &ArrayRef| {
        let rows = converter.convert_columns(std::slice::from_ref(column));
        rows.map_err(|error| assemble(&error))
    };
    let (one, other) = (rows(one)?, rows(other)?);
    Ok(one.iter().eq(other.iter()))
}

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

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
