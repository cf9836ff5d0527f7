//! `GET /healthz`: whether the process answers. The one route without a token, so it says nothing else.

use axum::Json;
use serde::Serialize;

/// The process answers.
#[derive(Serialize)]
pub(super) struct Health {
    status: &'static str,
    version: &'static str,
}

/// `GET /healthz`.
pub(super) async fn healthz() -> Json<Health> {
    Json(Health {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
    })
}
