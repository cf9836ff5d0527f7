//! The time of the query: a function that takes it says so.

use tributary_sdk::bindings::exports::tributary::plugin::lifecycle::ConfigValue;
use tributary_sdk::bindings::exports::tributary::plugin::manifest::Volatility;
use tributary_sdk::bindings::tributary::plugin::types::{ErrorCode, Values};
use tributary_sdk::generated::eval;
use tributary_sdk::prelude::*;

use crate::columns::{column, configure, manifest, numbers};

#[derive(Config)]
struct Settings {
    factor: f64,
}

/// Days since then.
#[score]
fn age_days(now: Now, since: Timestamp) -> f64 {
    now.0.days_since(since)
}

/// The same, scaled.
#[score]
fn scaled_age(settings: &Settings, now: Now, since: Timestamp) -> f64 {
    settings.factor * now.0.days_since(since)
}

/// No time.
#[score]
fn year_days() -> f64 {
    365.0
}

tributary_sdk::plugin! {
    name: "clock",
    version: "1.0.0",
    config: Settings,
    functions: [age_days, scaled_age, year_days],
}

const FACTOR: (&str, ConfigValue) = ("factor", ConfigValue::Number(2.0));

#[test]
fn a_function_that_takes_the_time_is_stable() {
    for (name, wants_now) in [
        ("age_days", true),
        ("scaled_age", true),
        ("year_days", false),
    ] {
        let function = manifest(&TRIBUTARY_PLUGIN, name);
        assert_eq!(function.wants_now, wants_now, "{name}");
        let stable = function.volatility == Volatility::Stable;
        assert_eq!(stable, wants_now, "{name}");
        let args: Vec<&str> = function.args.iter().map(|arg| arg.name.as_str()).collect();
        assert_eq!(args, if wants_now { vec!["since"] } else { vec![] });
    }
}

#[test]
fn every_row_sees_the_same_time() {
    let day = 86_400_000_000;
    configure(&TRIBUTARY_PLUGIN, &[FACTOR], Some(10 * day)).expect("configured");
    let args = [column(Values::Int64(vec![0, 9 * day, 11 * day]))];
    let ages = eval(&TRIBUTARY_PLUGIN, 0, &args, 3).expect("ages");
    assert_eq!(numbers(&ages), [Some(10.0), Some(1.0), Some(-1.0)]);
    let scaled = eval(&TRIBUTARY_PLUGIN, 1, &args, 3).expect("ages");
    assert_eq!(numbers(&scaled), [Some(20.0), Some(2.0), Some(-2.0)]);
    let year = eval(&TRIBUTARY_PLUGIN, 2, &[], 65).expect("no arguments");
    assert_eq!(numbers(&year), vec![Some(365.0); 65]);
}

#[test]
fn a_host_that_gives_no_time_is_told() {
    configure(&TRIBUTARY_PLUGIN, &[FACTOR], None).expect("configured");
    let args = [column(Values::Int64(vec![0]))];
    let error = eval(&TRIBUTARY_PLUGIN, 0, &args, 1).expect_err("no time");
    assert_eq!(error.code, ErrorCode::Internal);
    assert_eq!(error.message, "the host told no time");
}
