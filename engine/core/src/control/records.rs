//! What happened, as rows that are added and never changed: the audit trail, logs of plugins, calls of plugins.

use sqlx::Row;

use super::{Control, fail, now};
use crate::engine::{PluginReceipt, Principal};
use crate::fault::Result;
use crate::limits;
use crate::manufacturer::ManufacturerId;

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

/// How a principal is named in records.
pub fn named(principal: &Principal) -> String {
    match principal {
        Principal::Operator => "operator".to_owned(),
        Principal::Manufacturer(id) => id.to_string(),
    }
}

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
        sqlx::query(
            "INSERT INTO audit (manufacturer, at, principal, action, subject, detail)
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(manufacturer.as_str())
        .bind(now())
        .bind(named(principal))
        .bind(action)
        .bind(subject)
        .bind(detail)
        .execute(self.pool())
        .await
        .map_err(fail)?;
        Ok(())
    }

    /// The newest changes, oldest of them first.
    pub async fn audit_trail(&self, manufacturer: &ManufacturerId) -> Result<Vec<AuditRow>> {
        let rows = sqlx::query(
            "SELECT at, principal, action, subject, detail FROM (
                 SELECT id, at, principal, action, subject, detail FROM audit
                 WHERE manufacturer = ? ORDER BY id DESC LIMIT ?) ORDER BY id",
        )
        .bind(manufacturer.as_str())
        .bind(limits::RECORD_ROWS)
        .fetch_all(self.pool())
        .await
        .map_err(fail)?;
        let rows = rows.into_iter().map(|row| AuditRow {
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
        let added = sqlx::query(
            "INSERT INTO plugin_log (manufacturer, at, plugin, version, level, message)
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(manufacturer.as_str())
        .bind(now())
        .bind(plugin)
        .bind(version)
        .bind(level)
        .bind(message)
        .execute(self.pool())
        .await
        .map_err(fail)?;
        self.trim("plugin_log", manufacturer, added.last_insert_rowid())
            .await
    }

    /// The newest lines of all plugins of a manufacturer, oldest of them first.
    pub async fn plugin_log(&self, manufacturer: &ManufacturerId) -> Result<Vec<LogRow>> {
        let rows = sqlx::query(
            "SELECT at, plugin, version, level, message FROM (
                 SELECT id, at, plugin, version, level, message FROM plugin_log
                 WHERE manufacturer = ? ORDER BY id DESC LIMIT ?) ORDER BY id",
        )
        .bind(manufacturer.as_str())
        .bind(limits::RECORD_ROWS)
        .fetch_all(self.pool())
        .await
        .map_err(fail)?;
        let rows = rows.into_iter().map(|row| LogRow {
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
        let (at, mut last) = (now(), 0);
        let mut change = self.pool().begin().await.map_err(fail)?;
        for receipt in receipts {
            let json = serde_json::to_string(receipt)
                .map_err(|error| crate::fault::Error::internal("write receipt", error))?;
            let added = sqlx::query(
                "INSERT INTO plugin_calls (manufacturer, at, receipt) VALUES (?, ?, ?)",
            )
            .bind(manufacturer.as_str())
            .bind(&at)
            .bind(json)
            .execute(&mut *change)
            .await
            .map_err(fail)?;
            last = added.last_insert_rowid();
        }
        change.commit().await.map_err(fail)?;
        self.trim("plugin_calls", manufacturer, last).await
    }

    /// The newest calls, oldest of them first.
    pub async fn plugin_calls(&self, manufacturer: &ManufacturerId) -> Result<Vec<CallRow>> {
        let rows = sqlx::query(
            "SELECT at, receipt FROM (
                 SELECT id, at, receipt FROM plugin_calls
                 WHERE manufacturer = ? ORDER BY id DESC LIMIT ?) ORDER BY id",
        )
        .bind(manufacturer.as_str())
        .bind(limits::RECORD_ROWS)
        .fetch_all(self.pool())
        .await
        .map_err(fail)?;
        let rows = rows.into_iter().map(|row| {
            let receipt: String = row.get(1);
            Ok(CallRow {
                at: row.get(0),
                receipt: serde_json::from_str(&receipt)
                    .map_err(|error| crate::fault::Error::internal("read receipt", error))?,
            })
        });
        rows.collect()
    }

    /// Every so often, removes the rows of a manufacturer that nobody is shown any more.
    async fn trim(&self, table: &str, manufacturer: &ManufacturerId, last: i64) -> Result<()> {
        if last % limits::RECORD_TRIM_EVERY != 0 {
            return Ok(());
        }
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
