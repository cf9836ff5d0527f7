//! Aggregates: honest ones give what native sums give, however their rows come; the others hurt
//! nobody.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, DictionaryArray, Float64Array, StringArray,
    StringViewArray,
};
use arrow::datatypes::{DataType, Float64Type, Int8Type, Int64Type};
use tributary_plugins_host::{Aggregation, Error, ErrorKind, Limits, Plugin};

use crate::world::{
    AGGREGATES, all_is_well, in_mode, install, install_within, place, pool, receipts,
};

const GROUPS: usize = 7;
const ALL: [u32; GROUPS] = [0, 1, 2, 3, 4, 5, 6];

/// What is done with an aggregation.
type Work<'a> = dyn Fn(&mut Aggregation) -> Result<(), Error> + 'a;

fn start_of(plugin: &Arc<Plugin>, name: &str) -> Aggregation {
    let pool = pool(plugin);
    pool.aggregate(place(plugin, name)).expect("it starts")
}

fn start(name: &str) -> Aggregation {
    start_of(&AGGREGATES, name)
}

/// Values with NULLs, weights with others, and a group for each row.
fn rows(count: usize) -> (Vec<ArrayRef>, Vec<u32>) {
    let values = (0..count).map(|row| (row % 5 != 0).then_some(row as f64));
    let weights = (0..count).map(|row| (row % 11 != 1).then_some((row % 4) as f64));
    let groups = (0..count).map(|row| (row * row % GROUPS) as u32).collect();
    let columns: [Float64Array; 2] = [values.collect(), weights.collect()];
    (
        columns.map(|column| Arc::new(column) as ArrayRef).to_vec(),
        groups,
    )
}

fn filter(count: usize) -> BooleanArray {
    (0..count)
        .map(|row| (row % 3 != 0).then_some(row % 2 == 0))
        .collect()
}

/// What a weighted mean is: rows with a NULL, and rows that the filter does not keep, do not count.
fn native(columns: &[ArrayRef], groups: &[u32], filter: Option<&BooleanArray>) -> Float64Array {
    let mut sums = [(0.0, 0.0); GROUPS];
    let [values, weights] = [0, 1].map(|at: usize| columns[at].as_primitive::<Float64Type>());
    for (row, group) in groups.iter().enumerate() {
        let keeps = filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        if keeps && values.is_valid(row) && weights.is_valid(row) {
            let (sum, weight) = &mut sums[*group as usize];
            *sum += values.value(row) * weights.value(row);
            *weight += weights.value(row);
        }
    }
    let mean = |(sum, weight): (f64, f64)| (weight != 0.0).then_some(sum / weight);
    sums.map(mean).into_iter().collect()
}

fn check(aggregation: &mut Aggregation, expected: &Float64Array) {
    let values = aggregation.evaluate(&ALL).expect("values");
    assert_eq!(values.as_primitive::<Float64Type>(), expected);
}

fn slices(columns: &[ArrayRef], start: usize, len: usize) -> Vec<ArrayRef> {
    columns
        .iter()
        .map(|column| column.slice(start, len))
        .collect()
}

#[test]
fn grouped_filtered_and_sliced_means_are_right() {
    let (columns, groups) = rows(1000);
    for filter in [None, Some(filter(1000))] {
        let filter = filter.as_ref();
        let mut mean = start("weighted_mean");
        mean.update(&columns, Some(&groups), filter, GROUPS)
            .expect("rows");
        let expected = native(&columns, &groups, filter);
        check(&mut mean, &expected);
        check(&mut mean, &expected);
        let mut parts = start("weighted_mean");
        for (from, len) in [(0, 301), (301, 0), (301, 1), (302, 698)] {
            let filter = filter.map(|filter| filter.slice(from, len));
            let (part, groups) = (slices(&columns, from, len), &groups[from..from + len]);
            parts
                .update(&part, Some(groups), filter.as_ref(), GROUPS)
                .expect("rows");
        }
        check(&mut parts, &expected);
    }
}

#[test]
fn without_groups_all_rows_are_of_the_first() {
    let (columns, _) = rows(1000);
    let mut mean = start("weighted_mean");
    mean.update(&columns, None, None, 1).expect("rows");
    let expected = native(&columns, &[0; 1000], None).slice(0, 1);
    let value = mean.evaluate(&[0]).expect("a value");
    assert_eq!(value.as_primitive::<Float64Type>(), &expected);
    let mut nothing = start("weighted_mean");
    let value = nothing.evaluate(&[0]).expect("a value of no rows");
    assert_eq!((value.len(), value.null_count()), (1, 1));
    assert_eq!(nothing.evaluate(&[]).expect("of no groups").len(), 0);
    assert_eq!(nothing.state(&[]).expect("of no groups").len(), 2);
}

