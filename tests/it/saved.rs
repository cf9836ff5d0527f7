//! Saved views and named queries: over HTTP, in SQL and on the command line.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Served, json as send, root, stderr, stdout, tributary};

async fn ask(served: &Served, method: Method, path: &str, body: Value) -> (u16, Value) {
    let request = served
        .client
        .request(method, format!("{}/v1/tiny/{path}", served.url))
        .bearer_auth(&served.operator);
    match body {
        Value::Null => send(request).await,
        body => {
            let request = request.header("content-type", "application/json");
            send(request.body(body.to_string())).await
        }
    }
}

async fn put(served: &Served, path: &str, body: Value) -> (u16, Value) {
    ask(served, Method::PUT, path, body).await
}

async fn get(served: &Served, path: &str) -> (u16, Value) {
    ask(served, Method::GET, path, Value::Null).await
}

async fn delete(served: &Served, path: &str) -> (u16, Value) {
    ask(served, Method::DELETE, path, Value::Null).await
}

async fn saved(served: &Served, path: &str, body: Value) -> u64 {
    let (status, body) = put(served, path, body).await;
    assert_eq!(status, 200, "{path}: {body}");
    body["version"].as_u64().expect("a version")
}

async fn refused(served: &Served, path: &str, body: Value, status: u16, message: &str) {
    let (got, body) = put(served, path, body).await;
    let told = body["message"].as_str().unwrap_or_default();
    assert!(
        got == status && told.contains(message),
        "{path}: {status} {message}: {got} {body}"
    );
}

