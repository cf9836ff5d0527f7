//! What happened, as rows that are added and never changed: the audit trail, logs of plugins, calls of plugins.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteExecutor};

use super::{Control, fail, now};
use crate::engine::PluginReceipt;
use crate::fault::{Error, Result};
use crate::limits;
use crate::manufacturer::ManufacturerId;
use crate::principal::Principal;

/// One change of control data.
pub struct AuditRow {
    pub at: String,
    pub principal: String,
    pub action: String,
    pub subject: String,
    pub detail: String,
}

/// One line of the log of a plugin.
pub struct LogRow {
    pub at: String,
    pub plugin: String,
    pub version: String,
    pub level: String,
    pub message: String,
}

/// What one function of a plugin did in one query.
pub struct CallRow {
    pub at: String,
    pub receipt: PluginReceipt,
}

/// One kind of record: its table, and what its rows say beside whose they are and when.
struct Kind {
    table: &'static str,
    columns: &'static [&'static str],
}

const AUDIT: Kind = Kind {
    table: "audit",
    columns: &["principal", "action", "subject", "detail"],
};
const LOG: Kind = Kind {
    table: "plugin_log",
    columns: &["plugin", "version", "level", "message"],
};
const CALLS: Kind = Kind {
    table: "plugin_calls",
    columns: &["receipt"],
};

impl Control {
    /// Notes who changed what.
    pub async fn audit(
        &self,
        manufacturer: &ManufacturerId,
        principal: &Principal,
        action: &str,
        subject: &str,
        detail: &str,
    ) -> Result<()> {
        let values = [&principal.to_string(), action, subject, detail];
        AUDIT
            .add(self.pool(), manufacturer, &now(), &values)
            .await?;
        Ok(())
    }

    /// The newest changes, oldest of them first.
    pub async fn audit_trail(&self, manufacturer: &ManufacturerId) -> Result<Vec<AuditRow>> {
        let rows = self.newest(&AUDIT, manufacturer).await?.into_iter();
        let rows = rows.map(|row| AuditRow {
            at: row.get(0),
            principal: row.get(1),
            action: row.get(2),
            subject: row.get(3),
            detail: row.get(4),
        });
        Ok(rows.collect())
    }

    /// Adds a line to the log of a plugin; the oldest lines of a manufacturer go.
    pub async fn log_plugin(
        &self,
        manufacturer: &ManufacturerId,
        (plugin, version): (&str, &str),
        level: &str,
        message: &str,
    ) -> Result<()> {
        let values = [plugin, version, level, message];
        let last = LOG.add(self.pool(), manufacturer, &now(), &values).await?;
        self.trim(&LOG, manufacturer, last).await
    }

    /// The newest lines of all plugins of a manufacturer, oldest of them first.
    pub async fn plugin_log(&self, manufacturer: &ManufacturerId) -> Result<Vec<LogRow>> {
        let rows = self.newest(&LOG, manufacturer).await?.into_iter();
        let rows = rows.map(|row| LogRow {
            at: row.get(0),
            plugin: row.get(1),
            version: row.get(2),
            level: row.get(3),
            message: row.get(4),
        });
        Ok(rows.collect())
    }

    /// Notes what the plugins of a query cost; the oldest rows of a manufacturer go.
    pub async fn note_calls(
        &self,
        manufacturer: &ManufacturerId,
        receipts: &[PluginReceipt],
    ) -> Result<()> {
        if receipts.is_empty() {
            return Ok(());
        }
        let (at, mut last) = (now(), 0);
        let mut change = self.pool().begin().await.map_err(fail)?;
        for receipt in receipts {
            let json = serde_json::to_string(receipt)
                .map_err(|error| Error::internal("write receipt", error))?;
            last = CALLS.add(&mut *change, manufacturer, &at, &[&json]).await?;
        }
        change.commit().await.map_err(fail)?;
        self.trim(&CALLS, manufacturer, last).await
    }

    /// The newest calls, oldest of them first.
    pub async fn plugin_calls(&self, manufacturer: &ManufacturerId) -> Result<Vec<CallRow>> {
        let rows = self.newest(&CALLS, manufacturer).await?.into_iter();
        let rows = rows.map(|row| {
            let receipt: String = row.get(1);
            Ok(CallRow {
                at: row.get(0),
                receipt: serde_json::from_str(&receipt)
                    .map_err(|error| Error::internal("read receipt", error))?,
            })
        });
        rows.collect()
    }

    /// The newest rows of one kind, oldest of them first: when, and then its columns.
    async fn newest(&self, kind: &Kind, manufacturer: &ManufacturerId) -> Result<Vec<SqliteRow>> {
        let (table, columns) = (kind.table, kind.columns.join(", "));
        let statement = format!(
            "SELECT at, {columns} FROM (
                 SELECT id, at, {columns} FROM {table}
                 WHERE manufacturer = ? ORDER BY id DESC LIMIT ?) ORDER BY id"
        );
        sqlx::query(sqlx::AssertSqlSafe(statement))
            .bind(manufacturer.as_str())
            .bind(limits::RECORD_ROWS)
            .fetch_all(self.pool())
            .await
            .map_err(fail)
    }

    /// Every so often, removes the rows of a manufacturer that nobody is shown any more.
    async fn trim(&self, kind: &Kind, manufacturer: &ManufacturerId, last: i64) -> Result<()> {
        if last % limits::RECORD_TRIM_EVERY != 0 {
            return Ok(());
        }
        let table = kind.table;
        let statement = format!(
            "DELETE FROM {table} WHERE manufacturer = ?1 AND id <= (
                 SELECT id FROM {table} WHERE manufacturer = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)"
        );
        sqlx::query(sqlx::AssertSqlSafe(statement))
            .bind(manufacturer.as_str())
            .bind(limits::RECORD_ROWS)
            .execute(self.pool())
            .await
            .map_err(fail)?;
        Ok(())
    }
}

impl Kind {
    /// Adds a row; its number.
    async fn add(
        &self,
        to: impl SqliteExecutor<'_>,
        manufacturer: &ManufacturerId,
        at: &str,
        values: &[&str],
    ) -> Result<i64> {
        let (table, columns) = (self.table, self.columns.join(", "));
        let places = ", ?".repeat(self.columns.len());
        let statement =
            format!("INSERT INTO {table} (manufacturer, at, {columns}) VALUES (?, ?{places})");
        let mut query = sqlx::query(sqlx::AssertSqlSafe(statement))
            .bind(manufacturer.as_str())
            .bind(at);
        for value in values {
            query = query.bind(*value);
        }
        let added = query.execute(to).await.map_err(fail)?;
        Ok(added.last_insert_rowid())
    }
}
