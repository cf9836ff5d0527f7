//! Aggregates: the same answer however rows are cut into batches, groups and parts.

use tributary_sdk::bindings::exports::tributary::plugin::lifecycle::ConfigValue;
use tributary_sdk::bindings::exports::tributary::plugin::manifest::{Kind, Physical};
use tributary_sdk::bindings::tributary::plugin::types::{Column, ErrorCode, PluginError, Values};
use tributary_sdk::generated::{self as serve, drop_first, evaluate, merge, reset, state};
use tributary_sdk::prelude::*;

use crate::columns::{bits, column, configure, floats, manifest, numbers, text};

#[derive(Config)]
struct Settings {
    shift: f64,
}

/// The mean, weighted.
#[aggregate(range = -1000..=1000)]
mod weighted_mean {
    use super::Settings;
    use tributary_sdk::GroupState;

    #[derive(Debug, Default, Clone, PartialEq, GroupState)]
    pub(super) struct State {
        sum: f64,
        weight: f64,
    }

    fn update(state: &mut State, value: f64, weight: Option<f64>) {
        let weight = weight.unwrap_or(1.0);
        state.sum += value * weight;
        state.weight += weight;
    }

    fn merge(state: &mut State, other: &State) {
        state.sum += other.sum;
        state.weight += other.weight;
    }

    fn finish(settings: &Settings, state: &State) -> Option<f64> {
        (state.weight != 0.0).then(|| state.sum / state.weight + settings.shift)
    }

    fn retract(state: &mut State, value: f64, weight: Option<f64>) {
        let weight = weight.unwrap_or(1.0);
        state.sum -= value * weight;
        state.weight -= weight;
    }
}

/// The last name, refusing an empty one.
#[aggregate]
mod last {
    use tributary_sdk::{Date, Decimal, GroupState, PluginFailure, Timestamp};

    /// One field of each type that a state can have.
    #[derive(Debug, Default, Clone, PartialEq, GroupState)]
    pub(super) struct State {
        float: f64,
        long: i64,
        int: i32,
        count: u64,
        flag: bool,
        name: String,
        amount: Decimal<12, 2>,
        day: Option<Date>,
        latest: Option<Timestamp>,
        nickname: Option<String>,
    }

    fn update(state: &mut State, name: &str) -> Result<(), PluginFailure> {
        if name.is_empty() {
            return Err(PluginFailure::new("a name is empty"));
        }
        state.float += 0.5;
        state.long -= 1;
        state.int += 2;
        state.count += 1;
        state.flag = !state.flag;
        state.name = name.to_owned();
        state.amount.unscaled -= 1;
        state.nickname = name.get(..1).map(str::to_owned);
        state.latest = Some(Timestamp(state.long));
        Ok(())
    }

    fn merge(state: &mut State, other: &State) {
        if other.count > 0 {
            *state = other.clone();
        }
    }

    fn finish(state: &State) -> String {
        format!("{state:?}")
    }
}

/// Days since the newest row.
#[aggregate]
mod freshness {
    use tributary_sdk::{GroupState, Now, Timestamp};

    #[derive(Default, Clone, GroupState)]
    pub(super) struct State {
        newest: Option<Timestamp>,
    }

    fn update(state: &mut State, at: Timestamp) {
        state.newest = state.newest.max(Some(at));
    }

    fn merge(state: &mut State, other: &State) {
        state.newest = state.newest.max(other.newest);
    }

    fn finish(now: Now, state: &State) -> Option<f64> {
        state.newest.map(|newest| now.0.days_since(newest))
    }
}

tributary_sdk::plugin! {
    name: "aggregates",
    version: "1.0.0",
    config: Settings,
    functions: [weighted_mean, last, freshness],
}

const MEAN: u32 = 0;
const LAST: u32 = 1;
const FRESHNESS: u32 = 2;

/// Begins an instance that accumulates for a function.
fn start(function: u32) {
    let shift = ("shift", ConfigValue::Number(0.0));
    configure(&TRIBUTARY_PLUGIN, &[shift], Some(86_400_000_000)).expect("settings fit");
    serve::start(&TRIBUTARY_PLUGIN, function).expect("an aggregate");
}

/// Adds rows without a filter.
fn add(args: &[Column], groups: &[u32], rows: usize, total: u32) {
    serve::update(args, groups, None, rows as u32, total).expect("added");
}

/// 150 rows: more than two blocks, with NULLs in both arguments.
fn rows() -> Vec<(Option<f64>, Option<f64>)> {
    let row = |row: i32| {
        let value = (row % 7 != 3).then(|| f64::from(row % 11));
        let weight = (row % 5 != 2).then(|| f64::from(row % 3));
        (value, weight)
    };
    (0..150).map(row).collect()
}

fn columns(rows: &[(Option<f64>, Option<f64>)]) -> [Column; 2] {
    let (values, weights): (Vec<_>, Vec<_>) = rows.iter().copied().unzip();
    [floats(&values), floats(&weights)]
}

