//! The examples against the coded plugins that they stand for.

use serde_json::{Value, json};
use tributary_plugins_guests_champ as champ;
use tributary_sdk::{Document, Json, Timestamp, Verdicts};

use super::{Settings, Stage, TRIBUTARY_PLUGIN, qualify, score};

const VECTORS: &str = include_str!("../../../../tests/verify/plugins_vectors.json");

fn card(text: &str) -> Settings {
    let example: Value = serde_json::from_str(text).expect("JSON");
    let card = serde_json::from_value(example["card"].clone()).expect("a card");
    let settings = Settings { card: Json(card) };
    super::check(&settings).expect("a card that fits");
    settings
}

/// Every mix of answers 0 to 3 and of none.
fn answers() -> impl Iterator<Item = [Option<i32>; 4]> {
    let one = |code: i32| (code > 0).then_some(code - 1);
    (0..625).map(move |code| {
        [
            one(code % 5),
            one(code / 5 % 5),
            one(code / 25 % 5),
            one(code / 125),
        ]
    })
}

fn questionnaire(text: &str, names: [&str; 4], coded: &champ::Settings) {
    let card = card(text);
    for [a, b, c, d] in answers() {
        let lead = json!({names[0]: a, names[1]: b, names[2]: c, names[3]: d}).to_string();
        let mine = qualify(&card, Document(&lead), None).expect("answers");
        let theirs = champ::qualify(coded, a, b, c, d).expect("answers");
        let verdict = champ::Stage::NAMES[usize::from(theirs.verdict.code())];
        assert_eq!(
            Stage::NAMES[usize::from(mine.verdict.code())],
            verdict,
            "{lead}"
        );
        assert_eq!(
            mine.details.score,
            theirs.details.score.map(f64::from),
            "{lead}"
        );
        assert_eq!(
            score(&card, Document(&lead), None).expect("answers"),
            mine.details.score
        );
        assert_eq!(mine.details.coverage, theirs.details.coverage, "{lead}");
    }
}

#[test]
fn champ_is_the_coded_one() {
    let coded = tributary_sdk::testing::defaults().expect("defaults");
    let names = ["challenges", "authority", "money", "priority"];
    questionnaire(include_str!("../examples/champ.json"), names, &coded);
}

/// BANT is the same questionnaire with other questions and weights.
#[test]
fn bant_is_the_coded_one_with_its_weights() {
    let coded = champ::Settings {
        challenges: 35,
        authority: 25,
        money: 25,
        priority: 15,
        ..tributary_sdk::testing::defaults().expect("defaults")
    };
    let names = ["budget", "authority", "need", "timing"];
    questionnaire(include_str!("../examples/bant.json"), names, &coded);
}

#[test]
fn fit_engagement_agrees_with_every_vector() {
    let card = card(include_str!("../examples/fit_engagement.json"));
    let vectors: Value = serde_json::from_str(VECTORS).expect("vectors are JSON");
    for case in vectors["p2_fit_engagement"].as_array().expect("cases") {
        let (input, expected) = (&case["input"], &case["expected"]);
        let lead = json!({"fit_points": input["fit_points"], "events": input["events"]});
        let as_of = input["as_of"].as_str().and_then(Timestamp::parse);
        let decision = qualify(&card, Document(&lead.to_string()), as_of).expect("a lead");
        let total = expected["total"].as_f64().expect("a number");
        let score = decision.details.score.expect("points");
        assert!((score - total).abs() < 1e-5, "{case}");
        assert_eq!(decision.verdict == Stage::Mql, expected["mql"], "{case}");
    }
}

#[test]
fn every_example_comes_out_as_it_should() {
    tributary_sdk::testing::fixtures(&TRIBUTARY_PLUGIN, "fixtures");
}

/// A card of one field, or what is wrong with it.
fn refused(card: Value) -> String {
    match serde_json::from_value(card) {
        Ok(card) => {
            let settings = Settings { card: Json(card) };
            super::check(&settings).unwrap_err().message().to_owned()
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_card_that_makes_no_sense_is_refused() {
    let field = |more: Value| {
        let mut field = json!({"field": "x"});
        field
            .as_object_mut()
            .expect("a field")
            .append(more.as_object().cloned().as_mut().expect("more"));
        json!({"fields": [field]})
    };
    let rule = |op: &str, value: Value| json!({"hard_rules": [{"field": "x", "op": op, "value": value, "verdict": "reject", "because": "so"}]});
    for (card, message) in [
        (
            json!({"scale_to": 100, "fields": [{"field": "x"}]}),
            "field \"x\" needs out_of, since the card has a scale",
        ),
        (
            field(json!({"weight": -1})),
            "field \"x\" has a negative weight",
        ),
        (
            field(json!({"bins": [{"lo": 5, "hi": 5, "points": 1}]})),
            "field \"x\" has a bin that ends before it begins",
        ),
        (
            field(json!({"points": {"a": 1}, "age": {"points": 1}})),
            "field \"x\" has more than one of points, bins and age",
        ),
        (
            field(json!({"age": {"points": 1, "half_life_days": 0}})),
            "field \"x\" has a half-life of 0 days",
        ),
        (
            json!({"events": {"field": "e", "points": {}, "half_life_days": -1}}),
            "events: a half-life of -1 days",
        ),
        (
            rule("lt", json!("5")),
            "the hard rule about \"x\" needs a number",
        ),
        (
            rule("in", json!("DE")),
            "the hard rule about \"x\" needs a list",
        ),
        (
            rule("eq", json!(null)),
            "the hard rule about \"x\" needs a value",
        ),
        (
            rule("missing", json!(1)),
            "the hard rule about \"x\" needs no value",
        ),
        (
            json!({"groups": {"fit": {"max": 40}}}),
            "no field is in group \"fit\"",
        ),
        (
            json!({"thresholds": [{"verdict": "mql", "min": 1, "groups": {"fit": 1}}]}),
            "no field is in group \"fit\"",
        ),
    ] {
        assert_eq!(refused(card.clone()), message, "{card}");
    }
    assert!(refused(json!({"feilds": []})).contains("unknown field `feilds`"));
}

mod schema;
