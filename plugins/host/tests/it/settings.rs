//! Settings and the time of the query reach every instance, and a plugin that lacks some waits.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use serde_json::{Value, json};
use tributary_plugins_host::{ConfigType, ErrorKind, Plugin};

use crate::world::{CHAMP, HONEST, NOW_US, call, floats, in_mode, install, settings};

fn seen(plugin: &Arc<Plugin>, given: Value) -> String {
    let settings = settings(plugin, given).expect("right settings");
    let pool = plugin.pool(&settings, Some(NOW_US));
    let text = call(&pool, "settings", &[floats(1)]).expect("text");
    text.as_string::<i32>().value(0).to_owned()
}

#[test]
fn every_type_of_setting_arrives() {
    assert_eq!(
        seen(&HONEST, json!({})),
        "weight=1 strict=false table={\"a\":null,\"b\":[1]}"
    );
    let all = json!({
        "table": [{"z": 1, "y": "ä"}], "names": ["a", "", "c"], "label": "\u{0}x",
        "strict": true, "count": -9_223_372_036_854_775_808_i64, "weight": 0.1,
    });
    assert_eq!(
        seen(&HONEST, all),
        "weight=0.1 count=-9223372036854775808 strict=true label=\0x names=a++c table=[{\"y\":\"ä\",\"z\":1}]"
    );
}

#[test]
fn pools_of_different_settings_do_not_meet() {
    let with = |weight: f64| settings(&HONEST, json!({"weight": weight})).expect("right");
    let (one, two) = (
        HONEST.pool(&with(1.0), Some(0)),
        HONEST.pool(&with(2.0), Some(0)),
    );
    for (pool, expected) in [
        (&one, "weight=1 "),
        (&two, "weight=2 "),
        (&one, "weight=1 "),
    ] {
        let text = call(pool, "settings", &[floats(1)]).expect("text");
        assert!(text.as_string::<i32>().value(0).starts_with(expected));
        assert_ne!(one.settings().hash(), two.settings().hash());
    }
}

#[test]
fn wrong_settings_are_refused_with_all_that_is_wrong() {
    let error = settings(&HONEST, json!({"weight": 11, "colour": 1})).expect_err("wrong");
    assert_eq!(error.kind, ErrorKind::Settings);
    assert_eq!(
        error.to_string(),
        "plugin \"hostile\" 0.0.1: there is no setting \"colour\" (there are weight, count, strict, label, names, table); setting \"weight\" is 11, allowed is 0 to 10"
    );
}

#[test]
fn what_is_wrong_is_told_all_at_once() {
    let wrong = json!({
        "weight": "much", "count": 1.5, "strict": 1, "label": ["x"], "names": ["a", 1], "a": 0, "b": 0,
    });
    let error = settings(&HONEST, wrong).expect_err("nothing fits");
    for words in [
        "there is no setting \"a\" (there are weight, count, strict, label, names, table)",
        "there is no setting \"b\"",
        "setting \"weight\" is \"much\", expected a number",
        "setting \"count\" is 1.5, expected an integer",
        "setting \"strict\" is 1, expected true or false",
        "setting \"label\" is [\"x\"], expected text",
        "setting \"names\" is [\"a\",1], expected a list of texts",
    ] {
        assert!(error.message.contains(words), "{error} has no {words}");
    }
    for count in [json!(u64::MAX), json!(1e19), json!("1"), json!(null)] {
        settings(&HONEST, json!({"count": count})).expect_err("no integer of 64 bits");
    }
}

#[test]
fn there_can_be_too_much() {
    let error = settings(&HONEST, json!({"table": "x".repeat(1 << 20)})).expect_err("too much");
    assert_eq!(error.limit.map(|hit| hit.name), Some("settings_bytes_max"));
    let unknown: Value = (0..10_000)
        .map(|number| (format!("s{number}"), json!(0)))
        .collect();
    let error = settings(&HONEST, unknown).expect_err("unknown");
    assert!(error.message.len() < 5000, "the message is cut");
    let error = settings(&HONEST, json!({"weight": "y".repeat(1 << 20)})).expect_err("no number");
    assert!(error.message.len() < 200, "what was given is cut");
}

