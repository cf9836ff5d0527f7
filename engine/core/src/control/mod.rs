//! Control data: tokens, manufacturers and plugin versions, in one SQLite file. No row of a manufacturer's data.

mod saved;
mod schema;
mod tokens;

use std::path::Path;
use std::time::Duration;

use sqlx::Row;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions};

use crate::engine::Principal;
use crate::fault::{Error, Fault, Result};
use crate::limits;
use crate::manufacturer::ManufacturerId;

pub use saved::History;

/// The control file of one data folder.
pub struct Control {
    pool: SqlitePool,
}

/// One uploaded version, as the control file keeps it.
pub struct PluginRow {
    pub name: String,
    pub version: String,
    pub digest: String,
    pub bytes: u64,
    /// Signatures of its functions, as JSON.
    pub functions: String,
    pub uploaded_at: String,
    pub active: bool,
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
        Ok(Self { pool })
    }

    /// Issues the operator's token, unless there is one already: then nobody can learn it again.
    pub async fn first_token(&self) -> Result<Option<String>> {
        let token = tokens::new_token()?;
        let made = sqlx::query(
            "INSERT INTO tokens (hash, manufacturer) SELECT ?, NULL
             WHERE NOT EXISTS (SELECT 1 FROM tokens WHERE manufacturer IS NULL)",
        )
        .bind(tokens::hash(&token))
        .execute(&self.pool)
        .await
        .map_err(fail)?;
        Ok((made.rows_affected() == 1).then_some(token))
    }

    /// Issues a token that belongs to one manufacturer.
    pub async fn issue_token(&self, manufacturer: &ManufacturerId) -> Result<String> {
        let token = tokens::new_token()?;
        sqlx::query("INSERT INTO tokens (hash, manufacturer) VALUES (?, ?)")
            .bind(tokens::hash(&token))
            .bind(manufacturer.as_str())
            .execute(&self.pool)
            .await
            .map_err(fail)?;
        Ok(token)
    }

    /// Who holds a token. Looked up by its hash, so that the time taken says nothing of any stored token.
    pub async fn principal(&self, token: &str) -> Result<Option<Principal>> {
        let row = sqlx::query("SELECT manufacturer FROM tokens WHERE hash = ?")
            .bind(tokens::hash(token))
            .fetch_optional(&self.pool)
            .await
            .map_err(fail)?;
        row.map(|row| match row.get::<Option<String>, _>(0) {
            Some(id) => Ok(Principal::Manufacturer(ManufacturerId::try_from(id)?)),
            None => Ok(Principal::Operator),
        })
        .transpose()
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

    /// Keeps a version as a draft. The same component again is a no-op; another one under its version is refused.
    pub async fn add_plugin(
        &self,
        manufacturer: &ManufacturerId,
        plugin: &PluginRow,
        wasm: &[u8],
    ) -> Result<()> {
        let mut change = self.pool.begin().await.map_err(fail)?;
        let versions: i64 = sqlx::query("SELECT count(*) FROM plugins WHERE manufacturer = ?")
            .bind(manufacturer.as_str())
            .fetch_one(&mut *change)
            .await
            .map_err(fail)?
            .get(0);
        if versions >= limits::PLUGIN_VERSIONS {
            return Err(Error::limit(
                "plugin_versions",
                limits::PLUGIN_VERSIONS,
                versions + 1,
            ));
        }
        sqlx::query("INSERT INTO components (digest, wasm) VALUES (?, ?) ON CONFLICT DO NOTHING")
            .bind(&plugin.digest)
            .bind(wasm)
            .execute(&mut *change)
            .await
            .map_err(fail)?;
        sqlx::query(
            "INSERT INTO plugins (manufacturer, name, version, digest, bytes, functions, uploaded_at)
             VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(manufacturer.as_str())
        .bind(&plugin.name)
        .bind(&plugin.version)
        .bind(&plugin.digest)
        .bind(i64::try_from(plugin.bytes).unwrap_or(i64::MAX))
        .bind(&plugin.functions)
        .bind(&plugin.uploaded_at)
        .execute(&mut *change)
        .await
        .map_err(fail)?;
        let kept: String = sqlx::query(
            "SELECT digest FROM plugins WHERE manufacturer = ? AND name = ? AND version = ?",
        )
        .bind(manufacturer.as_str())
        .bind(&plugin.name)
        .bind(&plugin.version)
        .fetch_one(&mut *change)
        .await
        .map_err(fail)?
        .get(0);
        if kept != plugin.digest {
            return Err(Error::new(
                Fault::Conflict,
                format!(
                    "plugin \"{}\" {} is uploaded already with other content",
                    plugin.name, plugin.version
                ),
            )
            .with_hint(
                "A version never changes. Raise the version in the plugin and upload it again.",
            ));
        }
        change.commit().await.map_err(fail)
    }

    /// Makes one version the active one, in place of the one that was.
    pub async fn activate(
        &self,
        manufacturer: &ManufacturerId,
        name: &str,
        version: &str,
    ) -> Result<()> {
        let changed = sqlx::query(
            "UPDATE plugins SET active = (version = ?3) WHERE manufacturer = ?1 AND name = ?2
             AND EXISTS (SELECT 1 FROM plugins WHERE manufacturer = ?1 AND name = ?2 AND version = ?3)",
        )
        .bind(manufacturer.as_str())
        .bind(name)
        .bind(version)
        .execute(&self.pool)
        .await
        .map_err(fail)?;
        if changed.rows_affected() == 0 {
            return Err(Error::new(
                Fault::Missing,
                format!("plugin {name:?} {version:?} does not exist"),
            )
            .with_hint("List the uploaded versions, or upload this one first."));
        }
        Ok(())
    }

    /// Every version of a manufacturer, by name and time of upload.
    pub async fn plugins(&self, manufacturer: &ManufacturerId) -> Result<Vec<PluginRow>> {
        let rows = sqlx::query(
            "SELECT name, version, digest, bytes, functions, uploaded_at, active FROM plugins
             WHERE manufacturer = ? ORDER BY name, uploaded_at, version",
        )
        .bind(manufacturer.as_str())
        .fetch_all(&self.pool)
        .await
        .map_err(fail)?;
        Ok(rows
            .into_iter()
            .map(|row| PluginRow {
                name: row.get(0),
                version: row.get(1),
                digest: row.get(2),
                bytes: row.get::<i64, _>(3).unsigned_abs(),
                functions: row.get(4),
                uploaded_at: row.get(5),
                active: row.get(6),
            })
            .collect())
    }

    /// The bytes of a component.
    pub async fn component(&self, digest: &str) -> Result<Vec<u8>> {
        let row = sqlx::query("SELECT wasm FROM components WHERE digest = ?")
            .bind(digest)
            .fetch_one(&self.pool)
            .await
            .map_err(fail)?;
        Ok(row.get(0))
    }
}

fn fail(error: sqlx::Error) -> Error {
    Error::internal("read or write control file", error)
}
