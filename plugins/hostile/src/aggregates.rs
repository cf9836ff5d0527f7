//! Aggregates: some honest ones, and one per way to misbehave.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::columns::{bit, column, float, floats, string, texts};
use crate::entry::{Answer, Body, Entry, FLOAT, INTEGER, TEXT};
use crate::error;
use crate::functions::spin;
use crate::honest::ECHO_FLOAT;
use crate::tributary::plugin::diagnostics::{Level, report};
use crate::tributary::plugin::types::{Column, ErrorCode, Values};

/// What an aggregate does. The defaults add up weighted values, honestly.
pub(crate) trait Aggregate {
    fn start(&self) -> Answer<()> {
        Ok(())
    }
    fn update(&self, groups: &mut [Group], rows: &Rows<'_>, sign: f64) -> Answer<()> {
        for (row, group) in rows.each() {
            let weight = rows.args.get(1).and_then(|weights| float(weights, row));
            let weight = sign * weight.unwrap_or(1.0);
            groups[group].sum += float(&rows.args[0], row).unwrap_or(0.0) * weight;
            groups[group].weight += weight;
        }
        Ok(())
    }
    fn merge(&self, groups: &mut [Group], rows: &Rows<'_>) -> Answer<()> {
        for (row, group) in rows.each() {
            groups[group].sum += float(&rows.args[0], row).unwrap_or(0.0);
            let weight = rows.args.get(1).and_then(|weights| float(weights, row));
            groups[group].weight += weight.unwrap_or(0.0);
        }
        Ok(())
    }
    fn evaluate(&self, groups: &mut [Group], asked: &[u32]) -> Answer<Column> {
        let sums = asked.iter().map(|group| groups[*group as usize].sum);
        Ok(column(Values::Float64(sums.collect())))
    }
    fn state(&self, groups: &mut [Group], asked: &[u32]) -> Answer<Vec<Column>> {
        self.evaluate(groups, asked).map(|column| vec![column])
    }
}

/// What is kept of a group.
#[derive(Clone, Default)]
pub(crate) struct Group {
    sum: f64,
    weight: f64,
    rows: i64,
    nulls: i64,
    longest: String,
    hoard: Vec<u64>,
}

/// Rows of one call.
pub(crate) struct Rows<'a> {
    pub(crate) args: &'a [Column],
    pub(crate) group_ids: &'a [u32],
    pub(crate) filter: Option<&'a [u8]>,
    pub(crate) rows: usize,
}

impl Rows<'_> {
    /// The rows that count, and the group of each.
    fn each(&self) -> impl Iterator<Item = (usize, usize)> {
        let counts = |row: &usize| self.filter.is_none_or(|bits| bit(bits, *row));
        let group = |row| self.group_ids.get(row).map_or(0, |group| *group as usize);
        (0..self.rows)
            .filter(counts)
            .map(move |row| (row, group(row)))
    }
}

static GROUPS: Mutex<(u32, Vec<Group>)> = Mutex::new((u32::MAX, Vec::new()));

/// Does something with the function that was started and its groups, at least so many of them.
pub(crate) fn with<T>(
    functions: &'static [&'static Entry],
    total: u32,
    run: impl FnOnce(&dyn Aggregate, &mut Vec<Group>) -> Answer<T>,
) -> Answer<T> {
    let (function, groups) = &mut *GROUPS.lock().expect("one thread");
    let body = functions.get(*function as usize).map(|entry| &entry.body);
    let Some(Body::Aggregate(aggregate)) = body else {
        return Err(error(ErrorCode::Unsupported, "no such aggregate", None));
    };
    groups.resize((total as usize).max(groups.len()), Group::default());
    run(*aggregate, groups)
}

pub(crate) fn choose(function: u32) {
    GROUPS.lock().expect("one thread").0 = function;
}

/// Those that are right.
pub(crate) const HONEST: &[&str] = &["weighted_mean", "sums", "census", "longest"];

