//! What answers the statements of `tributary sql`: a data folder opened in this process, or a server.
//!
//! Whoever asks sees the same answer from both.

use std::sync::Arc;

use tributary_engine_core::engine::{Answer, PluginVersion, Principal, Query};
use tributary_engine_core::manufacturer::ManufacturerId;
use tributary_engine_core::parameter::Parameters;
use tributary_engine_core::{Engine, Result};

use super::remote::Server;

/// Where statements go, and whose tables they see.
#[derive(Clone)]
pub(super) enum Door {
    /// A data folder, opened here.
    Local(Local),
    /// A server, over HTTP.
    Remote(Server),
}

/// An open data folder and the manufacturer that is asked about.
#[derive(Clone)]
pub(super) struct Local {
    /// The database.
    pub(super) engine: Arc<dyn Engine>,
    /// Whose tables.
    pub(super) manufacturer: ManufacturerId,
    /// The folder as the user named it.
    pub(super) folder: String,
}

impl Door {
    /// Answers one statement.
    pub(super) async fn answer(&self, sql: &str, parameters: Parameters) -> Result<Answer> {
        match self {
            Self::Local(local) => {
                let query = Query {
                    principal: Principal::Operator,
                    manufacturer: local.manufacturer.clone(),
                    sql: sql.to_owned(),
                    parameters,
                    deadline: None,
                };
                local.engine.query(query).await
            }
            Self::Remote(server) => server.answer(sql, &parameters).await,
        }
    }

    /// The uploaded plugins of one manufacturer.
    pub(super) async fn plugins(
        &self,
        manufacturer: &ManufacturerId,
    ) -> Result<Vec<PluginVersion>> {
        match self {
            Self::Local(local) => {
                let engine = &local.engine;
                engine.plugins(&Principal::Operator, manufacturer).await
            }
            Self::Remote(server) => server.plugins(manufacturer).await,
        }
    }

    /// The same door, to another manufacturer's tables.
    pub(super) fn of(&self, manufacturer: ManufacturerId) -> Self {
        match self {
            Self::Local(local) => Self::Local(Local {
                manufacturer,
                ..local.clone()
            }),
            Self::Remote(server) => Self::Remote(server.of(manufacturer)),
        }
    }

    /// Whose tables, where that was named; a server may know it from the token.
    pub(super) const fn manufacturer(&self) -> Option<&ManufacturerId> {
        match self {
            Self::Local(local) => Some(&local.manufacturer),
            Self::Remote(server) => server.manufacturer(),
        }
    }

    /// The folder or the server, as a person names it.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Local(local) => local.folder.clone(),
            Self::Remote(server) => server.address(),
        }
    }
}