#[test]
fn aggregations_go_from_thread_to_thread() {
    let (columns, groups) = rows(100);
    let mut mean = start("weighted_mean");
    let handed = std::thread::spawn(move || {
        mean.update(&columns, Some(&groups), None, GROUPS)
            .expect("rows");
        (mean, native(&columns, &groups, None))
    });
    let (mut mean, expected) = handed.join().expect("no panic");
    check(&mut mean, &expected);
}

#[test]
fn rows_that_do_not_count_make_no_call() {
    let pool = pool(&AGGREGATES);
    let mut mean = pool
        .aggregate(place(&AGGREGATES, "weighted_mean"))
        .expect("it starts");
    let nulls = arrow::array::new_null_array(&DataType::Float64, 9);
    let values: ArrayRef = Arc::new(Float64Array::from(vec![1.0; 9]));
    let none = BooleanArray::from(vec![false; 9]);
    let unknown = BooleanArray::from(vec![None; 9]);
    let both = [Arc::clone(&values), Arc::clone(&values)];
    mean.update(&[Arc::clone(&values), nulls], None, None, 1)
        .expect("nothing");
    mean.update(&both, None, Some(&none), 3).expect("nothing");
    mean.update(&both, None, Some(&unknown), 3)
        .expect("nothing");
    mean.update(&slices(&both, 0, 0), None, None, 3)
        .expect("nothing");
    mean.merge(&both, None, Some(&none), 3).expect("nothing");
    mean.retract(&both, None, Some(&none)).expect("nothing");
    assert_eq!(receipts(&pool, "weighted_mean").calls, 0);
    let values = mean.evaluate(&[2, 0]).expect("groups without rows");
    assert_eq!((values.len(), values.null_count()), (2, 2));
}

#[test]
fn nullable_arguments_show_their_nulls() {
    let (columns, groups) = rows(700);
    let mut census = start("census");
    let keep = filter(700);
    let one = [Arc::clone(&columns[0])];
    census
        .update(&one, Some(&groups), Some(&keep), GROUPS)
        .expect("rows");
    let counted = census.evaluate(&ALL).expect("counts");
    let mut expected = [0; GROUPS];
    for (row, group) in groups.iter().enumerate() {
        if keep.is_valid(row) && keep.value(row) {
            expected[*group as usize] += 1000 + i64::from(columns[0].is_null(row));
        }
    }
    assert_eq!(counted.as_primitive::<Int64Type>().values(), &expected);
}

#[test]
fn small_calls_give_the_same() {
    let limits = Limits {
        batch_rows_max: 10,
        ..Limits::default()
    };
    let plugin = install_within(&in_mode("A0"), &limits).expect("it installs");
    let pool = pool(&plugin);
    let mut mean = pool
        .aggregate(place(&plugin, "weighted_mean"))
        .expect("it starts");
    let (columns, groups) = rows(1000);
    let keep = filter(1000);
    mean.update(&columns, Some(&groups), Some(&keep), GROUPS)
        .expect("rows");
    check(&mut mean, &native(&columns, &groups, Some(&keep)));
    let used = receipts(&pool, "weighted_mean");
    assert!(
        used.calls > 100 && (900..=1000).contains(&used.rows),
        "{used:?}"
    );
    assert!(
        used.bytes_in >= used.rows * 20 && used.bytes_out >= 56,
        "{used:?}"
    );
    assert!(
        used.fuel > 0 && used.linear_memory_bytes_peak > 0,
        "{used:?}"
    );
    assert_eq!(used.linear_memory_bytes_peak, mean.memory_bytes() as u64);
    // More groups than one call takes, in any order and twice.
    let asked: Vec<u32> = (0..35).map(|at| at * 3 % 7).collect();
    let values = mean.evaluate(&asked).expect("values");
    let states = mean.state(&asked).expect("states");
    assert!(states.iter().all(|column| column.len() == 35));
    let expected = native(&columns, &groups, Some(&keep));
    for (value, group) in values.as_primitive::<Float64Type>().iter().zip(asked) {
        let group = group as usize;
        assert_eq!(
            value,
            expected.is_valid(group).then(|| expected.value(group))
        );
    }
}

