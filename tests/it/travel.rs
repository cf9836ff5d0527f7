//! Time travel: what a table and a view were, by version and by instant, through SQL and HTTP.

use std::time::Instant;

use tributary_engine_core::Fault;

use crate::support::{Served, World};

/// Commits are told apart by the millisecond.
fn next_millisecond() {
    let started = Instant::now();
    while started.elapsed().as_millis() < 2 {
        std::hint::spin_loop();
    }
}

/// Three versions of the leads: loaded, one closed, one added.
async fn with_history() -> World {
    let world = World::tiny().await;
    let sent = [
        "lead_id,outcome,amount\nL1,lost,\n",
        "lead_id,created_at,outcome\nL90,2024-09-01T00:00:00Z,open\n",
    ];
    for csv in sent {
        next_millisecond();
        world.csv("leads", csv).await.expect("a change");
    }
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_answers_with_its_own_rows() {
    let world = with_history().await;
    let outcome =
        |clause: &str| format!("SELECT outcome FROM leads {clause} WHERE leads.lead_id = 'L1'");
    assert_eq!(world.value(&outcome("")).await, "lost");
    assert_eq!(world.value(&outcome("VERSION AS OF 1")).await, "won");
    assert_eq!(world.value(&outcome("VERSION AS OF 2")).await, "lost");
    for (version, rows) in [(0, "0"), (1, "7"), (2, "7"), (3, "8")] {
        let sql = format!("SELECT count(*) FROM leads VERSION AS OF {version}");
        assert_eq!(world.value(&sql).await, rows, "version {version}");
    }
    // Two states of one table side by side, under aliases and without.
    let changed = "SELECT l.lead_id FROM leads AS l JOIN leads VERSION AS OF 1 AS old USING (lead_id) \
                   WHERE l.outcome IS DISTINCT FROM old.outcome";
    assert_eq!(world.rows(changed).await, ["L1"]);
    let inside = "WITH old AS (SELECT * FROM tiny.leads VERSION AS OF 1) SELECT count(*) FROM old";
    assert_eq!(world.value(inside).await, "7");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instant_answers_with_the_rows_of_then() {
    let world = with_history().await;
    let at = "SELECT CAST(max(at) AS VARCHAR) FROM lead_events WHERE lead_id = 'L1'";
    let closed_at = world.value(at).await;
    // The event is a little older than the commit that it belongs to; half a commit later both count.
    let then = |sql: &str, at: &str| sql.replace("THEN", &format!("TIMESTAMP AS OF '{at}'"));
    let open = "SELECT count(*) FROM leads THEN WHERE outcome = 'lost'";
    let before: usize = world
        .value(&then(open, &closed_at))
        .await
        .parse()
        .expect("a count");
    let after: usize = world
        .value(&then(open, "2999-01-01"))
        .await
        .parse()
        .expect("a count");
    assert_eq!(after, before + 1, "L1 was lost after {closed_at}");
    // A view reads all its tables as of the instant, one that was never written to included.
    let view = "SELECT count(*) FROM v_lead THEN WHERE outcome = 'lost'";
    let was: usize = world
        .value(&then(view, &closed_at))
        .await
        .parse()
        .expect("a count");
    let is: usize = world
        .value("SELECT count(*) FROM v_lead WHERE outcome = 'lost'")
        .await
        .parse()
        .expect("a count");
    assert_eq!(is, was + 1);
    assert_eq!(
        world
            .value(&then("SELECT count(*) FROM v_lead THEN", "2001-01-01"))
            .await,
        "0"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_kept_is_an_error_that_says_what_is() {
    let world = with_history().await;
    let check = async |sql: &str, fault: Fault, part: &str| {
        let error = world.query(sql).await.map(|_| ()).expect_err(sql);
        assert_eq!(error.fault(), fault, "{sql}: {error}");
        assert!(error.message().contains(part), "{sql}: {error}");
    };
    check(
        "SELECT * FROM leads VERSION AS OF 4",
        Fault::Missing,
        "versions 0 to 3 are kept",
    )
    .await;
    check(
        "SELECT * FROM leads TIMESTAMP AS OF '2001-01-01'",
        Fault::Missing,
        "are kept",
    )
    .await;
    check(
        "SELECT * FROM content VERSION AS OF 1",
        Fault::Missing,
        "nothing was ever written",
    )
    .await;
    check(
        "SELECT * FROM leads VERSION AS OF 1.5",
        Fault::Invalid,
        "version number",
    )
    .await;
    check(
        "SELECT * FROM leads TIMESTAMP AS OF 'soon'",
        Fault::Invalid,
        "an instant like",
    )
    .await;
    check(
        "SELECT * FROM leads TIMESTAMP AS OF now()",
        Fault::Invalid,
        "an instant like",
    )
    .await;
    check(
        "SELECT * FROM v_lead VERSION AS OF 1",
        Fault::Invalid,
        "no versions of its own",
    )
    .await;
    check(
        "WITH t AS (SELECT 1) SELECT * FROM t VERSION AS OF 1",
        Fault::Invalid,
        "no versions",
    )
    .await;
    check(
        "SELECT * FROM \"leads@1\"",
        Fault::Missing,
        "does not exist",
    )
    .await;

    // Files that a clean-up took away: the versions before are no longer kept.
    let listed = |version: u64| {
        let log = world
            .data()
            .join(format!("tiny/leads/_delta_log/{version:020}.json"));
        let entry = std::fs::read_to_string(log).expect("a log entry");
        let lines = entry
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
        let paths: Vec<String> = lines
            .filter_map(|line| line["add"]["path"].as_str().map(str::to_owned))
            .collect();
        paths.concat()
    };
    std::fs::remove_file(world.data().join("tiny/leads").join(listed(1))).expect("removed");
    check(
        "SELECT * FROM leads VERSION AS OF 1",
        Fault::Missing,
        "versions 2 to 3 are kept",
    )
    .await;
    assert_eq!(
        world
            .value("SELECT count(*) FROM leads VERSION AS OF 2")
            .await,
        "7"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_names_the_versions_that_it_is_computed_from() {
    let served = Served::over(with_history().await).await;
    let (status, body) = served
        .sql("SELECT count(*) AS n FROM leads VERSION AS OF 1, revenue")
        .await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(
        body["tables"],
        serde_json::json!({"leads@1": 1, "revenue": 1})
    );
    // What a past state is called inside is nobody's business in a listing.
    let (_, body) = served
        .sql("SELECT count(*) AS n FROM information_schema.tables WHERE table_name LIKE '%@%'")
        .await;
    assert_eq!(body["rows"][0]["n"], 0, "{body}");
    let (status, body) = served.sql("SELECT * FROM leads VERSION AS OF 9").await;
    assert_eq!((status, body["code"].as_str()), (404, Some("missing")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_view_travels_and_may_name_a_past_state() {
    let served = Served::over(with_history().await).await;
    let put = async |name: &str, sql: &str| {
        let request = served
            .client
            .put(format!("{}/v1/tiny/views/{name}", served.url))
            .bearer_auth(&served.operator)
            .body(serde_json::json!({ "sql": sql }).to_string());
        let (status, body) = crate::support::json(request).await;
        assert_eq!(status, 200, "{body}");
    };
    put(
        "lost_leads",
        "SELECT lead_id FROM leads WHERE outcome = 'lost'",
    )
    .await;
    put("lost_twice", "SELECT * FROM lost_leads").await;
    put("first_load", "SELECT lead_id FROM leads VERSION AS OF 1").await;
    let count = async |from: &str| {
        let (status, body) = served
            .sql(&format!("SELECT count(*) AS n FROM {from}"))
            .await;
        (
            status,
            body["rows"][0]["n"].as_i64(),
            body["message"].as_str().map(str::to_owned),
        )
    };
    let now = count("lost_leads").await.1.expect("a count");
    assert_eq!(count("first_load").await.1, Some(7));
    assert_eq!(
        count("lost_twice TIMESTAMP AS OF '2001-01-01'").await.1,
        Some(0)
    );
    assert_eq!(
        count("lost_twice TIMESTAMP AS OF '2999-01-01'").await.1,
        Some(now)
    );
    assert_eq!(
        count("first_load TIMESTAMP AS OF '2001-01-01'").await.1,
        Some(7),
        "what it names, it names"
    );
    let (status, _, message) = count("lost_leads VERSION AS OF 1").await;
    assert_eq!(status, 400);
    assert!(message.expect("told").contains("no versions of its own"));
    // A parameter may say when.
    let body =
        r#"{"sql": "SELECT count(*) AS n FROM leads VERSION AS OF $v", "parameters": {"v": 1}}"#;
    let (status, body) = crate::support::json(served.post("/v1/tiny/query").body(body)).await;
    assert_eq!(
        (status, body["rows"][0]["n"].as_i64()),
        (200, Some(7)),
        "{body}"
    );
}
