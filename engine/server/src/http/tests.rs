//! The routes over a real socket, before an engine that says what the test wants to hear.

use std::future::pending;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use async_trait::async_trait;
use futures::stream::{self, StreamExt};
use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;
use tributary_engine_core::engine::{
    Activate, Answer, Body, Decide, Decided, Declare, Declared, Engine, Explain, Explanation,
    Frame, Import, ImportProgress, Imported, Ingest, Issued, LogLine, NewToken, OfPlugin, OfToken,
    PluginDetails, PluginDiff, PluginVersion, Principal, Query, ReadAs, Receipt, Role, Token,
    Trailer, Upload,
};
use tributary_engine_core::manufacturer::ManufacturerId;
use tributary_engine_core::saved::{Named, Run, Save, Saved, SavedKind};
use tributary_engine_core::settings::Settings;
use tributary_engine_core::{Error, Fault, Result};

/// Knows two manufacturers and two tokens; the statement says how its answer goes.
struct Scripted;

fn acme() -> ManufacturerId {
    ManufacturerId::try_from("acme").expect("an id")
}

fn plugin(name: String, version: String, bytes: usize) -> PluginVersion {
    PluginVersion {
        name,
        version,
        digest: "00".to_owned(),
        bytes: bytes as u64,
        functions: vec![],
        uploaded_at: "2026-01-01T00:00:00Z".to_owned(),
        active: false,
        suspended: None,
        config_hash: None,
        applies: Default::default(),
    }
}

fn token() -> Token {
    Token {
        token_id: "0123456789abcdef".to_owned(),
        role: Role::Admin,
        label: String::new(),
        created_at: "2026-01-01T00:00:00Z".to_owned(),
        created_by: "operator".to_owned(),
        expires_at: None,
        revoked_at: None,
    }
}

#[async_trait]
impl Engine for Scripted {
    async fn authenticate(&self, token: &str) -> Result<Principal> {
        match token {
            "operator" => Ok(Principal::Operator),
            "acme" => Ok(Principal::member(acme(), Role::Admin)),
            _ => Err(Error::new(
                Fault::Unauthenticated,
                "nobody issued this token",
            )),
        }
    }

    async fn issue_token(&self, new: NewToken) -> Result<Issued> {
        if new.principal != Principal::Operator {
            return Err(Error::new(Fault::Denied, "this one issues no tokens"));
        }
        Ok(Issued {
            secret: format!("token of {}", new.manufacturer),
            token: token(),
        })
    }

    async fn tokens(&self, _: &Principal, _: &ManufacturerId) -> Result<Vec<Token>> {
        Ok(vec![token()])
    }

    async fn revoke_token(&self, _: OfToken) -> Result<Token> {
        Ok(token())
    }

    async fn rotate_token(&self, of: OfToken) -> Result<Issued> {
        Ok(Issued {
            secret: format!("another of {}", of.manufacturer),
            token: token(),
        })
    }

