//! HTTP: the router, and what all routes share. `routes.rs` has every route on one screen.
//!
//! A handler parses its request, makes one call of the [`Engine`] trait and spells the answer. It knows nothing of
//! tables, files or sessions, and of errors only that `error.rs` spells them.

mod admission;
mod answer;
mod attributes;
mod body;
mod caller;
mod compress;
mod cors;
mod counters;
mod desk;
mod explain;
mod health;
mod keys;
mod leads;
mod negotiate;
mod openapi;
mod patience;
mod plugins;
mod query;
mod question;
mod rates;
mod route;
mod routes;
mod rows;
mod running;
mod saved;
mod serve;
mod settings;
mod tables;
#[cfg(test)]
mod tests;
mod tls;
mod tokens;
mod wanted;

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use tributary_engine_core::Engine;

use self::desk::Desk;
use crate::error::Failure;

pub(crate) use explain::instant;
pub use openapi::document as openapi;
pub use serve::{Listeners, Server, serve};

/// What every handler is given.
type Shared = Arc<dyn Engine>;

/// The whole API, inside the layers that every request passes, the outermost last.
fn router(engine: &Shared, desk: &Arc<Desk>) -> Router {
    let routes = routes::routes().into_iter();
    routes
        .fold(Router::new(), |router, route| {
            route.add_to(router, desk, engine)
        })
        .fallback(async || Failure::no_such_route())
        // after the routes, since it is for those that are there
        .method_not_allowed_fallback(async || Failure::wrong_method())
        .layer(from_fn_with_state(Arc::clone(desk), compress::compress))
        .layer(from_fn_with_state(Arc::clone(desk), cors::allow))
        .layer(from_fn_with_state(Arc::clone(desk), answer::finish))
        .with_state(Arc::clone(engine))
}

/// What the listener of the counters answers.
fn metrics_router(desk: &Arc<Desk>) -> Router {
    Router::new()
        .route("/metrics", get(health::metrics))
        .fallback(async || Failure::no_such_route())
        .method_not_allowed_fallback(async || Failure::wrong_method())
        .layer(from_fn(answer::finish_quietly))
        .with_state(Arc::clone(desk))
}