/// The values of the only row.
async fn row(served: &Served, sql: &str) -> Vec<Value> {
    let (status, body) = served.sql(sql).await;
    assert_eq!(status, 200, "{sql}: {body}");
    let row = body["rows"][0].as_object().cloned().unwrap_or_default();
    row.into_iter().map(|(_, value)| value).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_reads_like_a_table_and_keeps_its_versions() {
    let served = Served::tiny().await;
    let of = |distributor: &str| json!({"sql": format!("SELECT lead_id, created_at FROM leads WHERE distributor_id = '{distributor}'"), "description": "theirs"});
    assert_eq!(saved(&served, "views/theirs", of("D1")).await, 1);
    assert_eq!(row(&served, "SELECT count(*) FROM theirs").await, [2]);
    assert_eq!(saved(&served, "views/theirs", of("D1")).await, 1, "a no-op");
    assert_eq!(saved(&served, "views/theirs", of("D2")).await, 2);
    assert_eq!(row(&served, "SELECT count(*) FROM tiny.theirs").await, [3]);
    assert_eq!(
        row(
            &served,
            "SELECT count(*) FROM theirs t JOIN leads USING (lead_id)"
        )
        .await,
        [3]
    );
    let (_, answer) = served.sql("SELECT count(*) FROM theirs").await;
    assert_eq!(
        answer["tables"],
        json!({"leads": 1}),
        "the tables behind it"
    );

    let (_, first) = get(&served, "views/theirs?version=1").await;
    assert_eq!(
        (&first["sql"], &first["is_current"]),
        (&of("D1")["sql"], &json!(false))
    );
    let (_, latest) = get(&served, "views/theirs").await;
    assert_eq!(
        (&latest["version"], &latest["description"]),
        (&json!(2), &json!("theirs"))
    );
    assert_eq!(get(&served, "views/theirs?version=3").await.0, 404);
    assert_eq!(get(&served, "views/theirs?version=x").await.0, 400);
    assert_eq!(get(&served, "views/theirs?verison=1").await.0, 400);

    let (status, gone) = delete(&served, "views/theirs").await;
    assert_eq!(
        (status, &gone["version"], &gone["is_deleted"]),
        (200, &json!(3), &json!(true))
    );
    assert_eq!(delete(&served, "views/theirs").await.0, 404);
    assert_eq!(get(&served, "views/theirs").await.0, 404);
    assert_eq!(get(&served, "views/theirs?version=1").await.0, 200);
    assert_eq!(served.sql("SELECT * FROM theirs").await.0, 404);
    let (_, list) = get(&served, "views").await;
    assert_eq!(list, json!({"views": []}));
    assert_eq!(
        saved(&served, "views/theirs", of("D2")).await,
        4,
        "back again"
    );

    let (_, history) = served
        .sql("SELECT name, version, description, is_current, is_deleted, saved_at <= now() AS past FROM saved_views ORDER BY version")
        .await;
    let flags: Vec<String> = history["rows"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| {
            format!(
                "{} {} {} {}",
                row["version"], row["is_current"], row["is_deleted"], row["past"]
            )
        })
        .collect();
    assert_eq!(
        flags,
        [
            "1 false false true",
            "2 false false true",
            "3 false true true",
            "4 true false true"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn views_are_listed_with_the_tables() {
    let served = Served::tiny().await;
    saved(
        &served,
        "views/scored_leads",
        json!({"sql": "SELECT lead_id, champ.score(3, 2, 2, 1) AS score FROM leads"}),
    )
    .await;
    saved(
        &served,
        "views/best",
        json!({"sql": "SELECT max(score) AS best FROM scored_leads"}),
    )
    .await;
    assert_eq!(
        row(&served, "SELECT best FROM best").await,
        [70],
        "plugins behind views are loaded"
    );
    for sql in [
        "SHOW TABLES",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM information_schema.views",
    ] {
        let (status, body) = served.sql(sql).await;
        assert_eq!(status, 200, "{sql}: {body}");
        let text = body["rows"].to_string();
        assert!(
            text.contains("\"best\"") && text.contains("\"scored_leads\""),
            "{sql}: {text}"
        );
    }
    let (_, tables) = served.sql("SHOW TABLES").await;
    assert!(
        tables.to_string().contains("saved_views") && tables.to_string().contains("named_queries")
    );
    let columns = "SELECT string_agg(column_name, ',') FROM information_schema.columns WHERE table_name = 'scored_leads'";
    assert_eq!(row(&served, columns).await, ["lead_id,score"]);
    assert_eq!(served.sql("DESCRIBE best").await.0, 200);
    let (status, body) = served.sql("EXPLAIN SELECT * FROM best").await;
    assert_eq!(status, 200, "{body}");
    let (status, body) = served
        .sql("WITH scored_leads AS (SELECT 1 AS one) SELECT one FROM scored_leads")
        .await;
    assert_eq!((status, &body["rows"][0]["one"]), (200, &json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_a_view_is_refused() {
    let served = Served::tiny().await;
    let one = || json!({"sql": "SELECT 1 AS one"});
    for name in [
        "leads",
        "v_mine",
        "v_lead",
        "saved_views",
        "named_queries",
        "information_schema",
    ] {
        refused(&served, &format!("views/{name}"), one(), 409, "taken").await;
    }
    for name in ["Mine", "1a", "a-b", "%00", "lateral"] {
        let (status, body) = put(&served, &format!("views/{name}"), one()).await;
        assert_eq!(status, 400, "{name}: {body}");
    }
    for (sql, status, message) in [
        ("DELETE FROM leads", 403, "statement DELETE"),
        ("SHOW TABLES", 400, "a view is one SELECT"),
        ("EXPLAIN SELECT 1", 400, "a view is one SELECT"),
        (
            "SELECT nothing FROM leads",
            400,
            "view \"mine\": column \"nothing\"",
        ),
        ("SELECT * FROM nowhere", 404, "nowhere"),
        ("SELECT * FROM other.leads", 404, "other.leads"),
        ("SELECT $a AS a", 400, "a view has no parameters"),
        (
            "SELECT * FROM mine",
            400,
            "view \"mine\" reads itself: mine → mine",
        ),
        (
            "SELECT * FROM information_schema.tables",
            400,
            "information_schema",
        ),
        ("SELECT absent.score(1) AS s", 404, "absent"),
        ("SELEC", 400, ""),
    ] {
        refused(&served, "views/mine", json!({"sql": sql}), status, message).await;
    }
    refused(
        &served,
        "views/mine",
        json!({"sql": "SELECT 1", "limit": 1}),
        400,
        "the body is not a view",
    )
    .await;
    // Around three corners.
    saved(&served, "views/a", one()).await;
    saved(&served, "views/b", json!({"sql": "SELECT * FROM a"})).await;
    saved(&served, "views/c", json!({"sql": "SELECT * FROM b"})).await;
    refused(
        &served,
        "views/a",
        json!({"sql": "SELECT * FROM c"}),
        400,
        "reads itself",
    )
    .await;
    // Twice as large with every step: bounded by what is read, not by what is written.
    saved(
        &served,
        "views/d0",
        json!({"sql": "SELECT lead_id FROM leads"}),
    )
    .await;
    let mut told = (200, Value::Null);
    for step in 1..16 {
        let sql = format!(
            "SELECT x.lead_id FROM d{} AS x JOIN d{} AS y USING (lead_id)",
            step - 1,
            step - 1
        );
        told = put(&served, &format!("views/d{step}"), json!({"sql": sql})).await;
        if told.0 != 200 {
            break;
        }
    }
    assert_eq!(
        (told.0, &told.1["code"]),
        (400, &json!("too_complex")),
        "{}",
        told.1
    );
    // And by how deep they stand.
    saved(&served, "views/e0", one()).await;
    for step in 1..16 {
        let sql = format!("SELECT one FROM e{}", step - 1);
        saved(&served, &format!("views/e{step}"), json!({"sql": sql})).await;
    }
    refused(
        &served,
        "views/e16",
        json!({"sql": "SELECT one FROM e15"}),
        400,
        "saved_view_depth",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_need_stays() {
    let served = Served::tiny().await;
    saved(
        &served,
        "views/base",
        json!({"sql": "SELECT lead_id, region FROM leads"}),
    )
    .await;
    saved(
        &served,
        "views/top",
        json!({"sql": "SELECT region, count(*) AS n FROM base GROUP BY 1"}),
    )
    .await;
    saved(
        &served,
        "queries/in_region",
        json!({"sql": "SELECT n FROM top WHERE region = $region", "parameters": {"region": {"type": "text"}}}),
    )
    .await;
    let (status, body) = delete(&served, "views/base").await;
    assert_eq!(status, 409, "{body}");
    let message = body["message"].as_str().expect("a message");
    assert_eq!(
        message,
        "view \"base\" is needed by view \"top\", query \"in_region\""
    );
    refused(
        &served,
        "views/base",
        json!({"sql": "SELECT lead_id FROM leads"}),
        409,
        "needed by view \"top\"",
    )
    .await;
    let wider = json!({"sql": "SELECT lead_id, region, source FROM v_lead"});
    assert_eq!(
        saved(&served, "views/base", wider).await,
        2,
        "a change that breaks nothing"
    );
    for path in ["queries/in_region", "views/top", "views/base"] {
        let (status, body) = delete(&served, path).await;
        assert_eq!(status, 200, "{path}: {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_query_runs_with_its_parameters() {
    let served = Served::tiny().await;
    let definition = json!({
        "sql": "SELECT lead_id FROM leads WHERE distributor_id = $who AND created_at >= $from ORDER BY 1 LIMIT $most",
        "description": "leads of one",
        "parameters": {
            "who": {"type": "text", "description": "a distributor"},
            "from": {"type": "date", "default": "2024-01-01"},
            "most": {"type": "integer", "default": 10},
        },
    });
    assert_eq!(
        saved(&served, "queries/leads_of", definition.clone()).await,
        1
    );
    assert_eq!(
        saved(&served, "queries/leads_of", definition).await,
        1,
        "a no-op"
    );
    let rows = async |path: &str, body: Value| {
        let method = if body.is_null() {
            Method::GET
        } else {
            Method::POST
        };
        ask(
            &served,
            method,
            &format!("queries/leads_of/rows{path}"),
            body,
        )
        .await
    };
    let ids = |body: &Value| -> Vec<String> {
        let rows = body["rows"].as_array().expect("rows").iter();
        rows.map(|row| row["lead_id"].as_str().expect("text").to_owned())
            .collect()
    };
    let (status, body) = rows("?who=D2", Value::Null).await;
    assert_eq!(
        (status, ids(&body)),
        (200, vec!["L3".to_owned(), "L4".into(), "L5".into()]),
        "{body}"
    );
    let (_, body) = rows("?who=D2&from=2024-02-01&most=1", Value::Null).await;
    assert_eq!(ids(&body), ["L4"]);
    let (_, body) = rows("", json!({"parameters": {"who": "D1", "most": 1}})).await;
    assert_eq!(ids(&body), ["L1"]);
    let (_, body) = rows(
        "",
        json!({"parameters": {"who": {"type": "text", "value": "D3"}}}),
    )
    .await;
    assert_eq!(ids(&body), ["L6"]);
    let csv = served.client.get(format!(
        "{}/v1/tiny/queries/leads_of/rows?who=D1&format=csv",
        served.url
    ));
    let csv = csv
        .bearer_auth(&served.operator)
        .send()
        .await
        .expect("answered");
    assert_eq!(csv.text().await.expect("whole"), "lead_id\nL1\nL2\n");

    for (path, body, message) in [
        ("", Value::Null, "parameter \"who\" has no value"),
        (
            "?who=D1&where=x",
            Value::Null,
            "parameter \"where\" is not one of this query",
        ),
        (
            "?who=D1&from=today",
            Value::Null,
            "parameter \"from\" is not a date: \"today\"",
        ),
        (
            "?who=D1&most=1.5",
            Value::Null,
            "parameter \"most\" is not an integer: \"1.5\"",
        ),
        (
            "?who=D1&who=D2",
            Value::Null,
            "key \"who\" of the URL is given twice",
        ),
        (
            "",
            json!({"parameters": {"who": 5}}),
            "parameter \"who\" is not text: 5",
        ),
        (
            "",
            json!({"parameters": {"who": "D1", "from": {"type": "text", "value": "2024-01-01"}}}),
            "parameter \"from\" is declared as date, not as text",
        ),
    ] {
        let (status, told) = rows(path, body).await;
        assert_eq!(
            (status, told["message"].as_str()),
            (400, Some(message)),
            "{path}"
        );
    }
    assert_eq!(get(&served, "queries/absent/rows").await.0, 404);
    for (definition, message) in [
        (
            json!({"sql": "SELECT $a AS a"}),
            "parameter \"a\" is not declared",
        ),
        (
            json!({"sql": "SELECT $format AS a", "parameters": {"format": {"type": "text"}}}),
            "parameter \"format\" has the name of a key",
        ),
        (
            json!({"sql": "SELECT 1", "parameters": {"a": {"type": "text"}}}),
            "parameter \"a\" is not in the statement",
        ),
        (
            json!({"sql": "SELECT $a AS a", "parameters": {"a": {"type": "date", "default": "soon"}}}),
            "parameter \"a\" is not a date",
        ),
        (
            json!({"sql": "SELECT $a + created_at AS a FROM leads", "parameters": {"a": {"type": "boolean"}}}),
            "",
        ),
        (
            json!({"sql": "SELECT 1", "parameters": {"a": {"type": "day"}}}),
            "the body is not a query",
        ),
    ] {
        refused(&served, "queries/wrong", definition, 400, message).await;
    }
    // An interval without a default is planned too.
    let interval = json!({"sql": "SELECT DATE '2024-01-01' + INTERVAL $n DAY AS d", "parameters": {"n": {"type": "integer"}}});
    saved(&served, "queries/later", interval).await;
    let (status, body) = get(&served, "queries/later/rows?n=30").await;
    assert!(
        status == 200 && body["rows"][0]["d"].to_string().contains("2024-01-31"),
        "{body}"
    );
    let parameters = "SELECT parameters FROM named_queries WHERE name = 'later'";
    let told = row(&served, parameters).await;
    assert_eq!(
        told,
        ["{\"n\":{\"type\":\"integer\",\"description\":\"\"}}"]
    );
    let (_, list) = get(&served, "queries").await;
    assert_eq!(list["queries"].as_array().map(Vec::len), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn manufacturers_do_not_see_each_others() {
    let served = Served::tiny().await;
    let other = served
        .post("/v1/other/tables/products")
        .header("content-type", "text/csv")
        .body("product_id,name\nP,Secret\n");
    assert_eq!(send(other).await.0, 200);
    saved(&served, "views/mine", json!({"sql": "SELECT 1 AS one"})).await;
    saved(&served, "queries/mine", json!({"sql": "SELECT 1 AS one"})).await;
    let (_, token) = send(served.post("/v1/other/tokens")).await;
    let token = token["token"].as_str().expect("a token").to_owned();
    let theirs = async |path: &str| {
        send(
            served
                .client
                .get(format!("{}{path}", served.url))
                .bearer_auth(&token),
        )
        .await
    };
    for path in [
        "/v1/tiny/views",
        "/v1/tiny/views/mine",
        "/v1/tiny/queries/mine/rows",
        "/v1/other/views/mine",
        "/v1/other/queries/mine/rows",
        "/v1/query?sql=SELECT+*+FROM+mine",
        "/v1/query?sql=SELECT+*+FROM+tiny.saved_views",
    ] {
        let (status, body) = theirs(path).await;
        assert_eq!(status, 404, "{path}: {body}");
    }
    for table in ["saved_views", "named_queries"] {
        let (_, body) = theirs(&format!("/v1/query?sql=SELECT+*+FROM+{table}")).await;
        assert_eq!(body["rows"], json!([]), "{table}");
    }
    let (_, body) = theirs("/v1/query?sql=SHOW+TABLES").await;
    assert!(!body.to_string().contains("mine"), "{body}");
    let bare = served.client.get(format!("{}/v1/tiny/views", served.url));
    assert_eq!(send(bare).await.0, 401);
    let (status, body) = served.sql("INSERT INTO saved_views VALUES ('x')").await;
    assert_eq!(status, 403, "{body}");
}

/// A change counts only if nothing was saved since it was checked: no two of them make a circle together.
#[tokio::test(flavor = "multi_thread")]
async fn changes_at_once_leave_no_circle() {
    let served = Served::tiny().await;
    saved(&served, "views/a", json!({"sql": "SELECT 1 AS one"})).await;
    saved(&served, "views/b", json!({"sql": "SELECT 1 AS one"})).await;
    let (first, second) = tokio::join!(
        put(&served, "views/a", json!({"sql": "SELECT one FROM b"})),
        put(&served, "views/b", json!({"sql": "SELECT one FROM a"})),
    );
    let mut statuses = [first.0, second.0];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400], "{} {}", first.1, second.1);
    assert_eq!(row(&served, "SELECT a.one + b.one FROM a, b").await, [2]);
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
    let sql = "SELECT * FROM leads WHERE outcome = 'won'";
    assert_eq!(
        done(&["view", "put", "--data", "d", "won", "-c", sql]),
        "saved view won, version 1\n"
    );
    assert!(done(&["view", "list", "--data", "d"]).contains("won"));
    assert!(done(&["view", "get", "--data", "d", "won"]).contains("\"version\": 1"));
    let sql = "SELECT count(*) AS n FROM leads WHERE distributor_id = $who AND created_at >= $from";
    done(&[
        "query",
        "put",
        "--data",
        "d",
        "count_of",
        "-c",
        sql,
        "-p",
        "who:text",
        "-p",
        "from:date=2024-01-01",
    ]);
    assert!(done(&["query", "list", "--data", "d"]).contains("who:text"));
    let count = [
        "query", "run", "--data", "d", "count_of", "--format", "csv", "-p", "who=D1",
    ];
    assert_eq!(done(&count), "n\n2\n");
    let wrong = run(&["query", "run", "--data", "d", "count_of"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(
        stderr(&wrong).contains("parameter \"who\" has no value"),
        "{}",
        stderr(&wrong)
    );
    assert_eq!(
        done(&["view", "delete", "--data", "d", "won"]),
        "deleted view won; its 1 earlier versions stay readable\n"
    );
    done(&["query", "delete", "--data", "d", "count_of"]);
    assert_eq!(
        run(&["query", "get", "--data", "d", "count_of"])
            .status
            .code(),
        Some(2)
    );
}
