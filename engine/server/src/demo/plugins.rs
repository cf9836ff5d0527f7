//! Uploads and activates the shipped plugins for a manufacturer, as its own people would.

use bytes::Bytes;
use tributary_engine_core::engine::{Activate, PluginVersion, Principal, Setup, Upload};
use tributary_engine_core::manufacturer::ManufacturerId;
use tributary_engine_core::{Engine, Result};

use crate::shipped::PLUGINS;

/// The active version of each shipped plugin.
pub(super) async fn install(
    engine: &dyn Engine,
    manufacturer: &ManufacturerId,
) -> Result<Vec<PluginVersion>> {
    let mut installed = Vec::new();
    for (_, wasm) in PLUGINS {
        let draft = engine
            .upload(Upload {
                principal: Principal::Operator,
                manufacturer: manufacturer.clone(),
                wasm: Bytes::from_static(wasm),
            })
            .await?;
        let activate = Activate {
            principal: Principal::Operator,
            manufacturer: manufacturer.clone(),
            name: draft.name,
            version: draft.version,
            setup: Setup::default(),
        };
        installed.push(engine.activate(activate).await?);
    }
    Ok(installed)
}
