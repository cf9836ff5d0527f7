//! `POST …/tables/{table}`: a file streams into the engine, a receipt comes back.

use axum::Json;
use axum::extract::{Request, State};
use tributary_engine_core::engine::{Format, Ingest, Receipt};
use tributary_engine_core::limits::INGEST_BODY_BYTES;

use super::Shared;
use super::body::{self, Limit};
use super::caller::{Tenant, path_part};
use crate::error::Failure;

const CONTENT_TYPES: [&str; 2] = ["text/csv", "application/vnd.apache.parquet"];

/// `POST /v1/{manufacturer}/tables/{table}`: one commit, all rows or none.
pub(super) async fn ingest(
    State(engine): State<Shared>,
    tenant: Tenant,
    request: Request,
) -> Result<Json<Receipt>, Failure> {
    let (mut head, body) = request.into_parts();
    let format = match body::media_type(&head.headers).as_deref() {
        Some("text/csv") => Format::Csv,
        Some("application/vnd.apache.parquet") => Format::Parquet,
        _ => return Err(Failure::unsupported_content_type(&CONTENT_TYPES)),
    };
    let limit = Limit {
        name: "ingest_body_bytes",
        bytes: INGEST_BODY_BYTES,
    };
    let body = body::arriving(&head.headers, body, &limit)?;
    let ingest = Ingest {
        principal: tenant.principal,
        manufacturer: tenant.manufacturer,
        table: path_part(&mut head, "table").await?,
        format,
    };
    Ok(Json(engine.ingest(ingest, body).await?))
}
