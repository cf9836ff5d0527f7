//! Aggregates: an honest one gives what a native sum gives, however its rows come; the others hurt nobody.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array};
use arrow::datatypes::Float64Type;
use tributary_plugins_host::{Aggregation, Error, ErrorKind, Host, InProcess, Limits};

use crate::guests::champ_agrees_with_every_vector;
use crate::world::{COMPONENTS, HOSTILE, limits, place, pool};

const GROUPS: usize = 7;

fn start(name: &str) -> Aggregation {
    let pool = pool(&HOSTILE);
    pool.aggregate(place(&HOSTILE, name)).expect("it starts")
}

fn rows(count: usize) -> (ArrayRef, Vec<u32>) {
    let values = (0..count).map(|row| (row % 5 != 0).then_some(row as f64));
    let groups = (0..count).map(|row| (row % GROUPS) as u32).collect();
    (Arc::new(values.collect::<Float64Array>()), groups)
}

/// What a sum is: NULLs, and rows that the filter does not keep, do not count.
fn native(values: &ArrayRef, groups: &[u32], filter: Option<&BooleanArray>) -> Vec<f64> {
    let mut sums = vec![0.0; GROUPS];
    let values = values.as_primitive::<Float64Type>();
    for (row, group) in groups.iter().enumerate() {
        let keeps = filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        if keeps && values.is_valid(row) {
            sums[*group as usize] += values.value(row);
        }
    }
    sums
}

fn all(aggregation: &mut Aggregation) -> Vec<f64> {
    let groups: Vec<u32> = (0..GROUPS as u32).collect();
    let values = aggregation.evaluate(&groups).expect("values");
    values.as_primitive::<Float64Type>().values().to_vec()
}

#[test]
fn grouped_filtered_and_split_sums_are_right() {
    let (values, groups) = rows(1000);
    let filter: BooleanArray = (0..1000)
        .map(|row| (row % 3 != 0).then_some(row % 2 == 0))
        .collect();
    let mut sums = start("sums");
    sums.update(&[Arc::clone(&values)], Some(&groups), Some(&filter), GROUPS)
        .expect("rows");
    assert_eq!(all(&mut sums), native(&values, &groups, Some(&filter)));
    // Asking keeps the state, and slices are rows like others.
    let (first, second) = (values.slice(0, 301), values.slice(301, 699));
    let mut parts = start("sums");
    parts
        .update(&[first], Some(&groups[..301]), None, GROUPS)
        .expect("rows");
    all(&mut parts);
    parts
        .update(&[second], Some(&groups[301..]), None, GROUPS)
        .expect("rows");
    assert_eq!(all(&mut parts), native(&values, &groups, None));
    let mut one = start("sums");
    one.update(&[Arc::clone(&values)], None, None, 1)
        .expect("rows");
    let value = one.evaluate(&[0]).expect("a value");
    let sum: f64 = native(&values, &groups, None).iter().sum();
    assert_eq!(value.as_primitive::<Float64Type>().value(0), sum);
}

#[test]
fn small_calls_give_the_same() {
    let limits = Limits {
        batch_rows_max: 10,
        ..limits()
    };
    let host = Host::new(limits.clone()).expect("these limits fit");
    let compiler = InProcess::new(&limits).expect("this machine is known");
    let plugin = host
        .install(COMPONENTS.hostile.as_slice(), &compiler)
        .expect("it installs");
    let pool = pool(&plugin);
    let mut sums = pool.aggregate(place(&plugin, "sums")).expect("it starts");
    let (values, groups) = rows(1000);
    sums.update(&[Arc::clone(&values)], Some(&groups), None, GROUPS)
        .expect("rows");
    assert_eq!(all(&mut sums), native(&values, &groups, None));
    assert!(pool.receipts(place(&plugin, "sums")).calls > 100);
}

#[test]
fn states_are_merged_dropped_reset_and_retracted() {
    let (values, groups) = rows(500);
    let wanted = native(&values, &groups, None);
    let mut one = start("sums");
    one.update(&[Arc::clone(&values)], Some(&groups), None, GROUPS)
        .expect("rows");
    let numbers: Vec<u32> = (0..GROUPS as u32).collect();
    let state = one.state(&numbers).expect("states");
    let mut other = start("sums");
    other
        .merge(&state, Some(&numbers), None, GROUPS)
        .expect("states");
    assert_eq!(all(&mut other), wanted);
    let keep: BooleanArray = (0..GROUPS).map(|group| Some(group != 2)).collect();
    other
        .merge(&state, Some(&numbers), Some(&keep), GROUPS)
        .expect("states");
    let doubled = |(group, sum): (usize, &f64)| if group == 2 { *sum } else { 2.0 * sum };
    assert_eq!(
        all(&mut other),
        wanted.iter().enumerate().map(doubled).collect::<Vec<_>>()
    );

    one.retract(&[values.slice(0, 7)], Some(&groups[..7]), None)
        .expect("rows");
    one.update(&[values.slice(0, 7)], Some(&groups[..7]), None, GROUPS)
        .expect("rows");
    assert_eq!(all(&mut one), wanted);
    one.reset(1).expect("a group");
    one.drop_first(1).expect("groups");
    let rest = one.evaluate(&[0, 1]).expect("values");
    assert_eq!(
        rest.as_primitive::<Float64Type>().values(),
        &[0.0, wanted[2]]
    );
    // A group that nobody was in is empty, and so is one that comes after.
    let empty = one.evaluate(&[40]).expect("an empty group");
    assert_eq!(empty.as_primitive::<Float64Type>().value(0), 0.0);
}

/// Fails as it should, and again when asked again; then all is well.
fn ends(
    name: &str,
    kind: ErrorKind,
    words: &str,
    work: impl Fn(&mut Aggregation) -> Result<(), Error>,
) {
    let mut aggregation = start(name);
    let error = work(&mut aggregation).expect_err(name);
    assert_eq!(error.kind, kind, "{error}");
    assert!(error.message.contains(words), "{error} has no \"{words}\"");
    assert_eq!(error.place.function.as_deref(), Some(name));
    assert!(
        aggregation.evaluate(&[0]).is_err(),
        "a failed aggregation is used again"
    );
    grouped_filtered_and_split_sums_are_right();
    champ_agrees_with_every_vector();
}

#[test]
fn liars_and_spinners_hurt_nobody() {
    let feed = |aggregation: &mut Aggregation| {
        let (values, groups) = rows(100);
        aggregation.update(&[values], Some(&groups), None, GROUPS)
    };
    ends("panics_on_update", ErrorKind::Trap, "unreachable", feed);
    ends("refuses_a_row", ErrorKind::Row, "not this one", feed);
    ends("hoards", ErrorKind::Limit, "linear_memory_bytes_max", feed);
    ends(
        "spins_on_merge",
        ErrorKind::Limit,
        "fuel_call_max",
        |aggregation| {
            let state: ArrayRef = Arc::new(Float64Array::from(vec![1.0]));
            aggregation.merge(&[state], None, None, 1)
        },
    );
    ends(
        "evaluates_too_few",
        ErrorKind::Output,
        "returned 1 values, expected 2",
        |aggregation| {
            feed(aggregation)?;
            aggregation.evaluate(&[0, 1]).map(drop)
        },
    );
    for (name, words) in [
        ("states_nothing", "returned 0 columns of state, declared 1"),
        ("states_other", "returned int64, declared Float64"),
        ("states_too_few", "returned 1 values, expected 2"),
    ] {
        ends(name, ErrorKind::Output, words, |aggregation| {
            feed(aggregation)?;
            aggregation.state(&[0, 1]).map(drop)
        });
    }
}
