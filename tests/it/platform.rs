//! The life of plugins in the engine: settings, activations and rollbacks, decisions about leads and their explanation,
//! records of all that, and what becomes of a version that keeps failing.

use serde_json::{Map, Value, json};
use tributary_engine_core::engine::{
    Activate, Applies, Decide, DecisionKind, Explain, OfPlugin, PluginVersion, Principal, Setup,
};
use tributary_engine_core::{Engine, Error, Fault};

use crate::support::{World, hostile, shipped, tiny};

const ANSWERS: [(&str, &str); 4] = [
    ("challenges", "integer"),
    ("authority", "integer"),
    ("money", "integer"),
    ("priority", "integer"),
];

fn of(name: &str) -> OfPlugin {
    OfPlugin {
        principal: Principal::Operator,
        manufacturer: tiny(),
        name: name.to_owned(),
        version: None,
    }
}

fn settings(value: Value) -> Option<Map<String, Value>> {
    value.as_object().cloned()
}

fn mql() -> Option<Applies> {
    Some(Applies::from([(DecisionKind::Mql, "qualify".to_owned())]))
}

async fn activate(world: &World, name: &str, setup: Setup) -> Result<PluginVersion, Error> {
    let activate = Activate {
        principal: Principal::Operator,
        manufacturer: tiny(),
        name: name.to_owned(),
        version: "1.0.0".to_owned(),
        setup,
    };
    world.database.activate(activate).await
}

/// The small data set with a questionnaire in its leads, and CHAMP deciding about them.
async fn deciding() -> World {
    let world = World::tiny().await;
    for (name, kind) in ANSWERS {
        world.declare("leads", name, kind).await;
    }
    let setup = Setup {
        settings: None,
        applies: mql(),
    };
    activate(&world, "champ", setup)
        .await
        .expect("the columns are there");
    world
}

async fn answer(world: &World, lead: &str, answers: &str) {
    let csv = format!("lead_id,challenges,authority,money,priority\n{lead},{answers}\n");
    world.csv("leads", &csv).await.expect("an update");
}

