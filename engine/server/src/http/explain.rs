//! `GET …/leads/{id}/explain?as_of=`: why a lead has the verdicts that it has.

use axum::Json;
use axum::extract::{Query, Request, State};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use tributary_engine_core::engine::{Explain, Explanation};
use tributary_engine_core::{Error, Fault};

use super::Shared;
use super::caller::{Tenant, path_part};
use super::desk;
use crate::error::Failure;

/// The instant whose decisions are asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    as_of: Option<String>,
}

pub(super) async fn explain(
    State(engine): State<Shared>,
    tenant: Tenant,
    request: Request,
) -> Result<Json<Explanation>, Failure> {
    let (mut head, _) = request.into_parts();
    let Query(asked) = Query::<Asked>::try_from_uri(&head.uri).map_err(|_| {
        Error::new(
            Fault::Invalid,
            "an explanation takes \"as_of\" and nothing else",
        )
        .with_hint("Ask for …/explain?as_of=2024-05-31T09:30:00Z.")
    })?;
    let _place = desk::place(&head.extensions, &tenant.manufacturer).await?;
    let explain = Explain {
        principal: tenant.principal,
        manufacturer: tenant.manufacturer,
        lead_id: path_part(&mut head, "id").await?,
        as_of: asked.as_of.as_deref().map(instant).transpose()?,
    };
    Ok(Json(engine.explain(explain).await?))
}

/// An instant as RFC 3339 writes it.
pub(crate) fn instant(text: &str) -> Result<DateTime<Utc>, Error> {
    let read = DateTime::parse_from_rfc3339(text);
    read.map(|instant| instant.to_utc()).map_err(|error| {
        let shown: String = text.chars().take(63).collect();
        Error::new(Fault::Invalid, format!("{shown:?} is no instant: {error}"))
            .with_hint("Write it as 2024-05-31T09:30:00Z.")
    })
}
