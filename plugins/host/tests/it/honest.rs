//! Honest guests get what they are passed and give it back, however Arrow lays it out and however
//! the wire does.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Date32Array, Decimal128Array,
    DictionaryArray, Float32Array, Float64Array, Int8Array, Int16Array, Int32Array, Int64Array,
    LargeStringArray, ListArray, StringArray, StringViewArray, StructArray,
    TimestampMicrosecondArray, UInt8Array, UInt16Array, UInt32Array, UInt64Array, new_null_array,
};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, Field, Int8Type, Int64Type};
use serde_json::json;
use tributary_plugins_host::{Argument, ErrorKind, Limits, Plugin, Pool};

use crate::world::{
    HONEST, PACKED, call, floats, in_mode, install_within, place, pool, receipts, settings,
};

/// Both wires: the tests below hold for either.
fn both(test: impl Fn(&Arc<Plugin>)) {
    test(&HONEST);
    test(&PACKED);
}

/// Arrays of every type, with a NULL and the values at the ends.
fn every_type() -> Vec<(&'static str, ArrayRef)> {
    let decimals = Decimal128Array::from(vec![
        Some(i128::from(u64::MAX) * 1000),
        None,
        Some(-1),
        Some(0),
    ]);
    vec![
        (
            "bits",
            Arc::new(BooleanArray::from(vec![
                Some(true),
                None,
                Some(false),
                Some(true),
            ])),
        ),
        (
            "int8",
            Arc::new(Int8Array::from(vec![
                Some(i8::MIN),
                None,
                Some(0),
                Some(i8::MAX),
            ])),
        ),
        (
            "int16",
            Arc::new(Int16Array::from(vec![
                Some(i16::MIN),
                None,
                Some(0),
                Some(i16::MAX),
            ])),
        ),
        (
            "int32",
            Arc::new(Int32Array::from(vec![
                Some(i32::MIN),
                None,
                Some(0),
                Some(i32::MAX),
            ])),
        ),
        (
            "int64",
            Arc::new(Int64Array::from(vec![
                Some(i64::MIN),
                None,
                Some(0),
                Some(i64::MAX),
            ])),
        ),
        (
            "uint8",
            Arc::new(UInt8Array::from(vec![
                Some(0),
                None,
                Some(1),
                Some(u8::MAX),
            ])),
        ),
        (
            "uint16",
            Arc::new(UInt16Array::from(vec![
                Some(0),
                None,
                Some(1),
                Some(u16::MAX),
            ])),
        ),
        (
            "uint32",
            Arc::new(UInt32Array::from(vec![
                Some(0),
                None,
                Some(1),
                Some(u32::MAX),
            ])),
        ),
        (
            "uint64",
            Arc::new(UInt64Array::from(vec![
                Some(0),
                None,
                Some(1),
                Some(u64::MAX),
            ])),
        ),
        (
            "float32",
            Arc::new(Float32Array::from(vec![
                Some(-0.0),
                None,
                Some(f32::INFINITY),
                Some(1e-40),
            ])),
        ),
        (
            "float64",
            Arc::new(Float64Array::from(vec![
                Some(-0.0),
                None,
                Some(f64::INFINITY),
                Some(5e-324),
            ])),
        ),
        (
            "decimal",
            Arc::new(decimals.with_precision_and_scale(38, 4).expect("it fits")),
        ),
        (
            "date",
            Arc::new(Date32Array::from(vec![
                Some(-1),
                None,
                Some(0),
                Some(20_000),
            ])),
        ),
        (
            "timestamp",
            Arc::new(TimestampMicrosecondArray::from(vec![
                Some(-1),
                None,
                Some(0),
                Some(1 << 50),
            ])),
        ),
        (
            "text",
            Arc::new(StringArray::from(vec![
                Some(""),
                None,
                Some("ä\0"),
                Some("text"),
            ])),
        ),
        (
            "binary",
            Arc::new(BinaryArray::from(vec![
                Some(&b""[..]),
                None,
                Some(b"\xff\0"),
                Some(b"bytes"),
            ])),
        ),
    ]
}

/// The same array four times over, so that slices of it begin within a byte of a bitmap.
fn long(array: &ArrayRef) -> ArrayRef {
    concat(&[array.as_ref(); 4]).expect("of one type")
}

