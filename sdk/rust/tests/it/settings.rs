//! Settings: what the manifest says of them, and what functions see.

use serde::Deserialize;
use tributary_sdk::bindings::exports::tributary::plugin::lifecycle::ConfigValue;
use tributary_sdk::bindings::exports::tributary::plugin::manifest::{ConfigKey, ConfigType, Kind};
use tributary_sdk::bindings::tributary::plugin::types::{ErrorCode, Values};
use tributary_sdk::generated::{Given, describe, eval, judge as judged};
use tributary_sdk::prelude::*;
use tributary_sdk::testing::defaults;

use crate::columns::{column, configure, floats, manifest, numbers};

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Weights {
    form: f64,
}

/// One field of each kind.
#[derive(Config, Debug, Clone, PartialEq)]
#[config(check = in_order)]
struct Settings {
    /// Points from which a lead is good.
    #[config(default = 60, min = 0, max = 100)]
    good: i64,
    #[config(default = 20)]
    poor: i64,
    /// Multiplies everything.
    ///
    /// Even this.
    #[config(default = 1.0, min = -1.5)]
    factor: f64,
    #[config(default = true)]
    strict: bool,
    #[config(default = "say \"hi\"", max = 20)]
    greeting: String,
    #[config(default_json = r#"["form","call"]"#, max = 3)]
    kinds: Vec<String>,
    #[config(default_json = r#"{"form": 5}"#)]
    weights: Json<Weights>,
    region: Option<String>,
    extra: Option<Json<Vec<i64>>>,
}

fn in_order(settings: &Settings) -> Result<(), PluginFailure> {
    if settings.poor < settings.good {
        return Ok(());
    }
    Err(PluginFailure::new("setting \"poor\" is not below \"good\""))
}

/// The value times the factor.
#[score]
fn scaled(settings: &Settings, value: f64) -> f64 {
    settings.factor * value
}

/// Without settings.
#[score]
fn plain(value: f64) -> f64 {
    value
}

#[derive(Verdicts)]
enum Stage {
    Good,
    Poor,
}

/// By the thresholds.
#[rule]
fn judge(settings: &Settings, value: Option<f64>) -> Decision<Stage> {
    let good = value.is_some_and(|value| value >= settings.good as f64);
    Decision::new(if good { Stage::Good } else { Stage::Poor }, ())
}

tributary_sdk::plugin! {
    name: "configured",
    version: "1.2.3",
    config: Settings,
    functions: [scaled, plain, judge],
}

mod required {
    use tributary_sdk::prelude::*;

    #[derive(Config)]
    pub(super) struct Settings {
        pub(super) rate: f64,
    }

    /// The rate.
    #[score]
    pub(super) fn rate(settings: &Settings) -> f64 {
        settings.rate
    }

    tributary_sdk::plugin! {
        name: "required",
        version: "1.0.0",
        config: Settings,
        functions: [rate],
    }
}

fn key(name: &str) -> ConfigKey {
    let keys = describe(&TRIBUTARY_PLUGIN).config;
    keys.into_iter()
        .find(|key| key.name == name)
        .expect("a key")
}