pub(crate) const FUNCTIONS: &[Entry] = &[
    ECHO_FLOAT,
    Entry::aggregate("weighted_mean", &Mean)
        .of(&[(FLOAT, false), (FLOAT, false)])
        .nullable()
        .keeping(&[FLOAT, FLOAT]),
    Entry::aggregate("sums", &Sum),
    Entry::aggregate("census", &Census)
        .of(&[(FLOAT, true)])
        .giving(INTEGER)
        .keeping(&[INTEGER, INTEGER]),
    Entry::aggregate("longest", &Longest)
        .of(&[(TEXT, false)])
        .giving(TEXT)
        .keeping(&[TEXT])
        .without_retract(),
    // ------------------------------------------------------------------- does not come back
    Entry::aggregate("refuses_to_start", &Liar::Starts),
    Entry::aggregate("spins_in_update", &Liar::Spins("update")),
    Entry::aggregate("spins_in_retract", &Liar::Spins("retract")),
    Entry::aggregate("spins_in_merge", &Liar::Spins("merge")),
    Entry::aggregate("spins_in_evaluate", &Liar::Spins("evaluate")),
    Entry::aggregate("spins_in_state", &Liar::Spins("state")),
    Entry::aggregate("hoards", &Liar::Hoards),
    Entry::aggregate("panics_on_group_7", &Liar::Panics),
    Entry::aggregate("refuses_row_3", &Liar::Refuses),
    // ------------------------------------------------------------------------ wrong results
    Entry::aggregate("evaluates_too_few", &Liar::TooFew),
    Entry::aggregate("out_of_range", &Sum).within(0.0, 1.0),
    Entry::aggregate("no_state", &Liar::State(|_| Vec::new())),
    Entry::aggregate(
        "too_much_state",
        &Liar::State(|groups| vec![floats(groups), floats(groups)]),
    ),
    Entry::aggregate("short_state", &Liar::State(|_| vec![floats(1)])),
    Entry::aggregate(
        "state_of_another_type",
        &Liar::State(|groups| vec![column(Values::Int64(vec![0; groups]))]),
    ),
    // -------------------------------------------------------------- wrong only the next time
    Entry::aggregate("evaluating_changes_it", &Liar::Drifts),
    Entry::aggregate("counts_starts", &Liar::Counts),
    // ---------------------------------------------- for the packed wire, where results are bytes
    Entry::aggregate("packed_rows", &PackedRows),
    // ------------------------------------------------------------------ for engines, honestly
    Entry::aggregate("counts_up", &Sum).without_retract(),
];

struct Sum;

impl Aggregate for Sum {}

struct Mean;

impl Aggregate for Mean {
    fn evaluate(&self, groups: &mut [Group], asked: &[u32]) -> Answer<Column> {
        let asked: Vec<&Group> = asked.iter().map(|group| &groups[*group as usize]).collect();
        let means = asked.iter().map(|group| group.sum / group.weight);
        Ok(Column {
            validity: Some(crate::columns::bitmap(
                asked.iter().map(|group| group.weight != 0.0),
            )),
            ..column(Values::Float64(means.collect()))
        })
    }

    fn state(&self, groups: &mut [Group], asked: &[u32]) -> Answer<Vec<Column>> {
        let part = |part: fn(&Group) -> f64| {
            let parts = asked.iter().map(|group| part(&groups[*group as usize]));
            column(Values::Float64(parts.collect()))
        };
        Ok(vec![part(|group| group.sum), part(|group| group.weight)])
    }
}

/// A thousand times the rows that were seen, plus those of them that were NULL.
struct Census;

impl Aggregate for Census {
    fn update(&self, groups: &mut [Group], rows: &Rows<'_>, sign: f64) -> Answer<()> {
        for (row, group) in rows.each() {
            groups[group].rows += sign as i64;
            groups[group].nulls += sign as i64 * i64::from(float(&rows.args[0], row).is_none());
        }
        Ok(())
    }

    fn merge(&self, groups: &mut [Group], rows: &Rows<'_>) -> Answer<()> {
        let [Values::Int64(seen), Values::Int64(nulls)] =
            [&rows.args[0].values, &rows.args[1].values]
        else {
            return Err(error(ErrorCode::Internal, "not my state", None));
        };
        for (row, group) in rows.each() {
            groups[group].rows += seen[row];
            groups[group].nulls += nulls[row];
        }
        Ok(())
    }

    fn evaluate(&self, groups: &mut [Group], asked: &[u32]) -> Answer<Column> {
        let all = asked.iter().map(|group| &groups[*group as usize]);
        let all = all.map(|group| group.rows * 1000 + group.nulls);
        Ok(column(Values::Int64(all.collect())))
    }