#[test]
fn every_type_comes_back_as_it_went_sliced_or_not() {
    both(|plugin| {
        let pool = pool(plugin);
        for (name, array) in every_type() {
            let function = format!("echo_{name}");
            let array = long(&array);
            for (start, len) in [(0, 16), (1, 15), (3, 9), (8, 8), (11, 1), (13, 3), (16, 0)] {
                let slice = array.slice(start, len);
                let back = call(&pool, &function, &[Arc::clone(&slice)]).expect(name);
                assert_eq!(&back, &slice, "{name} {start} {len}");
            }
        }
    });
}

#[test]
fn bitmaps_may_begin_anywhere() {
    let values: Vec<f64> = (0..50).map(f64::from).collect();
    let bits: Vec<bool> = (0..70).map(|row| row % 3 != 0).collect();
    both(|plugin| {
        let pool = pool(plugin);
        for offset in [0, 1, 7, 8, 9, 20] {
            let bits = BooleanBuffer::from(bits.clone()).slice(offset, 50);
            let nulls = NullBuffer::new(bits.clone());
            let array: ArrayRef = Arc::new(Float64Array::new(values.clone().into(), Some(nulls)));
            let back = call(&pool, "echo_float64", &[Arc::clone(&array)]).expect("floats");
            assert_eq!(&back, &array);
            let array: ArrayRef = Arc::new(BooleanArray::new(bits, None));
            let back = call(&pool, "echo_bits", &[Arc::clone(&array)]).expect("bits");
            assert_eq!(&back, &array);
        }
    });
}

#[test]
fn null_literals_and_empty_batches_are_right() {
    both(|plugin| {
        let pool = pool(plugin);
        let literal: ArrayRef = new_null_array(&DataType::Null, 1);
        for (name, array) in every_type() {
            let at = place(plugin, &format!("echo_{name}"));
            let back = pool.call(at, &[Argument::Scalar(&literal)], 5).expect(name);
            assert_eq!(&back, &new_null_array(array.data_type(), 5), "{name}");
            let typed = new_null_array(array.data_type(), 1);
            let back = pool.call(at, &[Argument::Scalar(&typed)], 5).expect(name);
            assert_eq!(&back, &new_null_array(array.data_type(), 5), "{name}");
            let column = new_null_array(&DataType::Null, 3);
            let back = pool.call(at, &[Argument::Array(&column)], 3).expect(name);
            assert_eq!(&back, &new_null_array(array.data_type(), 3), "{name}");
            let back = pool.call(at, &[Argument::Scalar(&literal)], 0).expect(name);
            assert_eq!((back.len(), back.data_type()), (0, array.data_type()));
            let back = pool.call(at, &[Argument::Array(&array.slice(0, 0))], 0);
            assert_eq!(back.expect(name).len(), 0);
        }
        let rule = plugin.manifest().functions[place(plugin, "rules_rightly")].return_type();
        let back = call(&pool, "rules_rightly", &[floats(0)]).expect("nothing is fine");
        assert_eq!((back.len(), back.data_type()), (0, &rule));
        let nulls = new_null_array(&DataType::Float64, 9);
        let back = call(&pool, "rules_rightly", &[nulls]).expect("strict");
        assert_eq!((back.null_count(), back.data_type()), (9, &rule));
        assert_eq!(
            receipts(&pool, "rules_rightly").calls,
            0,
            "nobody was asked"
        );
    });
}

fn texts(array: &ArrayRef) -> Vec<Option<&str>> {
    array.as_string::<i32>().iter().collect()
}

