//! The schema says what the card accepts: no more, no less.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::card::Card;

fn schema() -> Value {
    serde_json::from_str(include_str!("../../scorecard.schema.json")).expect("the schema is JSON")
}

/// What a part of the card may hold, from the error about something that it may not.
fn accepted(wrong: Value) -> BTreeSet<String> {
    let error = serde_json::from_value::<Card>(wrong)
        .expect_err("unknown")
        .to_string();
    let (_, names) = error.split_once("expected").expect("what is accepted");
    let names = names.split('`').skip(1).step_by(2);
    names.map(str::to_owned).collect()
}

#[test]
fn it_knows_every_property_of_the_card() {
    let schema = schema();
    let unknown = json!({"?": 0});
    for (part, wrong) in [
        ("card", unknown.clone()),
        ("field", json!({"fields": [unknown]})),
        (
            "bin",
            json!({"fields": [{"field": "x", "bins": [{"?": 0}]}]}),
        ),
        ("age", json!({"fields": [{"field": "x", "age": {"?": 0}}]})),
        ("events", json!({"events": {"?": 0}})),
        ("bounds", json!({"groups": {"x": {"?": 0}}})),
        ("hard_rule", json!({"hard_rules": [{"?": 0}]})),
        ("threshold", json!({"thresholds": [{"?": 0}]})),
    ] {
        let properties = schema["$defs"][part]["properties"].as_object();
        let properties = properties.expect("properties").keys().cloned().collect();
        assert_eq!(accepted(wrong), properties, "{part}");
    }
    for (part, wrong) in [
        (&schema["$defs"]["verdict"], json!({"otherwise": "?"})),
        (
            &schema["$defs"]["hard_rule"]["properties"]["op"],
            json!({"hard_rules": [{"op": "?"}]}),
        ),
    ] {
        let names = part["enum"].as_array().expect("names").iter();
        let names = names.map(|name| name.as_str().expect("a name").to_owned());
        assert_eq!(accepted(wrong), names.collect());
    }
}

/// What is wrong with a value, by the words that this schema uses.
fn wrong(schema: &Value, part: &Value, value: &Value) -> Option<String> {
    if let Some(name) = part["$ref"].as_str() {
        let name = name.trim_start_matches("#/$defs/");
        return wrong(schema, &schema["$defs"][name], value);
    }
    let of_type = match part["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("number") => value.is_number(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        _ => true,
    };
    let listed = part["enum"]
        .as_array()
        .is_none_or(|list| list.contains(value));
    if !of_type || !listed {
        return Some(format!("{value} is not {part}"));
    }
    let required = part["required"].as_array().into_iter().flatten();
    let mut missing =
        required.filter(|name| name.as_str().is_none_or(|name| value.get(name).is_none()));
    if let Some(name) = missing.next() {
        return Some(format!("{value} has no {name}"));
    }
    let within = value
        .as_object()
        .into_iter()
        .flatten()
        .find_map(|(name, value)| {
            match (&part["properties"][name], &part["additionalProperties"]) {
                (Value::Null, Value::Bool(false)) => Some(format!("there is no \"{name}\"")),
                (Value::Null, other) => wrong(schema, other, value),
                (property, _) => wrong(schema, property, value),
            }
        });
    let items = value.as_array().into_iter().flatten();
    within.or_else(|| {
        items
            .into_iter()
            .find_map(|item| wrong(schema, &part["items"], item))
    })
}

#[test]
fn the_examples_keep_to_it() {
    let schema = schema();
    for example in [
        include_str!("../../examples/bant.json"),
        include_str!("../../examples/champ.json"),
        include_str!("../../examples/fit_engagement.json"),
        include_str!("../../examples/manufacturer.json"),
    ] {
        let example: Value = serde_json::from_str(example).expect("JSON");
        assert_eq!(wrong(&schema, &schema, &example), None);
    }
    let other = json!({"card": {"fields": [{"weight": 1}]}});
    let said = wrong(&schema, &schema, &other).expect("a field without a name");
    assert!(said.ends_with("has no \"field\""), "{said}");
    let other = json!({"card": {"thresholds": [{"verdict": "hot", "min": 1}]}});
    assert!(wrong(&schema, &schema, &other).is_some());
}
