//! `…/tables/{table}/attributes`: the columns that a manufacturer adds to a table of the data model.

use axum::Json;
use axum::extract::{Request, State};
use tributary_engine_core::engine::{Attribute, Declare, Declared};
use tributary_engine_core::{Error, Fault};

use super::Shared;
use super::body;
use super::caller::{Tenant, path_part};
use crate::error::Failure;

/// `POST /v1/{manufacturer}/tables/{table}/attributes`: a list of columns, each with its name and kind.
pub(super) async fn declare(
    State(engine): State<Shared>,
    tenant: Tenant,
    request: Request,
) -> Result<Json<Declared>, Failure> {
    let (mut head, body) = request.into_parts();
    let bytes = body::whole(&head, body).await?;
    let attributes: Vec<Attribute> = body::objects(&bytes).map_err(|error| {
        let message = format!("the body is not a list of attributes: {error}");
        Error::new(Fault::Invalid, message)
            .with_hint("Send [{\"name\": \"budget\", \"kind\": \"money\"}].")
    })?;
    let table = path_part(&mut head, "table").await?;
    Ok(Json(engine.declare(of(tenant, table, attributes)).await?))
}

/// `GET /v1/{manufacturer}/tables/{table}/attributes`.
pub(super) async fn list(
    State(engine): State<Shared>,
    tenant: Tenant,
    request: Request,
) -> Result<Json<Declared>, Failure> {
    let (mut head, _) = request.into_parts();
    let table = path_part(&mut head, "table").await?;
    Ok(Json(engine.declare(of(tenant, table, Vec::new())).await?))
}

fn of(tenant: Tenant, table: String, attributes: Vec<Attribute>) -> Declare {
    Declare {
        principal: tenant.principal,
        manufacturer: tenant.manufacturer,
        table,
        attributes,
    }
}