#[test]
fn equal_settings_have_equal_text() {
    let one = r#"{"weight": 3, "table": {"y": {"b": [{"d": 1, "c": 2}], "a": null}, "x": 0}, "count": 7}"#;
    let other = r#"{"count":7.0,"table":{"x":0,"y":{"a":null,"b":[{"c":2,"d":1}]}},"strict":false,"weight":3.0}"#;
    let parse = |text: &str| {
        settings(&HONEST, serde_json::from_str(text).expect("JSON")).expect("these are right")
    };
    let (one, other) = (parse(one), parse(other));
    assert_eq!((one.json(), one.hash()), (other.json(), other.hash()));
    assert_eq!(
        one.json(),
        r#"{"count":7,"strict":false,"table":{"x":0,"y":{"a":null,"b":[{"c":2,"d":1}]}},"weight":3}"#
    );
    assert_eq!(one.hash().len(), 64);
    let zero = |zero: f64| settings(&HONEST, json!({"weight": zero})).expect("right");
    assert_eq!(zero(0.0).hash(), zero(-0.0).hash());
    assert_ne!(one.hash(), zero(0.0).hash());
}

#[test]
fn a_shipped_plugin_refuses_settings_that_do_not_fit_each_other() {
    let error = settings(&CHAMP, json!({"money": 99})).expect_err("weights");
    assert_eq!(error.kind, ErrorKind::Settings);
    assert!(
        error
            .message
            .contains("the weights add up to 174, not to 100"),
        "{error}"
    );
}

#[test]
fn a_plugin_that_needs_settings_installs_without_them() {
    let plugin = install(&in_mode("H1")).expect("it is not configured yet");
    let keys = &plugin.manifest().config;
    assert_eq!(
        (keys[3].name.as_str(), keys[3].ty, keys[3].required),
        ("label", ConfigType::Text, true)
    );
    let error = settings(&plugin, json!({})).expect_err("label is missing");
    assert!(
        error
            .message
            .contains("setting \"label\" is required, expected text"),
        "{error}"
    );
    assert!(seen(&plugin, json!({"label": "here"})).contains("label=here"));
}

#[test]
fn a_plugin_may_refuse_settings_that_fit_its_keys() {
    let plugin = install(&in_mode("H1")).expect("it is not configured yet");
    let warn = settings(&plugin, json!({"label": "warn"})).expect("right");
    let pool = plugin.pool(&warn, Some(0));
    call(&pool, "echo_float64", &[floats(1)]).expect("a warning is no error");
    let warnings = pool.warnings();
    assert_eq!(warnings.len(), 1);
    assert_eq!(
        (warnings[0].function.as_str(), warnings[0].message.as_str()),
        ("", "configured to warn")
    );
    let error = settings(&plugin, json!({"label": "refuse"})).expect_err("the plugin knows better");
    assert_eq!(error.kind, ErrorKind::Settings);
    assert!(error.message.contains("label is no label"), "{error}");
}

#[test]
fn the_time_of_the_query_is_the_same_everywhere() {
    let defaults = settings(&HONEST, json!({})).expect("defaults");
    let pool = HONEST.pool(&defaults, Some(NOW_US));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let now = call(&pool, "now", &[floats(3)]).expect("now");
                assert_eq!(now.as_primitive::<Int64Type>().values(), &[NOW_US; 3]);
            });
        }
    });
    let timeless = HONEST.pool(&defaults, None);
    let error = call(&timeless, "now", &[floats(1)]).expect_err("no time was given");
    assert_eq!(error.kind, ErrorKind::Internal);
}

#[test]
fn the_manifest_survives_being_stored() {
    let manifest = HONEST.manifest();
    let text = serde_json::to_string(manifest).expect("a manifest is JSON");
    assert_eq!(manifest, &serde_json::from_str(&text).expect("and back"));
    let json = serde_json::to_value(manifest).expect("a manifest is JSON");
    assert_eq!(json["interface"], "1.0.0");
    assert_eq!(json["wire"], "typed");
    assert_eq!(json["config"][0]["type"], "number");
    assert_eq!(json["config"][5]["default"], json!({"b": [1], "a": null}));
}
