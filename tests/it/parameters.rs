//! Values for placeholders, through every door: JSON, a URL, the command line.

use serde_json::{Value, json};

use crate::support::{Served, World, json as send, root, stderr, stdout, tributary};

/// Posts a statement with parameters; the status, and the rows without their names or the error's message.
async fn ask(served: &Served, sql: &str, parameters: &Value) -> (u16, String) {
    let body = json!({ "sql": sql, "parameters": parameters }).to_string();
    let request = served
        .post("/v1/tiny/query")
        .header("content-type", "application/json")
        .body(body);
    said(send(request).await)
}

fn said((status, body): (u16, Value)) -> (u16, String) {
    let Some(rows) = body["rows"].as_array() else {
        return (
            status,
            body["message"].as_str().unwrap_or_default().to_owned(),
        );
    };
    let cell = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let row = |row: &Value| {
        let cells = row.as_object().expect("an object").values().map(cell);
        cells.collect::<Vec<_>>().join(",")
    };
    (status, rows.iter().map(row).collect::<Vec<_>>().join(" "))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_stands_wherever_an_expression_stands() {
    let served = Served::tiny().await;
    let timestamp = |value: &str| json!({ "type": "timestamp", "value": value });
    for (sql, parameters, expected) in [
        (
            "SELECT count(*) AS n FROM leads WHERE distributor_id = $d",
            json!({"d": "D1"}),
            "2",
        ),
        (
            "SELECT count(*) AS n FROM leads WHERE distributor_id = $1 AND lead_id <> $2",
            json!(["D1", "L1"]),
            "1",
        ),
        (
            "SELECT count(*) AS n FROM leads WHERE distributor_id IN ($l)",
            json!({"l": ["D1", "D2"]}),
            "5",
        ),
        (
            "SELECT count(*) AS n FROM leads WHERE distributor_id IN ($l)",
            json!({"l": []}),
            "0",
        ),
        (
            "SELECT count(*) AS n FROM leads WHERE distributor_id NOT IN ('x', $l)",
            json!({"l": ["D1"]}),
            "4",
        ),
        (
            "SELECT v AS v FROM generate_series($from, $to) AS t (v) ORDER BY v DESC LIMIT $n OFFSET $skip",
            json!({"from": 1, "to": 10, "n": 2, "skip": 1}),
            "9 8",
        ),
        (
            "SELECT CAST(DATE '2024-01-31' + INTERVAL $n DAY AS DATE) AS d",
            json!({"n": {"type": "integer", "value": "30"}}),
            "2024-03-01",
        ),
        (
            "SELECT CAST(DATE '2024-01-31' + INTERVAL $i AS DATE) AS d",
            json!({"i": "1 month"}),
            "2024-02-29",
        ),
        (
            "SELECT arrow_typeof($at) AS t, arrow_typeof($d) AS d, arrow_typeof($n) AS n, arrow_typeof($f) AS f, \
             arrow_typeof($i) AS i, arrow_typeof($b) AS b",
            json!({
                "at": timestamp("2024-01-01T00:00:00Z"),
                "d": {"type": "date", "value": "2024-01-01"},
                "n": {"type": "decimal", "value": "1.50"},
                "f": {"type": "number", "value": 2},
                "i": {"type": "integer", "value": 2},
                "b": {"type": "boolean", "value": "true"},
            }),
            "Timestamp(µs, \"UTC\"),Date32,Decimal128(3, 2),Float64,Int64,Boolean",
        ),
        (
            "SELECT count(*) AS n FROM leads WHERE created_at = (SELECT max(created_at) FROM leads) \
             AND created_at <= $at AND created_at > $before",
            json!({"at": timestamp("2030-01-01T00:00:00+02:00"), "before": timestamp("2000-01-01T00:00:00Z")}),
            "1",
        ),
        (
            "SELECT CAST($a + 1 AS VARCHAR) AS big",
            json!({"a": {"type": "decimal", "value": "99999999999999999999999"}}),
            "100000000000000000000000",
        ),
        (
            "SELECT amount * $share AS part FROM revenue WHERE revenue_id = 'V6'",
            json!({"share": {"type": "decimal", "value": "0.3"}}),
            "6.00006",
        ),
        (
            "SELECT $a IS NULL AS a, coalesce($b, 5) AS b",
            json!({"a": null, "b": {"type": "integer", "value": null}}),
            "true,5",
        ),
        (
            "SELECT count(*) AS n FROM leads WHERE ($d IS NULL OR distributor_id = $d) AND created_at >= $from",
            json!({"d": {"type": "text", "value": null}, "from": {"type": "date", "value": "1999-01-01"}}),
            "7",
        ),
        (
            "SELECT array_length($l) AS n, $l[2] AS second",
            json!({"l": [4, 5, 6]}),
            "3,5",
        ),
        (
            "SELECT round(rate_ci($x, $n, $conf)['lo'], 3) AS lo",
            json!({"x": 5, "n": 10, "conf": 0.95}),
            "0.237",
        ),
        (
            "SELECT champ.score($a, $b, $c, $d) AS score",
            json!({"a": 3, "b": 2, "c": 2, "d": 1}),
            "70",
        ),
        (
            "SELECT CASE WHEN $s = 'it''s; DROP TABLE leads --' THEN 'a value' END AS what",
            json!({"s": "it's; DROP TABLE leads --"}),
            "a value",
        ),
    ] {
        let answer = ask(&served, sql, &parameters).await;
        assert_eq!(answer, (200, expected.to_owned()), "{sql}");
    }
    let explained = ask(
        &served,
        "EXPLAIN SELECT count(*) FROM leads WHERE distributor_id = $d",
        &json!({"d": "D1"}),
    )
    .await;
    assert!(
        explained.0 == 200 && explained.1.contains("D1"),
        "{explained:?}"
    );
}

/// Numbers in JSON keep their digits: neither the largest integers nor decimals go through a float.
#[tokio::test(flavor = "multi_thread")]
async fn numbers_keep_their_digits() {
    let served = Served::tiny().await;
    let body = r#"{"sql": "SELECT CAST($1 AS VARCHAR) AS a, CAST($2 AS VARCHAR) AS b, CAST($3 AS VARCHAR) AS c",
                   "parameters": [9007199254740993, 123456789012345678901234567890, 12345678901234567890.12345678901]}"#;
    let request = served
        .post("/v1/tiny/query")
        .header("content-type", "application/json")
        .body(body);
    assert_eq!(
        said(send(request).await),
        (
            200,
            "9007199254740993,123456789012345678901234567890,12345678901234567890.12345678901"
                .to_owned()
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_parameter_is_named() {
    let served = Served::tiny().await;
    for (sql, parameters, expected) in [
        ("SELECT $a", json!({}), "parameter \"a\" has no value"),
        (
            "SELECT 1",
            json!({"a": 1}),
            "parameter \"a\" is not in the statement",
        ),
        (
            "SELECT $2",
            json!([1, 2]),
            "parameter \"1\" is not in the statement",
        ),
        (
            "SELECT $a",
            json!({"a": {"type": "date", "value": "2024-1-1"}}),
            "parameter \"a\" is not a date: \"2024-1-1\"",
        ),
        (
            "SELECT $a",
            json!({"a": [[1]]}),
            "parameter \"a\" is not a value: [1]",
        ),
        ("SELECT ?", json!([1]), "placeholder \"?\" is not supported"),
        (
            "SELECT :a",
            json!({"a": 1}),
            "placeholder \":a\" is not supported",
        ),
        (
            "SHOW TABLES",
            json!({"a": 1}),
            "parameter \"a\" is not in the statement",
        ),
    ] {
        let answer = ask(&served, sql, &parameters).await;
        assert_eq!(answer, (400, expected.to_owned()), "{sql}");
    }
    for (parameters, named) in [
        (json!({"a": {"b": 1}}), "parameter \"a\""),
        (json!({"a": {"type": "day", "value": 1}}), "parameter \"a\""),
        (json!(["x", {}]), "parameter \"2\""),
        (json!(5), "parameters as an object"),
    ] {
        let (status, message) = ask(&served, "SELECT $a", &parameters).await;
        assert!(status == 400 && message.contains(named), "{message}");
    }
    let list = |entries: usize| json!({"l": (0..entries).collect::<Vec<_>>()});
    let sql = "SELECT count(*) AS n FROM generate_series(1, 20000) AS t (v) WHERE v IN ($l)";
    assert_eq!(
        ask(&served, sql, &list(10_000)).await,
        (200, "9999".to_owned())
    );
    assert_eq!(
        ask(&served, sql, &list(10_001)).await,
        (
            413,
            "limit \"parameter_entries\" is 10000, asked for 10001".to_owned()
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_asks_like_a_body() {
    let served = Served::tiny().await;
    let get = |path: &str| {
        served
            .client
            .get(format!("{}{path}", served.url))
            .bearer_auth(&served.operator)
    };
    let path = "/v1/tiny/query?sql=SELECT+count(*)+AS+n+FROM+leads+WHERE+distributor_id+=+$d+AND+created_at+%3E=+$from\
                &$d=D1&%24from:date=2000-01-01";
    assert_eq!(said(send(get(path)).await), (200, "2".to_owned()));
    let csv = get("/v1/tiny/query?format=csv&sql=SELECT+$a+AS+a&$a=x%20%26+y")
        .send()
        .await
        .expect("answered");
    assert_eq!(csv.headers()["content-type"], "text/csv");
    assert_eq!(csv.text().await.expect("whole"), "a\nx & y\n");
    for (query, expected) in [
        ("", "the URL has no statement"),
        (
            "sql=SELECT+1&limits=5",
            "unknown key in the URL: \"limits\"",
        ),
        (
            "sql=SELECT+1&sql=SELECT+2",
            "key \"sql\" of the URL is given twice",
        ),
        (
            "sql=SELECT+$a&$a=1&$a:integer=2",
            "parameter \"a\" is given twice",
        ),
        (
            "sql=SELECT+$a&$a:day=1",
            "parameter \"a\": \"day\" is not a kind of parameter",
        ),
        (
            "sql=SELECT+$a&$a:integer=1.5",
            "parameter \"a\" is not an integer: \"1.5\"",
        ),
        ("sql=SELECT+1&format=xml", "format \"xml\" is not offered"),
        ("sql=%ff", "key \"sql\" of the URL is not UTF-8 text"),
        ("sql=DELETE+FROM+leads", "statement DELETE is not allowed"),
    ] {
        let (status, message) = said(send(get(&format!("/v1/tiny/query?{query}"))).await);
        assert_eq!(message, expected);
        assert!(status == 400 || status == 403, "{query}: {status}");
    }
    // The URL has the format of a POST too, and nothing else of it.
    let post = |query: &str| {
        served
            .post(&format!("/v1/tiny/query{query}"))
            .header("accept", "text/html")
            .body("SELECT 1 AS one")
    };
    assert_eq!(
        send(post("?format=ndjson")).await,
        (200, json!({"one": 1})),
        "the URL has the last word"
    );
    assert_eq!(send(post("?sql=SELECT+2")).await.0, 406);
    let refused = send(post("?format=json&sql=SELECT+2")).await;
    assert_eq!(
        said(refused),
        (400, "unknown key in the URL: \"sql\"".to_owned())
    );
    // The short path is the token's manufacturer's.
    let (_, token) = send(served.post("/v1/tiny/tokens")).await;
    let own = served
        .client
        .get(format!("{}/v1/query?sql=SELECT+2+AS+n", served.url))
        .bearer_auth(token["token"].as_str().expect("a token"));
    assert_eq!(said(send(own).await), (200, "2".to_owned()));
    assert_eq!(send(get("/v1/query?sql=SELECT+1")).await.0, 400);
    let bare = served.client.get(format!("{}{path}", served.url));
    assert_eq!(send(bare).await.0, 401);
}

#[test]
fn the_command_line_takes_parameters() {
    let folder = tempfile::tempdir().expect("folder");
    let at = folder.path();
    let file = root().join("tests/data/tiny/leads.csv");
    let file = file.to_str().expect("path");
    let run = tributary(at, &["ingest", "--data", "d", "-m", "tiny", "leads", file]);
    assert!(run.status.success(), "{}", stderr(&run));
    let sql = |arguments: &[&str]| {
        tributary(
            at,
            &[&["sql", "--data", "d", "--format", "csv"], arguments].concat(),
        )
    };
    let run = sql(&[
        "-c",
        "SELECT count(*) AS n, $note AS note FROM leads WHERE distributor_id = $d AND created_at > $from",
        "-p",
        "d=D1",
        "-p",
        "from:date=2000-01-01",
        "--parameter",
        "note=a=b, c",
    ]);
    assert_eq!(stdout(&run), "n,note\n2,\"a=b, c\"\n", "{}", stderr(&run));
    for (parameter, expected) in [
        ("d", "parameter \"d\" has no value"),
        ("d:day=1", "is not a kind of parameter"),
        ("d:integer=x", "parameter \"d\" is not an integer"),
        ("e=1", "parameter \"d\" has no value"),
    ] {
        let run = sql(&["-c", "SELECT $d", "-p", parameter]);
        assert_eq!(run.status.code(), Some(2), "{parameter}");
        assert!(stderr(&run).contains(expected), "{}", stderr(&run));
    }
}

/// A statement and its parameters are one piece of data, so that a query can move to another process.
#[tokio::test(flavor = "multi_thread")]
async fn a_query_survives_being_written_down() {
    use tributary_engine_core::Engine;
    use tributary_engine_core::engine::{Principal, Query};
    let world = World::tiny().await;
    let parameters =
        json!({"a": 1.50, "b": {"type": "date", "value": "2024-01-01"}, "c": ["x", null]});
    let query = Query {
        principal: Principal::Operator,
        manufacturer: crate::support::tiny(),
        sql: "SELECT $a, $b, $c".to_owned(),
        parameters: serde_json::from_value(parameters).expect("parameters"),
        deadline: None,
    };
    let written = serde_json::to_string(&query).expect("JSON");
    let read: Query = serde_json::from_str(&written).expect("the same");
    assert_eq!(read.parameters, query.parameters);
    assert_eq!(
        world
            .database
            .query(read)
            .await
            .expect("planned")
            .schema
            .fields()
            .len(),
        3
    );
}
