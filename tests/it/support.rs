//! What the tests share: a database in a temporary folder, a served one, and the small data set that is checked by hand.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use futures::StreamExt;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tributary_engine_core::engine::{
    Activate, Answer, Attribute, Declare, Format, Frame, Ingest, OnError, Principal, Query,
    Reading, Receipt, Setup, Upload,
};
use tributary_engine_core::manufacturer::ManufacturerId;
use tributary_engine_core::saved::{Definition, Save, SavedKind};
use tributary_engine_core::{Database, Engine, Error, Options};

/// Tables of the small data set.
pub const TINY: [&str; 10] = [
    "distributors",
    "reps",
    "products",
    "campaigns",
    "leads",
    "revenue",
    "resources",
    "feedback",
    "stages",
    "training",
];

/// The workspace's folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("engine/server is two below the root")
        .to_owned()
}

/// A public data set that lies beside the workspace, or nothing: then the test is skipped.
pub fn public_data(name: &str) -> Option<PathBuf> {
    let folder = root().join("../shared/data").join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    skipped(&format!("data set {name} is not in {}", folder.display()));
    None
}

/// Says that a test cannot be made here, past the capture of the test runner. Where `CI` is set that is a failure.
pub fn skipped(why: &str) {
    assert!(std::env::var("CI").is_err(), "skipped: {why}");
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

/// One of the shipped components.
pub fn shipped(name: &str) -> &'static [u8] {
    let mut all = tributary_engine_server::PLUGINS.into_iter();
    let found = all.find(|(known, _)| *known == name);
    found.map(|(_, wasm)| wasm).expect("a shipped plugin")
}

/// The component of `plugins/hostile`, built once.
pub fn hostile() -> &'static [u8] {
    static COMPONENT: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    COMPONENT.get_or_init(|| {
        let target = std::env::current_exe()
            .expect("path")
            .ancestors()
            .nth(3)
            .expect("target folder")
            .join("guests");
        let built = tributary_sdk_build::build_members(
            &root(),
            &[std::path::Path::new("plugins/hostile")],
            &target,
        );
        let paths = built.unwrap_or_else(|error| panic!("{error}"));
        let mut wasm = std::fs::read(&paths[0]).expect("component");
        // The mode in which an upload takes it.
        let marker = b"TRIBUTARY-MODE-";
        let mut windows = wasm.windows(marker.len());
        let at = windows.position(|window| window == marker).expect("marker");
        wasm[at + marker.len()..][..2].copy_from_slice(b"40");
        wasm
    })
}

/// A database of its own for one test; the folder goes with it.
pub struct World {
    pub database: Arc<Database>,
    pub folder: TempDir,
}

