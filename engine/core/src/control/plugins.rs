//! Plugins in the control file: versions and activations are added and never changed.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{Control, fail};
use crate::fault::{Error, Fault, Result};
use crate::limits;
use crate::manufacturer::ManufacturerId;
use crate::plugin::{Action, Activation, Applies};

/// One uploaded version, as the control file keeps it.
#[derive(Clone)]
pub struct PluginRow {
    pub name: String,
    pub version: String,
    pub digest: String,
    pub bytes: u64,
    /// What it says of itself, as JSON.
    pub manifest: String,
    pub uploaded_at: String,
}

/// An activation to be added.
pub struct NewActivation<'a> {
    pub version: &'a PluginRow,
    pub config_hash: &'a str,
    /// The settings behind the hash, as canonical JSON.
    pub settings: &'a str,
    pub applies: &'a Applies,
    pub action: Action,
    pub by: &'a str,
}

impl Control {
    /// Keeps a version as a draft. The same component again is a no-op; another one under its version is refused.
    pub async fn add_plugin(
        &self,
        manufacturer: &ManufacturerId,
        plugin: &PluginRow,
        wasm: &[u8],
    ) -> Result<()> {
        let mut change = self.pool().begin().await.map_err(fail)?;
        let others: i64 = sqlx::query(
            "SELECT count(*) FROM plugin_versions
             WHERE manufacturer = ? AND (name, version) <> (?, ?)",
        )
        .bind(manufacturer.as_str())
        .bind(&plugin.name)
        .bind(&plugin.version)
        .fetch_one(&mut *change)
        .await
        .map_err(fail)?
        .get(0);
        if others >= limits::PLUGIN_VERSIONS {
            return Err(Error::limit(
                "plugin_versions",
                limits::PLUGIN_VERSIONS,
                others + 1,
            ));
        }
        sqlx::query("INSERT INTO components (digest, wasm) VALUES (?, ?) ON CONFLICT DO NOTHING")
            .bind(&plugin.digest)
            .bind(wasm)
            .execute(&mut *change)
            .await
            .map_err(fail)?;
        sqlx::query(
            "INSERT INTO plugin_versions
                 (manufacturer, name, version, digest, bytes, manifest, uploaded_at)
             VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(manufacturer.as_str())
        .bind(&plugin.name)
        .bind(&plugin.version)
        .bind(&plugin.digest)
        .bind(i64::try_from(plugin.bytes).unwrap_or(i64::MAX))
        .bind(&plugin.manifest)
        .bind(&plugin.uploaded_at)
        .execute(&mut *change)
        .await
        .map_err(fail)?;
        let kept: String = sqlx::query(
            "SELECT digest FROM plugin_versions WHERE manufacturer = ? AND name = ? AND version = ?",
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

    /// Adds an activation, unless another one of the manufacturer came after `seen`; says whether it did. What one plugin
    /// may do depends on what the others do, so one of another plugin counts as well.
    pub async fn add_activation(
        &self,
        manufacturer: &ManufacturerId,
        activation: NewActivation<'_>,
        seen: i64,
    ) -> Result<bool> {
        let applies = serde_json::to_string(activation.applies)
            .map_err(|error| Error::internal("write activation", error))?;
        let mut change = self.pool().begin().await.map_err(fail)?;
        sqlx::query(
            "INSERT INTO plugin_settings (hash, json) VALUES (?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(activation.config_hash)
        .bind(activation.settings)
        .execute(&mut *change)
        .await
        .map_err(fail)?;
        let added = sqlx::query(
            "INSERT INTO plugin_activations
                 (manufacturer, plugin, version, digest, config_hash, applies, action, at, actor)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9
             WHERE coalesce((SELECT max(activation_id) FROM plugin_activations
                             WHERE manufacturer = ?1), 0) = ?10",
        )
        .bind(manufacturer.as_str())
        .bind(&activation.version.name)
        .bind(&activation.version.version)
        .bind(&activation.version.digest)
        .bind(activation.config_hash)
        .bind(applies)
        .bind(activation.action.name())
        .bind(super::now())
        .bind(activation.by)
        .bind(seen)
        .execute(&mut *change)
        .await
        .map_err(fail)?;
        change.commit().await.map_err(fail)?;
        Ok(added.rows_affected() == 1)
    }

    /// Every version of a manufacturer, by name and time of upload.
    pub async fn plugins(&self, manufacturer: &ManufacturerId) -> Result<Vec<PluginRow>> {
        let rows = sqlx::query(
            "SELECT name, version, digest, bytes, manifest, uploaded_at FROM plugin_versions
             WHERE manufacturer = ? ORDER BY name, uploaded_at, version",
        )
        .bind(manufacturer.as_str())
        .fetch_all(self.pool())
        .await
        .map_err(fail)?;
        let rows = rows.into_iter().map(|row| PluginRow {
            name: row.get(0),
            version: row.get(1),
            digest: row.get(2),
            bytes: row.get::<i64, _>(3).unsigned_abs(),
            manifest: row.get(4),
            uploaded_at: row.get(5),
        });
        Ok(rows.collect())
    }

    /// Every activation of a manufacturer, oldest first.
    pub async fn activations(&self, manufacturer: &ManufacturerId) -> Result<Vec<Activation>> {
        let rows = sqlx::query(
            "SELECT activation_id, plugin, version, digest, config_hash, applies, action, at, actor
             FROM plugin_activations WHERE manufacturer = ? ORDER BY activation_id",
        )
        .bind(manufacturer.as_str())
        .fetch_all(self.pool())
        .await
        .map_err(fail)?;
        rows.iter().map(activation).collect()
    }

    /// The activation in force of each of a manufacturer's plugins.
    pub async fn in_force(&self, manufacturer: &ManufacturerId) -> Result<Vec<Activation>> {
        let rows = sqlx::query(
            "SELECT activation_id, plugin, version, digest, config_hash, applies, action, at, actor
             FROM plugin_activations WHERE activation_id IN (
                 SELECT max(activation_id) FROM plugin_activations
                 WHERE manufacturer = ? GROUP BY plugin)
             ORDER BY plugin",
        )
        .bind(manufacturer.as_str())
        .fetch_all(self.pool())
        .await
        .map_err(fail)?;
        rows.iter().map(activation).collect()
    }

    /// The settings behind a hash, as JSON.
    pub async fn settings(&self, hash: &str) -> Result<String> {
        let row = sqlx::query("SELECT json FROM plugin_settings WHERE hash = ?")
            .bind(hash)
            .fetch_one(self.pool())
            .await
            .map_err(fail)?;
        Ok(row.get(0))
    }

    /// The bytes of a component.
    pub async fn component(&self, digest: &str) -> Result<Vec<u8>> {
        let row = sqlx::query("SELECT wasm FROM components WHERE digest = ?")
            .bind(digest)
            .fetch_one(self.pool())
            .await
            .map_err(fail)?;
        Ok(row.get(0))
    }

    /// The version of table `leads` up to which an activation's rule of one kind has decided.
    pub async fn decided_to(&self, activation_id: i64, kind: &str) -> Result<Option<u64>> {
        let row = sqlx::query(
            "SELECT data_version FROM plugin_progress WHERE activation_id = ? AND kind = ?",
        )
        .bind(activation_id)
        .bind(kind)
        .fetch_optional(self.pool())
        .await
        .map_err(fail)?;
        Ok(row.map(|row| row.get::<i64, _>(0).unsigned_abs()))
    }

    /// Notes how far an activation's rule of one kind has decided.
    pub async fn note_decided(&self, activation_id: i64, kind: &str, version: u64) -> Result<()> {
        sqlx::query(
            "INSERT INTO plugin_progress (activation_id, kind, data_version) VALUES (?, ?, ?)
             ON CONFLICT DO UPDATE SET data_version = max(data_version, excluded.data_version)",
        )
        .bind(activation_id)
        .bind(kind)
        .bind(i64::try_from(version).unwrap_or(i64::MAX))
        .execute(self.pool())
        .await
        .map_err(fail)?;
        Ok(())
    }
}

fn activation(row: &SqliteRow) -> Result<Activation> {
    let applies: String = row.get(5);
    Ok(Activation {
        activation_id: row.get(0),
        plugin: row.get(1),
        version: row.get(2),
        digest: row.get(3),
        config_hash: row.get(4),
        applies: serde_json::from_str(&applies)
            .map_err(|error| Error::internal("read activation", error))?,
        action: match row.get::<String, _>(6).as_str() {
            "suspend" => Action::Suspend,
            "rollback" => Action::Rollback,
            _ => Action::Activate,
        },
        at: row.get(7),
        by: row.get(8),
    })
}

#[cfg(test)]
mod tests {
    use super::{Control, PluginRow};
    use crate::fault::Fault;
    use crate::limits::PLUGIN_VERSIONS;
    use crate::manufacturer::ManufacturerId;

    #[tokio::test]
    async fn a_manufacturer_has_so_many_versions_and_no_more() {
        let folder = tempfile::tempdir().expect("a folder");
        let control = Control::open(&folder.path().join("control.sqlite")).await;
        let control = control.expect("it opens");
        let add = async |manufacturer: &ManufacturerId, version: i64| {
            let row = PluginRow {
                name: "champ".to_owned(),
                version: format!("1.0.{version}"),
                digest: version.to_string(),
                bytes: 0,
                manifest: "{}".to_owned(),
                uploaded_at: String::new(),
            };
            control.add_plugin(manufacturer, &row, b"").await
        };
        let [acme, borealis] =
            ["acme", "borealis"].map(|id| ManufacturerId::try_from(id).expect("valid"));
        for manufacturer in [&acme, &borealis] {
            control.add_manufacturer(manufacturer).await.expect("new");
        }
        for version in 0..PLUGIN_VERSIONS {
            add(&acme, version).await.expect("there is room");
        }
        let error = add(&acme, PLUGIN_VERSIONS).await.expect_err("no room");
        assert_eq!(error.fault(), Fault::Limit);
        let words = "limit \"plugin_versions\" is 1000, asked for 1001";
        assert!(error.message().contains(words), "{error}");
        add(&acme, 0).await.expect("the same again is no other");
        add(&borealis, PLUGIN_VERSIONS).await.expect("each its own");
    }
}
