//! How an answer is wanted: packed, cut to a number of rows, by a deadline, and without formulas.

use std::io::Read;

use serde_json::Value;

use crate::http_support::{Public, rest, send};
use crate::support::json;

const MANY: &str =
    "SELECT v, 'some text that repeats' AS t FROM generate_series(1, 50000) AS t (v)";

#[tokio::test(flavor = "multi_thread")]
async fn texts_are_packed_as_the_client_accepts_it() {
    let served = Public::tiny(&[]).await;
    let plain = served
        .query("?format=csv", MANY)
        .send()
        .await
        .expect("answered");
    assert!(plain.headers().get("content-encoding").is_none());
    assert!(
        plain
            .headers()
            .get_all("vary")
            .iter()
            .any(|vary| vary == "accept-encoding")
    );
    let plain = plain.bytes().await.expect("whole body");

    for (format, accepts, coding) in [
        ("csv", "gzip", Some("gzip")),
        ("csv", "gzip, zstd", Some("zstd")),
        ("csv", "br", None),
        ("ndjson", "zstd", Some("zstd")),
        ("json", "gzip;q=0.5", Some("gzip")),
        ("parquet", "gzip, zstd", None),
        ("arrow", "gzip, zstd", None),
    ] {
        let request = served.query(&format!("?format={format}"), MANY);
        let answer = request
            .header("accept-encoding", accepts)
            .send()
            .await
            .expect("answered");
        let said = answer
            .headers()
            .get("content-encoding")
            .map(|value| value.to_str().expect("text").to_owned());
        assert_eq!(said.as_deref(), coding, "{format} {accepts}");
        let packed = answer.bytes().await.expect("whole body");
        let mut unpacked = Vec::new();
        match coding {
            Some("gzip") => flate2::read::GzDecoder::new(packed.as_ref())
                .read_to_end(&mut unpacked)
                .expect("gzip"),
            Some("zstd") => zstd::Decoder::new(packed.as_ref())
                .expect("zstd")
                .read_to_end(&mut unpacked)
                .expect("zstd"),
            _ => packed.as_ref().read_to_end(&mut unpacked).expect("bytes"),
        };
        if format == "csv" {
            assert_eq!(unpacked, plain, "{accepts}");
        }
        if coding.is_some() {
            assert!(
                packed.len() * 4 < unpacked.len(),
                "{format} {accepts}: {}",
                packed.len()
            );
        }
    }
    // Too small to pay, and an error.
    let request = served.query("", "SELEC").header("accept-encoding", "gzip");
    let answer = request.send().await.expect("answered");
    assert!(answer.headers().get("content-encoding").is_none());
    assert!(answer.text().await.expect("text").contains("\"code\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_packed_answer_that_fails_late_does_not_look_whole() {
    let served = Public::tiny(&[]).await;
    let late = "SELECT 1 / (v - 900000) AS x FROM generate_series(1, 1000000) AS t (v)";
    for coding in ["gzip", "zstd"] {
        let request = served
            .query("?format=csv", late)
            .header("accept-encoding", coding);
        let answer = request.send().await.expect("headers");
        assert_eq!(answer.status(), 200);
        assert!(
            answer.bytes().await.is_err(),
            "{coding}: a broken answer looks whole"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn packing_can_be_switched_off() {
    let served = Public::tiny(&[("http.compression", "false")]).await;
    let request = served.query("", MANY).header("accept-encoding", "gzip");
    let answer = request.send().await.expect("answered");
    assert!(answer.headers().get("content-encoding").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_text_of_a_csv_answer_is_a_formula_where_that_is_asked_for() {
    let served = Public::tiny(&[]).await;
    let sql = "SELECT * FROM (VALUES
        ('=1+1', -5, '-12.50'), ('+cmd', 6, 'a=1'), ('-1+1', -7, '+3'), ('@SUM', 8, NULL),
        (chr(9) || 'x', 9, 'x'), (chr(13) || 'x', 10, '')) AS t (\"=name\", number, text)";
    let csv = async |keys: &str| {
        let answer = served.query(keys, sql).send().await.expect("answered");
        assert_eq!(answer.status(), 200, "{keys}");
        answer.text().await.expect("text")
    };
    let neutral = csv("?format=csv&csv_formulas=neutralise").await;
    assert_eq!(
        neutral,
        "'=name,number,text\n'=1+1,-5,-12.50\n'+cmd,6,a=1\n'-1+1,-7,+3\n'@SUM,8,\n'\tx,9,x\n\"'\rx\",10,\n",
        "{neutral:?}"
    );
    let kept = csv("?format=csv").await;
    assert!(
        kept.starts_with("=name,number,text\n=1+1,-5,-12.50\n"),
        "{kept:?}"
    );
    assert_eq!(csv("?format=csv&csv_formulas=keep").await, kept);
    let (status, body) = json(served.query("?csv_formulas=neutralise", sql)).await;
    assert_eq!(
        (status, &body["code"]),
        (400, &"invalid".into()),
        "JSON has no formulas"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_says_whether_there_are_more_rows() {
    let served = Public::tiny(&[]).await;
    let sql = "SELECT v FROM generate_series(1, 20000) AS t (v)";
    for (limit, rows, more) in [
        (1, 1, true),
        (8_192, 8_192, true),
        (19_999, 19_999, true),
        (20_000, 20_000, false),
        (30_000, 20_000, false),
    ] {
        let (status, body) = json(served.query(&format!("?limit={limit}"), sql)).await;
        assert_eq!(status, 200);
        assert_eq!(body["rows"].as_array().map(Vec::len), Some(rows), "{limit}");
        assert_eq!(body["row_count"], rows as u64, "{limit}");
        assert_eq!(
            (&body["more"], &body["complete"]),
            (&more.into(), &true.into()),
            "{limit}"
        );
    }
    let (_, body) = json(served.query("", "SELECT 1 AS one")).await;
    assert_eq!(body.get("more"), None, "without a limit nobody asks");

    // The same by GET, in every format, with the trailer of the transfer.
    for (format, more) in [
        ("csv", "true"),
        ("ndjson", "true"),
        ("json", "true"),
        ("arrow", "true"),
        ("parquet", "true"),
    ] {
        let mut socket = served.socket();
        let path = format!(
            "/v1/tiny/query?format={format}&limit=2&sql=SELECT+v+FROM+generate_series(1,3)+AS+t(v)"
        );
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: x\r\nte: trailers\r\nconnection: close, te\r\nauthorization: Bearer {}\r\n\r\n",
            served.operator
        );
        send(&mut socket, &head);
        let answer = rest(&mut socket);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.contains("x-tributary-limit: 2\r\n"), "{answer}");
        assert!(answer.contains("trailer: x-tributary-more\r\n"), "{answer}");
        assert!(
            answer.ends_with(&format!("0\r\nx-tributary-more: {more}\r\n\r\n")),
            "{format}: {answer}"
        );
    }
    // Packed, the trailer is still the last word.
    let mut socket = served.socket();
    send(
        &mut socket,
        &format!(
            "GET /v1/tiny/query?format=csv&limit=9&sql=SELECT+1 HTTP/1.1\r\nhost: x\r\nte: trailers\r\naccept-encoding: gzip\r\n\
         connection: close, te\r\nauthorization: Bearer {}\r\n\r\n",
            served.operator
        ),
    );
    let answer = rest(&mut socket);
    assert!(
        answer.contains("content-encoding: gzip")
            && answer.ends_with("x-tributary-more: false\r\n\r\n"),
        "{answer}"
    );
    for wrong in ["0", "-1", "x", "1.5", ""] {
        let (status, body) = json(served.query(&format!("?limit={wrong}"), sql)).await;
        assert_eq!(status, 400, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_query_takes_the_same_options() {
    let served = Public::tiny(&[]).await;
    let url = format!("http://{}/v1/tiny/queries/some", served.address);
    let definition = r#"{"sql": "SELECT v, $limit AS said FROM generate_series(1, 5) AS t (v)", "parameters": {"limit": {"type": "text"}}}"#;
    let put = served
        .client
        .put(&url)
        .bearer_auth(&served.operator)
        .body(definition);
    let (status, body) = json(put).await;
    assert_eq!(status, 200, "{body}");
    // A parameter that is named like an option is written with a dollar sign.
    let (status, body) = json(served.get("/v1/tiny/queries/some/rows?limit=2&$limit=none")).await;
    assert_eq!(
        (status, body["rows"].as_array().map(Vec::len)),
        (200, Some(2)),
        "{body}"
    );
    assert_eq!(
        (&body["more"], &body["rows"][0]["said"]),
        (&true.into(), &"none".into())
    );
    let post = served
        .client
        .post(format!("{url}/rows?limit=4&deadline_ms=9000"));
    let post = post
        .bearer_auth(&served.operator)
        .body(r#"{"parameters": {"limit": "x"}}"#);
    let (status, body) = json(post).await;
    assert_eq!(
        (status, body["rows"].as_array().map(Vec::len)),
        (200, Some(4)),
        "{body}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_ends_a_query_by_every_door() {
    let served = Public::tiny(&[]).await;
    let slow = "SELECT count(*) AS n FROM generate_series(1, 400000000) AS t (v) WHERE v % 7 = 3";
    let url = format!("http://{}/v1/tiny/queries/slow", served.address);
    let definition = serde_json::json!({ "sql": slow }).to_string();
    let put = served
        .client
        .put(&url)
        .bearer_auth(&served.operator)
        .body(definition);
    assert_eq!(json(put).await.0, 200);
    let by_url = format!(
        "/v1/tiny/query?deadline_ms=300&sql={}",
        slow.replace(' ', "+").replace('%', "%25")
    );
    for request in [
        served.query("?deadline_ms=300", slow),
        served.get(&by_url),
        served.get("/v1/tiny/queries/slow/rows?deadline_ms=300"),
    ] {
        let started = std::time::Instant::now();
        let (status, body): (u16, Value) = json(request).await;
        assert_eq!((status, &body["code"]), (504, &"timeout".into()), "{body}");
        assert!(started.elapsed().as_secs() < 10);
    }
    let (status, _) = json(served.query("?deadline_ms=20000", "SELECT 1")).await;
    assert_eq!(status, 200);
}