#[test]
fn constants_stand_for_every_row() {
    let one = |text: Option<&str>| Arc::new(StringArray::from(vec![text])) as ArrayRef;
    let pool = pool(&HONEST);
    let at = place(&HONEST, "joins");
    let column = floats(3);
    let (text, null, literal) = (
        one(Some("ä")),
        one(None),
        new_null_array(&DataType::Null, 1),
    );
    let joined = |args: &[Argument<'_>]| pool.call(at, args, 3).expect("text");
    let result = joined(&[Argument::Scalar(&text), Argument::Array(&column)]);
    assert_eq!(texts(&result), [Some("ä/0"), Some("ä/1"), Some("ä/2")]);
    for null in [&null, &literal] {
        let result = joined(&[Argument::Scalar(null), Argument::Array(&column)]);
        assert_eq!(
            texts(&result),
            [Some("NULL/0"), Some("NULL/1"), Some("NULL/2")]
        );
    }
    let before = receipts(&pool, "joins");
    let result = joined(&[Argument::Scalar(&text), Argument::Scalar(&literal)]);
    assert_eq!(texts(&result), [Some("ä/NULL"); 3]);
    let after = receipts(&pool, "joins");
    assert_eq!(
        (after.calls, after.rows),
        (before.calls + 1, before.rows + 1)
    );
}

const WORDS: [Option<&str>; 5] = [
    Some("first"),
    None,
    Some(""),
    Some("ä longer text than a view holds"),
    Some("first"),
];

#[test]
fn text_of_every_layout_is_the_same() {
    let dictionary: DictionaryArray<Int8Type> = WORDS.into_iter().collect();
    let arrays: [ArrayRef; 4] = [
        Arc::new(StringArray::from(WORDS.to_vec())),
        Arc::new(LargeStringArray::from(WORDS.to_vec())),
        Arc::new(StringViewArray::from(WORDS.to_vec())),
        Arc::new(dictionary),
    ];
    both(|plugin| {
        let pool = pool(plugin);
        let function = &plugin.manifest().functions[place(plugin, "echo_text")];
        for array in &arrays {
            assert!(
                function.accepts(0, array.data_type()) && !function.accepts(1, array.data_type())
            );
            for (start, len) in [(0, 5), (1, 4), (3, 2), (1, 1), (2, 0)] {
                let back = call(&pool, "echo_text", &[array.slice(start, len)]).expect("text");
                assert_eq!(
                    texts(&back),
                    WORDS[start..start + len],
                    "{}",
                    array.data_type()
                );
            }
        }
    });
}

#[test]
fn timestamps_keep_their_instant_whatever_their_zone() {
    let instants = TimestampMicrosecondArray::from(vec![Some(1 << 50), None, Some(-7)]);
    both(|plugin| {
        let pool = pool(plugin);
        let zoned: ArrayRef = Arc::new(instants.clone().with_timezone("+02:00"));
        let back = call(&pool, "echo_timestamp", &[zoned]).expect("timestamps");
        assert_eq!(&back, &(Arc::new(instants.clone()) as ArrayRef));
    });
}

/// Rows of `{"a": n, "b": ["text", null]}`.
fn objects(rows: usize) -> ArrayRef {
    let a: ArrayRef = Arc::new(
        (0..rows)
            .map(|row| Some(row as i64))
            .collect::<Int64Array>(),
    );
    let mut b = arrow::array::ListBuilder::new(arrow::array::StringBuilder::new());
    for row in 0..rows {
        b.append_value([Some(format!("text {row}")), None]);
    }
    let b: ArrayRef = Arc::new(b.finish());
    let fields = vec![
        Field::new("a", DataType::Int64, true),
        Field::new("b", b.data_type().clone(), true),
    ];
    let nulls = NullBuffer::from_iter((0..rows).map(|row| row % 3 != 1));
    Arc::new(StructArray::new(fields.into(), vec![a, b], Some(nulls)))
}

fn documents(from: usize, to: usize) -> Vec<Option<String>> {
    let document = |row: usize| json!({"a": row, "b": [format!("text {row}"), null]}).to_string();
    (from..to)
        .map(|row| (row % 3 != 1).then(|| document(row)))
        .collect()
}

fn owned(array: &ArrayRef) -> Vec<Option<String>> {
    texts(array)
        .into_iter()
        .map(|text| text.map(str::to_owned))
        .collect()
}

#[test]
fn nested_values_arrive_as_json() {
    both(|plugin| {
        let pool = pool(plugin);
        let objects = objects(40);
        let function = &plugin.manifest().functions[place(plugin, "echo_json")];
        assert!(function.accepts(0, objects.data_type()));
        for (start, len) in [(0, 40), (3, 17), (1, 1), (40, 0)] {
            let back = call(&pool, "echo_json", &[objects.slice(start, len)]).expect("JSON");
            assert_eq!(owned(&back), documents(start, start + len));
        }
        let constant = objects.slice(6, 1);
        let at = place(plugin, "echo_json");
        let back = pool
            .call(at, &[Argument::Scalar(&constant)], 3)
            .expect("JSON");
        assert_eq!(owned(&back), vec![documents(6, 7)[0].clone(); 3]);
        let list =
            ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(1), None]), None]);
        let back = call(&pool, "echo_json", &[Arc::new(list)]).expect("JSON");
        assert_eq!(texts(&back), [Some("[1,null]"), None]);
        let back = call(&pool, "echo_json", &[floats(2)]).expect("JSON");
        assert_eq!(texts(&back), [Some("0.0"), Some("1.0")]);
        let views: ArrayRef = Arc::new(StringViewArray::from(vec!["{ \"as\":  \"it is\" }"]));
        let back = call(&pool, "echo_json", &[views]).expect("JSON");
        assert_eq!(texts(&back), [Some("{ \"as\":  \"it is\" }")]);
    });
}