    async fn query(&self, query: Query) -> Result<Answer> {
        let schema = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, false)]));
        let rows = || {
            let column = Arc::new(Int64Array::from_iter_values(0..10_000));
            Ok(Frame::Batch(
                RecordBatch::try_new(Arc::clone(&schema), vec![column]).expect("one column"),
            ))
        };
        let end = Frame::End(Trailer {
            rows: 10_000,
            ..Trailer::default()
        });
        let frames = match query.sql.as_str() {
            "panic" => panic!("a secret of {}", query.manufacturer),
            "early" => vec![Err(Error::new(Fault::Plugin, "plugin \"x\" trapped"))],
            "late" => vec![
                rows(),
                rows(),
                Err(Error::internal("read file", "disk gone")),
            ],
            "busy" => return Err(Error::new(Fault::Busy, "too many queries")),
            _ => vec![rows(), Ok(end)],
        };
        Ok(Answer {
            schema,
            freshness: [("leads".to_owned(), 7), ("revenue".to_owned(), 3)].into(),
            frames: stream::iter(frames).boxed(),
        })
    }

    async fn ingest(&self, ingest: Ingest, mut body: Body) -> Result<Receipt> {
        let mut bytes = 0;
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| Error::new(Fault::Invalid, error.to_string()))?;
            bytes += chunk.len() as u64;
        }
        Ok(Receipt {
            manufacturer: ingest.manufacturer,
            table: ingest.table,
            rows_in: bytes,
            accepted: bytes,
            rejected: 0,
            inserted: bytes,
            updated: 0,
            unchanged: 0,
            table_version: 1,
            created_manufacturer: false,
            read_as: ReadAs::default(),
        })
    }

    async fn import(&self, _: Import, _: UnboundedSender<ImportProgress>) -> Result<Imported> {
        Err(Error::new(Fault::Internal, "not scripted"))
    }

    async fn declare(&self, _: Declare) -> Result<Declared> {
        Err(Error::new(Fault::Internal, "not scripted"))
    }

    async fn upload(&self, upload: Upload) -> Result<PluginVersion> {
        Ok(plugin(
            "champ".to_owned(),
            "1.0.0".to_owned(),
            upload.wasm.len(),
        ))
    }

    async fn activate(&self, activate: Activate) -> Result<PluginVersion> {
        Ok(plugin(activate.name, activate.version, 1))
    }

    async fn rollback(&self, of: OfPlugin) -> Result<PluginVersion> {
        Ok(plugin(of.name, "0.9.0".to_owned(), 1))
    }

    async fn plugin(&self, _: OfPlugin) -> Result<PluginDetails> {
        Err(Error::new(Fault::Internal, "not scripted"))
    }

    async fn plugin_diff(&self, of: OfPlugin, from: String, to: String) -> Result<PluginDiff> {
        Ok(PluginDiff {
            name: of.name,
            from,
            to,
            changes: Vec::new(),
            same_digest: true,
        })
    }

    async fn plugin_log(&self, _: OfPlugin) -> Result<Vec<LogLine>> {
        Ok(Vec::new())
    }

    async fn decide(&self, _: Decide) -> Result<Vec<Decided>> {
        Ok(Vec::new())
    }

    async fn explain(&self, explain: Explain) -> Result<Explanation> {
        Ok(Explanation {
            lead_id: explain.lead_id,
            decisions: Vec::new(),
        })
    }

    async fn plugins(&self, _: &Principal, _: &ManufacturerId) -> Result<Vec<PluginVersion>> {
        Ok(vec![plugin("champ".to_owned(), "1.0.0".to_owned(), 1)])
    }

    async fn put(&self, save: Save) -> Result<Saved> {
        Err(Error::new(Fault::Conflict, save.name))
    }

    async fn saved(&self, named: Named) -> Result<Saved> {
        Err(Error::new(Fault::Missing, named.name))
    }

    async fn delete(&self, named: Named) -> Result<Saved> {
        Err(Error::new(Fault::Missing, named.name))
    }

    async fn list(&self, _: &Principal, _: &ManufacturerId, _: SavedKind) -> Result<Vec<Saved>> {
        Ok(Vec::new())
    }

    async fn run(&self, run: Run) -> Result<Answer> {
        Err(Error::new(Fault::Missing, run.name))
    }

    async fn settings(&self, _: &Principal, _: &ManufacturerId) -> Result<Settings> {
        Ok(Settings::default())
    }

    async fn set(&self, _: &Principal, _: &ManufacturerId, settings: Settings) -> Result<Settings> {
        Ok(settings)
    }

    async fn manufacturers(&self, _: &Principal) -> Result<Vec<ManufacturerId>> {
        Ok(vec![acme(), ManufacturerId::try_from("borealis")?])
    }
}

/// Serves the scripted engine on a free port for the length of one test.
struct Server {
    address: SocketAddr,
    _runtime: tokio::runtime::Runtime,
}

impl Server {
    fn start() -> Self {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .expect("a free port");
        let address = listener.local_addr().expect("an address");
        runtime.spawn(super::serve(listener, Arc::new(Scripted), pending()));
        Self {
            address,
            _runtime: runtime,
        }
    }

