//! A database behind HTTP, asked as somebody; an answer is all that a client can observe, but for what differs each time.

use std::collections::BTreeMap;
use std::sync::Arc;

use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tributary_engine_core::Engine;
use tributary_engine_core::engine::{NewToken, Principal, Role};

use super::PRINCIPALS;
use super::questions::{Asks, Question};
use crate::support::{World, tiny};

/// One database, and a token for each principal.
pub struct Door {
    url: String,
    client: reqwest::Client,
    tokens: BTreeMap<String, String>,
    _world: World,
}

/// What a client observes.
#[derive(PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    headers: Vec<String>,
    body: Vec<u8>,
}

impl Door {
    pub async fn open(world: World) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let engine: Arc<dyn Engine> = world.database.clone();
        let mut tokens = BTreeMap::new();
        for id in PRINCIPALS {
            let role = Role::Distributor(id.to_owned());
            tokens.insert(id.to_owned(), token(engine.as_ref(), role).await);
        }
        let admin = token(engine.as_ref(), Role::Admin).await;
        tokens.insert("operator".to_owned(), admin);
        let forever = std::future::pending();
        tokio::spawn(tributary_engine_server::serve(listener, engine, forever));
        Self {
            url,
            client: reqwest::Client::new(),
            tokens,
            _world: world,
        }
    }

    pub async fn ask_operator(&self, question: &Question) -> Answer {
        self.ask("operator", question).await
    }

    pub async fn ask(&self, principal: &str, question: &Question) -> Answer {
        let (path, body) = match &question.asks {
            Asks::Sql(sql) => (
                "query".to_owned(),
                json!({"sql": sql, "parameters": question.parameters}),
            ),
            Asks::Named(name) => (
                format!("queries/{name}/rows"),
                json!({"parameters": question.parameters}),
            ),
            Asks::Explain(lead) => return self.explain(principal, lead).await,
        };
        let url = format!("{}/v1/tiny/{path}?format={}", self.url, question.format);
        let request = self.client.post(url).body(body.to_string());
        let request = request.header("content-type", "application/json");
        self.send(principal, request).await
    }

    async fn explain(&self, principal: &str, lead: &str) -> Answer {
        let url = format!("{}/v1/tiny/leads/{lead}/explain", self.url);
        self.send(principal, self.client.get(url)).await
    }

    async fn send(&self, principal: &str, request: reqwest::RequestBuilder) -> Answer {
        let request = request.bearer_auth(&self.tokens[principal]);
        let response = request.send().await.expect("answered");
        let status = response.status().as_u16();
        let headers = lines(response.headers());
        // What was sent before a body breaks off depends on the moment.
        let body = response.bytes().await;
        let body = body.map_or(b"broken off".to_vec(), |body| lasting(&body));
        Answer {
            status,
            headers,
            body,
        }
    }
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn has(&self, text: &str) -> bool {
        self.text().contains(text) || self.headers.iter().any(|line| line.contains(text))
    }

    /// The rows as text in an order of their own, numbers as far as their digits count.
    pub fn rows(&self) -> Vec<String> {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let rows = body["rows"].as_array().cloned().unwrap_or_default();
        let mut rows: Vec<String> = rows.iter().map(row).collect();
        rows.sort();
        rows
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} {:?}", self.status, self.headers)?;
        f.write_str(&self.text())
    }
}

fn row(row: &Value) -> String {
    let cells = row.as_object().cloned().unwrap_or_default();
    let cell = |(name, value): (String, Value)| match value.as_f64() {
        Some(number) if value.is_f64() => format!("{name}={number:.6e}"),
        _ => format!("{name}={value}"),
    };
    cells.into_iter().map(cell).collect::<Vec<_>>().join(" ")
}

async fn token(engine: &dyn Engine, role: Role) -> String {
    let new = NewToken {
        principal: Principal::Operator,
        manufacturer: tiny(),
        role,
        label: String::new(),
        expires_at: None,
    };
    engine.issue_token(new).await.expect("a token").secret
}

/// Headers but for the request's name and the time.
fn lines(headers: &HeaderMap) -> Vec<String> {
    let lasting = |name: &str| !matches!(name, "x-request-id" | "date");
    let lines = headers.iter().filter(|(name, _)| lasting(name.as_str()));
    let mut lines: Vec<String> = lines
        .map(|(name, value)| format!("{name}: {value:?}"))
        .collect();
    lines.sort();
    lines
}

/// A body but for how long it took and the request's name.
fn lasting(body: &[u8]) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(body) else {
        return body.to_vec();
    };
    let mut text = text.to_owned();
    for key in ["elapsed_ms", "elapsed_us", "request_id"] {
        text = without(&text, key);
    }
    text.into_bytes()
}

/// A document with 0 for the values of a key.
fn without(text: &str, key: &str) -> String {
    let key = format!("\"{key}\":");
    let mut parts = text.split(&key);
    let mut left = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find([',', '}']).unwrap_or(part.len());
        left.push_str(&key);
        left.push('0');
        left.push_str(&part[end..]);
    }
    left
}
