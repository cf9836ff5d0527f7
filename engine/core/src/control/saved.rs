//! Saved views and named queries in the control file: rows are added and never changed.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{Control, fail};
use crate::fault::{Error, Result};
use crate::manufacturer::ManufacturerId;
use crate::saved::{Definition, Saved, SavedKind};

/// Everything that one manufacturer ever saved, by name and version.
pub struct History {
    pub views: Vec<Saved>,
    pub queries: Vec<Saved>,
}

impl History {
    /// All versions of one kind.
    pub fn of(&self, kind: SavedKind) -> &[Saved] {
        match kind {
            SavedKind::View => &self.views,
            SavedKind::Query => &self.queries,
        }
    }

    /// What is in force: the latest versions that are not deletions.
    pub fn current(&self, kind: SavedKind) -> impl Iterator<Item = &Saved> {
        let all = self.of(kind).iter();
        all.filter(|saved| saved.is_current && !saved.is_deleted)
    }

    /// How many rows it has, which tells whether somebody added one meanwhile.
    pub const fn rows(&self) -> usize {
        self.views.len() + self.queries.len()
    }
}

impl Control {
    /// Everything that a manufacturer ever saved.
    pub async fn saved(&self, manufacturer: &ManufacturerId) -> Result<History> {
        let rows = sqlx::query(
            "SELECT kind, name, version, sql, description, parameters, saved_at, deleted,
                    version = max(version) OVER (PARTITION BY kind, name) FROM saved
             WHERE manufacturer = ? ORDER BY name, version",
        )
        .bind(manufacturer.as_str())
        .fetch_all(self.pool())
        .await
        .map_err(fail)?;
        let mut history = History {
            views: Vec::new(),
            queries: Vec::new(),
        };
        for row in rows {
            let saved = saved(&row)?;
            match row.get::<String, _>(0).as_str() {
                "view" => history.views.push(saved),
                _ => history.queries.push(saved),
            }
        }
        Ok(history)
    }

    /// Adds one version, unless the manufacturer's history has grown since it was read; says whether it did.
    pub async fn add_saved(
        &self,
        manufacturer: &ManufacturerId,
        kind: SavedKind,
        saved: &Saved,
        seen: usize,
    ) -> Result<bool> {
        let parameters = serde_json::to_string(&saved.definition.parameters)
            .map_err(|error| Error::internal("write parameters", error))?;
        let added = sqlx::query(
            "INSERT INTO saved (manufacturer, kind, name, version, sql, description, parameters, saved_at, deleted)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9
             WHERE (SELECT count(*) FROM saved WHERE manufacturer = ?1) = ?10",
        )
        .bind(manufacturer.as_str())
        .bind(kind.name())
        .bind(&saved.name)
        .bind(i64::try_from(saved.version).unwrap_or(i64::MAX))
        .bind(&saved.definition.sql)
        .bind(&saved.definition.description)
        .bind(parameters)
        .bind(&saved.saved_at)
        .bind(saved.is_deleted)
        .bind(i64::try_from(seen).unwrap_or(i64::MAX))
        .execute(self.pool())
        .await
        .map_err(fail)?;
        Ok(added.rows_affected() == 1)
    }
}

fn saved(row: &SqliteRow) -> Result<Saved> {
    let parameters: String = row.get(5);
    Ok(Saved {
        name: row.get(1),
        version: row.get::<i64, _>(2).unsigned_abs(),
        definition: Definition {
            sql: row.get(3),
            description: row.get(4),
            parameters: serde_json::from_str(&parameters)
                .map_err(|error| Error::internal("read parameters", error))?,
        },
        saved_at: row.get(6),
        is_deleted: row.get(7),
        is_current: row.get(8),
    })
}
