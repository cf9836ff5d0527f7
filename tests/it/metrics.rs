//! A manufacturer's own metrics beside the shipped ones: over HTTP, in SQL and on the command line.

use reqwest::Method;
use serde_json::{Value, json};
use tributary_engine_core::metric::SHIPPED;

use crate::support::{Served, json as send, root, stderr, stdout, tributary};

/// A rate that the small data set has rows for.
const WINS: &str =
    "SELECT distributor_id, sent_at AS at, outcome = 'won' AS event, region FROM leads";

async fn ask(served: &Served, method: Method, path: &str, body: Value) -> (u16, Value) {
    let url = format!("{}/v1/tiny/{path}", served.url);
    let request = served.client.request(method, url);
    let request = request.bearer_auth(&served.operator);
    let request = request.header("content-type", "application/json");
    match body {
        Value::Null => send(request).await,
        body => send(request.body(body.to_string())).await,
    }
}

async fn get(served: &Served, path: &str) -> (u16, Value) {
    ask(served, Method::GET, path, Value::Null).await
}

async fn saved(served: &Served, path: &str, body: Value) -> Value {
    let (status, body) = ask(served, Method::PUT, path, body).await;
    assert_eq!(status, 200, "{path}: {body}");
    body
}

async fn deleted(served: &Served, path: &str) -> (u16, Value) {
    ask(served, Method::DELETE, path, Value::Null).await
}

/// A rate of this text.
fn rate(sql: &str) -> Value {
    json!({"sql": sql, "kind": "rate", "direction": "up"})
}

async fn refused(served: &Served, path: &str, body: Value, status: u16, message: &str) -> Value {
    let (got, body) = ask(served, Method::PUT, path, body).await;
    let told = body["message"].as_str().unwrap_or_default();
    assert!(
        got == status && told.contains(message),
        "{path}: {status} {message}: {got} {body}"
    );
    body
}

/// Values of each row, separated by blanks.
async fn rows(served: &Served, sql: &str) -> Vec<String> {
    let (status, body) = served.sql(sql).await;
    assert_eq!(status, 200, "{sql}: {body}");
    let rows = body["rows"].as_array().cloned().unwrap_or_default();
    rows.iter()
        .map(|row| {
            let values = row.as_object().expect("a row").values();
            let values: Vec<String> = values.map(ToString::to_string).collect();
            values.join(" ")
        })
        .collect()
}

