//! The life of plugins in the engine: settings, activations and rollbacks, decisions about leads and their explanation,
//! records of all that, who may do what, and what becomes of a version that keeps failing.

use std::time::Duration;

use futures::StreamExt;
use serde_json::{Map, Value, json};
use tributary_engine_core::engine::{
    Activate, Applies, Decide, DecisionKind, Explain, Frame, OfPlugin, PluginVersion, Principal,
    Query, Role, Setup, Upload,
};
use tributary_engine_core::manufacturer::ManufacturerId;
use tributary_engine_core::{Engine, Error, Fault};

use crate::support::{Served, World, cells, hostile, json as send, root, shipped, tiny};

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

fn no_rules() -> Setup {
    Setup {
        settings: None,
        applies: Some(Applies::new()),
    }
}

async fn activate(world: &World, name: &str, setup: Setup) -> Result<PluginVersion, Error> {
    activate_version(world, name, "1.0.0", setup).await
}

async fn activate_version(
    world: &World,
    name: &str,
    version: &str,
    setup: Setup,
) -> Result<PluginVersion, Error> {
    let activate = Activate {
        principal: Principal::Operator,
        manufacturer: tiny(),
        name: name.to_owned(),
        version: version.to_owned(),
        setup,
    };
    world.database.activate(activate).await
}

async fn upload(world: &World, wasm: Vec<u8>) -> Result<PluginVersion, Error> {
    let upload = Upload {
        principal: Principal::Operator,
        manufacturer: tiny(),
        wasm: wasm.into(),
    };
    world.database.upload(upload).await
}

/// A component with a text in it replaced by one of the same length.
fn edited(mut wasm: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
    let (from, to) = (from.as_bytes(), to.as_bytes());
    let places: Vec<usize> = (0..wasm.len() - from.len())
        .filter(|at| wasm[*at..].starts_with(from) && wasm[at - 1] != b'@')
        .collect();
    assert!(!places.is_empty(), "there is no such text in it");
    for place in places {
        wasm[place..place + to.len()].copy_from_slice(to);
    }
    wasm
}

/// CHAMP under another version. That of the interface is in the component too, behind an "@".
fn champ_version(version: &str) -> Vec<u8> {
    edited(shipped("champ").to_vec(), "1.0.0", version)
}

