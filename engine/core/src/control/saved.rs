//! Saved views, named queries and metrics in the control file: rows are added and never changed.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{Control, fail};
use crate::fault::{Error, Result};
use crate::manufacturer::ManufacturerId;
use crate::saved::{Definition, Saved, SavedKind};

/// Everything that one manufacturer ever saved, by name and version.
#[derive(Default)]
pub struct History {
    pub views: Vec<Saved>,
    pub queries: Vec<Saved>,
    pub metrics: Vec<Saved>,
}

impl History {
    /// All versions of one kind.
    pub fn of(&self, kind: SavedKind) -> &[Saved] {
        match kind {
            SavedKind::View => &self.views,
            SavedKind::Query => &self.queries,
            SavedKind::Metric => &self.metrics,
        }
    }

    /// What is in force: the latest versions that are not deletions.
    pub fn current(&self, kind: SavedKind) -> impl Iterator<Item = &Saved> {
        let all = self.of(kind).iter();
        all.filter(|saved| saved.is_in_force())
    }

    /// All versions of everything.
    pub fn all(&self) -> impl Iterator<Item = &Saved> {
        let all = self.views.iter().chain(&self.queries);
        all.chain(&self.metrics)
    }

    /// How many rows it has, which tells whether somebody added one meanwhile.
    pub const fn rows(&self) -> usize {
        self.views.len() + self.queries.len() + self.metrics.len()
    }

    fn add(&mut self, kind: SavedKind, saved: Saved) {
        match kind {
            SavedKind::View => self.views.push(saved),
            SavedKind::Query => self.queries.push(saved),
            SavedKind::Metric => self.metrics.push(saved),
        }
    }
}

impl Control {
    /// Everything that a manufacturer ever saved.
    pub async fn saved(&self, manufacturer: &ManufacturerId) -> Result<History> {
        let rows = sqlx::query(
            "SELECT kind, name, version, sql, description, parameters, measure, saved_at, deleted,
                    version = max(version) OVER (PARTITION BY kind, name) FROM saved
             WHERE manufacturer = ? ORDER BY name, version",
        )
        .bind(manufacturer.as_str())
        .fetch_all(self.pool())
        .await
        .map_err(fail)?;
        let mut history = History::default();
        for row in rows {
            let kind: String = row.get(0);
            let kind = SavedKind::named(&kind)
                .ok_or_else(|| Error::internal("read saved SQL", format!("kind {kind:?}")))?;
            history.add(kind, saved(&row)?);
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
        let measure = saved.definition.measure.as_ref();
        let measure = measure.map(serde_json::to_string).transpose();
        let measure = measure.map_err(|error| Error::internal("write measure", error))?;
        let added = sqlx::query(
            "INSERT INTO saved (manufacturer, kind, name, version, sql, description, parameters, measure, saved_at, deleted)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10
             WHERE (SELECT count(*) FROM saved WHERE manufacturer = ?1) = ?11",
        )
        .bind(manufacturer.as_str())
        .bind(kind.name())
        .bind(&saved.name)
        .bind(i64::try_from(saved.version).unwrap_or(i64::MAX))
        .bind(&saved.definition.sql)
        .bind(&saved.definition.description)
        .bind(parameters)
        .bind(measure)
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
    let measure: Option<String> = row.get(6);
    let measure = measure.map(|json| serde_json::from_str(&json)).transpose();
    Ok(Saved {
        name: row.get(1),
        version: row.get::<i64, _>(2).unsigned_abs(),
        definition: Definition {
            sql: row.get(3),
            description: row.get(4),
            parameters: serde_json::from_str(&parameters)
                .map_err(|error| Error::internal("read parameters", error))?,
            measure: measure.map_err(|error| Error::internal("read measure", error))?,
        },
        saved_at: row.get(7),
        is_deleted: row.get(8),
        is_current: row.get(9),
        is_shipped: false,
    })
}
