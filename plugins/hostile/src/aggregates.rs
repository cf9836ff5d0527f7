//! Aggregates, one of them honest: a sum of `x` per group, and what goes wrong on the way.

use std::sync::Mutex;

use crate::columns::column;
use crate::error;
use crate::exports::tributary::plugin::aggregate::Guest as Aggregate;
use crate::exports::tributary::plugin::aggregate_retract::Guest as Retract;
use crate::functions::{Entry, FUNCTIONS, spin};
use crate::tributary::plugin::types::{Column, ErrorCode, PluginError, Values};

type Done = Result<(), PluginError>;

/// The function and the sums of its groups.
static SUMS: Mutex<(&str, Vec<f64>)> = Mutex::new(("", Vec::new()));
/// Rows that one of them never forgets.
static HOARD: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

fn with<T>(work: impl FnOnce(&str, &mut Vec<f64>) -> T) -> T {
    let mut sums = SUMS.lock().expect("one thread");
    let (name, sums) = &mut *sums;
    work(name, sums)
}

fn values(columns: &[Column]) -> &[f64] {
    match &columns[0].values {
        Values::Float64(values) => values,
        _ => &[],
    }
}

/// Adds each row, times a sign, to its group.
fn add(columns: &[Column], groups: &[u32], filter: Option<&[u8]>, sign: f64, sums: &mut [f64]) {
    for (row, value) in values(columns).iter().enumerate() {
        if filter.is_none_or(|bits| bits[row / 8] >> (row % 8) & 1 == 1) {
            let group = groups.get(row).copied().unwrap_or_default() as usize;
            sums[group] += sign * value;
        }
    }
}

impl Aggregate for crate::Hostile {
    fn start(function: u32) -> Done {
        match FUNCTIONS.get(function as usize) {
            Some(Entry::Aggregate(name)) => {
                with(|_, sums| sums.clear());
                SUMS.lock().expect("one thread").0 = name;
                Ok(())
            }
            _ => Err(error(ErrorCode::Unsupported, "no such aggregate", None)),
        }
    }

    fn update(
        args: Vec<Column>,
        groups: Vec<u32>,
        filter: Option<Vec<u8>>,
        rows: u32,
        total: u32,
    ) -> Done {
        with(|name, sums| {
            sums.resize(total as usize, 0.0);
            match name {
                "panics_on_update" if rows > 0 => panic!("no more rows"),
                "refuses_a_row" if rows > 2 => {
                    return Err(error(ErrorCode::InvalidInput, "not this one", Some(2)));
                }
                "hoards" => {
                    let mut hoard = HOARD.lock().expect("one thread");
                    hoard.extend((0..rows).map(|_| Vec::with_capacity(1 << 20)));
                }
                _ => {}
            }
            add(&args, &groups, filter.as_deref(), 1.0, sums);
            Ok(())
        })
    }

    fn merge(state: Vec<Column>, groups: Vec<u32>, _rows: u32, total: u32) -> Done {
        with(|name, sums| {
            sums.resize(total as usize, 0.0);
            if name == "spins_on_merge" {
                spin();
            }
            add(&state, &groups, None, 1.0, sums);
            Ok(())
        })
    }

    fn evaluate(groups: Vec<u32>) -> Result<Column, PluginError> {
        with(|name, sums| {
            let mut values: Vec<f64> = groups.iter().map(|group| sums[*group as usize]).collect();
            match name {
                "evaluates_too_few" => drop(values.pop()),
                "forgets_when_asked" if crate::mode() != "40" => {
                    sums.iter_mut().for_each(|sum| *sum += 1.0)
                }
                _ => {}
            }
            Ok(column(Values::Float64(values)))
        })
    }

    fn state(groups: Vec<u32>) -> Result<Vec<Column>, PluginError> {
        with(|name, sums| {
            let values: Vec<f64> = groups.iter().map(|group| sums[*group as usize]).collect();
            Ok(match name {
                "states_nothing" => Vec::new(),
                "states_other" => vec![column(Values::Int64(vec![1; values.len()]))],
                "states_too_few" => vec![column(Values::Float64(values[1..].to_vec()))],
                _ => vec![column(Values::Float64(values))],
            })
        })
    }

    fn drop_first(n: u32) -> Done {
        with(|_, sums| {
            sums.drain(..n as usize);
        });
        Ok(())
    }

    fn reset(group: u32) -> Done {
        with(|_, sums| sums[group as usize] = 0.0);
        Ok(())
    }
}

impl Retract for crate::Hostile {
    fn retract(args: Vec<Column>, groups: Vec<u32>, filter: Option<Vec<u8>>, _rows: u32) -> Done {
        with(|_, sums| add(&args, &groups, filter.as_deref(), -1.0, sums));
        Ok(())
    }
}
