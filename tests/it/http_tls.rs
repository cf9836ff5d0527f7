//! HTTPS with the certificate of the configuration, read again at SIGHUP; and which web pages may call the API.

use std::path::Path;

use crate::http_support::{Process, Public, rest, send};

/// Writes a certificate for this machine and its key; the certificate as PEM.
fn certify(folder: &Path) -> String {
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
    std::fs::write(folder.join("server.pem"), made.cert.pem()).expect("written");
    std::fs::write(folder.join("server.key"), made.signing_key.serialize_pem()).expect("written");
    made.cert.pem()
}

fn trusting(pem: &str) -> reqwest::Client {
    let root = reqwest::Certificate::from_pem(pem.as_bytes()).expect("a certificate");
    let client = reqwest::Client::builder().tls_certs_only([root]);
    client.build().expect("a client")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_a_certificate_speaks_https_and_takes_a_new_one() {
    let folder = tempfile::tempdir().expect("folder");
    let pem = certify(folder.path());
    let arguments = [
        "--set",
        "tls.certificate_file=server.pem",
        "--set",
        "tls.key_file=server.key",
    ];
    let server = Process::start(folder.path(), &arguments, &[]);
    let address = server.said("listening on https://").to_owned();
    let url = format!("https://{address}/healthz");
    let answer = trusting(&pem).get(&url).send().await.expect("answered");
    assert_eq!(answer.status(), 200);
    assert!(
        reqwest::get(&url).await.is_err(),
        "nobody else vouches for it"
    );

    // Who speaks plainly is not answered.
    let mut plain = std::net::TcpStream::connect(&address).expect("a connection");
    send(
        &mut plain,
        "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    );
    assert!(!rest(&mut plain).contains("200"));

    let renewed = certify(folder.path());
    server.signal("HUP");
    let mut status = None;
    for _ in 0..100 {
        let answer = trusting(&renewed).get(&url).send().await;
        status = answer.ok().map(|answer| answer.status().as_u16());
        if status.is_some() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(status, Some(200), "{}", server.log());
    assert!(
        trusting(&pem).get(&url).send().await.is_err(),
        "the old one is gone"
    );

    // A certificate that is no good changes nothing.
    std::fs::write(folder.path().join("server.key"), "no key").expect("written");
    server.signal("HUP");
    for _ in 0..100 {
        if server.log().contains("certificate not replaced") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(
        server.log().contains("certificate not replaced"),
        "{}",
        server.log()
    );
    assert_eq!(
        trusting(&renewed)
            .get(&url)
            .send()
            .await
            .expect("answered")
            .status(),
        200
    );
}

/// The handshake is part of the first head.
#[test]
fn a_handshake_that_does_not_come_is_cut_off() {
    let folder = tempfile::tempdir().expect("folder");
    certify(folder.path());
    let arguments = [
        "--set",
        "tls.certificate_file=server.pem",
        "--set",
        "tls.key_file=server.key",
        "--set",
        "limits.request_head_seconds=1",
    ];
    let server = Process::start(folder.path(), &arguments, &[]);
    let address = server.said("listening on https://").to_owned();
    let mut silent = std::net::TcpStream::connect(address).expect("a connection");
    let longest = std::time::Duration::from_secs(20);
    silent.set_read_timeout(Some(longest)).expect("a timeout");
    let started = std::time::Instant::now();
    rest(&mut silent);
    assert!(started.elapsed() >= std::time::Duration::from_millis(900));
}

#[test]
fn a_server_without_its_certificate_does_not_start() {
    let folder = tempfile::tempdir().expect("folder");
    certify(folder.path());
    std::fs::write(folder.path().join("empty.pem"), "").expect("written");
    for (certificate, key, named) in [
        ("absent.pem", "server.key", "absent.pem"),
        ("empty.pem", "server.key", "empty.pem"),
        ("server.pem", "server.pem", "server.pem"),
    ] {
        let run = crate::support::tributary(
            folder.path(),
            &[
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--set",
                &format!("tls.certificate_file={certificate}"),
                "--set",
                &format!("tls.key_file={key}"),
            ],
        );
        let said = crate::support::stderr(&run);
        assert_eq!(run.status.code(), Some(2), "{said}");
        assert!(said.contains(named), "{said}");
        assert!(
            !folder.path().join("tributary-data").exists(),
            "nothing was made"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_named_origins_may_read_answers() {
    let settings = [
        ("cors.origins", "https://a.example, http://localhost:3000"),
        ("cors.max_age_seconds", "60"),
    ];
    let served = Public::tiny(&settings).await;
    let preflight = |origin: &'static str| {
        let url = format!("http://{}/v1/tiny/query", served.address);
        let request = served
            .client
            .request(reqwest::Method::OPTIONS, url)
            .header("origin", origin);
        request
            .header("access-control-request-method", "POST")
            .send()
    };
    let answer = preflight("https://a.example").await.expect("answered");
    assert_eq!(answer.status(), 204);
    let headers = answer.headers();
    assert_eq!(headers["access-control-allow-origin"], "https://a.example");
    assert_eq!(headers["access-control-max-age"], "60");
    assert!(
        headers["access-control-allow-headers"]
            .to_str()
            .expect("text")
            .contains("authorization")
    );
    assert!(!headers.contains_key("access-control-allow-credentials"));
    for origin in [
        "https://b.example",
        "https://a.example.evil",
        "http://a.example",
        "null",
    ] {
        let answer = preflight(origin).await.expect("answered");
        assert_eq!(answer.status(), 405, "{origin}");
        assert!(
            !answer.headers().contains_key("access-control-allow-origin"),
            "{origin}"
        );
    }
    // On answers too, good and bad ones, and always with Vary.
    for (sql, status) in [("SELECT 1", 200), ("SELEC", 400)] {
        let request = served
            .query("", sql)
            .header("origin", "http://localhost:3000");
        let answer = request.send().await.expect("answered");
        assert_eq!(answer.status(), status);
        assert_eq!(
            answer.headers()["access-control-allow-origin"],
            "http://localhost:3000"
        );
        assert!(
            answer
                .headers()
                .get_all("vary")
                .iter()
                .any(|vary| vary == "origin")
        );
    }
    let other = served
        .query("", "SELECT 1")
        .header("origin", "https://b.example");
    let answer = other.send().await.expect("answered");
    assert!(!answer.headers().contains_key("access-control-allow-origin"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_origins_no_page_may_and_a_wildcard_never_brings_credentials() {
    let served = Public::tiny(&[]).await;
    let request = served
        .query("", "SELECT 1")
        .header("origin", "https://a.example");
    let answer = request.send().await.expect("answered");
    assert!(
        !answer
            .headers()
            .keys()
            .any(|name| name.as_str().starts_with("access-control"))
    );
    let served = Public::tiny(&[("cors.origins", "*")]).await;
    let request = served
        .query("", "SELECT 1")
        .header("origin", "https://a.example");
    let answer = request.send().await.expect("answered");
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    assert!(
        !answer
            .headers()
            .contains_key("access-control-allow-credentials")
    );
    let served = Public::tiny(&[
        ("cors.origins", "https://a.example"),
        ("cors.credentials", "true"),
    ])
    .await;
    let request = served
        .query("", "SELECT 1")
        .header("origin", "https://a.example");
    let answer = request.send().await.expect("answered");
    assert_eq!(answer.headers()["access-control-allow-credentials"], "true");
}
