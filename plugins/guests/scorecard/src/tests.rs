//! The examples against the coded plugins that they stand for.

use serde_json::{Value, json};
use tributary_plugins_guests_champ as champ;
use tributary_sdk::{Document, Json, Timestamp, Verdicts};

use super::{Settings, Stage, qualify, score};

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
        let points = input["fit_points"].as_array().expect("points").iter();
        let points: f64 = points.filter_map(Value::as_f64).sum();
        let lead = json!({"fit_points": points, "events": input["events"]}).to_string();
        // 2024-06-15T12:00:00, which every case is as of
        let decision = qualify(
            &card,
            Document(&lead),
            Some(Timestamp(1_718_452_800_000_000)),
        );
        let decision = decision.expect("a lead");
        let total = expected["total"].as_f64().expect("a number");
        assert!(
            (decision.details.score.expect("points") - total).abs() < 1e-5,
            "{case}"
        );
        assert_eq!(decision.verdict == Stage::Mql, expected["mql"], "{case}");
    }
}

#[test]
fn says_what_is_wrong() {
    let champ = card(include_str!("../examples/champ.json"));
    let error = qualify(&champ, Document(r#"{"money": 4}"#), None).unwrap_err();
    assert_eq!(
        error.message(),
        "\"money\" is 4, which the card does not allow"
    );
    let wrong: Value = json!({"fields": [{"field": "x"}], "scale_to": 100});
    let settings = Settings {
        card: Json(serde_json::from_value(wrong).expect("a card")),
    };
    let error = super::check(&settings).unwrap_err();
    assert_eq!(
        error.message(),
        "field \"x\" needs out_of, since the card has a scale"
    );
}

#[test]
fn bins_points_and_rules() {
    let card = json!({
        "base": 10,
        "fields": [
            {"field": "employees", "bins": [{"hi": 50, "points": -5}, {"lo": 50, "hi": 250, "points": 5}, {"lo": 250, "points": 3}], "missing": -1},
            {"field": "industry", "points": {"metal": 8}, "other": 1, "missing": 0, "fold": true}
        ],
        "hard_rules": [{"field": "country", "op": "in", "value": ["KP"], "verdict": "reject", "because": "embargo"}],
        "thresholds": [{"verdict": "dql", "min": 20}, {"verdict": "mql", "min": 15}]
    });
    let settings = Settings {
        card: Json(serde_json::from_value(card).expect("a card")),
    };
    let ask = |lead: Value| {
        let lead = lead.to_string();
        let decision = qualify(&settings, Document(&lead), None).expect("a lead");
        (
            decision.verdict,
            decision.details.score,
            decision.details.because,
        )
    };
    assert_eq!(
        ask(json!({"employees": 50, "industry": " Metal "})),
        (Stage::Dql, Some(23.0), None)
    );
    assert_eq!(
        ask(json!({"employees": 250, "industry": "food"})),
        (Stage::Nurture, Some(14.0), None)
    );
    assert_eq!(
        ask(json!({"industry": "metal"})),
        (Stage::Mql, Some(17.0), None)
    );
    let refused = ask(json!({"employees": 50, "country": "KP"}));
    assert_eq!(
        refused,
        (Stage::Reject, Some(15.0), Some("embargo".to_owned()))
    );
}
