//! `POST …/tokens`: the operator issues a bearer token for one manufacturer. The token is in this answer and nowhere
//! else.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::Shared;
use super::caller::Tenant;
use crate::error::Failure;

/// A token, shown once.
#[derive(Serialize)]
pub(super) struct Issued {
    token: String,
}

/// `POST /v1/{manufacturer}/tokens`.
pub(super) async fn issue(
    State(engine): State<Shared>,
    tenant: Tenant,
) -> Result<Json<Issued>, Failure> {
    let token = engine
        .issue_token(&tenant.principal, tenant.manufacturer)
        .await?;
    Ok(Json(Issued { token }))
}