#[test]
fn rows_of_errors_are_rows_of_the_batch() {
    let limits = Limits {
        batch_rows_max: 8,
        ..Limits::default()
    };
    let plugin = install_within(&in_mode("A0"), &limits).expect("it installs");
    let mut refuses = start_of(&plugin, "refuses_row_3");
    let values: ArrayRef = Arc::new(Float64Array::from(vec![1.0; 20]));
    let keep: BooleanArray = (0..20).map(|row| Some(row >= 10)).collect();
    let error = refuses
        .update(&[values], None, Some(&keep), 1)
        .expect_err("the fourth row");
    assert_eq!((error.kind, error.place.row), (ErrorKind::Row, Some(13)));
}

#[test]
fn states_are_merged_elsewhere() {
    let (columns, groups) = rows(500);
    let expected = native(&columns, &groups, None);
    let mut one = start("weighted_mean");
    one.update(&columns, Some(&groups), None, GROUPS)
        .expect("rows");
    let state = one.state(&ALL).expect("states");
    let function = &AGGREGATES.manifest().functions[place(&AGGREGATES, "weighted_mean")];
    let types: Vec<DataType> = state
        .iter()
        .map(|column| column.data_type().clone())
        .collect();
    assert_eq!(types, function.state_types());
    check(&mut one, &expected);

    let mut other = start("weighted_mean");
    other
        .merge(&state, Some(&ALL), None, GROUPS)
        .expect("states");
    check(&mut other, &expected);
    // What is filtered, and what is NULL, is no state.
    let keep: BooleanArray = (0..GROUPS)
        .map(|group| (group != 2).then_some(group == 4))
        .collect();
    other
        .merge(&state, Some(&ALL), Some(&keep), GROUPS)
        .expect("one state");
    let nulls: Vec<ArrayRef> = state
        .iter()
        .map(|column| arrow::array::new_null_array(column.data_type(), GROUPS))
        .collect();
    other
        .merge(&nulls, Some(&ALL), None, GROUPS)
        .expect("no state");
    check(&mut other, &expected);
    let twice = other.state(&[3, 4]).expect("states");
    let (once, twice) = (&state[1].slice(3, 2), &twice[1]);
    let (once, twice) = (
        once.as_primitive::<Float64Type>(),
        twice.as_primitive::<Float64Type>(),
    );
    assert_eq!(
        twice.values().to_vec(),
        [once.value(0), 2.0 * once.value(1)]
    );
    // All into one group.
    let mut all = start("weighted_mean");
    all.merge(&state, None, None, 1).expect("states");
    let value = all.evaluate(&[0]).expect("a value");
    let expected = native(&columns, &vec![0; 500], None).value(0);
    assert!((value.as_primitive::<Float64Type>().value(0) - expected).abs() < 1e-9);
}

#[test]
fn states_may_be_text_and_arguments_any_layout_of_it() {
    let words = ["a", "ccc", "bb", "ddd", "eeeeeeeeeeeeeeeeeeee"];
    let plain = StringArray::from_iter_values((0..50).map(|row| words[row % 5]));
    let dictionary: DictionaryArray<Int8Type> = plain.iter().collect();
    let views: StringViewArray = plain.iter().collect();
    let groups: Vec<u32> = (0..50).map(|row| (row % 5 / 2) as u32).collect();
    let arrays: [ArrayRef; 3] = [Arc::new(plain), Arc::new(dictionary), Arc::new(views)];
    for array in arrays {
        let mut longest = start("longest");
        longest
            .update(&[array], Some(&groups), None, 3)
            .expect("rows");
        let state = longest.state(&[0, 1, 2]).expect("states");
        let mut merged = start("longest");
        merged
            .merge(&state, Some(&[2, 1, 0]), None, 3)
            .expect("states");
        let values = merged.evaluate(&[0, 1, 2]).expect("values");
        let values: Vec<_> = values.as_string::<i32>().iter().flatten().collect();
        assert_eq!(values, [words[4], "ddd", "ccc"]);
    }
}