/// What the rows come to, computed one after the other.
fn plainly<'r>(rows: impl IntoIterator<Item = &'r (Option<f64>, Option<f64>)>) -> Option<f64> {
    let (mut sum, mut total) = (0.0, 0.0);
    for (value, weight) in rows {
        let (Some(value), weight) = (value, weight.unwrap_or(1.0)) else {
            continue;
        };
        sum += value * weight;
        total += weight;
    }
    (total != 0.0).then(|| sum / total)
}

fn value(group: u32) -> Option<f64> {
    numbers(&evaluate(&[group]).expect("a value"))[0]
}

#[test]
fn the_manifest_says_how_it_accumulates() {
    let mean = manifest(&TRIBUTARY_PLUGIN, "weighted_mean");
    assert_eq!(mean.kind, Kind::Aggregate);
    assert_eq!(mean.doc, "The mean, weighted.");
    let args = mean.args.iter();
    let args: Vec<_> = args.map(|arg| (arg.name.as_str(), arg.nullable)).collect();
    assert_eq!(args, [("value", false), ("weight", true)]);
    assert!(mean.retracts && !mean.wants_now && mean.returns[0].nullable);
    let range = mean.output_range.expect("a range");
    assert_eq!((range.lo, range.hi), (-1000.0, 1000.0));
    let last = manifest(&TRIBUTARY_PLUGIN, "last");
    assert!(!last.retracts && last.output_range.is_none() && !last.returns[0].nullable);
    assert!(manifest(&TRIBUTARY_PLUGIN, "freshness").wants_now);
}

#[test]
fn a_state_is_a_column_per_field() {
    let last = manifest(&TRIBUTARY_PLUGIN, "last");
    let state = last.state.iter().map(|field| {
        let ty = &field.ty;
        (
            field.name.as_str(),
            ty.physical,
            ty.logical.as_str(),
            field.nullable,
        )
    });
    assert_eq!(
        state.collect::<Vec<_>>(),
        [
            ("float", Physical::Float64, "", false),
            ("long", Physical::Int64, "", false),
            ("int", Physical::Int32, "", false),
            ("count", Physical::Uint64, "", false),
            ("flag", Physical::Bits, "", false),
            ("name", Physical::Text, "", false),
            ("amount", Physical::Int128, "decimal(12,2)", false),
            ("day", Physical::Int32, "date", true),
            ("latest", Physical::Int64, "timestamp", true),
            ("nickname", Physical::Text, "", true),
        ]
    );
}

#[test]
fn one_group_in_one_batch_or_many() {
    let rows = rows();
    start(MEAN);
    add(&columns(&rows), &[], 150, 1);
    assert_eq!(value(0), plainly(&rows));
    start(MEAN);
    for part in rows.chunks(37) {
        add(&columns(part), &[], part.len(), 1);
    }
    assert_eq!(value(0), plainly(&rows));
    // Asking keeps the state.
    assert_eq!(value(0), plainly(&rows));
}

#[test]
fn groups_are_apart_and_begin_empty() {
    let rows = rows();
    let groups: Vec<u32> = (0..150).map(|row| row * row % 4).collect();
    start(MEAN);
    add(&columns(&rows), &groups, 150, 5);
    for group in 0..5 {
        let own = rows.iter().zip(&groups).filter(|(_, of)| **of == group);
        assert_eq!(
            value(group),
            plainly(own.map(|(row, _)| row)),
            "group {group}"
        );
    }
    let order = numbers(&evaluate(&[3, 0, 0]).expect("in this order"));
    assert_eq!(order, [None, value(0), value(0)]);
}

#[test]
fn a_call_without_rows_only_makes_groups() {
    start(MEAN);
    add(&[floats(&[]), floats(&[])], &[], 0, 3);
    assert_eq!(
        numbers(&evaluate(&[0, 1, 2]).expect("empty groups")),
        [None; 3]
    );
}

#[test]
fn rows_behind_the_filter_do_not_count() {
    let rows = rows();
    let kept = |row: usize| !row.is_multiple_of(3);
    let filter = bits((0..150).map(kept));
    let counted = rows.iter().enumerate().filter(|(row, _)| kept(*row));
    let expected = plainly(counted.map(|(_, row)| row));
    for groups in [vec![], vec![0; 150]] {
        start(MEAN);
        serve::update(&columns(&rows), &groups, Some(&filter), 150, 1).expect("added");
        assert_eq!(value(0), expected);
        serve::retract(&columns(&rows), &groups, Some(&filter), 150).expect("taken away");
        assert_eq!(value(0), None);
    }
}