#[test]
fn the_manifest_says_what_can_be_set() {
    let keys = describe(&TRIBUTARY_PLUGIN).config;
    let all: Vec<(&str, ConfigType, bool, Option<&str>)> = keys
        .iter()
        .map(|key| {
            (
                key.name.as_str(),
                key.ty,
                key.required,
                key.default_json.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        all,
        [
            ("good", ConfigType::Integer, false, Some("60")),
            ("poor", ConfigType::Integer, false, Some("20")),
            ("factor", ConfigType::Number, false, Some("1")),
            ("strict", ConfigType::Boolean, false, Some("true")),
            ("greeting", ConfigType::Text, false, Some(r#""say \"hi\"""#)),
            (
                "kinds",
                ConfigType::TextList,
                false,
                Some(r#"["form","call"]"#)
            ),
            ("weights", ConfigType::Json, false, Some(r#"{"form": 5}"#)),
            ("region", ConfigType::Text, false, None),
            ("extra", ConfigType::Json, false, None),
        ]
    );
    let good = key("good");
    assert_eq!((good.min, good.max), (Some(0.0), Some(100.0)));
    assert_eq!(good.doc, "Points from which a lead is good.");
    assert_eq!(key("factor").min, Some(-1.5));
    assert_eq!(key("factor").doc, "Multiplies everything.\n\nEven this.");
    assert_eq!(key("kinds").max, Some(3.0));
    let required = describe(&required::TRIBUTARY_PLUGIN).config;
    assert!(required[0].required && required[0].default_json.is_none());
}

#[test]
fn settings_are_no_arguments() {
    let function = manifest(&TRIBUTARY_PLUGIN, "judge");
    let names: Vec<&str> = function.args.iter().map(|arg| arg.name.as_str()).collect();
    assert_eq!(names, ["value"]);
    assert_eq!(function.kind, Kind::Rule);
    assert!(!function.wants_now);
}

/// What the host gives: the defaults, and this in their place.
fn given(set: &[(&'static str, ConfigValue)]) -> Vec<(&'static str, ConfigValue)> {
    let text = |text: &str| ConfigValue::Text(text.to_owned());
    let mut all = vec![
        ("good", ConfigValue::Integer(60)),
        ("poor", ConfigValue::Integer(20)),
        ("factor", ConfigValue::Number(1.0)),
        ("strict", ConfigValue::Boolean(true)),
        ("greeting", text("say \"hi\"")),
        ("kinds", ConfigValue::TextList(vec!["form".to_owned()])),
        ("weights", ConfigValue::Json(r#"{"form":5}"#.to_owned())),
    ];
    all.retain(|(key, _)| !set.iter().any(|(other, _)| other == key));
    all.extend_from_slice(set);
    all
}

#[test]
fn functions_see_what_was_set() {
    let set = [
        ("factor", ConfigValue::Number(3.0)),
        ("good", ConfigValue::Integer(30)),
    ];
    configure(&TRIBUTARY_PLUGIN, &given(&set), None).expect("settings fit");
    let args = [column(Values::Float64(vec![1.0, 20.0]))];
    let scaled = eval(&TRIBUTARY_PLUGIN, 0, &args, 2).expect("scaled");
    assert_eq!(numbers(&scaled), [Some(3.0), Some(60.0)]);
    let plain = eval(&TRIBUTARY_PLUGIN, 1, &args, 2).expect("plain");
    assert_eq!(numbers(&plain), [Some(1.0), Some(20.0)]);
    let args = [floats(&[Some(30.0), Some(29.9), None])];
    let judged = judged(&TRIBUTARY_PLUGIN, 2, &args, 3).expect("judged");
    assert_eq!(judged.verdicts, [0, 1, 1]);
}

#[test]
fn every_kind_of_setting_arrives() {
    let set = [
        ("weights", ConfigValue::Json(r#"{"form":7}"#.to_owned())),
        ("extra", ConfigValue::Json("[1,2]".to_owned())),
        ("region", ConfigValue::Text("north".to_owned())),
        ("strict", ConfigValue::Boolean(false)),
    ];
    let owned = given(&set).into_iter();
    let owned = owned.map(|(key, value)| (key.to_owned(), value));
    let settings = Settings::fill(&mut Given::new(owned.collect())).expect("settings fit");
    assert_eq!(settings.weights.form, 7.0);
    assert_eq!(settings.extra.as_deref(), Some(&vec![1, 2]));
    assert_eq!(settings.region.as_deref(), Some("north"));
    assert_eq!(settings.kinds, ["form"]);
    assert!(!settings.strict);
}

#[test]
fn defaults_need_no_host() {
    let settings: Settings = defaults().expect("every key has a default");
    let expected = Settings {
        good: 60,
        poor: 20,
        factor: 1.0,
        strict: true,
        greeting: "say \"hi\"".to_owned(),
        kinds: vec!["form".to_owned(), "call".to_owned()],
        weights: Json(Weights { form: 5.0 }),
        region: None,
        extra: None,
    };
    assert_eq!(settings, expected);
    assert_eq!(scaled(&settings, 2.0), 2.0);
    let error = defaults::<required::Settings>().err().expect("not given");
    assert_eq!(error.message(), "setting \"rate\" is missing");
}

#[track_caller]
fn refused(key: &'static str, value: ConfigValue, message: &str) {
    let refused = configure(&TRIBUTARY_PLUGIN, &given(&[(key, value)]), None);
    let error = refused.expect_err("refused");
    assert_eq!((error.code, error.row), (ErrorCode::MissingConfig, None));
    assert_eq!(error.message, message);
}

#[test]
fn settings_that_do_not_fit_are_refused_by_name() {
    let document = ConfigValue::Json("{\"form\": \"much\"}".to_owned());
    refused(
        "weights",
        document,
        "setting \"weights\" does not fit: invalid type: string \"much\", expected f64 at line 1 column 15",
    );
    refused(
        "extra",
        ConfigValue::Json("[1".to_owned()),
        "setting \"extra\" does not fit: EOF while parsing a list at line 1 column 2",
    );
    refused(
        "factor",
        ConfigValue::Integer(1),
        "setting \"factor\" is of another type",
    );
    refused(
        "poor",
        ConfigValue::Integer(60),
        "setting \"poor\" is not below \"good\"",
    );
    let missing = configure(&required::TRIBUTARY_PLUGIN, &[], None);
    let missing = missing.expect_err("required");
    assert_eq!(missing.message, "setting \"rate\" is missing");
}

#[test]
fn a_function_with_settings_that_the_plugin_lacks_is_told() {
    configure(&required::TRIBUTARY_PLUGIN, &[RATE], None).expect("configured");
    // As if a host mixed two plugins up.
    let args = [column(Values::Float64(vec![1.0]))];
    let error = eval(&TRIBUTARY_PLUGIN, 0, &args, 1).expect_err("other settings");
    assert_eq!(error.code, ErrorCode::Internal);
}

const RATE: (&str, ConfigValue) = ("rate", ConfigValue::Number(2.0));