#[test]
fn json_is_written_in_parts_that_fit() {
    let limits = Limits {
        input_bytes_max: 500,
        value_bytes_max: 200,
        ..Limits::default()
    };
    let plugin = install_within(&in_mode("H0"), &limits).expect("honest installs");
    let pool = pool(&plugin);
    let back = call(&pool, "echo_json", &[objects(100)]).expect("JSON");
    assert_eq!(owned(&back), documents(0, 100));
    assert!(
        receipts(&pool, "echo_json").calls >= 7,
        "{:?}",
        receipts(&pool, "echo_json")
    );
    let mut long = vec![Some("[]"); 50];
    let text = "x".repeat(300);
    long[33] = Some(&text);
    let long: DictionaryArray<Int8Type> = long.into_iter().collect();
    let field = Field::new("text", long.data_type().clone(), true);
    let long: ArrayRef = Arc::new(StructArray::new(
        vec![field].into(),
        vec![Arc::new(long)],
        None,
    ));
    let error = call(&pool, "echo_json", &[long]).expect_err("a long value");
    assert_eq!(error.limit.map(|hit| hit.name), Some("value_bytes_max"));
    assert_eq!(error.place.row, Some(33));
}

#[test]
fn rows_larger_than_a_call_are_refused() {
    let limits = Limits {
        input_bytes_max: 500,
        ..Limits::default()
    };
    let plugin = install_within(&in_mode("H0"), &limits).expect("honest installs");
    let pool = pool(&plugin);
    let text = "x".repeat(600);
    let array: ArrayRef = Arc::new(StringArray::from(vec!["", "", &text, ""]));
    let error = call(&pool, "echo_text", &[array]).expect_err("a long row");
    assert_eq!(error.limit.map(|hit| hit.name), Some("input_bytes_max"));
    assert_eq!(error.place.row, Some(2));
}

#[test]
fn results_do_not_depend_on_splits_or_instances() {
    let limits = Limits {
        input_bytes_max: 10_000,
        batch_rows_max: 90,
        ..Limits::default()
    };
    for mode in ["H0", "HP"] {
        let plugin = install_within(&in_mode(mode), &limits).expect("honest installs");
        let split = pool(&plugin);
        let array: ArrayRef = Arc::new(
            (0..1000)
                .map(|row| (row % 7 != 3).then(|| format!("{row}").repeat(row % 40)))
                .collect::<StringArray>(),
        );
        let back = call(&split, "echo_text", &[Arc::clone(&array)]).expect("text");
        assert_eq!(&back, &array);
        assert!(receipts(&split, "echo_text").calls > 11);
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (pool, array) = (&split, &array);
                scope.spawn(move || {
                    for start in (thread * 50..1000).step_by(400) {
                        let slice = array.slice(start, 50);
                        let back = call(pool, "echo_text", &[Arc::clone(&slice)]).expect("text");
                        assert_eq!(&back, &slice);
                    }
                });
            }
        });
    }
}

#[test]
fn receipts_are_kept_by_function() {
    let pool = pool(&HONEST);
    call(&pool, "echo_float64", &[floats(1000)]).expect("floats");
    call(&pool, "echo_float64", &[floats(500)]).expect("floats");
    let text: ArrayRef = Arc::new(StringArray::from(vec!["ab", "c"]));
    call(&pool, "echo_text", &[text]).expect("text");
    let floats = receipts(&pool, "echo_float64");
    assert_eq!((floats.calls, floats.rows), (2, 1500));
    assert_eq!((floats.bytes_in, floats.bytes_out), (12_000, 12_000));
    assert!(floats.nanoseconds > 0 && floats.fuel > 0 && floats.linear_memory_bytes_peak > 0);
    let text = receipts(&pool, "echo_text");
    assert_eq!(
        (text.calls, text.rows, text.bytes_in, text.bytes_out),
        (1, 2, 15, 15)
    );
    assert_eq!(receipts(&pool, "now"), Default::default());
    assert_eq!(pool.receipts(1000), Default::default());
}

// ------------------------------------------------------------------------- once per distinct value

fn dictionary(rows: usize, words: &[Option<&str>]) -> ArrayRef {
    let array: DictionaryArray<Int8Type> = (0..rows).map(|row| words[row % words.len()]).collect();
    Arc::new(array)
}

