//! `GET /healthz` and `GET /readyz`: whether the process is alive, and whether it is of use. No token is needed, so they
//! say nothing else. `GET /metrics` is on a listener of its own.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::{Extension, Json};
use serde::Serialize;
use tributary_engine_core::engine::Principal;

use super::Shared;
use super::desk::Desk;
use crate::error::Failure;
use crate::limits::READY_MS;

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

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

/// The server takes requests.
#[derive(Serialize)]
pub(super) struct Ready {
    status: &'static str,
}

/// `GET /readyz`: the engine answers, and the server is not about to stop.
pub(super) async fn readyz(
    State(engine): State<Shared>,
    Extension(desk): Extension<Arc<Desk>>,
) -> Result<Json<Ready>, Failure> {
    if desk.is_draining() {
        return Err(Failure::not_ready(
            "draining",
            "the server is about to stop",
        ));
    }
    let answer = engine.manufacturers(&Principal::Operator);
    match tokio::time::timeout(Duration::from_millis(READY_MS), answer).await {
        Ok(Ok(_)) => Ok(Json(Ready { status: "ready" })),
        Ok(Err(_)) | Err(_) => Err(Failure::not_ready(
            "not_ready",
            "the engine does not answer",
        )),
    }
}

/// `GET /metrics`.
pub(super) async fn metrics(State(desk): State<Arc<Desk>>) -> Result<impl IntoResponse, Failure> {
    Ok(([(CONTENT_TYPE, OPENMETRICS)], desk.counters.text()?))
}
