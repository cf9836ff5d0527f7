//! `…/plugins`: upload a component as a draft, make a version the active one, list them.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde::Serialize;
use tributary_engine_core::engine::{Activate, PluginVersion, Upload};
use tributary_engine_core::limits::PLUGIN_BYTES;

use super::Shared;
use super::body::{self, Limit};
use super::caller::{Tenant, path_part};
use crate::error::Failure;

/// `POST /v1/{manufacturer}/plugins`: the body is the component.
pub(super) async fn upload(
    State(engine): State<Shared>,
    tenant: Tenant,
    request: Request,
) -> Result<(StatusCode, Json<PluginVersion>), Failure> {
    let (head, body) = request.into_parts();
    let limit = Limit {
        name: "plugin_bytes",
        bytes: PLUGIN_BYTES as u64,
    };
    let upload = Upload {
        principal: tenant.principal,
        manufacturer: tenant.manufacturer,
        wasm: body::whole(&head.headers, body, &limit).await?,
    };
    Ok((StatusCode::CREATED, Json(engine.upload(upload).await?)))
}

/// `POST /v1/{manufacturer}/plugins/{name}/versions/{version}/activate`.
pub(super) async fn activate(
    State(engine): State<Shared>,
    tenant: Tenant,
    request: Request,
) -> Result<Json<PluginVersion>, Failure> {
    let (mut head, _) = request.into_parts();
    let activate = Activate {
        principal: tenant.principal,
        manufacturer: tenant.manufacturer,
        name: path_part(&mut head, "name").await?,
        version: path_part(&mut head, "version").await?,
    };
    Ok(Json(engine.activate(activate).await?))
}

/// Every version that was uploaded.
#[derive(Serialize)]
pub(super) struct Plugins {
    plugins: Vec<PluginVersion>,
}

/// `GET /v1/{manufacturer}/plugins`.
pub(super) async fn list(
    State(engine): State<Shared>,
    tenant: Tenant,
) -> Result<Json<Plugins>, Failure> {
    let plugins = engine
        .plugins(&tenant.principal, &tenant.manufacturer)
        .await?;
    Ok(Json(Plugins { plugins }))
}
