//! Control data: tokens, manufacturers, plugins, saved SQL and what happened to them, in one SQLite file. No row of a
//! manufacturer's data.

mod plugins;
mod records;
mod saved;
mod schema;
mod settings;
mod tokens;

use std::path::Path;
use std::time::Duration;

use sqlx::Row;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions};

use crate::fault::{Error, Result};
use crate::manufacturer::ManufacturerId;

pub use plugins::{NewActivation, PluginRow};
pub use saved::History;
pub use tokens::not_there;

/// The control file of one data folder.
pub struct Control {
    pool: SqlitePool,
}

impl Control {
    const fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    /// Opens the file; creates it, and the tables that it lacks.
    pub async fn open(file: &Path) -> Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(Duration::from_secs(10))
            .foreign_keys(true);
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            .connect_with(options)
            .await
            .map_err(fail)?;
        for statement in schema::STATEMENTS {
            sqlx::query(statement).execute(&pool).await.map_err(fail)?;
        }
        let control = Self { pool };
        for (table, column, alter) in schema::ADDED {
            control.add_column(table, column, alter).await?;
        }
        Ok(control)
    }

    /// Adds a column where the table lacks it.
    async fn add_column(&self, table: &str, column: &str, alter: &'static str) -> Result<()> {
        if self.has_column(table, column).await? {
            return Ok(());
        }
        match sqlx::query(alter).execute(&self.pool).await {
            // Another process may have added it meanwhile.
            Err(_) if self.has_column(table, column).await? => Ok(()),
            altered => altered.map(|_| ()).map_err(fail),
        }
    }

    async fn has_column(&self, table: &str, column: &str) -> Result<bool> {
        let row = sqlx::query("SELECT 1 FROM pragma_table_info(?) WHERE name = ?")
            .bind(table)
            .bind(column)
            .fetch_optional(&self.pool)
            .await
            .map_err(fail)?;
        Ok(row.is_some())
    }

    /// Every manufacturer, in order.
    pub async fn manufacturers(&self) -> Result<Vec<ManufacturerId>> {
        let rows = sqlx::query("SELECT id FROM manufacturers ORDER BY id")
            .fetch_all(&self.pool)
            .await
            .map_err(fail)?;
        rows.into_iter()
            .map(|row| ManufacturerId::try_from(row.get::<String, _>(0)))
            .collect()
    }

    /// Whether this manufacturer exists.
    pub async fn has_manufacturer(&self, id: &ManufacturerId) -> Result<bool> {
        let row = sqlx::query("SELECT 1 FROM manufacturers WHERE id = ?")
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(fail)?;
        Ok(row.is_some())
    }

    /// Adds a manufacturer; says whether it is new.
    pub async fn add_manufacturer(&self, id: &ManufacturerId) -> Result<bool> {
        let made = sqlx::query("INSERT INTO manufacturers (id) VALUES (?) ON CONFLICT DO NOTHING")
            .bind(id.as_str())
            .execute(&self.pool)
            .await
            .map_err(fail)?;
        Ok(made.rows_affected() == 1)
    }
}

/// This instant, as the control file keeps it.
fn now() -> String {
    chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

fn fail(error: sqlx::Error) -> Error {
    Error::internal("read or write control file", error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saved::SavedKind;

    /// What a file from before has in the place of today's table.
    const OLD: [&str; 3] = [
        "INSERT INTO manufacturers (id) VALUES ('acme')",
        "CREATE TABLE saved (
            manufacturer TEXT NOT NULL REFERENCES manufacturers (id),
            kind TEXT NOT NULL,
            name TEXT NOT NULL,
            version INTEGER NOT NULL,
            sql TEXT NOT NULL,
            description TEXT NOT NULL,
            parameters TEXT NOT NULL,
            saved_at TEXT NOT NULL,
            deleted INTEGER NOT NULL,
            PRIMARY KEY (manufacturer, kind, name, version)
        ) STRICT",
        "INSERT INTO saved VALUES ('acme', 'view', 'wins', 1, 'SELECT 1', '', '{}', '2026-01-01T00:00:00Z', 0)",
    ];

    #[tokio::test]
    async fn a_file_from_before_metrics_takes_them() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("control.sqlite");
        let before = Control::open(&file).await.expect("opens");
        // All on one connection: another may prepare a statement with the table in mind that was dropped.
        let mut connection = before.pool().acquire().await.expect("a connection");
        let all = ["DROP TABLE saved"].into_iter().chain(OLD);
        for statement in all {
            let done = sqlx::query(statement).execute(&mut *connection).await;
            done.expect(statement);
        }
        drop(connection);
        before.pool().close().await;

        let acme = ManufacturerId::try_from("acme").expect("an id");
        for opened in 1..=2 {
            let control = Control::open(&file).await.expect("opens");
            let history = control.saved(&acme).await.expect("history");
            let view = history.current(SavedKind::View).next().expect("the view");
            let mut next = view.clone();
            assert_eq!(
                (view.name.as_str(), view.definition.measure),
                ("wins", None)
            );
            assert_eq!(history.metrics.len(), opened - 1);
            next.version = opened as u64;
            next.definition.measure = Some(crate::metric::SHIPPED[0].measure);
            let (kind, seen) = (SavedKind::Metric, history.rows());
            let added = control.add_saved(&acme, kind, &next, seen).await;
            assert!(added.expect("adds"));
            let metrics = control.saved(&acme).await.expect("history").metrics;
            assert_eq!(metrics.last(), Some(&next));
        }
    }
}