#[test]
fn parts_merge_to_the_whole() {
    let rows = rows();
    let groups: Vec<u32> = (0..150).map(|row| row % 3).collect();
    start(MEAN);
    add(&columns(&rows), &groups, 150, 3);
    let whole = numbers(&evaluate(&[0, 1, 2]).expect("values"));
    let parts = rows
        .chunks(70)
        .zip(groups.chunks(70))
        .map(|(part, groups)| {
            start(MEAN);
            add(&columns(part), groups, part.len(), 3);
            state(&[2, 0, 1]).expect("a part")
        });
    let parts: Vec<Vec<Column>> = parts.collect();
    start(MEAN);
    for part in &parts {
        merge(part, &[2, 0, 1], 3, 3).expect("merged");
    }
    assert_eq!(numbers(&evaluate(&[0, 1, 2]).expect("values")), whole);
}

#[test]
fn states_of_every_type_come_back_the_same() {
    start(LAST);
    add(&[text(&["Ada", "Grace", "Änne"])], &[0, 1, 0], 3, 3);
    let texts = || format!("{:?}", evaluate(&[0, 1, 2]).expect("texts"));
    let (before, parts) = (texts(), state(&[0, 1, 2]).expect("parts"));
    start(LAST);
    merge(&parts, &[0, 1, 2], 3, 3).expect("merged");
    assert_eq!(texts(), before);
}

#[test]
fn the_first_groups_can_be_dropped_and_one_be_emptied() {
    start(MEAN);
    let values = [1.0, 2.0, 3.0].map(Some);
    add(&[floats(&values), floats(&[None; 3])], &[0, 1, 2], 3, 3);
    drop_first(1).expect("dropped");
    assert_eq!(
        numbers(&evaluate(&[0, 1]).expect("values")),
        [Some(2.0), Some(3.0)]
    );
    reset(0).expect("empty");
    assert_eq!(
        numbers(&evaluate(&[0, 1]).expect("values")),
        [None, Some(3.0)]
    );
    drop_first(100).expect("more than there are");
    let error = evaluate(&[0]).expect_err("no group is left");
    assert_eq!(error.message, "a group beyond the last");
}

#[test]
fn a_window_slides() {
    let numbers: Vec<f64> = (0..20).map(f64::from).collect();
    let one = |value: f64| [floats(&[Some(value)]), floats(&[None])];
    start(MEAN);
    for (last, number) in numbers.iter().enumerate() {
        add(&one(*number), &[], 1, 1);
        if last >= 3 {
            serve::retract(&one(numbers[last - 3]), &[], None, 1).expect("taken away");
            assert_eq!(value(0), Some(*number - 1.0));
        }
    }
    start(LAST);
    let error = serve::retract(&[text(&["x"])], &[], None, 1).expect_err("no way back");
    assert_eq!(error.message, "rows never leave this aggregate");
}

#[test]
fn settings_and_time_reach_the_end() {
    let shift = ("shift", ConfigValue::Number(10.0));
    configure(&TRIBUTARY_PLUGIN, &[shift], None).expect("settings fit");
    serve::start(&TRIBUTARY_PLUGIN, MEAN).expect("started");
    add(&[floats(&[Some(1.0)]), floats(&[None])], &[], 1, 1);
    assert_eq!(value(0), Some(11.0));
    start(FRESHNESS);
    add(&[column(Values::Int64(vec![0, 43_200_000_000]))], &[], 2, 1);
    assert_eq!(value(0), Some(0.5));
}

#[test]
fn a_failure_names_its_row_in_every_path() {
    let mut names = vec!["x"; 70];
    for row in [68, 3] {
        names[row] = "";
        for groups in [vec![], vec![0; 70]] {
            start(LAST);
            let error = serve::update(&[text(&names)], &groups, None, 70, 1);
            let error = error.expect_err("an empty name");
            assert_eq!(error.code, ErrorCode::InvalidInput);
            assert_eq!(error.row, Some(row as u32));
            assert_eq!(error.message, "a name is empty");
        }
    }
}

#[test]
fn a_host_that_breaks_the_contract_is_told() {
    let refused = |result: Result<(), PluginError>, message: &str| {
        assert_eq!(result.expect_err(message).message, message);
    };
    let args = [floats(&[Some(1.0), None]), floats(&[None; 2])];
    configure(
        &TRIBUTARY_PLUGIN,
        &[("shift", ConfigValue::Number(0.0))],
        None,
    )
    .expect("settings fit");
    refused(drop_first(1), "nothing was started");
    refused(
        serve::start(&TRIBUTARY_PLUGIN, 3),
        "no function 3 of this kind",
    );
    start(MEAN);
    refused(
        serve::update(&args, &[0], None, 2, 1),
        "fewer groups than rows",
    );
    refused(
        serve::update(&args, &[1, 1], None, 2, 1),
        "a group beyond the last",
    );
    refused(
        serve::update(&args[..1], &[], None, 2, 1),
        "another number of arguments",
    );
    let part = state(&[0]).expect("a state");
    refused(merge(&part, &[4], 1, 2), "a group beyond the last");
    refused(merge(&part[..1], &[0], 1, 1), "another number of arguments");
}
