//! Examples: right ones pass in every layout, and wrong ones are told apart.

use std::fs;
use std::panic::catch_unwind;

use serde_json::{Map, Value};
use tributary_sdk::prelude::*;
use tributary_sdk::testing::fixtures;

#[derive(Config)]
struct Settings {
    #[config(default = 10, min = 0, max = 100)]
    good: i64,
    #[config(default_json = r#"["web"]"#, max = 2)]
    kinds: Vec<String>,
    title: Option<String>,
}

#[derive(Verdicts)]
enum Stage {
    Good,
    Poor,
}

#[derive(Reasons)]
enum Why {
    #[reason("few points")]
    FewPoints,
    #[reason("another kind")]
    OtherKind,
}

#[derive(Details)]
struct Findings {
    points: i64,
    title: Option<String>,
    until: Date,
    at: Timestamp,
}

/// By points and kind.
#[rule]
fn judge(settings: &Settings, points: i64, kind: Option<&str>) -> Decision<Stage, Why, Findings> {
    let few = points < settings.good;
    let other = !settings.kinds.iter().any(|one| Some(one.as_str()) == kind);
    let findings = Findings {
        points,
        title: settings.title.clone(),
        until: Date(19_889),
        at: Timestamp(1_718_452_800_500_000),
    };
    let stage = if few || other {
        Stage::Poor
    } else {
        Stage::Good
    };
    Decision::new(stage, findings)
        .because_if(few, Why::FewPoints)
        .because_if(other, Why::OtherKind)
}

/// Every type of argument at once.
#[score]
#[expect(clippy::too_many_arguments, reason = "one of each type")]
fn all(
    now: Now,
    float: f64,
    int: i64,
    small: i8,
    big: u64,
    flag: bool,
    day: Date,
    at: Timestamp,
    amount: Decimal<10, 2>,
    list: Document<'_>,
) -> Result<f64, PluginFailure> {
    if !flag {
        return Err(PluginFailure::new("the flag is down"));
    }
    let list: Vec<f64> = list.parse()?;
    let days = now.0.days_since(at) + f64::from(day.0);
    let counts = int as f64 + f64::from(small) + big as f64;
    Ok(float + counts + days + amount.unscaled as f64 / 100.0 + list.iter().sum::<f64>())
}

/// Twice the amount.
#[score]
fn doubled(amount: Option<Decimal<10, 2>>) -> Option<Decimal<10, 2>> {
    amount.map(|amount| Decimal {
        unscaled: 2 * amount.unscaled,
    })
}

/// A sum that takes rows out, and refuses a negative one.
#[aggregate]
mod total {
    use tributary_sdk::{GroupState, PluginFailure};

    #[derive(Default, Clone, GroupState)]
    pub(super) struct State {
        sum: f64,
    }

    fn update(state: &mut State, value: f64) -> Result<(), PluginFailure> {
        if value < 0.0 {
            return Err(PluginFailure::new("a negative value"));
        }
        state.sum += value;
        Ok(())
    }

    fn merge(state: &mut State, other: &State) {
        state.sum += other.sum;
    }

    fn finish(state: &State) -> f64 {
        state.sum
    }

    fn retract(state: &mut State, value: f64) {
        state.sum -= value;
    }
}

/// A broken one: parts do not add up.
#[aggregate]
mod broken_merge {
    use tributary_sdk::GroupState;

    #[derive(Default, Clone, GroupState)]
    pub(super) struct State {
        rows: i64,
    }

    fn update(state: &mut State, value: i64) {
        state.rows += value;
    }

    fn merge(state: &mut State, other: &State) {
        state.rows = state.rows.max(other.rows);
    }

    fn finish(state: &State) -> i64 {
        state.rows
    }
}

/// A broken one: what goes was never there.
#[aggregate]
mod broken_retract {
    use tributary_sdk::GroupState;

    #[derive(Default, Clone, GroupState)]
    pub(super) struct State {
        rows: i64,
    }

    fn update(state: &mut State, value: i64) {
        state.rows += value;
    }

    fn merge(state: &mut State, other: &State) {
        state.rows += other.rows;
    }

    fn finish(state: &State) -> i64 {
        state.rows
    }

    fn retract(_state: &mut State, _value: i64) {}
}

tributary_sdk::plugin! {
    name: "tested",
    version: "1.0.0",
    config: Settings,
    functions: [judge, all, doubled, total, broken_merge, broken_retract],
}

