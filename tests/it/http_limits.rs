//! The bounds of a public server: slow peers are cut off, whoever asks too much is told to come back, and the others
//! do not notice.

use std::time::{Duration, Instant};

use futures::future::join_all;

use crate::http_support::{Public, rest, send};
use crate::support::json;

/// Runs for seconds, and can be stopped between two batches.
const SLOW: &str =
    "SELECT count(*) AS n FROM generate_series(1, 4000000000) AS t (v) WHERE v % 7 = 3";

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_head_is_cut_off_and_an_idle_connection_is_kept_for_as_long_as_it_says() {
    let settings = [
        ("limits.request_head_seconds", "1"),
        ("limits.keep_alive_seconds", "3"),
    ];
    let served = Public::tiny(&settings).await;
    // One byte now and then is no progress.
    let mut slow = served.socket();
    let started = Instant::now();
    send(&mut slow, "GET /healthz HTTP/1.1\r\nhost: x\r\n");
    let mut lived = Duration::ZERO;
    while send(&mut slow, "x") && lived < Duration::from_secs(20) {
        tokio::time::sleep(Duration::from_millis(50)).await;
        lived = started.elapsed();
    }
    assert!(lived >= Duration::from_millis(800), "{lived:?}");
    assert!(lived < Duration::from_secs(10), "{lived:?}");
    assert!(
        served
            .counter("tributary_refused_total{reason=\"head_slow\"}")
            .await
            >= 1.0
    );

    // Between two requests the other bound holds.
    let mut kept = served.socket();
    send(&mut kept, "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n");
    tokio::time::sleep(Duration::from_millis(1_600)).await;
    let idle = Instant::now();
    send(&mut kept, "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n");
    let answers = rest(&mut kept);
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 2, "{answers}");
    assert!(idle.elapsed() >= Duration::from_millis(2_500));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_body_is_cut_off() {
    let served = Public::tiny(&[("limits.body_idle_seconds", "1")]).await;
    let token = &served.operator;
    for path in ["/v1/tiny/query", "/v1/tiny/tables/products"] {
        let mut slow = served.socket();
        let started = Instant::now();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
             content-type: {}\r\ncontent-length: 1000\r\n\r\nproduct_id",
            if path.ends_with("query") {
                "text/plain"
            } else {
                "text/csv"
            }
        );
        send(&mut slow, &head);
        let answer = rest(&mut slow);
        assert!(started.elapsed() >= Duration::from_millis(900), "{answer}");
        assert!(
            answer.starts_with("HTTP/1.1 504") || answer.starts_with("HTTP/1.1 400"),
            "{answer}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_route_has_its_own_size_of_body() {
    let settings = [
        ("limits.query_body_bytes", "2000"),
        ("limits.ingest_body_bytes", "3000"),
        ("limits.other_body_bytes", "1500"),
        ("limits.plugin_bytes", "2500"),
    ];
    let served = Public::tiny(&settings).await;
    for (path, limit, bytes) in [
        ("query", "query_body_bytes", 2_000),
        ("tables/products", "ingest_body_bytes", 3_000),
        ("leads/L1/feedback", "other_body_bytes", 1_500),
        ("plugins", "plugin_bytes", 2_500),
    ] {
        let post = |body: reqwest::Body| {
            let url = format!("http://{}/v1/tiny/{path}", served.address);
            let content_type = if path.starts_with("tables") {
                "text/csv"
            } else {
                "text/plain"
            };
            let request = served.client.post(url).bearer_auth(&served.operator);
            json(request.header("content-type", content_type).body(body))
        };
        let text = format!("product_id,name\n{}", "P,x\n".repeat(1_000));
        let announced = post(text.clone().into()).await;
        assert_eq!(announced.0, 413, "{path}: {}", announced.1);
        let message = announced.1["message"].to_string();
        assert!(
            message.contains(limit) && message.contains(&bytes.to_string()),
            "{message}"
        );
        // Without an announcement it is cut off where it gets too long.
        let content_type = if path.starts_with("tables") {
            "text/csv"
        } else {
            "text/plain"
        };
        let mut socket = served.socket();
        let head = format!(
            "POST /v1/tiny/{path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {}\r\n\
             content-type: {content_type}\r\ntransfer-encoding: chunked\r\n\r\n",
            served.operator
        );
        send(&mut socket, &head);
        for piece in text.as_bytes().chunks(100) {
            let piece = String::from_utf8_lossy(piece);
            if !send(&mut socket, &format!("{:x}\r\n{piece}\r\n", piece.len())) {
                break;
            }
        }
        let answer = rest(&mut socket);
        assert!(answer.starts_with("HTTP/1.1 413"), "{path}: {answer}");
        assert!(answer.contains("\"code\":\"limit\""), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_only_so_many_connections() {
    let served = Public::tiny(&[("limits.connections_per_address", "3")]).await;
    let mut kept: Vec<_> = (0..3).map(|_| served.socket()).collect();
    for socket in &mut kept {
        send(socket, "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n");
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let mut more = served.socket();
    send(&mut more, "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n");
    assert_eq!(rest(&mut more), "", "closed without a word");
    drop(kept);
    // A place that is free again is given again.
    let mut answered = String::new();
    for _ in 0..50 {
        let mut next = served.socket();
        send(
            &mut next,
            "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        );
        answered = rest(&mut next);
        if !answered.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(answered.starts_with("HTTP/1.1 200"), "{answered}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_asks_too_often_waits_and_another_does_not() {
    let settings = [
        ("limits.tenant_requests_per_second", "2"),
        ("limits.burst_seconds", "2"),
    ];
    let served = Public::tiny(&settings).await;
    let token = served.token("tiny").await;
    let ask = |token: String| {
        let url = format!("http://{}/v1/tiny/settings", served.address);
        let request = served.client.get(url).bearer_auth(token);
        async { request.send().await.expect("answered") }
    };
    let answers = join_all((0..12).map(|_| ask(token.clone()))).await;
    let refused: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status() == 429)
        .collect();
    assert!((6..=9).contains(&refused.len()), "{} of 12", refused.len());
    for answer in refused {
        assert_eq!(answer.headers()["retry-after"], "1");
    }
    assert_eq!(
        ask(served.operator.clone()).await.status(),
        200,
        "another's rate"
    );
    let told = served
        .counter("tributary_refused_total{reason=\"tenant_rate\"}")
        .await;
    assert!(told >= 6.0, "{told}");
    // Whether the process lives is not a question of rates.
    let url = format!("http://{}/healthz", served.address);
    assert_eq!(
        served
            .client
            .get(url)
            .send()
            .await
            .expect("answered")
            .status(),
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_asks_too_often_is_refused_before_its_token_is_looked_at() {
    let settings = [
        ("limits.address_requests_per_second", "2"),
        ("limits.burst_seconds", "1"),
    ];
    let served = Public::tiny(&settings).await;
    let ask = || {
        let url = format!("http://{}/v1/tiny/settings", served.address);
        let request = served.client.get(url).bearer_auth("trb_forged");
        async { request.send().await.expect("answered").status().as_u16() }
    };
    let answers = join_all((0..10).map(|_| ask())).await;
    let count = |status| answers.iter().filter(|one| **one == status).count();
    assert!((1..=4).contains(&count(401)), "{answers:?}");
    assert_eq!(count(401) + count(429), 10, "{answers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_of_one_manufacturer_and_of_all_are_bounded() {
    let settings = [
        ("limits.tenant_queries", "2"),
        ("limits.queries", "2"),
        ("limits.queries_waiting", "1"),
        ("limits.query_wait_ms", "300"),
    ];
    let served = Public::tiny(&settings).await;
    let running: Vec<_> = (0..2)
        .map(|_| {
            let request = served.query("?deadline_ms=60000", SLOW);
            tokio::spawn(async move { request.send().await })
        })
        .collect();
    while served.counter("tributary_queries_running").await < 2.0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (status, body) = json(served.query("", "SELECT 1")).await;
    assert_eq!((status, &body["code"]), (429, &"busy".into()), "{body}");

    // Another manufacturer has room, but the server does not: it waits for a while, and one more is turned away at once.
    let url = format!("http://{}/v1/other/tables/products", served.address);
    let stored = served.client.post(url).bearer_auth(&served.operator);
    let stored = stored
        .header("content-type", "text/csv")
        .body("product_id,name\nP,x\n");
    assert_eq!(json(stored).await.0, 200);
    let other = || {
        let url = format!("http://{}/v1/other/query", served.address);
        let request = served.client.post(url).bearer_auth(&served.operator);
        request
            .header("content-type", "text/plain")
            .body("SELECT 1")
    };
    let answers = join_all((0..3).map(|_| other().send())).await;
    for answer in answers {
        let answer = answer.expect("answered");
        assert_eq!(answer.status(), 503);
        assert_eq!(answer.headers()["retry-after"], "5");
    }
    assert!(
        served
            .counter("tributary_refused_total{reason=\"query_wait\"}")
            .await
            >= 1.0
    );
    assert!(
        served
            .counter("tributary_refused_total{reason=\"queries_waiting\"}")
            .await
            >= 1.0
    );

    // Once they are gone there is room again: the reader's end is the query's.
    for query in running {
        query.abort();
    }
    let mut status = 0;
    for _ in 0..200 {
        status = json(other()).await.0;
        if status == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(status, 200);
    assert_eq!(served.counter("tributary_queries_running").await, 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_slow_peers_do_not_keep_others_waiting() {
    let served = Public::tiny(&[]).await;
    let head = format!(
        "POST /v1/tiny/query HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: text/plain\r\n",
        served.operator
    );
    // Half of them never end their head, half of them never end their body.
    let peers: Vec<_> = (0..200)
        .map(|number| {
            let mut peer = served.socket();
            send(&mut peer, &head);
            if number % 2 == 0 {
                send(&mut peer, "content-length: 1000\r\n\r\nSELECT");
            }
            peer
        })
        .collect();
    let started = Instant::now();
    let (status, body) = json(served.query("", "SELECT 1 AS one")).await;
    assert_eq!(
        (status, &body["rows"][0]["one"]),
        (200, &1.into()),
        "{body}"
    );
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(served.counter("tributary_connections_open").await >= 200.0);
    drop(peers);
}