    fn state(&self, groups: &mut [Group], asked: &[u32]) -> Answer<Vec<Column>> {
        let part = |part: fn(&Group) -> i64| {
            let parts = asked.iter().map(|group| part(&groups[*group as usize]));
            column(Values::Int64(parts.collect()))
        };
        Ok(vec![part(|group| group.rows), part(|group| group.nulls)])
    }
}

/// The longest text, the first of those.
struct Longest;

impl Aggregate for Longest {
    fn update(&self, groups: &mut [Group], rows: &Rows<'_>, _sign: f64) -> Answer<()> {
        for (row, group) in rows.each() {
            let text = string(&rows.args[0], row).unwrap_or_default();
            if text.len() > groups[group].longest.len() {
                groups[group].longest = text;
            }
        }
        Ok(())
    }

    fn merge(&self, groups: &mut [Group], rows: &Rows<'_>) -> Answer<()> {
        self.update(groups, rows, 1.0)
    }

    fn evaluate(&self, groups: &mut [Group], asked: &[u32]) -> Answer<Column> {
        let asked: Vec<&str> = asked
            .iter()
            .map(|group| groups[*group as usize].longest.as_str())
            .collect();
        Ok(texts(&asked))
    }
}

/// Counts rows, whose values have to come as bytes, and says so in bytes.
struct PackedRows;

impl Aggregate for PackedRows {
    fn update(&self, groups: &mut [Group], rows: &Rows<'_>, sign: f64) -> Answer<()> {
        let Values::Packed(bytes) = &rows.args[0].values else {
            return Err(error(ErrorCode::Internal, "not packed", None));
        };
        for (row, group) in rows.each() {
            let value = bytes.get(8 * row..8 * row + 8);
            groups[group].sum += value.map_or(f64::NAN, |_| sign);
        }
        Ok(())
    }

    fn evaluate(&self, groups: &mut [Group], asked: &[u32]) -> Answer<Column> {
        let sums = asked.iter().map(|group| groups[*group as usize].sum);
        Ok(column(Values::Packed(
            sums.flat_map(f64::to_le_bytes).collect(),
        )))
    }
}

enum Liar {
    Starts,
    Spins(&'static str),
    Hoards,
    Panics,
    Refuses,
    TooFew,
    State(fn(usize) -> Vec<Column>),
    Drifts,
    Counts,
}

impl Aggregate for Liar {
    fn start(&self) -> Answer<()> {
        match self {
            Self::Starts => Err(error(ErrorCode::Internal, "not today", None)),
            _ => Ok(()),
        }
    }

    fn update(&self, groups: &mut [Group], rows: &Rows<'_>, sign: f64) -> Answer<()> {
        match self {
            Self::Spins("update") if sign > 0.0 => spin(),
            Self::Spins("retract") if sign < 0.0 => spin(),
            Self::Hoards => {
                for (row, group) in rows.each() {
                    groups[group].hoard.extend(vec![row as u64; 1 << 10]);
                }
            }
            Self::Panics if rows.each().any(|(_, group)| group == 7) => {
                report(Level::Panic, "group 7");
                std::process::abort()
            }
            Self::Refuses if rows.rows > 3 => {
                return Err(error(ErrorCode::InvalidInput, "the fourth row", Some(3)));
            }
            _ => return Sum.update(groups, rows, sign),
        }
        Ok(())
    }

    fn merge(&self, groups: &mut [Group], rows: &Rows<'_>) -> Answer<()> {
        match self {
            Self::Spins("merge") => spin(),
            _ => Sum.merge(groups, rows),
        }
    }

    fn evaluate(&self, groups: &mut [Group], asked: &[u32]) -> Answer<Column> {
        match self {
            Self::Spins("evaluate") => spin(),
            Self::TooFew => Ok(floats(asked.len() - 1)),
            Self::Drifts => {
                groups.iter_mut().for_each(|group| group.sum += 1.0);
                Sum.evaluate(groups, asked)
            }
            Self::Counts => {
                static ASKED: AtomicU64 = AtomicU64::new(0);
                let asked_before = ASKED.fetch_add(1, Ordering::Relaxed);
                Ok(column(Values::Float64(vec![
                    asked_before as f64;
                    asked.len()
                ])))
            }
            _ => Sum.evaluate(groups, asked),
        }
    }

    fn state(&self, groups: &mut [Group], asked: &[u32]) -> Answer<Vec<Column>> {
        match self {
            Self::Spins("state") => spin(),
            Self::State(state) => Ok(state(asked.len())),
            _ => Sum.state(groups, asked),
        }
    }
}
