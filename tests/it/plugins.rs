//! Plugins through SQL: published vectors, NULLs, the life cycle, and guests that misbehave.

use serde_json::Value;
use tributary_engine_core::Fault;

use crate::support::{World, hostile, root, shipped};

fn vectors(plugin: &str) -> Vec<Value> {
    let text =
        std::fs::read_to_string(root().join("tests/verify/plugins_vectors.json")).expect("vectors");
    let all: Value = serde_json::from_str(&text).expect("JSON");
    all[plugin].as_array().expect("cases").clone()
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::String(text) => format!("'{text}'"),
        other => other.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn champ_reproduces_its_vectors_through_sql() {
    let world = World::tiny().await;
    for case in vectors("p1_champ") {
        let answers: Vec<String> = ["challenges", "authority", "money", "priority"]
            .iter()
            .map(|name| literal(&case["input"][name]))
            .collect();
        // Once as columns of two rows, once as constants.
        let columns = format!(
            "(VALUES ({0}), (CAST(NULL AS INT), NULL, NULL, NULL)) AS t (a, b, c, d)",
            answers.join(", ")
        );
        let expected = &case["expected"];
        for from in [
            format!("(SELECT champ.qualify(a, b, c, d) AS q FROM {columns} LIMIT 1)"),
            format!("(SELECT champ.qualify({}) AS q)", answers.join(", ")),
        ] {
            let sql = format!(
                "SELECT q['verdict'], q['score'], q['coverage'], array_to_string(q['reasons'], ',') FROM {from}"
            );
            let row = world.rows(&sql).await;
            let cells: Vec<&str> = row[0].split('|').collect();
            assert_eq!(
                cells[0],
                expected["label"].as_str().expect("label"),
                "{case}"
            );
            assert_eq!(
                cells[1],
                expected["score"]
                    .as_i64()
                    .map_or("NULL".to_owned(), |score| score.to_string()),
                "{case}"
            );
            if let Some(coverage) = expected["coverage"].as_f64() {
                let found: f64 = cells[2].parse().expect("coverage");
                assert!((found - coverage).abs() < 1e-9, "{case}: {found}");
            }
            let reason = expected["reason"].as_str().expect("reason");
            assert_eq!(cells[3], if reason == "OK" { "" } else { reason }, "{case}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn scorecard_reproduces_its_vectors_through_sql() {
    let world = World::tiny().await;
    for case in vectors("p4_scorecard") {
        let arguments: Vec<String> = ["industry", "employees", "source"]
            .iter()
            .map(|name| literal(&case["input"][name]))
            .collect();
        let table = format!(
            "(VALUES ({}), ('x', 1, 'y')) AS t (i, e, s)",
            arguments.join(", ")
        );
        let sql = format!(
            "SELECT woe_scorecard.logit(i, e, s), woe_scorecard.probability(i, e, s), woe_scorecard.points(i, e, s), \
             woe_scorecard.qualify(i, e, s)['verdict'] FROM {table} LIMIT 1"
        );
        let row = world.rows(&sql).await;
        let cells: Vec<&str> = row[0].split('|').collect();
        let number = |cell: &str| cell.parse::<f64>().expect("number");
        let expected = |name: &str| case["expected"][name].as_f64().expect("number");
        assert!(
            (number(cells[0]) - expected("logit")).abs() < 1e-9,
            "{case}: {row:?}"
        );
        assert!(
            (number(cells[1]) - expected("p")).abs() < 1e-9,
            "{case}: {row:?}"
        );
        assert!(
            (number(cells[2]) - expected("score")).abs() < 1e-9,
            "{case}: {row:?}"
        );
        assert_eq!(
            cells[3],
            case["expected"]["label"].as_str().expect("label"),
            "{case}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn plugin_functions_compose_with_sql() {
    let world = World::tiny().await;
    assert_eq!(
        world
            .rows(
                "SELECT q['verdict'] AS verdict, count(*) FROM (\
                   SELECT woe_scorecard.qualify(l.industry, l.employees, c.source) AS q FROM leads l \
                   LEFT JOIN campaigns c ON c.campaign_id = l.campaign_id) GROUP BY 1 ORDER BY 1"
            )
            .await
            .len(),
        2
    );
    // Names fold like any other name in SQL; quoted ones are taken as they are.
    assert_eq!(world.value("SELECT CHAMP.Score(2, 2, 2, 1)").await, "60");
    assert_eq!(
        world.value("SELECT \"champ\".\"score\"(2, 2, 2, 1)").await,
        "60"
    );
    assert_eq!(
        world
            .value("SELECT champ.score(2, 2, 2, 1) FROM leads WHERE lead_id = 'nobody'")
            .await,
        ""
    );
    // 100,000 rows in several batches and threads give what one row gives.
    assert_eq!(
        world
            .value("SELECT count(DISTINCT champ.score(CAST(v % 4 AS INT), 2, 2, 1)) FROM generate_series(1, 100000) AS t (v)")
            .await,
        "4"
    );
    for (sql, part) in [
        ("SELECT champ.score(1, 2)", "takes 4 arguments"),
        (
            "SELECT champ.score('a', 'b', 'c', 'd')",
            "argument 1 \"challenges\"",
        ),
    ] {
        let error = world.query(sql).await.expect_err(sql);
        assert_eq!(error.fault(), Fault::Invalid, "{error:?}");
        assert!(
            !error.message().contains("execution error"),
            "ours, not wrapped: {error}"
        );
        assert!(error.message().contains(part), "{sql}: {error}");
    }
    for (sql, hint) in [
        ("SELECT champ.nothing(1)", "qualify"),
        ("SELECT nobody.score(1)", "champ, woe_scorecard"),
    ] {
        let error = world.query(sql).await.expect_err(sql);
        assert_eq!(error.fault(), Fault::Missing, "{error:?}");
        assert!(
            error.hint().is_some_and(|told| told.contains(hint)),
            "{sql}: {:?}",
            error.hint()
        );
    }
    // A row that the plugin refuses fails the query and is named.
    let error = world
        .query("SELECT champ.score(v, 2, 2, 1) FROM (VALUES (1), (4)) AS t (v)")
        .await
        .expect_err("4");
    assert_eq!(error.fault(), Fault::Plugin);
    assert!(
        error.message().contains("champ") && error.message().contains("row"),
        "{error}"
    );
    assert_eq!(
        world.value("SELECT champ.score(2, 2, 2, 1)").await,
        "60",
        "and the next query is right"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_plugin_is_refused() {
    use bytes::Bytes;
    use tributary_engine_core::Engine;
    use tributary_engine_core::engine::{Activate, Principal, Upload};
    let world = World::tiny().await;
    let upload = |wasm: &[u8]| {
        world.database.upload(Upload {
            principal: Principal::Operator,
            manufacturer: crate::support::tiny(),
            wasm: Bytes::copy_from_slice(wasm),
        })
    };
    let core_module = b"\0asm\x01\0\0\0";
    let empty_component = b"\0asm\x0d\0\x01\0";
    for (name, wasm) in [
        ("nothing", b"".as_slice()),
        ("text", b"(module)"),
        ("ELF", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0"),
        ("core module", core_module),
        ("component without exports", empty_component),
        ("cut short", &tributary_engine_server::PLUGINS[0].1[..1000]),
    ] {
        let error = upload(wasm).await.expect_err(name);
        assert_eq!(error.fault(), Fault::Plugin, "{name}: {error:?}");
    }
    // The same component again is no change; activation of what is not there is an error that says what is.
    let again = upload(tributary_engine_server::PLUGINS[0].1)
        .await
        .expect("idempotent");
    assert!(again.active, "an upload changes nothing that is active");
    let error = world
        .database
        .activate(Activate {
            principal: Principal::Operator,
            manufacturer: crate::support::tiny(),
            name: "champ".to_owned(),
            version: "9.9.9".to_owned(),
            setup: Default::default(),
        })
        .await
        .expect_err("no such version");
    assert_eq!(error.fault(), Fault::Missing);
    assert_eq!(
        world.value("SELECT champ.score(2, 2, 2, 1)").await,
        "60",
        "and the next query is right"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn misbehaving_guests_fail_their_query_only() {
    let world = World::tiny().await;
    world.install(hostile()).await;
    for function in [
        "spins",
        "panics",
        "overflows_stack",
        "allocates",
        "grows_forever",
        "too_few_rows",
        "offsets_decrease",
    ] {
        let started = std::time::Instant::now();
        let sql = format!("SELECT hostile.{function}(x) FROM (VALUES (1.0), (2.0)) AS t (x)");
        let error = world.query(&sql).await.expect_err(function);
        assert_eq!(error.fault(), Fault::Plugin, "{function}: {error:?}");
        assert!(error.message().contains("hostile"), "{function}: {error}");
        assert!(
            started.elapsed().as_secs() < 60,
            "{function} was not bounded"
        );
        assert_eq!(
            world.value("SELECT champ.score(2, 2, 2, 1)").await,
            "60",
            "and the next query is right"
        );
    }
}

/// CHAMP with every bound of 100 made 60, that of its score and those of its settings. It scores up to 100 all the same.
fn promising_too_little() -> Vec<u8> {
    // The numbers' bits as LEB128, as an `i64.const` has them.
    let hundred = b"\x80\x80\x80\x80\x80\x80\xc0\xac\xc0\x00";
    let sixty = b"\x80\x80\x80\x80\x80\x80\x80\xa7\xc0\x00";
    let mut wasm = shipped("champ").to_vec();
    let places: Vec<usize> = (0..wasm.len())
        .filter(|at| wasm[*at..].starts_with(hundred))
        .collect();
    assert!(!places.is_empty(), "its bounds are spelled otherwise");
    for place in places {
        wasm[place..place + sixty.len()].copy_from_slice(sixty);
    }
    wasm
}

#[tokio::test(flavor = "multi_thread")]
async fn a_score_outside_its_promise_is_found_in_any_row_of_any_batch() {
    let world = World::empty().await;
    world
        .csv("products", "product_id,name\nP1,Pump\n")
        .await
        .expect("a manufacturer");
    world.install(&promising_too_little()).await;
    let ask = |answer: &str| {
        format!(
            "SELECT sum(champ.score(CAST({answer} AS INT), 2, 2, 1)) FROM generate_series(1, 50000) AS s (v)"
        )
    };
    let within = world.value(&ask("2")).await;
    assert_eq!(within.parse::<f64>().expect("a number"), 3_000_000.0);
    for row in [1, 2, 8_192, 8_193, 30_000, 50_000] {
        let error = world
            .query(&ask(&format!("CASE WHEN v = {row} THEN 3 ELSE 2 END")))
            .await
            .expect_err("70 is too much");
        assert_eq!(error.fault(), Fault::Plugin, "row {row}: {error:?}");
        let words = "returned 70, promised 0 to 60";
        assert!(error.message().contains(words), "row {row}: {error}");
        // Three failures within a minute would suspend it.
        world.install(&promising_too_little()).await;
    }
}