#[test]
fn groups_are_retracted_dropped_and_reset() {
    let (columns, groups) = rows(500);
    let mut mean = start("weighted_mean");
    mean.update(&columns, Some(&groups), None, GROUPS)
        .expect("rows");
    let keep = filter(100);
    let (some, of) = (slices(&columns, 0, 100), &groups[..100]);
    mean.retract(&some, Some(of), Some(&keep)).expect("rows");
    mean.update(&some, Some(of), Some(&keep), GROUPS)
        .expect("rows");
    let expected = native(&columns, &groups, None);
    check(&mut mean, &expected);
    mean.reset(1).expect("a group");
    mean.drop_first(1).expect("groups");
    let rest = mean.evaluate(&[0, 1]).expect("values");
    let rest = rest.as_primitive::<Float64Type>();
    assert_eq!((rest.is_null(0), rest.value(1)), (true, expected.value(2)));
    let empty = mean.evaluate(&[40]).expect("a group that nobody was in");
    assert!(empty.is_null(0));
    mean.drop_first(100).expect("all of them");
    let empty = mean.evaluate(&[0]).expect("it begins again");
    assert!(empty.is_null(0));
    mean.reset(12).expect("a group that there is not");
}

#[test]
fn aggregates_work_over_packed_columns_too() {
    let plugin = install(&in_mode("AP")).expect("it installs");
    let (columns, groups) = rows(300);
    let mut counts = start_of(&plugin, "packed_rows");
    counts
        .update(&columns[..1], Some(&groups), None, GROUPS)
        .expect("rows");
    let values = counts.evaluate(&ALL).expect("values");
    let expected: Vec<f64> = (0..GROUPS as u32)
        .map(|group| {
            let rows = groups.iter().enumerate();
            rows.filter(|(row, of)| **of == group && columns[0].is_valid(*row))
                .count() as f64
        })
        .collect();
    assert_eq!(values.as_primitive::<Float64Type>().values(), &expected[..]);
}

#[test]
fn what_is_asked_wrongly_is_an_error() {
    let values: ArrayRef = Arc::new(Float64Array::from(vec![1.0; 3]));
    let both = [Arc::clone(&values), Arc::clone(&values)];
    let wrongly: [&Work<'_>; 5] = [
        &|mean| mean.update(&both[..1], None, None, 1),
        &|mean| mean.update(&both, Some(&[0, 0]), None, 1),
        &|mean| mean.update(&both, Some(&[0, 0, 1]), None, 1),
        &|mean| mean.update(&both, None, Some(&filter(4)), 1),
        &|mean| mean.merge(&both[..1], None, None, 1),
    ];
    for wrong in wrongly {
        let mut mean = start("weighted_mean");
        let error = wrong(&mut mean).expect_err("wrong");
        assert_eq!(error.kind, ErrorKind::Internal, "{error}");
        mean.reset(0).expect_err("it has failed before");
        mean.drop_first(1).expect_err("it has failed before");
        mean.update(&slices(&both, 0, 0), None, None, 1)
            .expect_err("it has failed before");
    }
    let pool = pool(&AGGREGATES);
    assert!(pool.aggregate(place(&AGGREGATES, "echo_float64")).is_err());
    assert!(pool.aggregate(1000).is_err());
    let mut longest = start("longest");
    let text: ArrayRef = Arc::new(StringArray::from(vec!["x"]));
    let error = longest.retract(&[text], None, None);
    let error = error.expect_err("the manifest does not say that it retracts");
    assert_eq!(error.message, "the aggregate does not retract");
}

#[test]
fn interfaces_that_functions_need_have_to_be_there() {
    for (from, to, words) in [
        (
            "aggregate-retract@",
            "aggregate-rebuild@",
            "interface \"tributary:plugin/aggregate-retract@1.0.0\"",
        ),
        (
            "tributary:plugin/aggregate@",
            "tributary:plugin/aggravate@",
            "interface \"tributary:plugin/aggregate@1.0.0\"",
        ),
    ] {
        let renamed = |mode: &str| {
            let text = in_mode(mode);
            let mut wasm = text.clone();
            for at in 0..text.len().saturating_sub(from.len()) {
                if &text[at..at + from.len()] == from.as_bytes() {
                    wasm[at..at + to.len()].copy_from_slice(to.as_bytes());
                }
            }
            wasm
        };
        let error = install(&renamed("A0")).expect_err("an interface is missing");
        assert_eq!(error.kind, ErrorKind::Refused);
        assert!(error.message.contains(words), "{error}");
        install(&renamed("H0")).expect("nobody needs it, and the other one is never called");
    }
}