/// The hostile guest in another mode than the one in which an engine takes it.
fn hostile_mode(mode: &str) -> Vec<u8> {
    let marker = "TRIBUTARY-MODE-";
    edited(
        hostile().to_vec(),
        &format!("{marker}40"),
        &format!("{marker}{mode}"),
    )
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
    let uploaded = upload(&world, champ_version("1.0.1")).await;
    let uploaded = uploaded.expect("another version");
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
    let fine = "SELECT hostile.echo_float64(x) FROM (VALUES (1.0)) AS t (x)";
    for _ in 0..3 {
        assert_eq!(world.value(fine).await, "1.0", "not yet");
        let error = world.query(fails).await.expect_err("it panics");
        assert!(error.message().contains("unreachable"), "{error}");
    }
    let error = world.query(fine).await.expect_err("it is suspended");
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
    activate_version(&world, "hostile", "0.0.1", Setup::default())
        .await
        .expect("again");
    world.query(fails).await.expect_err("it panics");
    assert_eq!(world.value(fine).await, "1.0", "what was is forgiven");
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

/// What a query that was planned before says from here on.
async fn rest(mut answer: tributary_engine_core::engine::Answer) -> (Vec<String>, Vec<String>) {
    let (mut values, mut hashes) = (Vec::new(), Vec::new());
    while let Some(frame) = answer.frames.next().await {
        match frame.expect("it goes on") {
            Frame::Batch(batch) => values.extend(cells(&batch).concat()),
            Frame::End(trailer) => {
                let receipts = trailer.plugins.into_iter();
                hashes.extend(receipts.map(|one| format!("{} {}", one.version, one.config_hash)));
            }
        }
    }
    values.dedup();
    (values, hashes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_keeps_the_version_and_the_settings_that_it_was_planned_with() {
    let world = World::tiny().await;
    upload(&world, champ_version("1.0.1"))
        .await
        .expect("another version");
    let before = world.database.plugin(of("champ")).await.expect("details");
    let before = before.version.config_hash.expect("in force");
    // Far more rows than fit between the engine and a reader that does not read.
    let sql = "SELECT champ.qualify(CASE WHEN v > 0 THEN 2 ELSE 3 END, 2, 2, 1)['verdict'] FROM generate_series(1, 2000000) AS s (v)";
    let query = Query {
        principal: Principal::Operator,
        manufacturer: tiny(),
        sql: sql.to_owned(),
        parameters: Default::default(),
        deadline: None,
    };
    let answer = world.database.query(query).await.expect("plans");
    let strict = Setup {
        settings: settings(json!({"mql_points": 61})),
        applies: None,
    };
    activate_version(&world, "champ", "1.0.1", strict)
        .await
        .expect("settings fit");
    let now = sql.replace("2000000", "10");
    assert_eq!(world.rows(&now).await[0], "nurture", "the next query");
    let (verdicts, receipts) = rest(answer).await;
    assert_eq!(verdicts, ["mql"]);
    assert_eq!(receipts, [format!("1.0.0 {before}")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explanation_asks_the_component_that_decided() {
    let world = deciding().await;
    answer(&world, "L2", "3,0,3,3").await;
    let then = chrono::Utc::now();
    // The same settings and verdicts, and another text for the reason.
    let (old_text, new_text) = ("no authority to buy", "no right to buy yet");
    let mended = edited(champ_version("1.0.1"), old_text, new_text);
    upload(&world, mended).await.expect("another version");
    activate_version(&world, "champ", "1.0.1", Setup::default())
        .await
        .expect("the same settings");
    decide(&world, true).await;
    let explain = async |as_of| {
        let explain = Explain {
            principal: Principal::Operator,
            manufacturer: tiny(),
            lead_id: "L2".to_owned(),
            as_of,
        };
        let explanation = world.database.explain(explain).await.expect("decided");
        explanation.decisions.into_iter().next().expect("one kind")
    };
    let (old, new) = (explain(Some(then)).await, explain(None).await);
    for (one, version, text) in [(&old, "1.0.0", old_text), (&new, "1.0.1", new_text)] {
        assert_eq!(one.version, version);
        assert!(one.reproduced);
        let said = &one.repeated.reasons[0].text;
        assert_eq!(*said, format!("the contact has {text}"), "{version}");
    }
    assert_ne!(old.digest, new.digest);
    assert_eq!(old.config_hash, new.config_hash);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_stay_as_far_as_the_next_version_knows_them_and_a_rollback_brings_back_both() {
    let world = World::tiny().await;
    let given = settings(json!({"mql_points": 61, "coverage_min": 50}));
    let setup = Setup {
        settings: given,
        applies: None,
    };
    activate(&world, "champ", setup)
        .await
        .expect("settings fit");
    let renamed = edited(champ_version("1.0.1"), "coverage_min", "coverage_low");
    upload(&world, renamed).await.expect("another version");
    activate_version(&world, "champ", "1.0.1", Setup::default())
        .await
        .expect("what it does not know is left out");
    let in_force = async || {
        let details = world.database.plugin(of("champ")).await.expect("details");
        let settings = details.settings.expect("in force");
        (details.version.version, settings)
    };
    let (version, settings) = in_force().await;
    assert_eq!(version, "1.0.1");
    assert_eq!(
        (&settings["mql_points"], &settings["coverage_low"]),
        (&json!(61), &json!(60))
    );
    let back = world.database.rollback(of("champ")).await.expect("back");
    assert_eq!((back.version.as_str(), back.active), ("1.0.0", true));
    let (version, settings) = in_force().await;
    assert_eq!(version, "1.0.0");
    assert_eq!(
        (&settings["mql_points"], &settings["coverage_min"]),
        (&json!(61), &json!(50))
    );
    let last = "SELECT version, action FROM plugin_activations WHERE plugin = 'champ' ORDER BY activation_id DESC LIMIT 1";
    assert_eq!(world.rows(last).await, ["1.0.0|rollback"]);
}

/// A second plugin with the same rule, and what makes it decide.
async fn with_another_rule(world: &World) -> Setup {
    let twin = edited(shipped("champ").to_vec(), "champ", "chump");
    world.install(&twin).await;
    Setup {
        settings: None,
        applies: mql(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_puts_the_rules_in_force_again_and_no_second_one_beside_them() {
    let world = deciding().await;
    let takes_over = with_another_rule(&world).await;
    activate(&world, "champ", no_rules()).await.expect("none");
    let error = decide_error(&world).await;
    assert_eq!(error.fault(), Fault::Missing, "no rule is in force");
    let back = world.database.rollback(of("champ")).await.expect("back");
    assert_eq!(back.applies, mql().expect("a rule"));
    assert_eq!(decide(&world, false).await[0].plugin, "champ");
    // Another plugin takes over; a rollback does not bring a second rule for the same.
    let error = activate(&world, "chump", takes_over.clone())
        .await
        .expect_err("champ decides it");
    assert_eq!(error.fault(), Fault::Conflict);
    assert!(
        error.message().contains("decides \"mql\" already"),
        "{error}"
    );
    activate(&world, "champ", no_rules()).await.expect("none");
    activate(&world, "chump", takes_over)
        .await
        .expect("nobody decides it");
    let error = world.database.rollback(of("champ")).await;
    let error = error.expect_err("chump decides it");
    assert_eq!(error.fault(), Fault::Conflict);
    let versions = world.database.plugins(&Principal::Operator, &tiny()).await;
    let deciding = versions.expect("a list").into_iter();
    let deciding: Vec<String> = deciding
        .filter(|version| !version.applies.is_empty())
        .map(|version| version.name)
        .collect();
    assert_eq!(deciding, ["chump"]);
}

async fn decide_error(world: &World) -> Error {
    let decide = Decide {
        principal: Principal::Operator,
        manufacturer: tiny(),
        plugin: None,
        all: false,
    };
    let decided = world.database.decide(decide).await;
    decided.expect_err("nothing was decided")
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_rules_that_are_to_decide_the_same_at_once_one_does() {
    let world = deciding().await;
    let takes = with_another_rule(&world).await;
    for turn in 0..8 {
        for name in ["champ", "chump"] {
            activate(&world, name, no_rules()).await.expect("none");
        }
        let (one, other) = tokio::join!(
            activate(&world, "champ", takes.clone()),
            activate(&world, "chump", takes.clone())
        );
        assert_ne!(one.is_ok(), other.is_ok(), "turn {turn}");
        let lost = one.err().or(other.err()).expect("one lost");
        assert_eq!(lost.fault(), Fault::Conflict, "turn {turn}: {lost}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn results_that_depend_on_their_company_are_refused_before_they_are_in_force() {
    let world = World::tiny().await;
    let error = upload(&world, hostile_mode("R2")).await;
    let error = error.expect_err("it depends on the size of a batch");
    assert_eq!(error.fault(), Fault::Plugin);
    let words = "alone and among other rows";
    assert!(error.message().contains(words), "{error}");
    // A setting of this one has to be given, so that it can be tried when it is activated, and not before.
    upload(&world, hostile_mode("H1"))
        .await
        .expect("it is a draft");
    let setup = Setup {
        settings: settings(json!({"label": "any"})),
        applies: None,
    };
    let error = activate_version(&world, "hostile", "0.0.1", setup).await;
    let error = error.expect_err("it tells how its arguments came");
    assert_eq!(error.fault(), Fault::Plugin);
    assert!(error.message().contains(words), "{error}");
    let error = world.query("SELECT hostile.settings(1.0)").await;
    assert_eq!(error.expect_err("a draft").fault(), Fault::Missing);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_never_changes() {
    let world = World::tiny().await;
    let before = world.database.plugin(of("champ")).await.expect("details");
    let other = edited(
        shipped("champ").to_vec(),
        "no authority to buy",
        "no right to buy yet",
    );
    let error = upload(&world, other.clone()).await;
    let error = error.expect_err("the version is taken");
    assert_eq!(error.fault(), Fault::Conflict, "{error:?}");
    assert!(
        error
            .message()
            .contains("is uploaded already with other content"),
        "{error}"
    );
    let after = world.database.plugin(of("champ")).await.expect("details");
    assert_eq!(before, after);
    // Another manufacturer's versions are its own.
    let upload = Upload {
        principal: Principal::Operator,
        manufacturer: other_manufacturer(&world).await,
        wasm: other.into(),
    };
    world.database.upload(upload).await.expect("not taken here");
}

/// A second manufacturer.
async fn other_manufacturer(world: &World) -> ManufacturerId {
    use tributary_engine_core::engine::{Format, Ingest, OnError, Reading};
    let other = ManufacturerId::try_from("other").expect("valid");
    let ingest = Ingest {
        principal: Principal::Operator,
        manufacturer: other.clone(),
        table: "products".to_owned(),
        reading: Reading::of(Format::Csv),
        on_error: OnError::Refuse,
    };
    let body = futures::stream::iter([Ok("product_id,name\nP,Secret\n".into())]);
    world
        .database
        .ingest(ingest, body.boxed())
        .await
        .expect("a product");
    other
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_keeps_failing_is_suspended_and_leads_still_arrive() {
    let world = World::tiny().await;
    world.declare("leads", "x", "number").await;
    world.install(hostile()).await;
    let fails = Setup {
        settings: None,
        applies: Some(Applies::from([(
            DecisionKind::Mql,
            "too_few_verdicts".to_owned(),
        )])),
    };
    activate_version(&world, "hostile", "0.0.1", fails)
        .await
        .expect("x is there");
    for x in 1..=2 {
        let csv = format!("lead_id,x\nL1,{x}\n");
        world.csv("leads", &csv).await.expect("stored all the same");
    }
    // What was not decided is not forgotten: the third failure is a run that nobody had to bring leads for.
    let error = decide_error(&world).await;
    assert_eq!(error.fault(), Fault::Plugin, "{error}");
    let error = decide_error(&world).await;
    assert_eq!(
        error.fault(),
        Fault::Missing,
        "no rule is in force: {error}"
    );
    world
        .csv("leads", "lead_id,x\nL1,3\n")
        .await
        .expect("stored all the same");
    assert_eq!(world.value("SELECT count(*) FROM decisions").await, "0");
    let actions = "SELECT action, principal FROM plugin_activations WHERE plugin = 'hostile'";
    assert_eq!(
        world.rows(actions).await,
        ["activate|operator", "activate|operator", "suspend|engine"]
    );
    let log = "SELECT count(*) FROM plugin_log WHERE plugin = 'hostile' AND level = 'error'";
    assert_eq!(
        world.value(log).await,
        "4",
        "three failures and a suspension"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_plugin_refuses_or_warns_of_is_no_failure_of_its() {
    let world = World::tiny().await;
    for _ in 0..4 {
        let refused = "SELECT champ.score(v, 9, 9, 9) FROM (VALUES (1)) AS t (v)";
        world.query(refused).await.expect_err("no such answers");
    }
    assert_eq!(world.value("SELECT champ.score(2, 2, 2, 1)").await, "60");
    world.install(hostile()).await;
    for _ in 0..4 {
        let warns = "SELECT hostile.warns(x) FROM (VALUES (1.0)) AS t (x)";
        assert_eq!(world.value(warns).await, "1.0");
    }
    let log = "SELECT DISTINCT level, message FROM plugin_log WHERE plugin = 'hostile' AND level <> 'info' ORDER BY message";
    let lines = world.rows(log).await;
    assert!(
        lines.contains(&"warn|warns: twice the same".to_owned()),
        "{lines:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_changed_what_is_in_the_audit_trail() {
    let served = Served::over(deciding().await).await;
    let world = &served.world;
    let (_, token) = send(served.post("/v1/tiny/tokens")).await;
    let token = token["token"].as_str().expect("token").to_owned();
    let post = |path: &str| {
        let url = format!("{}/v1/tiny/plugins{path}", served.url);
        served.client.post(url).bearer_auth(&token)
    };
    let wasm = champ_version("1.0.1");
    assert_eq!(send(post("").body(wasm)).await.0, 201);
    for path in [
        "/champ/versions/1.0.1/activate",
        "/champ/run",
        "/champ/rollback",
        "/champ/versions/9.9.9/activate",
    ] {
        send(post(path)).await;
    }
    let audit = "SELECT split_part(principal, ' ', 1), action, subject, detail <> '' FROM audit WHERE at > (SELECT max(at) FROM audit WHERE principal = 'operator')";
    assert_eq!(
        world.rows(audit).await,
        [
            "admin|upload|champ 1.0.1|true",
            "admin|activate|champ 1.0.1|true",
            "admin|run|champ|true",
            "admin|rollback|champ 1.0.0|true",
        ]
    );
    let log = "SELECT version, split_part(message, ' ', 1) FROM plugin_log WHERE plugin = 'champ' AND level = 'info' ORDER BY at DESC LIMIT 4";
    assert_eq!(
        world.rows(log).await,
        [
            "1.0.0|rollback",
            "1.0.1|mql",
            "1.0.1|activate",
            "1.0.1|uploaded"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_of_plugins_is_closed_to_another_manufacturer() {
    let served = Served::over(deciding().await).await;
    other_manufacturer(&served.world).await;
    let (_, token) = send(served.post("/v1/other/tokens")).await;
    let token = token["token"].as_str().expect("token").to_owned();
    let ask = |method: &str, manufacturer: &str, path: &str| {
        let url = format!("{}/v1/{manufacturer}{path}", served.url);
        let method = method.parse().expect("a method");
        send(served.client.request(method, url).bearer_auth(&token))
    };
    let state = async || {
        let tables = ["audit", "plugin_activations", "decisions", "plugin_log"];
        let counts = tables.map(|table| format!("SELECT '{table}' AS t, count(*) FROM {table}"));
        let all = counts.join(" UNION ALL ");
        served.world.rows(&format!("{all} ORDER BY t")).await
    };
    let before = state().await;
    for (method, path) in [
        ("GET", "/plugins"),
        ("POST", "/plugins"),
        ("GET", "/plugins/champ"),
        ("GET", "/plugins/champ/versions/1.0.0"),
        ("POST", "/plugins/champ/versions/1.0.0/activate"),
        ("POST", "/plugins/champ/rollback"),
        ("GET", "/plugins/champ/diff?from=1.0.0&to=1.0.0"),
        ("GET", "/plugins/champ/logs"),
        ("POST", "/plugins/champ/run?all=true"),
        ("GET", "/leads/L1/explain"),
    ] {
        let (status, theirs) = ask(method, "tiny", path).await;
        assert_eq!(status, 404, "{method} {path}: {theirs}");
        let (_, absent) = ask(method, "absent", path).await;
        assert_eq!(
            theirs["message"]
                .as_str()
                .map(|text| text.replace("tiny", "absent")),
            absent["message"].as_str().map(str::to_owned),
            "{method} {path}: not yours and not there are told apart"
        );
        assert!(
            theirs["message"].to_string().contains("manufacturer"),
            "{method} {path}: {theirs}"
        );
    }
    assert_eq!(state().await, before, "nothing has happened");
}

/// The engine does not rely on its adapters to keep manufacturers apart.
#[tokio::test(flavor = "multi_thread")]
async fn the_engine_itself_refuses_what_another_manufacturer_asks_of_plugins() {
    let world = deciding().await;
    answer(&world, "L1", "3,2,2,1").await;
    let stranger = Principal::member(other_manufacturer(&world).await, Role::Admin);
    let theirs = || OfPlugin {
        principal: stranger.clone(),
        ..of("champ")
    };
    let upload = Upload {
        principal: stranger.clone(),
        manufacturer: tiny(),
        wasm: champ_version("1.0.1").into(),
    };
    let activate = Activate {
        principal: stranger.clone(),
        manufacturer: tiny(),
        name: "champ".to_owned(),
        version: "1.0.0".to_owned(),
        setup: Setup::default(),
    };
    let decide = Decide {
        principal: stranger.clone(),
        manufacturer: tiny(),
        plugin: None,
        all: true,
    };
    let explain = Explain {
        principal: stranger.clone(),
        manufacturer: tiny(),
        lead_id: "L1".to_owned(),
        as_of: None,
    };
    let version = || "1.0.0".to_owned();
    let database = &world.database;
    let refusals = [
        ("upload", database.upload(upload).await.err()),
        ("activate", database.activate(activate).await.err()),
        ("rollback", database.rollback(theirs()).await.err()),
        ("plugin", database.plugin(theirs()).await.err()),
        (
            "plugin_diff",
            database
                .plugin_diff(theirs(), version(), version())
                .await
                .err(),
        ),
        ("plugin_log", database.plugin_log(theirs()).await.err()),
        ("plugins", database.plugins(&stranger, &tiny()).await.err()),
        ("decide", database.decide(decide).await.err()),
        ("explain", database.explain(explain).await.err()),
    ];
    for (method, refusal) in refusals {
        let error = refusal.unwrap_or_else(|| panic!("{method} is not theirs"));
        assert_eq!(error.fault(), Fault::Missing, "{method}: {error:?}");
        assert!(
            error
                .message()
                .contains("manufacturer \"tiny\" does not exist"),
            "{method}: {error}"
        );
    }
}

/// Waits until something is so: a query tells, and takes a while itself.
async fn until(world: &World, sql: &str, wanted: &str) -> bool {
    let began = std::time::Instant::now();
    while world.value(sql).await != wanted {
        if began.elapsed() > Duration::from_secs(60) {
            return false;
        }
        tokio::task::yield_now().await;
    }
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn what_plugins_cost_is_recorded_whoever_leaves_early() {
    let served = Served::tiny().await;
    let world = &served.world;
    let endless = "SELECT champ.score(CAST(v % 4 AS INT), 2, 2, 1) AS score FROM generate_series(1, 1000000000000) AS s (v)";
    let recorded =
        "SELECT count(*) FROM plugin_calls WHERE rows BETWEEN 1 AND 100000000 AND calls > 0";
    // One that wants the first rows only.
    assert_eq!(world.rows(&format!("{endless} LIMIT 3")).await.len(), 3);
    assert_eq!(world.value(recorded).await, "1");
    // One that hangs up while rows arrive.
    let request = served
        .post("/v1/tiny/query")
        .header("accept", "text/csv")
        .body(endless);
    let mut response = request.send().await.expect("answered");
    assert!(response.chunk().await.expect("a part").is_some());
    drop(response);
    assert!(until(world, recorded, "2").await, "it hung up");
    // One that never reads.
    let query = Query {
        principal: Principal::Operator,
        manufacturer: tiny(),
        sql: endless.to_owned(),
        parameters: Default::default(),
        deadline: None,
    };
    let mut answer = world.database.query(query.clone()).await.expect("plans");
    answer.frames.next().await.expect("a frame").expect("rows");
    drop(answer);
    assert!(until(world, recorded, "3").await, "it did not read on");
    // One that runs out of time: on other work, so that it is not the plugin's share of fuel that ends first.
    let few = endless.replace("1000000000000", "1000");
    let endless = "SELECT v FROM generate_series(1, 1000000000000) AS s (v)";
    let short = Query {
        deadline: Some(Duration::from_secs(3)),
        sql: format!("SELECT sum(score) FROM ({few} UNION ALL {endless})"),
        ..query
    };
    let answer = world.database.query(short).await.expect("plans");
    let error = crate::support::text(answer).await.expect_err("too long");
    assert_eq!(error.fault(), Fault::Timeout, "{error}");
    assert!(until(world, recorded, "4").await, "it took too long");
    assert_eq!(world.value("SELECT champ.score(2, 2, 2, 1)").await, "60");
    let all = "SELECT count(*) FROM plugin_calls";
    assert!(until(world, all, "5").await, "each query once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_is_too_large_is_refused_unread() {
    let world = World::tiny().await;
    let mut wasm = shipped("champ").to_vec();
    wasm.resize((4 << 20) + 1, 0);
    let error = upload(&world, wasm).await.expect_err("too large");
    assert_eq!(error.fault(), Fault::Limit);
    assert!(
        error
            .message()
            .contains("limit \"plugin_bytes\" is 4194304, asked for 4194305"),
        "{error}"
    );
}

/// A new plugin whose rule tells the time that it was asked at, as its score.
fn timely() -> Vec<u8> {
    let outside = tempfile::tempdir().expect("a folder");
    let folder = outside.path().join("timely");
    tributary_sdk_build::new(&folder, "timely").expect("an empty folder");
    let source = folder.join("src/lib.rs");
    let mut text = std::fs::read_to_string(&source).expect("the example");
    for (from, to) in [
        (
            "    settings: &Settings,\n    employees: Option<i64>,\n    est_value: Option<f64>,",
            "    settings: &Settings,\n    now: Now,\n    employees: Option<i64>,\n    est_value: Option<f64>,",
        ),
        ("score: Some(score)", "score: Some(now.0.0 as f64)"),
    ] {
        assert!(text.contains(from), "the example has changed: {from}");
        text = text.replace(from, to);
    }
    std::fs::write(&source, text).expect("written");
    // With the versions of this workspace, and no network.
    std::fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).expect("copied");
    std::fs::create_dir(folder.join(".cargo")).expect("a folder");
    std::fs::write(folder.join(".cargo/config.toml"), "[net]\noffline = true\n").expect("written");
    let target = std::env::current_exe().expect("path");
    let target = target.ancestors().nth(3).expect("target folder");
    let built = tributary_sdk_build::build(&folder, &target.join("guests"));
    std::fs::read(built.unwrap_or_else(|error| panic!("{error}"))).expect("a component")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explanation_asks_as_of_the_time_of_the_decision() {
    let world = World::tiny().await;
    upload(&world, timely()).await.expect("it is honest");
    let setup = Setup {
        settings: None,
        applies: mql(),
    };
    activate_version(&world, "timely", "0.1.0", setup)
        .await
        .expect("the columns are there");
    world
        .csv("leads", "lead_id,employees,est_value\nL1,400,30000\n")
        .await
        .expect("an update");
    let explain = Explain {
        principal: Principal::Operator,
        manufacturer: tiny(),
        lead_id: "L1".to_owned(),
        as_of: None,
    };
    let explanation = world.database.explain(explain).await.expect("decided");
    let decision = &explanation.decisions[0];
    let decided_at =
        chrono::DateTime::parse_from_rfc3339(&decision.decided_at).expect("an instant");
    let at_us = Some(decided_at.timestamp_micros() as f64);
    assert_eq!(
        (decision.recorded.score, decision.repeated.score),
        (at_us, at_us)
    );
    assert!(decision.reproduced);
}
