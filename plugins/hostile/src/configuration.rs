//! What the host configured this instance with, and how that may go wrong.

use std::sync::Mutex;

use crate::entry::Answer;
use crate::exports::tributary::plugin::lifecycle::{ConfigValue, Context};
use crate::exports::tributary::plugin::manifest::{ConfigKey, ConfigType};
use crate::tributary::plugin::diagnostics::{Level, report};
use crate::tributary::plugin::types::ErrorCode;
use crate::{error, functions};

static CONFIGURED: Mutex<(String, Option<i64>)> = Mutex::new((String::new(), None));

/// Settings that have to be given, where `required`.
pub(crate) fn keys(required: bool) -> Vec<ConfigKey> {
    let key = |name: &str, ty, default: Option<&str>| ConfigKey {
        name: name.to_owned(),
        ty,
        required: false,
        doc: "for tests".to_owned(),
        default_json: default.map(str::to_owned),
        min: None,
        max: None,
    };
    vec![
        ConfigKey {
            min: Some(0.0),
            max: Some(10.0),
            ..key("weight", ConfigType::Number, Some("1"))
        },
        key("count", ConfigType::Integer, None),
        key("strict", ConfigType::Boolean, Some("false")),
        ConfigKey {
            required,
            ..key("label", ConfigType::Text, None)
        },
        key("names", ConfigType::TextList, None),
        key("table", ConfigType::Json, Some("{\"b\": [1], \"a\": null}")),
    ]
}

pub(crate) fn configure(
    mode: &str,
    settings: Vec<(String, ConfigValue)>,
    context: Context,
) -> Answer<()> {
    match mode {
        "20" => functions::spin(),
        "21" => {
            report(Level::Panic, "cannot start");
            std::process::abort();
        }
        "22" => return Err(error(ErrorCode::Internal, "out of order", None)),
        "23" => return Err(error(ErrorCode::MissingConfig, "\"a\" needs \"b\"", None)),
        _ => {}
    }
    let words: Vec<String> = settings
        .iter()
        .map(|(name, value)| format!("{name}={}", spell(value)))
        .collect();
    if words.iter().any(|word| word == "label=warn") {
        report(Level::Warn, "configured to warn");
    }
    if words.iter().any(|word| word == "label=refuse") {
        return Err(error(ErrorCode::MissingConfig, "label is no label", None));
    }
    *CONFIGURED.lock().expect("one thread") = (words.join(" "), context.now_us);
    Ok(())
}

/// What it was configured with.
pub(crate) fn text() -> String {
    CONFIGURED.lock().expect("one thread").0.clone()
}

/// The time of the query.
pub(crate) fn now() -> i64 {
    CONFIGURED.lock().expect("one thread").1.unwrap_or(-1)
}

fn spell(value: &ConfigValue) -> String {
    match value {
        ConfigValue::Boolean(value) => value.to_string(),
        ConfigValue::Integer(value) => value.to_string(),
        ConfigValue::Number(value) => value.to_string(),
        ConfigValue::Text(text) | ConfigValue::Json(text) => text.clone(),
        ConfigValue::TextList(texts) => texts.join("+"),
    }
}