/// The same call with and without the dictionary has the same answer.
fn same(pool: &Pool, function: &str, dictionary: &ArrayRef, number: &ArrayRef) -> u64 {
    let at = place(pool.plugin(), function);
    let rows = dictionary.len();
    let plain = cast(dictionary, &DataType::Utf8).expect("text");
    let args = |text| [Argument::Array(text), Argument::Scalar(number)];
    let expected = pool.call(at, &args(&plain), rows).expect("plain");
    let before = receipts(pool, function).rows;
    let result = pool.call(at, &args(dictionary), rows).expect("dictionary");
    assert_eq!(&result, &expected);
    receipts(pool, function).rows - before
}

#[test]
fn a_dictionary_is_asked_about_once_per_value() {
    let words = [Some("a"), None, Some("b"), Some("ä"), Some("a")];
    both(|plugin| {
        let pool = pool(plugin);
        if plugin.manifest().wire == tributary_plugins_host::Wire::Packed {
            let back = call(&pool, "echo_text", &[dictionary(100, &words)]).expect("text");
            assert_eq!(texts(&back)[..5], words);
            assert_eq!(receipts(&pool, "echo_text").rows, 4);
            return;
        }
        for number in [floats(1), new_null_array(&DataType::Null, 1)] {
            let all = dictionary(100, &words);
            for function in ["joins", "joins_dictionaries"] {
                assert_eq!(same(&pool, function, &all, &number), 4, "a, NULL, b, ä");
                let some = all.slice(50, 33);
                assert_eq!(same(&pool, function, &some, &number), 4);
                let few = all.slice(50, 5);
                assert_eq!(same(&pool, function, &few, &number), 5, "too few to bother");
            }
        }
        let strict = call(&pool, "strict_text", &[dictionary(100, &words)]).expect("text");
        assert_eq!(texts(&strict)[..5], words);
        assert_eq!(receipts(&pool, "strict_text").rows, 4);
    });
}

#[test]
fn values_that_no_row_has_are_not_asked_about() {
    let pool = pool(&HONEST);
    let array = dictionary(100, &[Some("good"), Some("bad"), Some("fine")]);
    let error = call(&pool, "refuses_bad", &[Arc::clone(&array)]).expect_err("there is a bad row");
    assert_eq!((error.kind, error.place.row), (ErrorKind::Row, Some(1)));
    let error = call(&pool, "refuses_bad", &[array.slice(2, 98)]).expect_err("still");
    assert_eq!((error.kind, error.place.row), (ErrorKind::Row, Some(2)));
    let indices: arrow::array::UInt32Array = (0..100).filter(|row| row % 3 != 1).collect();
    let without = arrow::compute::take(&array, &indices, None).expect("rows");
    let back = call(&pool, "refuses_bad", &[without]).expect("no row is bad");
    assert_eq!(
        texts(&back)[..3],
        [Some("good"), Some("fine"), Some("good")]
    );
}

#[test]
fn two_columns_stay_as_they_are() {
    let pool = pool(&HONEST);
    let text = dictionary(100, &[Some("a"), Some("b")]);
    let layout = call(&pool, "layout", &[text, floats(100)]).expect("text");
    assert_eq!(texts(&layout)[0], Some("dict column 100"));
}

#[test]
fn there_are_no_dictionaries_on_the_packed_wire() {
    let pool = pool(&PACKED);
    let words = [Some("a"), None, Some("b")];
    let args = [dictionary(90, &words), floats(90)];
    let back = call(&pool, "first_of_two", &args).expect("text");
    assert_eq!(texts(&back)[..3], words);
}

// ------------------------------------------------------------------------------------ fuel of a query

#[test]
fn a_query_has_so_many_instructions_in_all() {
    let limits = Limits {
        fuel_query_max: 30_000_000,
        ..Limits::default()
    };
    let plugin = install_within(&in_mode("H0"), &limits).expect("honest installs");
    let pool = pool(&plugin);
    let text: ArrayRef = Arc::new(StringArray::from(vec!["x"; 1000]));
    let number = floats(1000);
    let error = (0..1000).find_map(|_| {
        let args = [Arc::clone(&text), Arc::clone(&number)];
        call(&pool, "joins", &args).err()
    });
    let error = error.expect("it ends");
    assert_eq!(
        error.limit.map(|hit| (hit.name, hit.limit)),
        Some(("fuel_query_max", 30_000_000))
    );
    let used = receipts(&pool, "joins");
    assert!(
        used.calls > 1 && used.fuel >= 29_000_000 && used.fuel < 60_000_000,
        "{used:?}"
    );
    call(&pool, "echo_float64", &[floats(1)]).expect_err("the query is over");
    let fresh = plugin.pool(&settings(&plugin, json!({})).expect("defaults"), Some(0));
    call(&fresh, "echo_float64", &[floats(1)]).expect("another query is not");
}