/// Each is saved as the manufacturer's own, which checks all that a metric has to be.
#[tokio::test(flavor = "multi_thread")]
async fn every_shipped_metric_plans_and_has_the_columns_of_its_kind() {
    let served = Served::tiny().await;
    assert!(SHIPPED.len() >= 16, "the shipped metrics have gone");
    for shipped in SHIPPED {
        let (name, measure) = (shipped.name, shipped.measure);
        let definition = json!({
            "sql": shipped.sql,
            "kind": measure.kind,
            "direction": measure.direction,
            "maturity_days": measure.maturity_days,
            "description": shipped.description(),
        });
        assert!(shipped.description().ends_with('.'), "{name}");
        let own = saved(&served, &format!("metrics/{name}"), definition).await;
        assert_eq!(own["version"], 1, "{name}");
        let (status, body) = served
            .sql(&format!("SELECT * FROM (\n{}\n) AS m", shipped.sql))
            .await;
        assert_eq!(status, 200, "{name}: {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_metric_is_saved_listed_read_and_deleted() {
    let served = Served::tiny().await;
    let (_, before) = get(&served, "metrics").await;
    let before = before["metrics"].as_array().expect("metrics").clone();
    assert_eq!(before.len(), SHIPPED.len(), "the shipped ones");
    let body = json!({"sql": WINS, "kind": "rate", "direction": "up", "maturity_days": 120, "description": "won"});
    let first = saved(&served, "metrics/wins", body.clone()).await;
    assert_eq!(
        first,
        json!({
            "name": "wins", "version": 1, "sql": WINS, "description": "won", "parameters": {},
            "kind": "rate", "direction": "up", "maturity_days": 120, "saved_at": first["saved_at"],
            "is_current": true, "is_deleted": false, "is_shipped": false,
        })
    );
    assert!(first["saved_at"].is_string());
    let again = saved(&served, "metrics/wins", body).await;
    assert_eq!(again["version"], 1, "a no-op");
    let later = json!({"sql": WINS, "kind": "rate", "direction": "down"});
    let later = saved(&served, "metrics/wins", later).await;
    assert_eq!(
        (&later["version"], &later["maturity_days"]),
        (&json!(2), &json!(0)),
        "how it is read is part of the content"
    );
    let (_, old) = get(&served, "metrics/wins?version=1").await;
    assert_eq!(
        (&old["direction"], &old["is_current"]),
        (&json!("up"), &json!(false))
    );
    let (_, list) = get(&served, "metrics").await;
    let list = list["metrics"].as_array().expect("metrics").clone();
    assert_eq!(list.len(), SHIPPED.len() + 1);
    let own: Vec<&Value> = list
        .iter()
        .filter(|one| one["is_shipped"] == false)
        .collect();
    assert_eq!(own, [&later]);
    let names: Vec<&str> = list.iter().filter_map(|one| one["name"].as_str()).collect();
    assert!(names.is_sorted(), "{names:?}");

    let (status, gone) = deleted(&served, "metrics/wins").await;
    assert_eq!((status, &gone["version"]), (200, &json!(3)));
    assert_eq!(get(&served, "metrics/wins?version=2").await.0, 200);
    let (status, body) = get(&served, "metrics/wins").await;
    assert_eq!(status, 404);
    let hint = body["hint"].as_str().expect("a hint");
    assert!(
        hint.contains("acceptance_rate") && !hint.contains("wins"),
        "{hint}"
    );
    assert_eq!(deleted(&served, "metrics/wins").await.0, 404);
    let (_, after) = get(&served, "metrics").await;
    assert_eq!(after["metrics"], json!(before));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_own_metric_replaces_a_shipped_one_until_it_is_deleted() {
    let served = Served::tiny().await;
    let (status, shipped) = get(&served, "metrics/win_rate").await;
    assert_eq!(status, 200);
    assert_eq!(
        (
            &shipped["version"],
            &shipped["is_shipped"],
            &shipped["saved_at"],
            &shipped["maturity_days"]
        ),
        (&json!(0), &json!(true), &Value::Null, &json!(120))
    );
    let (status, body) = deleted(&served, "metrics/win_rate").await;
    let told = body["message"].as_str().expect("a message");
    assert_eq!(
        (status, told),
        (409, "metric \"win_rate\" is shipped and cannot be deleted")
    );

    let own = saved(&served, "metrics/win_rate", rate(WINS)).await;
    assert_eq!(
        (&own["version"], &own["is_shipped"]),
        (&json!(1), &json!(false))
    );
    assert_eq!(get(&served, "metrics/win_rate").await.1, own);
    let (_, list) = get(&served, "metrics").await;
    let list = list["metrics"].as_array().expect("metrics").clone();
    assert_eq!(list.len(), SHIPPED.len());
    assert!(list.contains(&own));
    let (_, replaced) = get(&served, "metrics/win_rate?version=0").await;
    assert_eq!(
        (&replaced["sql"], &replaced["is_current"]),
        (&shipped["sql"], &json!(false))
    );
    let versions = "SELECT version, kind, maturity_days, saved_at IS NULL AS never, is_shipped, is_current, is_deleted
        FROM metrics WHERE name = 'win_rate' ORDER BY version";
    assert_eq!(
        rows(&served, versions).await,
        [
            "0 \"rate\" 120 true true false false",
            "1 \"rate\" 0 false false true false"
        ]
    );

    let (status, gone) = deleted(&served, "metrics/win_rate").await;
    assert_eq!((status, &gone["version"]), (200, &json!(2)));
    assert_eq!(get(&served, "metrics/win_rate").await.1, shipped, "back");
    assert_eq!(
        rows(&served, versions).await,
        [
            "0 \"rate\" 120 true true true false",
            "1 \"rate\" 0 false false false false",
            "2 \"rate\" 0 false false true true"
        ]
    );
    let in_force = "SELECT count(*) AS n, count(DISTINCT name) AS names FROM metrics WHERE is_current AND NOT is_deleted";
    let all = SHIPPED.len();
    assert_eq!(rows(&served, in_force).await, [format!("{all} {all}")]);
    let back = saved(&served, "metrics/win_rate", rate(WINS)).await;
    assert_eq!(back["version"], 3, "after the deletion");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_a_metric_is_refused() {
    let served = Served::tiny().await;
    for (sql, status, message) in [
        ("DELETE FROM leads", 403, "statement DELETE"),
        ("SHOW TABLES", 400, "a metric is one SELECT"),
        ("EXPLAIN SELECT 1", 400, "a metric is one SELECT"),
        ("SELEC", 400, ""),
        ("SELECT nothing FROM leads", 400, "column \"nothing\""),
        ("SELECT * FROM nowhere", 404, "nowhere"),
        ("SELECT * FROM other.leads", 404, "other.leads"),
        (
            "SELECT * FROM information_schema.tables",
            400,
            "a metric cannot read information_schema",
        ),
        (
            "SELECT distributor_id, sent_at AS at, outcome = $outcome AS event FROM leads",
            400,
            "a metric has no parameters, and this one has \"outcome\"",
        ),
        (
            "SELECT distributor_id, at, TRUE AS event FROM Compare('revenue', grain => 'month')",
            400,
            "a metric cannot call compare() or scorecard()",
        ),
        (
            "WITH s AS (SELECT * FROM scorecard('2024-Q3')) SELECT 'D1' AS distributor_id, now() AS at, TRUE AS event FROM s",
            400,
            "a metric cannot call compare() or scorecard()",
        ),
        (
            "SELECT 1 AS one FROM leads",
            400,
            "the rows are not those of a rate: column \"distributor_id\" is missing (text), \"at\" is missing (DATE or TIMESTAMP), \"event\" is missing (BOOLEAN)",
        ),
        (
            "SELECT 7 AS distributor_id, region AS at, 1.5 AS event FROM leads",
            400,
            "column \"distributor_id\" is Int64, expected text, \"at\" is Utf8, expected DATE or TIMESTAMP, \"event\" is Float64, expected BOOLEAN",
        ),
        (
            "SELECT l.distributor_id, d.distributor_id, sent_at AS at, TRUE AS event FROM leads AS l JOIN distributors AS d ON l.distributor_id = d.distributor_id",
            400,
            "\"distributor_id\" is there twice",
        ),
    ] {
        refused(&served, "metrics/mine", rate(sql), status, message).await;
    }
    let day = "SELECT distributor_id, CAST(sent_at AS DATE) AS at";
    for (kind, columns, message) in [
        (
            "sum",
            "",
            "not those of a sum: column \"value\" is missing (a number)",
        ),
        (
            "sum",
            ", NULL AS value",
            "\"value\" is Null, expected a number",
        ),
        (
            "ratio",
            ", region AS numerator",
            "\"numerator\" is Utf8, expected a number, \"denominator\" is missing (a number)",
        ),
        (
            "rate",
            ", 1 AS event",
            "\"event\" is Int64, expected BOOLEAN",
        ),
    ] {
        let sql = format!("{day}{columns} FROM leads");
        let body = json!({"sql": sql, "kind": kind, "direction": "up"});
        refused(&served, "metrics/mine", body, 400, message).await;
    }
    for (kind, columns) in [
        ("sum", ", amount AS value"),
        ("count", ""),
        (
            "ratio",
            ", 1 AS numerator, CAST(2.5 AS DOUBLE) AS denominator",
        ),
        ("rate", ", champ.score(3, 2, 2, 1) > 60 AS event"),
    ] {
        let sql = format!("{day}{columns} FROM leads; \n");
        let body = json!({"sql": sql, "kind": kind, "direction": "down"});
        saved(&served, &format!("metrics/my_{kind}"), body).await;
    }
    // What comes after the semicolon would stand in the SELECT around it.
    let sql = format!("{WINS}; -- all of them");
    refused(&served, "metrics/mine", rate(&sql), 400, "").await;
    let hint = refused(
        &served,
        "metrics/mine",
        rate("SELECT * FROM compare('x')"),
        400,
        "",
    )
    .await;
    assert!(
        hint["hint"]
            .as_str()
            .is_some_and(|hint| hint.contains("call compare('mine')")),
        "{hint}"
    );
    for name in ["Mine", "1a", "a-b", "%00"] {
        let (status, body) =
            ask(&served, Method::PUT, &format!("metrics/{name}"), rate(WINS)).await;
        assert_eq!(status, 400, "{name}: {body}");
    }
    let (_, list) = get(&served, "metrics").await;
    assert!(!list.to_string().contains("\"mine\""), "nothing was saved");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_metrics_say_how_they_are_read() {
    let served = Served::tiny().await;
    let half = "the body is not a metric: a metric has `kind` and `direction`";
    for (body, message) in [
        (
            json!({"sql": WINS}),
            "a metric needs \"kind\" and \"direction\"",
        ),
        (json!({"sql": WINS, "kind": "rate"}), half),
        (json!({"sql": WINS, "direction": "up"}), half),
        (json!({"sql": WINS, "maturity_days": 3}), half),
        (
            json!({"sql": WINS, "kind": "mean", "direction": "up"}),
            "unknown variant `mean`",
        ),
        (
            json!({"sql": WINS, "kind": "rate", "direction": "up", "maturity_days": -1}),
            "the body is not a metric",
        ),
        (
            json!({"sql": WINS, "kind": "rate", "direction": "up", "unit": "%"}),
            "unknown field `unit`",
        ),
        (
            json!({"sql": WINS, "kind": "rate", "direction": "up", "parameters": {"a": {"type": "text"}}}),
            "a metric has no parameters, and this one has \"a\"",
        ),
    ] {
        refused(&served, "metrics/mine", body, 400, message).await;
    }
    for (path, message) in [
        (
            "views/mine",
            "a view has no \"kind\", \"direction\" and \"maturity_days\"",
        ),
        (
            "queries/mine",
            "a query has no \"kind\", \"direction\" and \"maturity_days\"",
        ),
    ] {
        refused(&served, path, rate(WINS), 400, message).await;
    }
    let view = saved(&served, "views/mine", json!({"sql": WINS})).await;
    let view = view.as_object().expect("a view");
    for field in ["kind", "direction", "maturity_days", "is_shipped"] {
        assert!(!view.contains_key(field), "{field}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_that_a_metric_reads_stays() {
    let served = Served::tiny().await;
    saved(&served, "views/mine", json!({"sql": WINS})).await;
    saved(&served, "metrics/mine", rate("SELECT * FROM mine")).await;
    let (status, body) = deleted(&served, "views/mine").await;
    assert_eq!(
        (status, body["message"].as_str()),
        (409, Some("view \"mine\" is needed by metric \"mine\""))
    );
    let narrower = json!({"sql": "SELECT distributor_id, sent_at AS at FROM leads"});
    refused(&served, "views/mine", narrower, 409, "metric \"mine\"").await;
    let wider = json!({"sql": WINS.replace("region", "region, industry")});
    saved(&served, "views/mine", wider).await;
    assert_eq!(deleted(&served, "metrics/mine").await.0, 200);
    assert_eq!(deleted(&served, "views/mine").await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_metric_that_something_compares_stays() {
    let served = Served::tiny().await;
    let mine = WINS;
    saved(&served, "metrics/mine", rate(mine)).await;
    let compared = "SELECT region, value FROM compare('mine', by => ['region'], grain => 'year')";
    saved(&served, "views/by_region", json!({"sql": compared})).await;
    saved(&served, "queries/by_region", json!({"sql": compared})).await;
    let (status, body) = deleted(&served, "metrics/mine").await;
    let message = "metric \"mine\" is needed by view \"by_region\", query \"by_region\"";
    assert_eq!((status, body["message"].as_str()), (409, Some(message)));
    let narrower = rate(&mine.replace(", region", ""));
    refused(&served, "metrics/mine", narrower, 409, "view \"by_region\"").await;
    // Through the view it would be made of itself.
    let round = rate(
        "SELECT l.distributor_id, l.sent_at AS at, v.value > 0 AS event, l.region FROM leads AS l CROSS JOIN by_region AS v",
    );
    let (status, body) = ask(&served, Method::PUT, "metrics/mine", round).await;
    assert!(status >= 400, "{body}");
    let wider = rate(&mine.replace("region", "region, industry"));
    saved(&served, "metrics/mine", wider).await;
    for path in ["queries/by_region", "views/by_region", "metrics/mine"] {
        assert_eq!(deleted(&served, path).await.0, 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn manufacturers_do_not_see_each_others_metrics() {
    let served = Served::tiny().await;
    let other = served.post("/v1/other/tables/products");
    let other = other.header("content-type", "text/csv");
    assert_eq!(send(other.body("product_id,name\nP,Secret\n")).await.0, 200);
    saved(&served, "metrics/mine", rate(WINS)).await;
    saved(&served, "metrics/win_rate", rate(WINS)).await;
    let (_, token) = send(served.post("/v1/other/tokens")).await;
    let token = token["token"].as_str().expect("a token").to_owned();
    let theirs = async |path: &str| {
        let request = served.client.get(format!("{}{path}", served.url));
        send(request.bearer_auth(&token)).await
    };
    for path in [
        "/v1/tiny/metrics",
        "/v1/tiny/metrics/mine",
        "/v1/other/metrics/mine",
    ] {
        let (status, body) = theirs(path).await;
        assert_eq!(status, 404, "{path}: {body}");
    }
    let (_, theirs_of_it) = theirs("/v1/other/metrics/win_rate").await;
    assert_eq!(theirs_of_it["is_shipped"], true);
    let (_, body) =
        theirs("/v1/query?sql=SELECT+count(*)+AS+n+FROM+metrics+WHERE+NOT+is_shipped").await;
    assert_eq!(body["rows"], json!([{"n": 0}]));
}

#[test]
fn the_command_line_has_the_same_words() {
    let folder = tempfile::tempdir().expect("folder");
    let at = folder.path();
    let file = root().join("tests/data/tiny/leads.csv");
    let file = file.to_str().expect("path");
    let run = |arguments: &[&str]| tributary(at, arguments);
    let done = |arguments: &[&str]| {
        let run = run(arguments);
        assert!(run.status.success(), "{arguments:?}: {}", stderr(&run));
        stdout(&run)
    };
    done(&["ingest", "--data", "d", "-m", "tiny", "leads", file]);
    let put = [
        "metric",
        "put",
        "--data",
        "d",
        "wins",
        "-c",
        WINS,
        "--kind",
        "rate",
        "--direction",
        "up",
    ];
    let more = ["--maturity-days", "120", "--description", "Leads won"];
    assert_eq!(
        done(&[put.as_slice(), &more].concat()),
        "saved metric wins, version 1\n"
    );
    let list = done(&["metric", "list", "--data", "d"]);
    for words in [
        "wins",
        "rate, up, after 120 days",
        "Leads won",
        "shipped",
        "leads_sent",
    ] {
        assert!(list.contains(words), "{words}: {list}");
    }
    let shown = done(&["metric", "show", "--data", "d", "wins"]);
    assert_eq!(shown, done(&["metric", "get", "--data", "d", "wins"]));
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(
        (&shown["kind"], &shown["direction"], &shown["maturity_days"]),
        (&json!("rate"), &json!("up"), &json!(120))
    );
    let shipped = done(&["metric", "show", "--data", "d", "revenue"]);
    assert!(shipped.contains("\"is_shipped\": true"), "{shipped}");
    assert_eq!(
        done(&["metric", "delete", "--data", "d", "wins"]),
        "deleted metric wins; its 1 earlier versions stay readable\n"
    );
    let kind = [
        "metric",
        "put",
        "--data",
        "d",
        "x",
        "-c",
        WINS,
        "--kind",
        "mean",
        "--direction",
        "up",
    ];
    for wrong in [
        ["metric", "show", "--data", "d", "wins"].as_slice(),
        &["metric", "delete", "--data", "d", "revenue"],
        &["metric", "put", "--data", "d", "x", "-c", WINS],
        &kind,
    ] {
        assert_eq!(run(wrong).status.code(), Some(2), "{wrong:?}");
    }
}
