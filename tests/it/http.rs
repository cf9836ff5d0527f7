//! The HTTP contract: formats, errors, tokens, tenants.

use serde_json::{Value, json};

use crate::support::{Served, json as send};

#[tokio::test(flavor = "multi_thread")]
async fn answers_in_json_csv_and_arrow() {
    let served = Served::tiny().await;
    let sql = "SELECT revenue_id, amount, quantity, lead_id, booked_at FROM revenue WHERE distributor_id = 'D2' ORDER BY 1";
    let (status, mut body) = served.sql(sql).await;
    assert_eq!(status, 200);
    body["elapsed_ms"] = Value::Null;
    insta::assert_snapshot!(
        "query_json",
        serde_json::to_string_pretty(&body).expect("JSON")
    );

    let request = |accept: &'static str| {
        served
            .post("/v1/tiny/query")
            .header("accept", accept)
            .body(sql)
    };
    let response = request("text/csv")
        .header("content-type", "text/plain")
        .send()
        .await
        .expect("answered");
    assert_eq!(
        response.headers()["content-type"]
            .to_str()
            .expect("text")
            .split(';')
            .next(),
        Some("text/csv")
    );
    let csv = response.text().await.expect("body");
    assert_eq!(
        csv.lines().next(),
        Some("revenue_id,amount,quantity,lead_id,booked_at")
    );
    assert_eq!(csv.lines().count(), 3);
    assert!(csv.contains("V5,10.0001,2,,"), "{csv}");

    let response = request("application/vnd.apache.arrow.stream")
        .send()
        .await
        .expect("answered");
    let bytes = response.bytes().await.expect("body");
    let reader =
        arrow::ipc::reader::StreamReader::try_new(bytes.as_ref(), None).expect("Arrow stream");
    let rows: usize = reader.map(|batch| batch.expect("batch").num_rows()).sum();
    assert_eq!(rows, 2);

    // A plugin's struct, dictionaries inside, in each format.
    let rule =
        "SELECT champ.qualify(money, 2, 2, 1) AS verdict FROM (VALUES (2), (NULL)) AS t (money)";
    let (status, body) = served.sql(rule).await;
    assert_eq!(
        (status, body["rows"][0]["verdict"]["verdict"].as_str()),
        (200, Some("mql")),
        "{body}"
    );
    assert_eq!(body["plugins"][0]["plugin"], "champ");
    assert_eq!(body["plugins"][0]["rows"], 2);
    for accept in ["text/csv", "application/vnd.apache.arrow.stream"] {
        let response = served
            .post("/v1/tiny/query")
            .header("accept", accept)
            .body(rule)
            .send()
            .await
            .expect("answered");
        assert_eq!(response.status(), 200, "{accept}");
        assert!(!response.bytes().await.expect("whole body").is_empty());
    }

    let response = request("image/png").send().await.expect("answered");
    assert!(response.status().is_client_error());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_answer_streams_and_a_late_error_is_seen() {
    let served = Served::tiny().await;
    let (status, body) = served
        .sql("SELECT v FROM generate_series(1, 200000) AS t (v)")
        .await;
    assert_eq!(
        (
            status,
            body["row_count"].as_u64(),
            body["complete"].as_bool()
        ),
        (200, Some(200_000), Some(true))
    );
    assert_eq!(body["rows"].as_array().map(Vec::len), Some(200_000));
    // The division fails in a late batch, when the status has long been sent: the body must not end as if complete.
    let late =
        json!({ "sql": "SELECT 1 / (v - 900000) AS x FROM generate_series(1, 1000000) AS t (v)" })
            .to_string();
    let request = served
        .post("/v1/tiny/query")
        .header("content-type", "application/json")
        .body(late);
    let response = request.send().await.expect("headers");
    assert_eq!(
        response.status(),
        200,
        "the first rows are on their way before the last are known"
    );
    match response.text().await {
        Ok(text) => assert!(
            !text.contains("\"complete\":true"),
            "a broken answer looks whole"
        ),
        Err(error) => assert!(error.is_body() || error.is_decode(), "{error}"),
    }
    let (status, _) = served.sql("SELECT 1").await;
    assert_eq!(status, 200, "and the next query is right");
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_have_one_body() {
    let served = Served::tiny().await;
    let chain = format!("SELECT 1{}", " + 1".repeat(20_000));
    let nested = format!("SELECT {}1{}", "(".repeat(200), ")".repeat(200));
    let shifts = format!("SELECT 1{}", " << 1".repeat(9_000));
    let cross = format!(
        "SELECT 1 FROM {}",
        (0..300)
            .map(|i| format!("leads a{i}"))
            .collect::<Vec<_>>()
            .join(", ")
    );
    let ctes = (1..=16)
        .map(|i| format!("a{i} AS (SELECT 1 FROM a{} p, a{} q)", i - 1, i - 1))
        .collect::<Vec<_>>();
    let doubling = format!(
        "WITH a0 AS (SELECT 1 FROM leads), {} SELECT 1 FROM a16",
        ctes.join(", ")
    );
    let mut told = String::new();
    for sql in [
        "SELEC 1",
        "",
        "SELECT * FROM nothing",
        "SELECT nothing FROM leads",
        "DELETE FROM leads",
        "SELECT 1; SELECT 2",
        "SELECT CAST(name AS INT) FROM distributors",
        chain.as_str(),
        nested.as_str(),
        "SELECT champ.score(9, 1, 1, 1)",
        shifts.as_str(),
        cross.as_str(),
        doubling.as_str(),
    ] {
        let (status, mut body) = served.sql(sql).await;
        assert!(
            body["request_id"].as_str().is_some_and(|id| id.len() >= 8),
            "{body}"
        );
        body["request_id"] = json!("…");
        told += &format!(
            "{:.60}\n{status} {}\n\n",
            sql,
            serde_json::to_string_pretty(&body).expect("JSON")
        );
    }
    insta::assert_snapshot!("error_bodies", told);

    let (status, body) = send(
        served
            .client
            .delete(format!("{}/v1/tiny/query", served.url))
            .bearer_auth(&served.operator),
    )
    .await;
    assert_eq!((status, body["code"].is_string()), (405, true), "{body}");
    let (status, body) = send(served.client.get(format!("{}/nowhere", served.url))).await;
    assert_eq!((status, body["code"].as_str()), (404, Some("missing")));
    let bad = served
        .post("/v1/tiny/query")
        .header("content-type", "application/json")
        .body("{\"sql\": 1}");
    assert_eq!(send(bad).await.0, 400);
    let unknown = served
        .post("/v1/tiny/query")
        .header("content-type", "application/json")
        .body("{\"sql\":\"SELECT 1\",\"sqll\":1}");
    assert_eq!(send(unknown).await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_and_plugins_arrive_over_http() {
    let served = Served::over(crate::support::World::empty().await).await;
    let table = |name: &str| served.post(&format!("/v1/tiny/tables/{name}"));
    let csv = "product_id,name,list_price\nP1,Pump,10.5\nP2,Valve,\n";
    let (status, body) = send(
        table("products")
            .header("content-type", "text/csv")
            .body(csv),
    )
    .await;
    assert_eq!(status, 200, "{body}");
    insta::assert_snapshot!(
        "receipt",
        serde_json::to_string_pretty(&body).expect("JSON")
    );
    let (status, body) = send(
        table("products")
            .header("content-type", "text/csv")
            .body("product_id,name\nP3\n"),
    )
    .await;
    assert_eq!(
        (status, body["code"].as_str()),
        (400, Some("invalid")),
        "{body}"
    );
    assert_eq!(
        send(
            table("nothing")
                .header("content-type", "text/csv")
                .body(csv)
        )
        .await
        .0,
        404
    );
    assert!(
        (400..500).contains(
            &send(
                table("products")
                    .header("content-type", "image/png")
                    .body(csv)
            )
            .await
            .0
        )
    );

    let wasm = crate::support::shipped("woe_scorecard");
    let (status, plugin) = send(served.post("/v1/tiny/plugins").body(wasm)).await;
    assert_eq!(
        (status, plugin["active"].as_bool()),
        (201, Some(false)),
        "{plugin}"
    );
    let (status, body) = served
        .sql("SELECT woe_scorecard.points('metal', 120, 'referral') AS points")
        .await;
    assert_eq!(status, 404, "a draft is not callable: {body}");
    let version = plugin["version"].as_str().expect("version");
    let (status, _) = send(served.post(&format!(
        "/v1/tiny/plugins/woe_scorecard/versions/{version}/activate"
    )))
    .await;
    assert_eq!(status, 200);
    let (_, body) = served
        .sql("SELECT woe_scorecard.points('metal', 120, 'referral') AS points")
        .await;
    assert_eq!(body["rows"][0]["points"], 504, "{body}");
    let (status, body) = send(served.post("/v1/tiny/plugins").body("no plugin")).await;
    assert_eq!(
        (status, body["code"].as_str()),
        (422, Some("plugin")),
        "{body}"
    );
    let (_, list) = send(
        served
            .client
            .get(format!("{}/v1/tiny/plugins", served.url))
            .bearer_auth(&served.operator),
    )
    .await;
    assert!(list.to_string().contains("woe_scorecard.points"), "{list}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_open_without_a_token_and_tenants_do_not_meet() {
    let served = Served::tiny().await;
    let url = |path: &str| format!("{}{path}", served.url);
    assert_eq!(send(served.client.get(url("/healthz"))).await.0, 200);
    for (method, path) in [
        ("POST", "/v1/query"),
        ("GET", "/v1/query"),
        ("GET", "/v1/tiny/query"),
        ("POST", "/v1/tiny/query"),
        ("POST", "/v1/tiny/tables/leads"),
        ("POST", "/v1/tiny/plugins"),
        ("GET", "/v1/tiny/plugins"),
        ("POST", "/v1/tiny/plugins/champ/versions/1.0.0/activate"),
        ("POST", "/v1/tiny/tokens"),
        ("GET", "/v1/tiny/views"),
        ("PUT", "/v1/tiny/views/a"),
        ("DELETE", "/v1/tiny/queries/a"),
        ("GET", "/v1/tiny/queries/a/rows"),
        ("POST", "/v1/tiny/queries/a/rows"),
    ] {
        let method: reqwest::Method = method.parse().expect("method");
        let bare = served
            .client
            .request(method.clone(), url(path))
            .body("{\"sql\":\"SELECT 1\"}");
        let (status, body) = send(bare).await;
        assert_eq!(
            (status, body["code"].as_str()),
            (401, Some("unauthenticated")),
            "{method} {path}"
        );
        let wrong = served
            .client
            .request(method.clone(), url(path))
            .bearer_auth("trb_0000")
            .body("x");
        assert_eq!(send(wrong).await.0, 401, "{method} {path}");
    }
    // Two manufacturers, a token for one.
    let other = served
        .post("/v1/other/tables/products")
        .header("content-type", "text/csv")
        .body("product_id,name\nP,Secret\n");
    assert_eq!(send(other).await.0, 200);
    let (status, token) = send(served.post("/v1/tiny/tokens")).await;
    assert!(status == 200 || status == 201, "{token}");
    let token = token["token"].as_str().expect("token").to_owned();
    let ask = |path: &str, sql: &str| {
        let body = json!({ "sql": sql }).to_string();
        send(
            served
                .client
                .post(url(path))
                .bearer_auth(&token)
                .header("content-type", "application/json")
                .body(body),
        )
    };
    let (status, body) = ask("/v1/query", "SELECT count(*) AS n FROM leads").await;
    assert_eq!(
        (status, body["rows"][0]["n"].as_u64()),
        (200, Some(7)),
        "{body}"
    );
    let (status, theirs) = ask("/v1/other/query", "SELECT 1").await;
    let (absent_status, absent) = ask("/v1/absent/query", "SELECT 1").await;
    assert_eq!((status, absent_status), (404, 404));
    assert_eq!(
        theirs["message"]
            .as_str()
            .expect("message")
            .replace("other", "absent"),
        absent["message"].as_str().expect("message"),
        "not yours and not there are told apart"
    );
    assert_eq!(
        ask("/v1/query", "SELECT * FROM other.products").await.0,
        404
    );
    assert_eq!(ask("/v1/other/tokens", "").await.0, 404);
    let (status, body) = send(
        served
            .post("/v1/query")
            .header("content-type", "application/json")
            .body("{\"sql\":\"SELECT 1\"}"),
    )
    .await;
    assert_eq!(status, 400);
    assert!(
        body.to_string().contains("tiny"),
        "the choice is named: {body}"
    );
    // Names never become paths.
    for name in ["..", "%2e%2e", "a%2fb", "TINY", "tiny%00", "query"] {
        let (status, body) = send(served.post(&format!("/v1/{name}/query")).body("SELECT 1")).await;
        assert!((400..500).contains(&status), "{name}: {body}");
    }
}

/// The engine does not rely on its adapters to keep manufacturers apart.
#[tokio::test(flavor = "multi_thread")]
async fn the_engine_itself_refuses_another_manufacturers_principal() {
    use tributary_engine_core::engine::{NewToken, Principal, Query, Role};
    use tributary_engine_core::manufacturer::ManufacturerId;
    use tributary_engine_core::{Engine, Fault};
    let world = crate::support::World::tiny().await;
    let other = ManufacturerId::try_from("other").expect("valid");
    let stranger = Principal::member(other.clone(), Role::Admin);
    let query = Query {
        principal: stranger.clone(),
        manufacturer: crate::support::tiny(),
        sql: "SELECT count(*) FROM leads".to_owned(),
        parameters: Default::default(),
        deadline: None,
    };
    let refused = world.database.query(query).await.err().expect("not theirs");
    assert_eq!(refused.fault(), Fault::Missing);
    let tiny = crate::support::tiny();
    let refused = world
        .database
        .plugins(&stranger, &tiny)
        .await
        .expect_err("not theirs");
    assert_eq!(refused.fault(), Fault::Missing);
    let refused = world
        .database
        .issue_token(NewToken {
            principal: stranger.clone(),
            manufacturer: tiny,
            role: Role::Admin,
            label: String::new(),
            expires_at: None,
        })
        .await
        .err()
        .expect("not theirs");
    assert_eq!(refused.fault(), Fault::Missing);
    assert_eq!(
        world.database.manufacturers(&stranger).await.expect("own"),
        [other]
    );
}