impl World {
    pub async fn empty() -> Self {
        let folder = TempDir::new().expect("temporary folder");
        let options = Options {
            data: folder.path().join("data"),
            threads: Some(2),
            ..Options::default()
        };
        let database = Database::open(options).await.expect("open");
        Self { database, folder }
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A second process, as it were, on the same folder.
    pub async fn reopened(&self, threads: usize) -> Arc<Database> {
        let options = Options {
            data: self.data(),
            threads: Some(threads),
            ..Options::default()
        };
        Database::open(options).await.expect("reopens")
    }

    /// With the small data set as manufacturer `tiny`, and two of the shipped plugins active.
    pub async fn tiny() -> Self {
        let world = Self::empty().await;
        for table in TINY {
            let file = root().join(format!("tests/data/tiny/{table}.csv"));
            let csv = std::fs::read(file).expect("tiny data");
            world.ingest(table, Format::Csv, csv).await.expect(table);
        }
        for name in ["champ", "woe_scorecard"] {
            world.install(shipped(name)).await;
        }
        world
    }

    pub async fn ingest(
        &self,
        table: &str,
        format: Format,
        body: impl Into<Bytes>,
    ) -> Result<Receipt, Error> {
        let ingest = Ingest {
            principal: Principal::Operator,
            manufacturer: tiny(),
            table: table.to_owned(),
            reading: Reading::of(format),
            on_error: OnError::Refuse,
        };
        let body = body.into();
        // Small pieces, as a network hands them over.
        let pieces: Vec<Bytes> = body.chunks(1000).map(Bytes::copy_from_slice).collect();
        self.database
            .ingest(
                ingest,
                futures::stream::iter(pieces.into_iter().map(Ok)).boxed(),
            )
            .await
    }

    pub async fn csv(&self, table: &str, text: &str) -> Result<Receipt, Error> {
        self.ingest(table, Format::Csv, text.to_owned()).await
    }

    pub async fn install(&self, wasm: &[u8]) {
        let upload = Upload {
            principal: Principal::Operator,
            manufacturer: tiny(),
            wasm: Bytes::copy_from_slice(wasm),
        };
        let plugin = self.database.upload(upload).await.expect("upload");
        let activate = Activate {
            principal: Principal::Operator,
            manufacturer: tiny(),
            name: plugin.name,
            version: plugin.version,
            setup: Setup::default(),
        };
        self.database.activate(activate).await.expect("activate");
    }

    /// Adds a column of the manufacturer's own.
    pub async fn declare(&self, table: &str, name: &str, kind: &str) {
        let declare = Declare {
            principal: Principal::Operator,
            manufacturer: tiny(),
            table: table.to_owned(),
            attributes: vec![Attribute {
                name: name.to_owned(),
                kind: kind.to_owned(),
            }],
        };
        self.database.declare(declare).await.expect("a column");
    }

    /// Saves a view.
    pub async fn save_view(&self, name: &str, sql: &str) {
        let save = Save {
            principal: Principal::Operator,
            manufacturer: tiny(),
            kind: SavedKind::View,
            name: name.to_owned(),
            definition: Definition {
                sql: sql.to_owned(),
                description: String::new(),
                parameters: Default::default(),
                measure: None,
            },
        };
        self.database.put(save).await.expect("a view");
    }

    pub async fn query(&self, sql: &str) -> Result<Vec<RecordBatch>, Error> {
        let query = Query {
            principal: Principal::Operator,
            manufacturer: tiny(),
            sql: sql.to_owned(),
            parameters: Default::default(),
            deadline: None,
        };
        let mut answer = self.database.query(query).await?;
        let mut batches = vec![RecordBatch::new_empty(answer.schema.clone())];
        while let Some(frame) = answer.frames.next().await {
            if let Frame::Batch(batch) = frame? {
                batches.push(batch);
            }
        }
        Ok(batches)
    }

    /// The rows of an answer, values separated by `|`.
    pub async fn rows(&self, sql: &str) -> Vec<String> {
        let batches = self
            .query(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        batches
            .iter()
            .flat_map(cells)
            .map(|row| row.join("|"))
            .collect()
    }

    /// The only value of an answer.
    pub async fn value(&self, sql: &str) -> String {
        self.rows(sql).await.concat()
    }
}

/// The rows of an answer as text.
pub async fn text(mut answer: Answer) -> Result<String, Error> {
    let mut lines = Vec::new();
    while let Some(frame) = answer.frames.next().await {
        if let Frame::Batch(batch) = frame? {
            lines.extend(cells(&batch).into_iter().map(|row| row.join("|")));
        }
    }
    Ok(lines.join("\n"))
}

pub fn tiny() -> ManufacturerId {
    ManufacturerId::try_from("tiny").expect("valid")
}

/// A batch as text, row by row.
pub fn cells(batch: &RecordBatch) -> Vec<Vec<String>> {
    let options = arrow::util::display::FormatOptions::new().with_null("NULL");
    let columns: Vec<_> = batch
        .columns()
        .iter()
        .map(|column| {
            arrow::util::display::ArrayFormatter::try_new(column.as_ref(), &options)
                .expect("formats")
        })
        .collect();
    (0..batch.num_rows())
        .map(|row| {
            columns
                .iter()
                .map(|column| column.value(row).to_string())
                .collect()
        })
        .collect()
}

/// A world behind HTTP on a port of its own.
pub struct Served {
    pub world: World,
    pub url: String,
    pub operator: String,
    pub client: reqwest::Client,
}

impl Served {
    pub async fn tiny() -> Self {
        Self::over(World::tiny().await).await
    }

    pub async fn over(world: World) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let operator = world
            .database
            .first_token()
            .expect("first start")
            .to_owned();
        let engine: Arc<dyn Engine> = world.database.clone();
        tokio::spawn(tributary_engine_server::serve(
            listener,
            engine,
            std::future::pending(),
        ));
        Self {
            world,
            url,
            operator,
            client: reqwest::Client::new(),
        }
    }

    pub fn post(&self, path: &str) -> reqwest::RequestBuilder {
        self.client
            .post(format!("{}{path}", self.url))
            .bearer_auth(&self.operator)
    }

    pub async fn sql(&self, sql: &str) -> (u16, serde_json::Value) {
        let body = serde_json::json!({ "sql": sql }).to_string();
        let request = self
            .post("/v1/tiny/query")
            .header("content-type", "application/json")
            .body(body);
        json(request).await
    }
}

/// Sends a request; the status and the body as JSON.
pub async fn json(request: reqwest::RequestBuilder) -> (u16, serde_json::Value) {
    let response = request.send().await.expect("answered");
    let status = response.status().as_u16();
    let text = response.text().await.expect("whole body");
    (
        status,
        serde_json::from_str(&text).unwrap_or_else(|_| serde_json::Value::String(text)),
    )
}

/// Runs the binary.
pub fn tributary(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tributary"))
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .expect("binary runs")
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