#[test]
fn instances_are_counted_in_the_process() {
    let limits = Limits {
        instances_max: 2,
        ..Limits::default()
    };
    let plugin = install_within(&in_mode("A0"), &limits).expect("it installs");
    let pool = pool(&plugin);
    let at = place(&plugin, "sums");
    let first = pool.aggregate(at).expect("one");
    let _second = pool.aggregate(at).expect("two");
    let error = pool.aggregate(at).map(drop).expect_err("three");
    assert_eq!(
        error.limit.map(|hit| (hit.name, hit.limit)),
        Some(("instances_max", 2))
    );
    drop(first);
    pool.aggregate(at).expect("two again");
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
    assert_eq!(error.kind, kind, "{name}: {error}");
    assert!(error.message.contains(words), "{error} has no \"{words}\"");
    assert_eq!(error.place.function.as_deref(), Some(name));
    assert_eq!(error.place.plugin.as_deref(), Some("hostile"));
    assert!(aggregation.evaluate(&[0]).is_err(), "{name} is used again");
    assert!(aggregation.state(&[0]).is_err(), "{name} is used again");
    all_is_well();
}

fn feed(aggregation: &mut Aggregation) -> Result<(), Error> {
    let values: ArrayRef = Arc::new(Float64Array::from(vec![1.5; 100]));
    let groups: Vec<u32> = (0..100).map(|row| row % 2).collect();
    aggregation.update(&[values], Some(&groups), None, 2)
}

fn merge(aggregation: &mut Aggregation) -> Result<(), Error> {
    let state: ArrayRef = Arc::new(Float64Array::from(vec![1.0]));
    aggregation.merge(&[state], None, None, 1)
}

#[test]
fn liars_and_spinners_hurt_nobody() {
    let fuel = |name: &str, work: &Work<'_>| {
        ends(name, ErrorKind::Limit, "fuel_call_max", work);
    };
    fuel("spins_in_update", &feed);
    fuel("spins_in_merge", &merge);
    fuel("spins_in_evaluate", &|sums| sums.evaluate(&[0]).map(drop));
    fuel("spins_in_state", &|sums| sums.state(&[0]).map(drop));
    fuel("spins_in_retract", &|sums| {
        let values: ArrayRef = Arc::new(Float64Array::from(vec![1.0]));
        sums.retract(&[values], None, None)
    });
    ends("refuses_row_3", ErrorKind::Row, "the fourth row", feed);
    ends(
        "hoards",
        ErrorKind::Limit,
        "linear_memory_bytes_max",
        |sums| (0..100).try_for_each(|_| feed(sums)),
    );
    ends("panics_on_group_7", ErrorKind::Trap, "group 7", |sums| {
        feed(sums)?;
        let values: ArrayRef = Arc::new(Float64Array::from(vec![1.0]));
        sums.update(&[values], Some(&[7]), None, 8)
    });
    let evaluate = |sums: &mut Aggregation| {
        feed(sums)?;
        sums.evaluate(&[0, 1]).map(drop)
    };
    let few = "returned 1 values, expected 2";
    ends("evaluates_too_few", ErrorKind::Output, few, evaluate);
    ends(
        "out_of_range",
        ErrorKind::Output,
        "promised 0 to 1",
        evaluate,
    );
    for (name, words) in [
        ("no_state", "returned 0 columns of state, declared 1"),
        ("too_much_state", "returned 2 columns of state, declared 1"),
        ("short_state", "state \"x\": returned 1 values, expected 2"),
        (
            "state_of_another_type",
            "state \"x\": returned int64, declared Float64",
        ),
    ] {
        ends(name, ErrorKind::Output, words, |sums| {
            feed(sums)?;
            sums.state(&[0, 1]).map(drop)
        });
    }
    let pool = pool(&AGGREGATES);
    let error = pool.aggregate(place(&AGGREGATES, "refuses_to_start"));
    let error = error.map(drop).expect_err("not today");
    assert_eq!(
        (error.kind, error.message.as_str()),
        (ErrorKind::Plugin, "not today")
    );
    assert_eq!(error.place.function.as_deref(), Some("refuses_to_start"));
}

#[test]
fn an_aggregate_has_the_fuel_of_its_query() {
    let limits = Limits {
        fuel_query_max: 2_000_000,
        ..Limits::default()
    };
    let plugin = install_within(&in_mode("A0"), &limits).expect("it installs");
    let mut sums = start_of(&plugin, "sums");
    let error = (0..100_000).find_map(|_| feed(&mut sums).err());
    let error = error.expect("it ends");
    assert_eq!(error.limit.map(|hit| hit.name), Some("fuel_query_max"));
}