    /// Sends `head` lines and a body; the whole answer as text.
    fn send(&self, request: &str, headers: &[&str], body: &str) -> Reply {
        let mut socket = TcpStream::connect(self.address).expect("a connection");
        let mut head = format!("{request} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
        for header in headers {
            head.push_str(header);
            head.push_str("\r\n");
        }
        if !body.is_empty() {
            head.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        // The server may answer and close before it has read a body that it refuses.
        let _ = socket.write_all(format!("{head}\r\n{body}").as_bytes());
        let mut text = Vec::new();
        let _ = socket.read_to_end(&mut text);
        Reply(String::from_utf8(text).expect("UTF-8"))
    }

    fn query(&self, token: &str, path: &str, sql: &str) -> Reply {
        let token = format!("authorization: Bearer {token}");
        self.send(
            &format!("POST {path}"),
            &[&token, "content-type: text/plain"],
            sql,
        )
    }
}

struct Reply(String);

impl Reply {
    fn status(&self) -> u16 {
        self.0
            .get(9..12)
            .and_then(|status| status.parse().ok())
            .unwrap_or(0)
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.0
            .split("\r\n\r\n")
            .next()?
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    fn json(&self) -> Value {
        let body = self
            .0
            .split_once("\r\n\r\n")
            .map(|(_, body)| body)
            .unwrap_or_default();
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {}", self.0))
    }
}

#[test]
fn every_error_has_one_shape_and_its_request_id() {
    const OPERATOR: &str = "authorization: Bearer operator";
    const CSV: &str = "content-type: text/csv";
    let server = Server::start();
    for (request, headers, body, status, code) in [
        ("GET /nowhere", &[][..], "", 404, "missing"),
        ("DELETE /v1/acme/query", &[][..], "", 405, "invalid"),
        (
            "POST /v1/acme/query",
            &[][..],
            "SELECT 1",
            401,
            "unauthenticated",
        ),
        (
            "POST /v1/acme/query",
            &["authorization: Bearer forged"][..],
            "SELECT 1",
            401,
            "unauthenticated",
        ),
        (
            "POST /v1/ACME/query",
            &[OPERATOR, "content-type: text/plain"][..],
            "SELECT 1",
            400,
            "invalid",
        ),
        (
            "POST /v1/%ff/query",
            &[OPERATOR, "content-type: text/plain"][..],
            "SELECT 1",
            400,
            "invalid",
        ),
        (
            "POST /v1/acme/query",
            &[OPERATOR, "content-type: image/png"][..],
            "SELECT 1",
            415,
            "invalid",
        ),
        (
            "POST /v1/acme/query",
            &[OPERATOR, "content-type: application/json"][..],
            "SELECT 1",
            400,
            "invalid",
        ),
        (
            "POST /v1/acme/query",
            &[OPERATOR, "accept: text/html"][..],
            "SELECT 1",
            406,
            "invalid",
        ),
        (
            "POST /v1/acme/query",
            &[OPERATOR, "content-type: text/plain"][..],
            "busy",
            429,
            "busy",
        ),
        (
            "POST /v1/acme/query",
            &[OPERATOR, "content-type: text/plain"][..],
            "early",
            422,
            "plugin",
        ),
        (
            "POST /v1/acme/query",
            &[OPERATOR, "content-type: text/plain"][..],
            "panic",
            500,
            "internal",
        ),
        (
            "POST /v1/acme/tables/leads",
            &[OPERATOR, "content-type: application/zip"][..],
            "x",
            415,
            "invalid",
        ),
        (
            "POST /v1/acme/tables/leads",
            &[OPERATOR, CSV, "content-encoding: br"][..],
            "x",
            415,
            "invalid",
        ),
        (
            "POST /v1/acme/tables/leads",
            &[OPERATOR, CSV, "content-length: 99999999999"][..],
            "",
            413,
            "limit",
        ),
        (
            "POST /v1/acme/tokens",
            &["authorization: Bearer acme"][..],
            "",
            403,
            "denied",
        ),
    ] {
        let reply = server.send(request, headers, body);
        assert_eq!(reply.status(), status, "{request} {headers:?}: {}", reply.0);
        let json = reply.json();
        assert_eq!(json["code"], code, "{json}");
        assert_eq!(
            json["request_id"].as_str(),
            reply.header("x-request-id"),
            "{json}"
        );
        assert!(!reply.0.contains("secret"), "{json}");
        let keys: Vec<&String> = json.as_object().expect("an object").keys().collect();
        assert_eq!(keys, ["code", "message", "hint", "request_id"]);
    }
    assert_eq!(
        server
            .query("operator", "/v1/acme/query", "SELECT 1")
            .status(),
        200
    );
}

#[test]
fn another_manufacturer_looks_like_none() {
    let server = Server::start();
    let replies = ["/v1/borealis/query", "/v1/nowhere/query"].map(|path| {
        let reply = server.query("acme", path, "SELECT 1");
        let mut json = reply.json();
        json["request_id"].take();
        (
            reply.status(),
            json.to_string().replace("nowhere", "borealis"),
        )
    });
    assert_eq!(replies[0].0, 404);
    assert_eq!(replies[0], replies[1]);
}

#[test]
fn the_short_path_is_for_tokens_of_one_manufacturer() {
    let server = Server::start();
    assert_eq!(server.query("acme", "/v1/query", "SELECT 1").status(), 200);
    let reply = server.query("operator", "/v1/query", "SELECT 1");
    assert_eq!(reply.status(), 400);
    let hint = reply.json()["hint"].to_string();
    assert!(hint.contains("acme, borealis"), "{hint}");
}

#[test]
fn a_whole_answer_says_so_and_a_broken_one_does_not() {
    let server = Server::start();
    let whole = server.query("acme", "/v1/query", "SELECT 1");
    assert_eq!(
        whole.header("x-tributary-tables"),
        Some("leads=7,revenue=3")
    );
    assert_eq!(whole.header("cache-control"), Some("no-store"));
    assert!(whole.0.contains("\"complete\":true") && whole.0.ends_with("\r\n0\r\n\r\n"));

    let broken = server.query("acme", "/v1/query", "late");
    assert!(!broken.0.contains("complete") && !broken.0.ends_with("\r\n0\r\n\r\n"));
}

#[test]
fn files_and_plugins_come_in() {
    let server = Server::start();
    let operator = "authorization: Bearer operator";
    let reply = server.send(
        "POST /v1/acme/tables/leads",
        &[operator, "content-type: text/csv; charset=utf-8"],
        "lead_id\n1\n",
    );
    assert_eq!(
        (reply.status(), &reply.json()["rows_in"]),
        (200, &Value::from(10))
    );

    let reply = server.send("POST /v1/acme/plugins", &[operator], "wasm");
    assert_eq!(
        (reply.status(), &reply.json()["bytes"]),
        (201, &Value::from(4))
    );
    let reply = server.send(
        "POST /v1/acme/plugins/champ/versions/1.0.0/activate",
        &[operator],
        "",
    );
    assert_eq!(
        (reply.status(), &reply.json()["version"]),
        (200, &Value::from("1.0.0"))
    );
    let reply = server.send("POST /v1/acme/plugins/champ/rollback", &[operator], "");
    assert_eq!(
        (reply.status(), &reply.json()["version"]),
        (200, &"0.9.0".into())
    );
    let wrong = "POST /v1/acme/plugins/champ/versions/1.0.0/activate";
    let reply = server.send(wrong, &[operator], "{\"setings\": {}}");
    assert_eq!(
        (reply.status(), &reply.json()["code"]),
        (400, &"invalid".into())
    );
    let reply = server.send(
        "GET /v1/acme/plugins/champ/diff?from=1.0.0",
        &[operator],
        "",
    );
    assert_eq!(reply.status(), 400);
    let reply = server.send(
        "GET /v1/acme/plugins/champ/diff?from=1.0.0&to=1.0.1",
        &[operator],
        "",
    );
    assert_eq!(
        (reply.status(), &reply.json()["to"]),
        (200, &"1.0.1".into())
    );
    let reply = server.send("POST /v1/acme/plugins/champ/run?all=true", &[operator], "");
    assert_eq!(reply.status(), 200);
    let reply = server.send(
        "GET /v1/acme/leads/L1/explain?as_of=yesterday",
        &[operator],
        "",
    );
    assert_eq!(reply.status(), 400);
    let reply = server.send(
        "GET /v1/acme/leads/L1/explain?as_of=2026-01-01T00:00:00Z",
        &[operator],
        "",
    );
    assert_eq!(
        (reply.status(), &reply.json()["lead_id"]),
        (200, &"L1".into())
    );
    let reply = server.send("GET /v1/acme/plugins", &[operator], "");
    assert_eq!(
        (reply.status(), &reply.json()["plugins"][0]["name"]),
        (200, &Value::from("champ"))
    );
    let reply = server.send("POST /v1/acme/tokens", &[operator], "");
    assert_eq!(
        (reply.status(), &reply.json()["token"]),
        (201, &Value::from("token of acme"))
    );
}