async fn decide(world: &World, all: bool) -> Vec<tributary_engine_core::engine::Decided> {
    let decide = Decide {
        principal: Principal::Operator,
        manufacturer: tiny(),
        plugin: None,
        all,
    };
    world.database.decide(decide).await.expect("rules run")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_in_force_decides_about_new_and_changed_leads() {
    let world = deciding().await;
    let decided = decide(&world, false).await;
    assert_eq!(
        (decided[0].leads, decided[0].refused),
        (7, 0),
        "{decided:?}"
    );
    assert_eq!(decided[0].verdicts["need_info"], 7);
    assert!(decide(&world, false).await.is_empty(), "nothing is new");
    answer(&world, "L1", "3,2,2,1").await;
    answer(&world, "L2", "3,0,3,3").await;
    let rows = "SELECT lead_id, verdict, score, reasons FROM decisions WHERE verdict <> 'need_info' ORDER BY lead_id";
    assert_eq!(
        world.rows(rows).await,
        ["L1|mql|70.0|", "L2|reject|0.0|NO_AUTHORITY"]
    );
    assert_eq!(world.value("SELECT count(*) FROM decisions").await, "9");
    // A change of what the rule does not ask for is no reason to decide again.
    world
        .csv("leads", "lead_id,region\nL1,South\n")
        .await
        .expect("an update");
    assert_eq!(world.value("SELECT count(*) FROM decisions").await, "9");
    // A lead that the rule refuses keeps its verdict, and the others are decided.
    world
        .csv(
            "leads",
            "lead_id,challenges,authority,money,priority\nL1,3,2,2,7\nL3,1,1,1,1\n",
        )
        .await
        .expect("an update");
    let last = "SELECT lead_id, verdict, error FROM decisions WHERE data_version = (SELECT max(data_version) FROM decisions) ORDER BY lead_id";
    assert_eq!(
        world.rows(last).await,
        ["L1|NULL|answer 7 is not 0 to 3", "L3|nurture|NULL"]
    );
    let error = world
        .query("SELECT champ.qualify(challenges, authority, money, priority) FROM leads")
        .await
        .expect_err("ad-hoc SQL fails instead");
    assert_eq!(error.fault(), Fault::Plugin);
    assert_eq!(decide(&world, true).await[0].refused, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_is_explained_by_repeating_it() {
    let world = deciding().await;
    answer(&world, "L1", "3,2,2,1").await;
    let then = chrono::Utc::now();
    // Other settings, other data, the same plugin: the first decision stays what it was.
    let stricter = Setup {
        settings: settings(json!({"mql_points": 90})),
        applies: None,
    };
    activate(&world, "champ", stricter)
        .await
        .expect("settings fit");
    answer(&world, "L1", "2,2,2,2").await;
    let explain = async |as_of| {
        let explain = Explain {
            principal: Principal::Operator,
            manufacturer: tiny(),
            lead_id: "L1".to_owned(),
            as_of,
        };
        let explanation = world.database.explain(explain).await.expect("decided");
        explanation.decisions.into_iter().next().expect("one kind")
    };
    let first = explain(Some(then)).await;
    assert_eq!(first.recorded.verdict.as_deref(), Some("mql"));
    assert_eq!(
        first.arguments,
        json!({"challenges": 3, "authority": 2, "money": 2, "priority": 1})
    );
    assert_eq!(
        (first.settings["mql_points"].as_i64(), first.reproduced),
        (Some(60), true)
    );
    let now = explain(None).await;
    assert_eq!(now.recorded.verdict.as_deref(), Some("nurture"));
    assert_eq!(
        (now.settings["mql_points"].as_i64(), now.reproduced),
        (Some(90), true)
    );
    assert_eq!(now.repeated.details["coverage"], 1.0);
    assert_ne!(first.config_hash, now.config_hash);
    let nobody = Explain {
        principal: Principal::Operator,
        manufacturer: tiny(),
        lead_id: "L9".to_owned(),
        as_of: None,
    };
    let error = world
        .database
        .explain(nobody)
        .await
        .expect_err("no such lead");
    assert_eq!(error.fault(), Fault::Missing);
}

#[tokio::test(flavor = "multi_thread")]
async fn activations_are_checked_and_rolled_back() {
    let world = World::tiny().await;
    let score = "SELECT champ.qualify(2, 2, 2, 1)['verdict']";
    assert_eq!(world.value(score).await, "mql");
    for (setup, fault, words) in [
        (
            Setup {
                settings: settings(json!({"mql_points": 101, "colour": 1})),
                applies: None,
            },
            Fault::Invalid,
            "\"mql_points\" is 101, allowed is 0 to 100",
        ),
        (
            Setup {
                settings: settings(json!({"money": 99})),
                applies: None,
            },
            Fault::Invalid,
            "the weights add up to 174, not to 100",
        ),
        (
            Setup {
                settings: None,
                applies: Some(Applies::from([(DecisionKind::Mql, "score".to_owned())])),
            },
            Fault::Invalid,
            "has no rule \"score\"",
        ),
        (
            Setup {
                settings: None,
                applies: mql(),
            },
            Fault::Invalid,
            "column \"challenges\" is missing (Int32), \"authority\" is missing",
        ),
    ] {
        let error = activate(&world, "champ", setup).await.expect_err(words);
        assert_eq!(error.fault(), fault, "{error:?}");
        assert!(error.message().contains(words), "{error}");
        assert_eq!(world.value(score).await, "mql", "nothing has changed");
    }
    let error = world
        .database
        .rollback(of("champ"))
        .await
        .expect_err("nothing before");
    assert_eq!(error.fault(), Fault::Conflict);
    let strict = Setup {
        settings: settings(json!({"mql_points": 61})),
        applies: None,
    };
    activate(&world, "champ", strict)
        .await
        .expect("settings fit");
    assert_eq!(world.value(score).await, "nurture");
    // Settings stay where none are given.
    activate(&world, "champ", Setup::default())
        .await
        .expect("as it is");
    assert_eq!(world.value(score).await, "nurture");
    world
        .database
        .rollback(of("champ"))
        .await
        .expect("the first of the two");
    world
        .database
        .rollback(of("champ"))
        .await
        .expect("the defaults");
    assert_eq!(world.value(score).await, "mql");
    let details = world.database.plugin(of("champ")).await.expect("details");
    assert_eq!(details.settings.expect("in force")["mql_points"], 60);
    assert_eq!(details.activations.len(), 5);
    assert_eq!(details.manifest["config"][0]["name"], "challenges");
    let lines = world.database.plugin_log(of("champ")).await.expect("a log");
    assert_eq!(lines.len(), 6, "{lines:?}");
    let audit = "SELECT action, subject FROM audit WHERE subject LIKE 'champ%'";
    let rows = world.rows(audit).await;
    assert_eq!(rows[0], "upload|champ 1.0.0");
    assert_eq!(
        rows.iter()
            .filter(|row| row.starts_with("rollback"))
            .count(),
        2
    );
    let activations = "SELECT count(*), count(DISTINCT config_hash) FROM plugin_activations WHERE plugin = 'champ'";
    assert_eq!(world.rows(activations).await, ["5|2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_versions_are_compared_by_what_they_say() {
    let world = World::tiny().await;
    let mut wasm = shipped("champ").to_vec();
    let at = wasm
        .windows(5)
        .position(|window| window == b"1.0.0")
        .expect("its version");
    // The version of the interface is in the component too, so only the plugin's own is changed.
    let places: Vec<usize> = (0..wasm.len() - 5)
        .filter(|at| &wasm[*at..at + 5] == b"1.0.0" && wasm[at - 1] != b'@')
        .collect();
    assert!(at > 0 && !places.is_empty());
    for place in places {
        wasm[place..place + 5].copy_from_slice(b"1.0.1");
    }
    let upload = tributary_engine_core::engine::Upload {
        principal: Principal::Operator,
        manufacturer: tiny(),
        wasm: wasm.into(),
    };
    let uploaded = world
        .database
        .upload(upload)
        .await
        .expect("another version");
    assert_eq!(
        (uploaded.version.as_str(), uploaded.active),
        ("1.0.1", false)
    );
    let diff = world
        .database
        .plugin_diff(of("champ"), "1.0.0".to_owned(), "1.0.1".to_owned())
        .await
        .expect("both are there");
    assert!(!diff.same_digest);
    assert_eq!(diff.changes.len(), 1, "{diff:?}");
    assert_eq!(diff.changes[0].what, "version");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_keeps_failing_is_suspended() {
    let world = World::tiny().await;
    world.install(hostile()).await;
    let fails = "SELECT hostile.panics(x) FROM (VALUES (1.0)) AS t (x)";
    for _ in 0..3 {
        let error = world.query(fails).await.expect_err("it panics");
        assert!(error.message().contains("unreachable"), "{error}");
    }
    let fine = "SELECT hostile.echo_float64(x) FROM (VALUES (1.0)) AS t (x)";
    let fine = world
        .query(fine.replace("echo_float64", "nan_with_payload").as_str())
        .await;
    let error = fine.expect_err("it is suspended");
    assert_eq!(error.fault(), Fault::Plugin);
    assert!(error.message().contains("is suspended since"), "{error}");
    assert_eq!(world.value("SELECT champ.score(2, 2, 2, 1)").await, "60");
    let log = "SELECT count(*) FROM plugin_log WHERE plugin = 'hostile' AND level = 'error'";
    assert_eq!(world.value(log).await, "4");
    let versions = world
        .database
        .plugins(&Principal::Operator, &tiny())
        .await
        .expect("a list");
    let hostile = versions
        .iter()
        .find(|version| version.name == "hostile")
        .expect("listed");
    assert!(!hostile.active && hostile.suspended.is_some());
    // Another chance; a value that the plugin refuses is no strike.
    let again = Activate {
        principal: Principal::Operator,
        manufacturer: tiny(),
        name: "hostile".to_owned(),
        version: "0.0.1".to_owned(),
        setup: Setup::default(),
    };
    world.database.activate(again).await.expect("again");
    for _ in 0..4 {
        let refused = "SELECT champ.score(9, 9, 9, 9)";
        world.query(refused).await.expect_err("no such answers");
    }
    assert_eq!(world.value("SELECT champ.score(2, 2, 2, 1)").await, "60");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_plugins_cost_is_recorded() {
    let world = World::tiny().await;
    world
        .query("SELECT champ.score(abs(employees % 4), 2, 2, 1) FROM leads")
        .await
        .expect("scores");
    let calls = "SELECT plugin, function, version, rows, calls > 0, elapsed_us >= 0, memory_bytes_max > 0, length(config_hash) FROM plugin_calls";
    assert_eq!(
        world.rows(calls).await,
        ["champ|score|1.0.0|7|true|true|true|64"]
    );
    let explained = world
        .rows("EXPLAIN ANALYZE SELECT sum(champ.score(abs(employees % 4), 2, 2, 1)) FROM leads")
        .await
        .join("\n");
    assert!(explained.contains("ReceiptExec"), "{explained}");
    assert!(explained.contains("champ.score rows=7"), "{explained}");
}
