//! Settings: checked, completed, the same hash for the same values, and handed over as they are.

use arrow::array::AsArray;
use serde_json::{Map, Value, json};
use tributary_plugins_host::{ErrorKind, Settings};

use crate::world::{CHAMP, HOSTILE, call, floats, in_mode, install, pool};

fn given(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(given) => given,
        other => panic!("{other} is no object"),
    }
}

fn settings(value: Value) -> Settings {
    HOSTILE.settings(&given(value)).expect("they fit")
}

#[test]
fn what_is_wrong_is_told_all_at_once() {
    let wrong = json!({"flag": 1, "count": 11, "ratio": "much", "word": "", "words": ["a", "b", "c"], "colour": "red"});
    let error = HOSTILE.settings(&given(wrong)).expect_err("nothing fits");
    assert_eq!(error.kind, ErrorKind::Settings);
    for words in [
        "there is no setting \"colour\" (there are flag, count, ratio, word, words, anything)",
        "setting \"flag\" is 1, expected true or false",
        "setting \"count\" is 11, allowed is 0 to 10",
        "setting \"ratio\" is \"much\", expected a number",
        "setting \"word\" is 0 characters long, allowed is 1 to 5",
        "setting \"words\" is 3 entries long, allowed is 2 or less",
    ] {
        assert!(error.message.contains(words), "{error} has no {words}");
    }
    let large = json!({"anything": "x".repeat(2 << 20)});
    let error = HOSTILE.settings(&given(large)).expect_err("too large");
    assert!(error.message.contains("settings_bytes_max"), "{error}");
    let needed = install(&in_mode("32")).expect("it installs without them");
    let error = needed.settings(&Map::new()).expect_err("flag is required");
    assert!(
        error.message.contains("setting \"flag\" is required"),
        "{error}"
    );
    needed
        .settings(&given(json!({"flag": false})))
        .expect("that was all");
}

#[test]
fn equal_settings_are_the_same() {
    let one = settings(json!({"anything": {"x": [1, {"q": 2, "p": 3}], "y": null}, "count": 3}));
    let other = settings(
        json!({"count": 3, "flag": true, "anything": {"y": null, "x": [1, {"p": 3, "q": 2}]}}),
    );
    assert_eq!((one.hash(), one.json()), (other.hash(), other.json()));
    assert_eq!(one.hash().len(), 64);
    assert_ne!(one.hash(), settings(json!({"count": 4})).hash());
    assert_eq!(
        settings(json!({})).json(),
        r#"{"anything":{"a":2,"b":1},"count":3,"flag":true,"ratio":0.5,"word":"w","words":["a"]}"#
    );
}

#[test]
fn a_plugin_gets_what_was_given() {
    let pool = HOSTILE.pool(&settings(json!({"word": "ü", "words": []})), Some(42));
    let told = call(&pool, "settings", &[floats(1)]).expect("told");
    assert_eq!(
        told.as_string::<i32>().value(0),
        "flag=ConfigValue::Boolean(true) count=ConfigValue::Integer(3) ratio=ConfigValue::Number(0.5) word=ConfigValue::Text(\"ü\") words=ConfigValue::TextList([]) anything=ConfigValue::Json(\"{\\\"a\\\":2,\\\"b\\\":1}\")"
    );
    let now = call(&pool, "now", &[floats(2)]).expect("now");
    assert_eq!(
        now.as_primitive::<arrow::datatypes::Float64Type>().values(),
        &[42.0, 42.0]
    );
}

#[test]
fn settings_change_results_and_a_plugin_may_refuse_them() {
    let error = CHAMP
        .settings(&given(json!({"money": 99})))
        .expect_err("weights");
    assert_eq!(error.kind, ErrorKind::Settings);
    assert!(
        error
            .message
            .contains("the weights add up to 174, not to 100"),
        "{error}"
    );
}

#[test]
fn warnings_are_kept_with_their_function() {
    let pool = pool(&HOSTILE);
    call(&pool, "warns", &[floats(1)]).expect("it only warns");
    let warnings = pool.warnings();
    assert_eq!(warnings.len(), 1);
    assert_eq!(
        (warnings[0].function.as_str(), warnings[0].message.as_str()),
        ("warns", "look out")
    );
    for _ in 0..100 {
        call(&pool, "floods", &[floats(1)]).expect("it only warns");
    }
    assert_eq!(pool.warnings().len() as u64, HOSTILE_WARNINGS);
}

const HOSTILE_WARNINGS: u64 = 64;
