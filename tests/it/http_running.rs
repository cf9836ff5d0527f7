//! Queries that run: who sees them, who stops them, and that a reader who goes away stops its own.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::http_support::{Public, rest, send};
use crate::support::json;

const SLOW: &str =
    "SELECT count(*) AS n FROM generate_series(1, 4000000000) AS t (v) WHERE v % 7 = 3";

async fn listed(served: &Public, token: &str, manufacturer: &str) -> Vec<Value> {
    let url = format!("http://{}/v1/{manufacturer}/running", served.address);
    let (status, body) = json(served.client.get(url).bearer_auth(token)).await;
    assert_eq!(status, 200, "{body}");
    body["running"].as_array().expect("a list").clone()
}

/// Waits until so many queries run.
async fn running(served: &Public, count: usize) -> Vec<Value> {
    for _ in 0..500 {
        let list = listed(served, &served.operator, "tiny").await;
        if list.len() == count {
            return list;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("never {count} queries");
}

async fn cancel(served: &Public, token: &str, manufacturer: &str, id: &str) -> (u16, Value) {
    let url = format!("http://{}/v1/{manufacturer}/running/{id}", served.address);
    json(served.client.delete(url).bearer_auth(token)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_is_listed_and_cancelled_by_its_id() {
    let served = Public::tiny(&[
        ("limits.tenant_requests_per_second", "10000"),
        ("limits.address_requests_per_second", "10000"),
    ])
    .await;
    let url = format!("http://{}/v1/other/tables/products", served.address);
    let stored = served.client.post(url).bearer_auth(&served.operator);
    let stored = stored
        .header("content-type", "text/csv")
        .body("product_id,name\nP,x\n");
    assert_eq!(json(stored).await.0, 200);
    let own = served.token("tiny").await;
    let stranger = served.token("other").await;

    let request = served.query("?deadline_ms=100000", SLOW);
    let asked = tokio::spawn(async move { json(request).await });
    let list = running(&served, 1).await;
    let id = list[0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(
        (&list[0]["deadline_ms"], &list[0]["saved_query"]),
        (&100_000.into(), &Value::Null)
    );
    assert!(list[0]["elapsed_ms"].is_u64());
    assert_eq!(listed(&served, &own, "tiny").await.len(), 1);
    assert_eq!(
        listed(&served, &stranger, "other").await.len(),
        0,
        "another manufacturer's list"
    );

    let analyst = served.token_for("tiny", "analyst").await;
    assert_eq!(
        listed(&served, &analyst, "tiny").await.len(),
        0,
        "somebody else's query"
    );
    assert_eq!(cancel(&served, &analyst, "tiny", &id).await.0, 404);

    let (status, body) = cancel(&served, &stranger, "other", &id).await;
    assert_eq!(
        (status, &body["code"]),
        (404, &"missing".into()),
        "another's query is not there"
    );
    assert_eq!(cancel(&served, &stranger, "tiny", &id).await.0, 404);
    assert_eq!(cancel(&served, &own, "tiny", "018f-unknown").await.0, 404);

    let started = Instant::now();
    let (status, body) = cancel(&served, &own, "tiny", &id).await;
    assert_eq!((status, &body["cancelled"]), (200, &true.into()), "{body}");
    let (status, body) = asked.await.expect("answered");
    assert_eq!(
        (status, &body["code"], &body["request_id"]),
        (409, &"conflict".into(), &id.as_str().into()),
        "{body}"
    );
    assert!(started.elapsed() < Duration::from_secs(5));
    running(&served, 0).await;
    assert_eq!(
        cancel(&served, &own, "tiny", &id).await.0,
        404,
        "it runs no more"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_already_answers_is_broken_off_when_it_is_cancelled() {
    let served = Public::tiny(&[]).await;
    let request = served.query(
        "?format=csv",
        "SELECT v FROM generate_series(1, 4000000000) AS t (v)",
    );
    let mut answer = request.send().await.expect("headers");
    assert_eq!(answer.status(), 200);
    let id = answer.headers()["x-request-id"]
        .to_str()
        .expect("text")
        .to_owned();
    assert!(answer.chunk().await.expect("rows").is_some());
    let operator = served.operator.clone();
    assert_eq!(cancel(&served, &operator, "tiny", &id).await.0, 200);
    let ended = loop {
        match answer.chunk().await {
            Ok(Some(_)) => {}
            ended => break ended,
        }
    };
    assert!(ended.is_err(), "the body breaks off");
    running(&served, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_goes_away_stops_its_query() {
    let served = Public::tiny(&[]).await;
    // Before the first row, and in the middle of an answer.
    for sql in [
        SLOW,
        "SELECT v FROM generate_series(1, 4000000000) AS t (v)",
    ] {
        let mut socket = served.socket();
        let head = format!(
            "POST /v1/tiny/query?format=csv HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
             content-type: text/plain\r\ncontent-length: {}\r\n\r\n{sql}",
            served.operator,
            sql.len()
        );
        send(&mut socket, &head);
        running(&served, 1).await;
        drop(socket);
        running(&served, 0).await;
    }
    let mut socket = served.socket();
    send(
        &mut socket,
        "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    );
    assert!(rest(&mut socket).starts_with("HTTP/1.1 200"));
}
