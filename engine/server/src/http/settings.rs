//! `GET|PUT /v1/{manufacturer}/settings`: how a manufacturer's year runs.

use axum::Json;
use axum::extract::{Request, State};
use tributary_engine_core::settings::Settings;
use tributary_engine_core::{Error, Fault};

use super::Shared;
use super::body;
use super::caller::Tenant;
use crate::error::Failure;

pub(super) async fn show(
    State(engine): State<Shared>,
    tenant: Tenant,
) -> Result<Json<Settings>, Failure> {
    let settings = engine
        .settings(&tenant.principal, &tenant.manufacturer)
        .await?;
    Ok(Json(settings))
}

pub(super) async fn put(
    State(engine): State<Shared>,
    tenant: Tenant,
    request: Request,
) -> Result<Json<Settings>, Failure> {
    let (head, body) = request.into_parts();
    let bytes = body::whole(&head, body).await?;
    let settings = body::object(&bytes).map_err(|error| {
        Error::new(Fault::Invalid, format!("the body is no settings: {error}"))
            .with_hint("Send {\"fiscal_start_month\": 4, \"holidays\": [\"2024-12-25\"]}.")
    })?;
    let set = engine
        .set(&tenant.principal, &tenant.manufacturer, settings)
        .await?;
    Ok(Json(set))
}
