//! Which plugin a command is about: the arguments that say it, and the request that they make.

use std::sync::Arc;

use clap::Args;
use tributary_engine_core::Engine;
use tributary_engine_core::engine::{OfPlugin, Principal};

use super::super::data::{Data, Whose};
use super::super::stop::Result;

/// A plugin of a manufacturer in a data folder.
#[derive(Args)]
pub(super) struct Of {
    #[command(flatten)]
    data: Data,

    #[command(flatten)]
    whose: Whose,

    /// Name of the plugin
    name: String,
}

impl Of {
    /// Opens the folder, and says which plugin is meant.
    pub(super) async fn open(self) -> Result<(Arc<dyn Engine>, OfPlugin)> {
        let engine = self.data.existing().await?;
        let of = OfPlugin {
            principal: Principal::Operator,
            manufacturer: self.whose.choose(engine.as_ref()).await?,
            name: self.name,
            version: None,
        };
        Ok((engine, of))
    }
}
