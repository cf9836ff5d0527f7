//! What whoever runs the server sees of it: alive, ready, draining, counters, and a log that keeps its customers' secrets.

use std::time::{Duration, Instant};

use crate::http_support::{Process, Public, rest, send};
use crate::support::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_about_to_stop_says_so_first() {
    let settings = [
        ("http.drain_pause_seconds", "2"),
        ("http.drain_seconds", "20"),
    ];
    let mut served = Public::tiny(&settings).await;
    let (status, body) = json(served.get("/readyz")).await;
    assert_eq!((status, &body["status"]), (200, &"ready".into()));

    let request = served.query(
        "",
        "SELECT count(*) AS n FROM generate_series(1, 60000000) AS t (v) WHERE v % 7 = 3",
    );
    let in_flight = tokio::spawn(async move { json(request).await });
    while served.counter("tributary_queries_running").await < 1.0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let stop = served.stop.take().expect("runs");
    stop.send(()).expect("listens");
    let asked = Instant::now();
    let mut ready = 200;
    while ready == 200 && asked.elapsed() < Duration::from_secs(1) {
        ready = json(served.get("/readyz")).await.0;
    }
    assert_eq!(ready, 503, "not ready while it still takes connections");
    let (status, _) = json(served.query("", "SELECT 1")).await;
    assert_eq!(status, 200, "those who come in the pause are served");
    assert_eq!(json(served.get("/healthz")).await.0, 200, "alive");

    let (status, body) = in_flight.await.expect("answered");
    assert_eq!(status, 200, "what was in flight ends: {body}");
    let longest = Duration::from_secs(15);
    tokio::time::timeout(longest, served.ended)
        .await
        .expect("ends")
        .expect("no panic");
    assert!(asked.elapsed() >= Duration::from_millis(1_900));
    assert!(
        std::net::TcpStream::connect(&served.address).is_err(),
        "and takes nobody any more"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_too_long_is_cut_off_at_the_end() {
    let mut served = Public::tiny(&[("http.drain_seconds", "1")]).await;
    let request = served.query(
        "",
        "SELECT count(*) AS n FROM generate_series(1, 4000000000) AS t (v) WHERE v % 7 = 3",
    );
    let in_flight = tokio::spawn(async move { request.send().await });
    while served.counter("tributary_queries_running").await < 1.0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    served.stop.take().expect("runs").send(()).expect("listens");
    let longest = Duration::from_secs(10);
    tokio::time::timeout(longest, served.ended)
        .await
        .expect("ends")
        .expect("no panic");
    assert!(in_flight.await.expect("no panic").is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_have_templates_and_no_names() {
    let served = Public::tiny(&[]).await;
    assert_eq!(
        json(served.query("", "SELECT 1 AS canary_sql")).await.0,
        200
    );
    assert_eq!(json(served.get("/v1/tiny/leads/canary_lead")).await.0, 404);
    assert_eq!(
        json(served.get("/v1/canary_tenant/settings?canary_key=1"))
            .await
            .0,
        404
    );
    assert_eq!(json(served.get("/canary_path")).await.0, 404);
    let method = reqwest::Method::from_bytes(b"CANARY").expect("a method");
    let url = format!("http://{}/canary", served.address);
    served
        .client
        .request(method, url)
        .send()
        .await
        .expect("answered");
    let text = served.counters().await;
    for line in [
        "tributary_http_requests_total{route=\"/v1/{manufacturer}/query\",method=\"POST\",status=\"2xx\"} 1",
        "tributary_http_requests_total{route=\"/v1/{manufacturer}/leads/{id}\",method=\"GET\",status=\"4xx\"} 1",
        "tributary_http_requests_total{route=\"none\",method=\"GET\",status=\"4xx\"} 1",
        "tributary_http_requests_total{route=\"none\",method=\"other\",status=\"4xx\"} 1",
        "tributary_http_request_seconds_count{route=\"/v1/{manufacturer}/query\"} 1",
        "tributary_queries_running 0",
        "# EOF",
    ] {
        assert!(text.lines().any(|one| one == line), "{line}\n{text}");
    }
    for name in ["canary", "tiny", "CANARY"] {
        assert!(!text.contains(name), "{name}\n{text}");
    }
    assert!(served.counter("tributary_sent_bytes_total").await > 500.0);
    let bare = served
        .client
        .get(format!("http://{}/v1/tiny/settings", served.address));
    assert_eq!(json(bare).await.0, 401);
    let refused = "tributary_refused_total{reason=\"unauthenticated\"}";
    assert_eq!(served.counter(refused).await, 1.0);
    // Not on the address of the API.
    assert_eq!(json(served.get("/metrics")).await.0, 404);
}

/// Every place where a client can put something, with a word that must not come out in the log.
#[test]
fn the_log_of_a_server_keeps_what_clients_say_to_itself() {
    let folder = tempfile::tempdir().expect("folder");
    for level in ["info", "debug"] {
        let filter = format!("warn,tributary={level}");
        let data = format!("data_{level}");
        let server = Process::start(
            folder.path(),
            &["--data", &data, "--log-format", "json"],
            &[("TRIBUTARY_LOG", &filter)],
        );
        let address = server.said("listening on http://").to_owned();
        let token = server.said("operator token:").to_owned();
        let ask = |request: &str, headers: &str, body: &str| {
            let mut socket = std::net::TcpStream::connect(&address).expect("a connection");
            let head = format!(
                "{request} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}",
                body.len()
            );
            send(&mut socket, &head);
            rest(&mut socket)
        };
        let bearer = format!("authorization: Bearer {token}\r\n");
        let csv = format!("{bearer}content-type: text/csv\r\n");
        let plain = format!("{bearer}content-type: text/plain\r\n");
        let stored = ask(
            "POST /v1/acme/tables/products",
            &csv,
            "product_id,name\nP1,canary_value\n",
        );
        assert!(stored.starts_with("HTTP/1.1 200"), "{stored}");
        for (request, headers, body, status) in [
            (
                "POST /v1/acme/tables/products",
                csv.as_str(),
                "product_id,list_price\ncanary_row,canary_price\n",
                400,
            ),
            (
                "POST /v1/acme/query",
                &plain,
                "SELECT name AS canary_column FROM products",
                200,
            ),
            (
                "POST /v1/acme/query",
                &plain,
                "SELECT CAST(name AS INT) FROM products",
                400,
            ),
            ("POST /v1/acme/query", &plain, "SELECT canary_sql FROM", 400),
            (
                "GET /v1/acme/query?sql=SELECT+'canary_url'",
                &bearer,
                "",
                200,
            ),
            ("GET /v1/acme/leads/canary_lead", &bearer, "", 404),
            ("GET /canary_path?canary_key=canary_text", &bearer, "", 404),
            ("GET /v1/canary_tenant/settings", &bearer, "", 404),
            (
                "GET /v1/acme/settings",
                "authorization: Bearer trb_canary_token\r\n",
                "",
                401,
            ),
            (
                "GET /v1/acme/settings",
                "x-canary: canary_header\r\nuser-agent: canary_agent\r\n",
                "",
                401,
            ),
            ("CANARY /v1/acme/settings", &bearer, "", 405),
        ] {
            let answer = ask(request, headers, body);
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status}")),
                "{request}: {answer}"
            );
        }
        server.signal("TERM");
        let mut server = server;
        assert!(server.child.wait().expect("ends").success());
        let log = server.log();
        assert!(log.lines().count() >= 12, "{log}");
        for line in log.lines() {
            let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            assert!(line["level"].is_string(), "{line}");
        }
        assert!(log.contains("/v1/{manufacturer}/query"), "{log}");
        for secret in ["canary", "CANARY", token.as_str()] {
            assert!(
                !log.contains(secret),
                "{level}: {secret} is in the log: {log}"
            );
        }
    }
}

#[test]
fn the_counters_have_an_address_of_their_own_which_is_this_machine() {
    let folder = tempfile::tempdir().expect("folder");
    let server = Process::start(folder.path(), &[], &[]);
    let metrics = server.said("metrics on http://127.0.0.1:");
    let port = metrics.strip_suffix("/metrics").expect("a path");
    let mut socket =
        std::net::TcpStream::connect(format!("127.0.0.1:{port}")).expect("a connection");
    send(
        &mut socket,
        "GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    );
    let answer = rest(&mut socket);
    assert!(answer.contains("tributary_connections_open"), "{answer}");
    drop(server);
    let server = Process::start(folder.path(), &["--set", "metrics.listen="], &[]);
    assert!(!server.lines.iter().any(|line| line.starts_with("metrics")));
}
