//! HTTP: every route on one screen, and what all of them share.
//!
//! A handler parses its request, makes one call of the [`Engine`] trait and spells the answer. It knows nothing of
//! tables, files or sessions, and of errors only that `error.rs` spells them.

mod answer;
mod attributes;
mod body;
mod caller;
mod explain;
mod health;
mod keys;
mod leads;
mod negotiate;
mod patience;
mod plugins;
mod query;
mod question;
mod rows;
mod saved;
mod serve;
mod settings;
mod tables;
#[cfg(test)]
mod tests;
mod tokens;

use std::sync::Arc;

use axum::Router;
use axum::middleware;
use axum::routing::{delete, get, post};
use tributary_engine_core::Engine;
use tributary_engine_core::saved::SavedKind;

use crate::error::Failure;

pub(crate) use explain::instant;
pub use serve::serve;

/// What every handler is given.
type Shared = Arc<dyn Engine>;

/// The whole API. Everything but `/healthz` wants a bearer token.
pub fn router(engine: Arc<dyn Engine>) -> Router {
    Router::new()
        // anyone
        .route("/healthz", get(health::healthz))
        // analysts and dashboards
        .route(
            "/v1/query",
            get(query::of_caller_by_url).post(query::of_caller),
        )
        .route(
            "/v1/{manufacturer}/query",
            get(query::of_manufacturer_by_url).post(query::of_manufacturer),
        )
        // what a manufacturer saves: list; save, read and delete one; run a query
        .merge(saved::routes(SavedKind::View, "/v1/{manufacturer}/views"))
        .merge(saved::routes(
            SavedKind::Query,
            "/v1/{manufacturer}/queries",
        ))
        .merge(saved::routes(
            SavedKind::Metric,
            "/v1/{manufacturer}/metrics",
        ))
        .route(
            "/v1/{manufacturer}/queries/{name}/rows",
            get(saved::run).post(saved::run),
        )
        // manufacturers
        .route(
            "/v1/{manufacturer}/settings",
            get(settings::show).put(settings::put),
        )
        .route("/v1/{manufacturer}/tables/{table}", post(tables::ingest))
        .route(
            "/v1/{manufacturer}/tables/{table}/attributes",
            get(attributes::list).post(attributes::declare),
        )
        .route(
            "/v1/{manufacturer}/plugins",
            get(plugins::list).post(plugins::upload),
        )
        .route("/v1/{manufacturer}/plugins/{name}", get(plugins::show))
        .route(
            "/v1/{manufacturer}/plugins/{name}/versions/{version}",
            get(plugins::show_version),
        )
        .route(
            "/v1/{manufacturer}/plugins/{name}/versions/{version}/activate",
            post(plugins::activate),
        )
        .route(
            "/v1/{manufacturer}/plugins/{name}/rollback",
            post(plugins::rollback),
        )
        .route("/v1/{manufacturer}/plugins/{name}/diff", get(plugins::diff))
        .route("/v1/{manufacturer}/plugins/{name}/logs", get(plugins::logs))
        .route("/v1/{manufacturer}/plugins/{name}/run", post(plugins::run))
        // distributors and channel managers
        .route("/v1/{manufacturer}/leads/{id}", get(leads::show))
        .route("/v1/{manufacturer}/leads/{id}/next", get(leads::next))
        .route(
            "/v1/{manufacturer}/leads/{id}/explain",
            get(explain::explain),
        )
        .route(
            "/v1/{manufacturer}/leads/{id}/feedback",
            post(leads::feedback),
        )
        // the operator and admins
        .route(
            "/v1/{manufacturer}/tokens",
            get(tokens::list).post(tokens::issue),
        )
        .route("/v1/{manufacturer}/tokens/{id}", delete(tokens::revoke))
        .route(
            "/v1/{manufacturer}/tokens/{id}/rotate",
            post(tokens::rotate),
        )
        // everything else
        .fallback(async || Failure::no_such_route())
        .method_not_allowed_fallback(async || Failure::wrong_method())
        .layer(middleware::from_fn(answer::finish))
        .with_state(engine)
}
