//! A server with a configuration of its own, over a database or as the binary, and sockets that misbehave.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tributary_engine_core::Engine;
use tributary_engine_server::{Config, Listeners, Server};

use crate::support::{World, json};

/// A world behind HTTP, as it was told to be served.
pub struct Public {
    /// Its folder goes with it.
    _world: World,
    pub address: String,
    pub metrics_url: String,
    pub operator: String,
    pub client: reqwest::Client,
    /// Tells it to stop.
    pub stop: Option<oneshot::Sender<()>>,
    /// Ends when the server has.
    pub ended: tokio::task::JoinHandle<()>,
}

impl Public {
    pub async fn tiny(settings: &[(&str, &str)]) -> Self {
        let world = World::tiny().await;
        let api = TcpListener::bind("127.0.0.1:0").await.expect("free port");
        let metrics = TcpListener::bind("127.0.0.1:0").await.expect("free port");
        let address = api.local_addr().expect("bound").to_string();
        let metrics_url = format!("http://{}/metrics", metrics.local_addr().expect("bound"));
        let mut config = Config::default();
        for (name, value) in settings {
            config.set(name, value).expect("a setting");
        }
        let listeners = Listeners {
            api,
            metrics: Some(metrics),
        };
        let operator = world
            .database
            .first_token()
            .expect("first start")
            .to_owned();
        let engine: Arc<dyn Engine> = world.database.clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let server = Server::new(config).expect("a server");
        let ended = tokio::spawn(server.serve(listeners, engine, async {
            let _ = stopped.await;
        }));
        Self {
            _world: world,
            address,
            metrics_url,
            operator,
            client: reqwest::Client::new(),
            stop: Some(stop),
            ended,
        }
    }

    pub fn get(&self, path: &str) -> reqwest::RequestBuilder {
        let url = format!("http://{}{path}", self.address);
        self.client.get(url).bearer_auth(&self.operator)
    }

    pub fn query(&self, keys: &str, sql: &str) -> reqwest::RequestBuilder {
        let url = format!("http://{}/v1/tiny/query{keys}", self.address);
        self.client
            .post(url)
            .bearer_auth(&self.operator)
            .header("content-type", "text/plain")
            .body(sql.to_owned())
    }

    /// An admin's token of a manufacturer.
    pub async fn token(&self, manufacturer: &str) -> String {
        self.token_for(manufacturer, "admin").await
    }

    /// A token of a manufacturer with a role.
    pub async fn token_for(&self, manufacturer: &str, role: &str) -> String {
        let url = format!("http://{}/v1/{manufacturer}/tokens", self.address);
        let request = self.client.post(url).bearer_auth(&self.operator);
        let request = request.header("content-type", "application/json");
        let (status, body) = json(request.body(format!("{{\"role\": \"{role}\"}}"))).await;
        assert_eq!(status, 201, "{body}");
        body["token"].as_str().expect("a token").to_owned()
    }

    /// What the counters say.
    pub async fn counters(&self) -> String {
        let response = self.client.get(&self.metrics_url).send().await;
        response.expect("answered").text().await.expect("text")
    }

    /// The value of one line of the counters; 0 where there is no such line.
    pub async fn counter(&self, line: &str) -> f64 {
        let text = self.counters().await;
        let value = text.lines().find_map(|one| one.strip_prefix(line));
        value.map_or(0.0, |value| value.trim().parse().expect("a number"))
    }

    /// A connection of its own, on which reads give up at last.
    pub fn socket(&self) -> TcpStream {
        let socket = TcpStream::connect(&self.address).expect("a connection");
        let longest = Some(Duration::from_secs(30));
        socket.set_read_timeout(longest).expect("a timeout");
        socket
    }
}

/// Everything that the server still sends, until it closes the connection.
pub fn rest(socket: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let ended = socket.read_to_end(&mut bytes);
    if let Err(error) = ended {
        let is_late = matches!(
            error.kind(),
            std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
        );
        assert!(!is_late, "the connection stays open: {bytes:?}");
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Sends bytes, which the server may not want any more.
pub fn send(socket: &mut TcpStream, text: &str) -> bool {
    socket.write_all(text.as_bytes()).is_ok()
}

/// The binary, serving a folder until it is dropped.
pub struct Process {
    pub child: Child,
    pub lines: Vec<String>,
    log: std::path::PathBuf,
}

impl Process {
    pub fn start(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let log = folder.join("server.log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_tributary"));
        command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .current_dir(folder)
            .env("NO_COLOR", "1")
            .env_remove("TRIBUTARY_DATA")
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log).expect("a log"));
        for (name, value) in environment {
            command.env(name, value);
        }
        let mut child = command.spawn().expect("binary runs");
        let mut out = BufReader::new(child.stdout.take().expect("piped"));
        let mut lines = Vec::new();
        while !lines
            .last()
            .is_some_and(|line: &String| line.starts_with("listening on "))
        {
            let mut line = String::new();
            let read = out.read_line(&mut line).expect("a line");
            let said = || std::fs::read_to_string(&log).unwrap_or_default();
            assert!(read > 0, "the server ended: {lines:?} {}", said());
            lines.push(line.trim_end().to_owned());
        }
        Self { child, lines, log }
    }

    /// What follows a word that it said at its start.
    pub fn said(&self, word: &str) -> &str {
        let found = self.lines.iter().find_map(|line| line.strip_prefix(word));
        found.expect("the server says so").trim()
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).expect("a log")
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(sent.expect("kill runs").success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
