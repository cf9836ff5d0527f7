//! Runs every `tests/sql/*.slt` through the engine's door, in a session of the small data set.

use std::sync::Arc;

use async_trait::async_trait;
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner};

use crate::support::{World, cells, root};

/// One session of the small data set, as the runner wants it.
struct Session(Arc<World>);

#[async_trait]
impl AsyncDB for Session {
    type Error = Told;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, Told> {
        let batches = self.0.query(sql).await.map_err(Told)?;
        let types = vec![DefaultColumnType::Any; batches[0].num_columns()];
        let rows = batches.iter().flat_map(cells).collect();
        Ok(DBOutput::Rows { types, rows })
    }

    async fn shutdown(&mut self) {}
}

/// An error with its code, so that a file can expect either.
#[derive(Debug)]
struct Told(tributary_engine_core::Error);

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.0.fault().code(), self.0.message())
    }
}

impl std::error::Error for Told {}

#[tokio::test(flavor = "multi_thread")]
async fn answers_as_the_sql_files_say() {
    let world = Arc::new(World::tiny().await);
    let mut files: Vec<_> = std::fs::read_dir(root().join("tests/sql"))
        .expect("tests/sql exists")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "slt"))
        .collect();
    files.sort();
    assert!(files.len() >= 4, "the SQL files have gone");
    let mut failed = Vec::new();
    for file in files {
        let mut runner = Runner::new(|| async { Ok(Session(Arc::clone(&world))) });
        if let Err(error) = runner.run_file_async(&file).await {
            failed.push(format!("{}", error.display(false)));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}
