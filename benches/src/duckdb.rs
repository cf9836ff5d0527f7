//! DuckDB in a Python process of its own, asked over a pipe. It measures itself, so that the pipe costs it nothing.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tributary_engine_core::model::{Kind, Table};

use crate::totals::Totals;
use crate::tributary::live_files;
use crate::{Outcome, THREADS, Took, scratch};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/duckdb_peer.py");

/// The process; it ends when this is dropped.
pub struct DuckDb {
    process: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// Version of DuckDB.
    pub version: String,
}

/// A whole answer, and what it took.
pub struct Fetched {
    /// From the SQL text to the last row, in the process.
    pub took: Took,
    /// What the rows add up to.
    pub totals: Totals,
}

impl DuckDb {
    /// Starts the process that `peers/setup.sh` has installed.
    pub fn start() -> Outcome<Self> {
        let python = scratch()?.join("venv/bin/python");
        if !python.exists() {
            return Err("DuckDB is not installed: run benches/peers/setup.sh first".into());
        }
        let mut process = Command::new(python)
            .args([SCRIPT, &THREADS.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let answers = process.stdout.take().ok_or("the process has no output")?;
        let mut started = Self {
            requests: process.stdin.take(),
            process,
            answers: BufReader::new(answers),
            version: String::new(),
        };
        started.version = started.answer()?["version"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        Ok(started)
    }

    /// Asks, and takes every row in.
    pub fn query(&mut self, sql: &str) -> Outcome<Fetched> {
        let requests = self.requests.as_mut().ok_or("the process takes no input")?;
        writeln!(requests, "{}", json!({ "sql": sql }))?;
        let answer = self.answer()?;
        let seconds = |name: &str| {
            let seconds = answer[name].as_f64().ok_or("the answer has no time")?;
            Outcome::Ok(Duration::from_secs_f64(seconds))
        };
        let sums = answer["sums"]
            .as_array()
            .map(|sums| sums.iter().map(Value::as_f64).collect());
        Ok(Fetched {
            took: Took {
                wall: seconds("wall")?,
                cpu: seconds("cpu")?,
            },
            totals: Totals {
                rows: answer["rows"].as_u64().unwrap_or_default(),
                sums: sums.unwrap_or_default(),
            },
        })
    }

    /// A view over the live files of a Delta table, timestamps in DuckDB's own type with a time zone.
    pub fn view_as_stored(&mut self, table: &Table, folder: &Path) -> Outcome<()> {
        self.view(table, folder, |_, name| format!("\"{name}\""))
    }

    /// The same with timestamps in UTC without a zone, which DuckDB takes apart several times faster.
    pub fn view_at_its_best(&mut self, table: &Table, folder: &Path) -> Outcome<()> {
        self.view(table, folder, |kind, name| match kind {
            Kind::Timestamp => format!("make_timestamp(epoch_us(\"{name}\")) AS \"{name}\""),
            _ => format!("\"{name}\""),
        })
    }

    fn view(
        &mut self,
        table: &Table,
        folder: &Path,
        column: impl Fn(Kind, &str) -> String,
    ) -> Outcome<()> {
        let files = live_files(folder)?;
        let files: Vec<String> = files.iter().map(|file| quoted(file)).collect();
        let columns: Vec<String> = table
            .columns
            .iter()
            .map(|each| column(each.kind, &each.name))
            .collect();
        self.query(&format!(
            "CREATE OR REPLACE VIEW {} AS SELECT {} FROM read_parquet([{}])",
            table.name,
            columns.join(", "),
            files.join(", ")
        ))?;
        Ok(())
    }

    fn answer(&mut self) -> Outcome<Value> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err("DuckDB's process ended".into());
        }
        let answer: Value = serde_json::from_str(&line)?;
        match answer["error"].as_str() {
            Some(error) => Err(format!("DuckDB: {error}").into()),
            None => Ok(answer),
        }
    }
}

impl Drop for DuckDb {
    fn drop(&mut self) {
        // The end of its input ends it.
        drop(self.requests.take());
        let _ = self.process.wait();
    }
}

/// A path as an SQL literal.
#[must_use]
pub fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "''"))
}