/// What is wrong with a file; nothing if it passes.
fn wrong(file: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("one.json");
    fs::write(&path, file).expect("a file");
    let within = format!("{}: ", path.display());
    match catch_unwind(|| fixtures(&TRIBUTARY_PLUGIN, folder.path())) {
        Ok(()) => String::new(),
        Err(panic) => {
            let message = panic.downcast::<String>().expect("a message");
            message.replace(&within, "")
        }
    }
}

fn rows(function: &str, rows: &str) -> String {
    wrong(&format!(
        r#"{{"function": "{function}", "rows": [{rows}]}}"#
    ))
}

fn groups(function: &str, groups: &str) -> String {
    wrong(&format!(
        r#"{{"function": "{function}", "groups": [{groups}]}}"#
    ))
}

#[test]
fn rules() {
    let right = r#"
        {"args": {"points": 10, "kind": "web"}, "expect": {"verdict": "good", "reasons": [], "points": 10,
            "title": null, "until": "2024-06-15", "at": "2024-06-15T12:00:00.500"}},
        {"args": {"points": 9}, "expect": {"reasons": ["FEW_POINTS", "OTHER_KIND"]}},
        {"args": {"kind": "web"}, "expect": null},
        {"args": {"points": 10, "kind": "web"}, "expect": {}}"#;
    assert_eq!(rows("judge", right), "");
    for expect in [
        r#"{"verdict": "poor"}"#,
        r#"{"reasons": ["FEW_POINTS"]}"#,
        r#"{"points": 11}"#,
        r#"{"title": ""}"#,
        r#"{"until": "2024-06-16"}"#,
        r#"{"colour": null}"#,
        "null",
    ] {
        let row = format!(r#"{{"args": {{"points": 10, "kind": "web"}}, "expect": {expect}}}"#);
        let said = rows("judge", &row);
        let expect: Value = serde_json::from_str(expect).expect("JSON");
        assert!(
            said.starts_with("row 1: gave {\"verdict\":\"good\""),
            "{said}"
        );
        assert!(said.ends_with(&format!("expected {expect}")), "{said}");
    }
}

#[test]
fn every_type_of_argument() {
    let row = |change: &str, outcome: &str| {
        let args = r#"{"float": 0.5, "int": 1, "small": -1, "big": 18446744073709551615, "flag": true, "day": "1970-01-01",
            "at": "2024-06-15T00:00:00Z", "amount": "12.5", "list": [1, 2.25]}"#;
        let mut args: Map<String, Value> = serde_json::from_str(args).expect("arguments");
        let change: Map<String, Value> = serde_json::from_str(change).expect("a change");
        args.extend(change);
        let args = Value::from(args);
        wrong(&format!(
            r#"{{"function": "all", "now": "2024-06-15T12:00:00Z", "rows": [{{"args": {args}, {outcome}}}]}}"#
        ))
    };
    assert_eq!(row(r#"{"big": 0}"#, r#""expect": 16.75"#), "");
    assert_eq!(row(r#"{"big": 0, "amount": -1}"#, r#""expect": 3.25"#), "");
    assert_eq!(row(r#"{"big": 0, "list": "[1]"}"#, r#""expect": 14.5"#), "");
    assert_eq!(row(r#"{"list": null}"#, r#""expect": null"#), "");
    assert_eq!(row(r#"{"flag": false}"#, r#""error": "flag is down""#), "");
    for (change, message) in [
        (
            r#"{"small": 128}"#,
            "argument \"small\" is of another type: 128",
        ),
        (
            r#"{"amount": 0.125}"#,
            "argument \"amount\" is of another type: 0.125",
        ),
        (
            r#"{"day": "soon"}"#,
            "argument \"day\" is of another type: \"soon\"",
        ),
        (r#"{"other": 1}"#, "the function has no argument \"other\""),
        (
            r#"{"list": {}}"#,
            "document does not fit: invalid type: map, expected a sequence",
        ),
    ] {
        let said = row(change, r#""expect": 0"#);
        assert!(said.contains(message), "{said}");
    }
    let said = row("{\"big\": 0}", r#""error": "flag is up""#);
    assert_eq!(said, "row 1: gave 16.75, expected an error");
    let said = row(r#"{"flag": false}"#, r#""error": "flag is up""#);
    assert_eq!(
        said,
        "row 1: failed with \"the flag is down\", expected \"flag is up\""
    );
}

#[test]
fn decimals() {
    let doubled = |amount: &str, expect: &str| {
        let row = format!(r#"{{"args": {{"amount": {amount}}}, "expect": {expect}}}"#);
        rows("doubled", &row)
    };
    assert_eq!(doubled("-0.02", "-0.04"), "");
    assert_eq!(doubled("\"12.5\"", "25"), "");
    assert_eq!(doubled("null", "null"), "");
    assert_eq!(doubled("1", "2.01"), "row 1: gave 2.0, expected 2.01");
}

#[test]
fn tolerance_grows_with_the_number() {
    let near = |tolerance: &str, expect: &str| {
        wrong(&format!(
            r#"{{"function": "total", {tolerance} "groups": [{{"rows": [{{"value": 1000}}], "expect": {expect}}}]}}"#
        ))
    };
    assert_eq!(near("", "1000.0000009"), "");
    assert_eq!(
        near("", "1000.00001"),
        "group 1: gave 1000.0, expected 1000.00001"
    );
    assert_eq!(near("\"tolerance\": 1e-7,", "1000.00001"), "");
}

#[test]
fn aggregates() {
    let right = r#"
        {"rows": [{"value": 1}, {"value": 2.5}, {"value": null}, {}], "expect": 3.5},
        {"rows": [], "expect": 0}"#;
    assert_eq!(groups("total", right), "");
    let two = r#"{"rows": [{"value": 1}, {"value": 2}], "expect": 3}"#;
    let said = groups("broken_merge", two);
    assert_eq!(said, "group 1: merged from parts gave 2, expected 3");
    let said = groups("broken_retract", two);
    assert_eq!(
        said,
        "group 1: after rows that came and went gave 6, expected 3"
    );
    let said = groups("total", r#"{"rows": [{"value": -1}], "expect": 0}"#);
    assert_eq!(said, "group 1: failed: a negative value");
    let said = groups("total", r#"{"rows": [{"other": 1}], "expect": 0}"#);
    assert_eq!(
        said,
        "group 1: failed: the function has no argument \"other\""
    );
    assert_eq!(
        groups("doubled", two),
        "group 1: failed: groups are for aggregates"
    );
    let said = rows("total", r#"{"args": {"value": 1}, "expect": 1}"#);
    assert_eq!(said, "row 1: failed: examples of an aggregate are groups");
}

#[test]
fn settings() {
    let with = |settings: &str| {
        let row = r#"{"args": {"points": 20, "kind": "web"}, "expect": {"verdict": "good"}}"#;
        wrong(&format!(
            r#"{{"function": "judge", "settings": {settings}, "rows": [{row}]}}"#
        ))
    };
    assert_eq!(
        with(r#"{"good": 20, "title": "t", "kinds": ["x", "web"]}"#),
        ""
    );
    assert!(with(r#"{"good": 21}"#).contains("\"verdict\":\"poor\""));
    for (settings, message) in [
        (r#"{"good": 101}"#, "setting \"good\" is out of bounds"),
        (r#"{"good": -1}"#, "setting \"good\" is out of bounds"),
        (r#"{"good": 1.5}"#, "setting \"good\" is of another type"),
        (
            r#"{"kinds": ["a", "b", "c"]}"#,
            "setting \"kinds\" is out of bounds",
        ),
        (r#"{"bad": 1}"#, "there is no setting \"bad\""),
    ] {
        assert_eq!(with(settings), message);
    }
}

#[test]
fn files_that_are_no_examples() {
    assert!(wrong("{").starts_with("no examples: EOF"));
    let said = wrong(r#"{"function": "judge", "row": []}"#);
    assert!(said.contains("unknown field `row`"), "{said}");
    let said = rows("judge", r#"{"args": {}, "expects": 1}"#);
    assert!(said.contains("unknown field `expects`"), "{said}");
    assert_eq!(rows("none", ""), "there is no function \"none\"");
    assert!(rows("judge", "").contains("no examples in"));
    let said = catch_unwind(|| fixtures(&TRIBUTARY_PLUGIN, "no/such/folder"));
    let said = said.expect_err("no folder").downcast::<String>();
    assert!(
        said.expect("a message")
            .starts_with("read \"no/such/folder\": ")
    );
}
