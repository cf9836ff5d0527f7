//! The numbers that Odoo's own tests expect, and what is left out.

use serde_json::{Value, json};
use tributary_sdk::{Document, Json};

use super::{Settings, Stage, TRIBUTARY_PLUGIN, probability, qualify};

/// The leads of Odoo's test of predictive lead scoring (addons/crm/tests/test_crm_pls.py): team, country, state, source and
/// stage, and whether it was won. There are three stages before the one of won leads.
const LEADS: [(&str, usize, usize, usize, usize, bool); 9] = [
    ("team_1", 0, 0, 0, 0, false),
    ("team_1", 1, 1, 1, 1, false),
    ("team_1", 2, 2, 2, 2, true),
    ("team_2", 0, 1, 1, 2, false),
    ("team_2", 0, 1, 2, 1, false),
    ("team_2", 0, 2, 2, 0, true),
    ("team_3", 1, 1, 1, 2, true),
    ("team_3", 0, 1, 0, 0, false),
    ("team_3", 1, 2, 2, 0, false),
];
const STAGES: [&str; 3] = ["new", "qualified", "proposition"];

/// Counts one lead at its team, as SQL would.
fn count(counts: &mut Value, won: bool) {
    if counts.is_null() {
        *counts = json!([0, 0]);
    }
    let place = usize::from(!won);
    counts[place] = json!(counts[place].as_i64().expect("a count") + 1);
}

fn table() -> Value {
    let mut teams = json!({});
    for (team, country, state, source, stage, won) in LEADS {
        let team = &mut teams[team];
        if team.is_null() {
            *team = json!({"stages": STAGES.map(|name| json!([name, 0, 0]))});
        }
        for (place, of) in team["stages"]
            .as_array_mut()
            .expect("stages")
            .iter_mut()
            .enumerate()
        {
            if won || place <= stage {
                let place = if won { 1 } else { 2 };
                of[place] = json!(of[place].as_i64().expect("a count") + 1);
            }
        }
        let fields = [("country", country), ("state", state), ("source", source)];
        for (field, value) in fields {
            count(&mut team["fields"][field][value.to_string()], won);
        }
    }
    json!({"teams": teams})
}

fn settings(table: Value) -> Settings {
    Settings {
        table: Json(serde_json::from_value(table).expect("a table")),
        ..tributary_sdk::testing::defaults().expect("every setting has a default")
    }
}

fn ask(table: Value, team: Option<&str>, stage: &str, lead: Value) -> Option<f64> {
    let lead = lead.to_string();
    probability(&settings(table), team, stage, Document(&lead)).expect("a lead")
}

#[test]
fn agrees_with_odoo() {
    let lead = json!({"country": 0, "state": "1", "source": 2, "email": null});
    for (team, percent) in [
        (Some("team_1"), 33.49),
        (Some("team_2"), 7.74),
        (Some("team_3"), 35.09),
        // A lead without a team is compared with those of every team.
        (None, 35.19),
        (Some("a_new_team"), 35.19),
    ] {
        let probability = ask(table(), team, "qualified", lead.clone());
        assert_eq!(probability, Some(percent), "{team:?}");
    }
}

#[test]
fn every_example_comes_out_as_it_should() {
    tributary_sdk::testing::fixtures(&TRIBUTARY_PLUGIN, "fixtures");
}

#[test]
fn what_was_never_seen_says_nothing() {
    let known = ask(table(), Some("team_1"), "new", json!({"country": "0"}));
    let more = json!({"country": "0", "planet": "Mars", "state": "9", "source": [null, "9"]});
    assert_eq!(ask(table(), Some("team_1"), "new", more), known);
    // A stage that no lead of the team went through, too.
    assert_eq!(
        ask(
            table(),
            Some("team_1"),
            "elsewhere",
            json!({"country": "0"})
        ),
        known
    );
}

#[test]
fn a_rare_tag_counts_neither_itself_nor_in_the_total() {
    let with = |tags: Value| {
        let mut table = table();
        table["teams"]["team_1"]["fields"]["tag"] = tags;
        table
    };
    let ask = |table: Value, tags: Value| ask(table, Some("team_1"), "new", json!({"tag": tags}));
    let both = with(json!({"rare": [20, 29], "common": [20, 30]}));
    let common = with(json!({"common": [20, 30]}));
    assert_eq!(ask(both.clone(), json!("rare")), ask(table(), json!(null)));
    // The only tag of them all, so each tagged lead has it: nothing is learned.
    assert_eq!(
        ask(both.clone(), json!("common")),
        ask(table(), json!(null))
    );
    assert_eq!(
        ask(common, json!("common")),
        ask(both, json!(["common", "rare"]))
    );
    let mut all = with(json!({"rare": [20, 29], "common": [20, 30]}));
    all["least_leads"] = json!({});
    assert_ne!(ask(all, json!("rare")), ask(table(), json!(null)));
}

#[test]
fn values_are_compared_as_they_are_written() {
    let mut table = table();
    table["teams"]["team_1"]["fields"]["x"] = json!({"1": [5, 1], "2.5": [1, 5], "true": [3, 3]});
    let ask = |value: Value| ask(table.clone(), Some("team_1"), "new", json!({"x": value}));
    assert_eq!(ask(json!(1)), ask(json!("1")));
    assert_eq!(ask(json!(2.5)), ask(json!("2.5")));
    assert_eq!(ask(json!(true)), ask(json!("true")));
    assert_ne!(ask(json!(1)), ask(json!(2.5)));
}

#[test]
fn no_past_is_no_score() {
    let table = json!({"teams": {"new_team": {"stages": [["new", 0, 4]]}}});
    assert_eq!(ask(table.clone(), Some("new_team"), "new", json!({})), None);
    assert_eq!(ask(json!({}), None, "new", json!({})), None);
    let decision = qualify(&settings(table), Some("new_team"), "new", Document("{}"));
    let decision = decision.expect("a lead");
    assert_eq!(decision.verdict, Stage::NeedInfo);
    assert_eq!(decision.reasons(), ["NO_PAST"]);
}

#[test]
fn a_negative_count_is_refused() {
    let wrong = json!({"teams": {"north": {"stages": [["new", 3, -1]]}}});
    let error = serde_json::from_value::<super::Table>(wrong).expect_err("negative");
    assert_eq!(error.to_string(), "team \"north\" has a count of 3 and -1");
}
