//! `…/tokens`: issue, list, rotate and revoke the bearer tokens of one manufacturer. A secret is in the answer that
//! issues it and nowhere else.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tributary_engine_core::engine::{Issued, NewToken, OfToken, Role, Token};
use tributary_engine_core::{Error, Fault};

use super::Shared;
use super::body;
use super::caller::Tenant;
use crate::error::Failure;

/// What is asked for; everything may be left out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Wanted {
    role: String,
    queries: Vec<String>,
    distributor: Option<String>,
    label: String,
    expires_at: Option<DateTime<Utc>>,
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            role: Role::Admin.name().to_owned(),
            queries: Vec::new(),
            distributor: None,
            label: String::new(),
            expires_at: None,
        }
    }
}

/// A token as the answers tell it.
#[derive(Serialize)]
pub(super) struct Told {
    id: String,
    role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    queries: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    distributor: Option<String>,
    label: String,
    created_at: String,
    created_by: String,
    expires_at: Option<String>,
    revoked_at: Option<String>,
}

/// The same with its secret, shown once.
#[derive(Serialize)]
pub(super) struct Shown {
    token: String,
    #[serde(flatten)]
    told: Told,
}

/// All of them.
#[derive(Serialize)]
pub(super) struct Listed {
    tokens: Vec<Told>,
}

/// `POST /v1/{manufacturer}/tokens`.
pub(super) async fn issue(
    State(engine): State<Shared>,
    tenant: Tenant,
    request: Request,
) -> Result<(StatusCode, Json<Shown>), Failure> {
    let (head, body) = request.into_parts();
    let sent = body::whole(&head, body).await?;
    let wanted = wanted(&sent)?;
    let new = NewToken {
        principal: tenant.principal,
        manufacturer: tenant.manufacturer,
        role: Role::named(&wanted.role, wanted.queries, wanted.distributor)?,
        label: wanted.label,
        expires_at: wanted.expires_at,
    };
    let issued = engine.issue_token(new).await?;
    Ok((StatusCode::CREATED, Json(shown(issued))))
}

/// `GET /v1/{manufacturer}/tokens`.
pub(super) async fn list(
    State(engine): State<Shared>,
    tenant: Tenant,
) -> Result<Json<Listed>, Failure> {
    let tokens = engine
        .tokens(&tenant.principal, &tenant.manufacturer)
        .await?;
    let tokens = tokens.into_iter().map(told).collect();
    Ok(Json(Listed { tokens }))
}

/// `POST /v1/{manufacturer}/tokens/{id}/rotate`.
pub(super) async fn rotate(
    State(engine): State<Shared>,
    tenant: Tenant,
    Path((_, id)): Path<(String, String)>,
) -> Result<(StatusCode, Json<Shown>), Failure> {
    let issued = engine.rotate_token(of(tenant, id)).await?;
    Ok((StatusCode::CREATED, Json(shown(issued))))
}

/// `DELETE /v1/{manufacturer}/tokens/{id}`.
pub(super) async fn revoke(
    State(engine): State<Shared>,
    tenant: Tenant,
    Path((_, id)): Path<(String, String)>,
) -> Result<Json<Told>, Failure> {
    let token = engine.revoke_token(of(tenant, id)).await?;
    Ok(Json(told(token)))
}

fn of(tenant: Tenant, token_id: String) -> OfToken {
    OfToken {
        principal: tenant.principal,
        manufacturer: tenant.manufacturer,
        token_id,
    }
}

/// An empty body asks for the token of an admin that does not expire.
fn wanted(sent: &[u8]) -> Result<Wanted, Error> {
    if sent.is_empty() {
        return Ok(Wanted::default());
    }
    body::object(sent).map_err(|error| {
        Error::new(Fault::Invalid, format!("the body is not that of a token: {error}")).with_hint(
            "{\"role\": \"analyst\", \"label\": \"…\", \"expires_at\": \"2027-01-01T00:00:00Z\"}; for a dashboard also \"queries\", \
             the named queries that it may run, and for a distributor \"distributor\", its id.",
        )
    })
}

fn shown(issued: Issued) -> Shown {
    Shown {
        token: issued.secret,
        told: told(issued.token),
    }
}

fn told(token: Token) -> Told {
    let role = token.role.name();
    let (queries, distributor) = match token.role {
        Role::Dashboard(queries) => (Some(queries), None),
        Role::Distributor(id) => (None, Some(id)),
        _ => (None, None),
    };
    Told {
        id: token.token_id,
        role,
        queries,
        distributor,
        label: token.label,
        created_at: token.created_at,
        created_by: token.created_by,
        expires_at: token.expires_at,
        revoked_at: token.revoked_at,
    }
}
