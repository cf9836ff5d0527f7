//! Plugins in SQL beyond a call: aggregates that agree with those of the engine however they are asked, `scored(…)`, and
//! documents.

use tributary_engine_core::engine::{Principal, Query};
use tributary_engine_core::{Database, Engine, Fault, Options};

use crate::support::{World, shipped, tiny};

const NUMBERS: &str = "(SELECT x % 7 AS g, CASE WHEN x % 11 = 0 THEN NULL ELSE CAST(x % 100 AS DOUBLE) END AS v, CAST(x % 5 AS DOUBLE) AS w, x FROM generate_series(1, 20000) AS s (x))";

async fn world() -> World {
    let world = World::tiny().await;
    world.install(shipped("fit_engagement")).await;
    world
}

/// The plugin's weighted mean, and the same by sums of the engine.
fn both(over: &str) -> [String; 2] {
    let means = [
        format!("fit_engagement.weighted_mean(v, w){over}"),
        format!(
            "sum(v * w){over} / nullif(sum(CASE WHEN v IS NULL THEN NULL ELSE w END){over}, 0.0)"
        ),
    ];
    means.map(|mean| format!("round({mean}, 9) AS mean"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_aggregate_agrees_with_the_engines_own() {
    let world = world().await;
    for query in [
        "SELECT {} FROM {t}",
        "SELECT g, {} FROM {t} GROUP BY g ORDER BY g",
        "SELECT x % 9000 AS k, {} FROM {t} GROUP BY x % 9000 ORDER BY k",
        "SELECT g, {} FROM {t} WHERE x < 0 GROUP BY g",
        "SELECT {} FROM {t} WHERE x < 0",
    ] {
        let [mine, native] =
            both("").map(|mean| query.replace("{}", &mean).replace("{t}", NUMBERS));
        assert_eq!(
            world.rows(&mine).await,
            world.rows(&native).await,
            "{query}"
        );
    }
    let [mine, native] = both(" FILTER (WHERE x % 2 = 0)")
        .map(|mean| format!("SELECT g, {mean} FROM {NUMBERS} GROUP BY g ORDER BY g"));
    assert_eq!(world.rows(&mine).await, world.rows(&native).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_aggregate_runs_over_windows() {
    let world = world().await;
    let some = NUMBERS.replace("20000", "300");
    for frame in [
        "ORDER BY x",
        "PARTITION BY g ORDER BY x",
        "PARTITION BY g",
        "ORDER BY x ROWS BETWEEN 5 PRECEDING AND 2 FOLLOWING",
        "PARTITION BY g ORDER BY x ROWS BETWEEN 3 PRECEDING AND CURRENT ROW",
    ] {
        let [mine, native] = both(&format!(" OVER ({frame})"))
            .map(|mean| format!("SELECT x, {mean} FROM {some} ORDER BY x"));
        assert_eq!(
            world.rows(&mine).await,
            world.rows(&native).await,
            "{frame}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_aggregate_of_distinct_rows_counts_each_once() {
    let world = world().await;
    for query in [
        "SELECT round(fit_engagement.weighted_mean(DISTINCT v, w), 9) FROM {t}",
        "SELECT g, round(fit_engagement.weighted_mean(DISTINCT v, w), 9) FROM {t} GROUP BY g ORDER BY g",
    ] {
        let distinct = query.replace("{t}", NUMBERS);
        let plain = query
            .replace("DISTINCT ", "")
            .replace("{t}", &format!("(SELECT DISTINCT g, v, w FROM {NUMBERS})"));
        let plain = match query.contains("GROUP") {
            true => plain,
            false => plain.replace("DISTINCT g, v, w", "DISTINCT v, w"),
        };
        assert_eq!(
            world.rows(&distinct).await,
            world.rows(&plain).await,
            "{query}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sliding_frame_needs_an_aggregate_that_retracts() {
    let world = World::tiny().await;
    world.install(crate::support::hostile()).await;
    let growing = "SELECT sum(c) FROM (SELECT hostile.counts_up(v) OVER (ORDER BY v) AS c FROM (VALUES (1.0), (2.0), (4.0)) AS t (v))";
    assert_eq!(world.value(growing).await, "11.0");
    let sliding = "SELECT hostile.counts_up(v) OVER (ORDER BY v ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM (VALUES (1.0), (2.0)) AS t (v)";
    let error = world.query(sliding).await.expect_err("it can't");
    assert_eq!(error.fault(), Fault::Invalid, "{error:?}");
    assert!(
        error
            .message()
            .contains("does not run over a sliding frame"),
        "{error}"
    );
    let retracts = sliding.replace("counts_up", "sums");
    assert_eq!(world.rows(&retracts).await, ["1.0", "3.0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_aggregate_survives_a_spill() {
    let world = world().await;
    let query = |mean: &str| {
        format!("SELECT count(*), sum(mean) FROM (SELECT x % 150000 AS k, {mean} FROM generate_series(1, 300000) AS s (x) CROSS JOIN (SELECT 1.0 AS w) GROUP BY x % 150000)")
            .replace("(v, w)", "(CAST(x AS DOUBLE), w)")
            .replace("v * w", "CAST(x AS DOUBLE) * w")
            .replace("v IS NULL", "x IS NULL")
    };
    let [mine, native] = both("").map(|mean| query(&mean));
    let expected = world.rows(&native).await;
    assert_eq!(world.rows(&mine).await, expected);
    drop(world.database);
    let small = Options {
        data: world.folder.path().join("data"),
        threads: Some(2),
        query_memory_bytes: Some(24 << 20),
        ..Options::default()
    };
    let database = Database::open(small).await.expect("reopens");
    let query = Query {
        principal: Principal::Operator,
        manufacturer: tiny(),
        sql: format!("EXPLAIN ANALYZE {mine}"),
        parameters: Default::default(),
        deadline: None,
    };
    let explained = crate::support::text(database.query(query.clone()).await.expect("plans")).await;
    let explained = explained.expect("it spills instead of failing");
    let spilled = explained
        .split("spill_count=")
        .skip(1)
        .any(|rest| !rest.starts_with('0'));
    assert!(spilled, "nothing was spilled: {explained}");
    let plain = Query { sql: mine, ..query };
    let answer = crate::support::text(database.query(plain).await.expect("plans")).await;
    assert_eq!(answer.expect("an answer"), expected.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn scored_adds_what_a_plugin_says_to_rows() {
    let world = World::tiny().await;
    let rows = "(SELECT lead_id, outcome, 3 AS challenges, 2 AS authority, 2 AS money, abs(employees % 4) AS priority FROM leads)";
    let rule = format!("FROM scored({rows}, 'champ.qualify')");
    let by_hand = world
        .rows(&format!("SELECT lead_id, q['verdict'], q['score'] FROM (SELECT lead_id, champ.qualify(challenges, authority, money, priority) AS q FROM {rows}) ORDER BY lead_id"))
        .await;
    let scored = format!("SELECT lead_id, verdict, score {rule} ORDER BY lead_id");
    assert_eq!(world.rows(&scored).await, by_hand);
    // Names bind, and not places.
    let otherwise = "(SELECT abs(employees % 4) AS priority, 2 AS money, lead_id, 2 AS authority, 3 AS challenges FROM leads)";
    assert_eq!(world.rows(&scored.replace(rows, otherwise)).await, by_hand);
    let counted = format!(
        "SELECT verdict, count(*) {rule} AS s WHERE s.score > 10 GROUP BY verdict ORDER BY 1"
    );
    assert!(!world.rows(&counted).await.is_empty());
    let joined = format!(
        "SELECT count(*) {rule} AS s JOIN leads AS l ON l.lead_id = s.lead_id WHERE coalesce(array_length(s.reasons), 0) = 0"
    );
    assert_eq!(world.value(&joined).await, "7");
    let score = format!("SELECT max(score) FROM scored({rows}, 'champ.score')");
    assert_eq!(
        world.value(&score).await.parse::<f64>().expect("a number"),
        79.0
    );
    world
        .save_view("scored_leads", &format!("SELECT lead_id, verdict {rule}"))
        .await;
    assert_eq!(world.value("SELECT count(*) FROM scored_leads").await, "7");
    for (sql, words) in [
        (
            "SELECT * FROM scored((SELECT lead_id, 'x' AS money FROM leads), 'champ.score')",
            "column \"challenges\" is missing (Int32), \"authority\" is missing (Int32), \"money\" is Utf8, expected Int32, \"priority\" is missing",
        ),
        (
            "SELECT * FROM scored((SELECT 1 AS challenges, 1 AS authority, 1 AS money, 1 AS priority, 1 AS score), 'champ.score')",
            "have a column \"score\", which \"champ.score\" adds",
        ),
        (
            "SELECT * FROM scored((SELECT * FROM (SELECT 1 AS challenges, 1 AS authority, 1 AS money, 1 AS priority) AS a CROSS JOIN (SELECT 2 AS money) AS b), 'champ.score')",
            "column \"money\" is there twice",
        ),
        (
            "SELECT * FROM scored(leads, 'champ.score')",
            "scored takes rows and the name of a function",
        ),
        (
            "SELECT * FROM scored((SELECT 1 AS x), 'score')",
            "is no score and no rule",
        ),
    ] {
        let error = world.query(sql).await.expect_err(sql);
        assert_eq!(error.fault(), Fault::Invalid, "{error:?}");
        assert!(error.message().contains(words), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_and_structs_arrive_as_documents() {
    let world = world().await;
    let events = "[named_struct('kind', 'form', 'at', TIMESTAMP '2024-06-01 12:00:00'), named_struct('kind', 'page', 'at', TIMESTAMP '2024-06-15 11:00:00')]";
    let as_text = "'[[\"form\", \"2024-06-01T12:00:00\"], [\"page\", \"2024-06-15T11:00:00\"]]'";
    let ask = |events: &str| {
        format!("SELECT fit_engagement.engagement({events}, TIMESTAMP '2024-06-15 12:00:00')")
    };
    let by_list = world.value(&ask(events)).await;
    assert_eq!(by_list, world.value(&ask(as_text)).await);
    assert!(by_list.starts_with("37.1"), "{by_list}");
    assert_eq!(world.value(&ask("NULL")).await, "NULL");
    let error = world.query(&ask("'{}'")).await.expect_err("no list");
    assert!(error.message().contains("document does not fit"), "{error}");
}
