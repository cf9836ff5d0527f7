//! The settings of manufacturers: every version stays, the newest one holds.

use sqlx::Row;

use super::{Control, fail};
use crate::fault::{Error, Result};
use crate::manufacturer::ManufacturerId;
use crate::settings::Settings;

impl Control {
    /// The settings that hold; the defaults where there are none.
    pub async fn own_settings(&self, manufacturer: &ManufacturerId) -> Result<Settings> {
        let row = sqlx::query(
            "SELECT json FROM settings WHERE manufacturer = ? ORDER BY version DESC LIMIT 1",
        )
        .bind(manufacturer.as_str())
        .fetch_optional(self.pool())
        .await
        .map_err(fail)?;
        let Some(row) = row else {
            return Ok(Settings::default());
        };
        serde_json::from_str(row.get(0)).map_err(|error| Error::internal("read settings", error))
    }

    /// Makes these the ones that hold.
    pub async fn set(&self, manufacturer: &ManufacturerId, settings: &Settings) -> Result<()> {
        let json = serde_json::to_string(settings)
            .map_err(|error| Error::internal("write settings", error))?;
        sqlx::query("INSERT INTO settings (manufacturer, json) VALUES (?, ?)")
            .bind(manufacturer.as_str())
            .bind(json)
            .execute(self.pool())
            .await
            .map_err(fail)?;
        Ok(())
    }
}
