//! `…/plugins`: upload a component as a draft, put versions in force and roll back, see what there is, run rules.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::{Deserialize, Serialize};
use tributary_engine_core::engine::{
    Activate, Decide, Decided, LogLine, OfPlugin, PluginDetails, PluginDiff, PluginVersion, Setup,
    Upload,
};
use tributary_engine_core::{Error, Fault};

use super::Shared;
use super::body;
use super::caller::{Tenant, path_part};
use crate::error::Failure;

/// `POST /v1/{manufacturer}/plugins`: the body is the component.
pub(super) async fn upload(
    State(engine): State<Shared>,
    tenant: Tenant,
    request: Request,
) -> Result<(StatusCode, Json<PluginVersion>), Failure> {
    let (head, body) = request.into_parts();
    let upload = Upload {
        principal: tenant.principal,
        manufacturer: tenant.manufacturer,
        wasm: body::whole(&head, body).await?,
    };
    Ok((StatusCode::CREATED, Json(engine.upload(upload).await?)))
}

/// `POST /v1/{manufacturer}/plugins/{name}/versions/{version}/activate`: the body says settings and rules, if any.
pub(super) async fn activate(
    State(engine): State<Shared>,
    tenant: Tenant,
    request: Request,
) -> Result<Json<PluginVersion>, Failure> {
    let (mut head, body) = request.into_parts();
    let name = path_part(&mut head, "name").await?;
    let version = path_part(&mut head, "version").await?;
    let setup = setup(&body::whole(&head, body).await?)?;
    let activate = Activate {
        principal: tenant.principal,
        manufacturer: tenant.manufacturer,
        name,
        version,
        setup,
    };
    Ok(Json(engine.activate(activate).await?))
}

fn setup(bytes: &[u8]) -> Result<Setup, Error> {
    if bytes.is_empty() {
        return Ok(Setup::default());
    }
    body::object(bytes).map_err(|error| {
        Error::new(Fault::Invalid, format!("the body is no setup of a plugin: {error}"))
            .with_hint("Send {\"settings\": {\"threshold\": 60}, \"applies\": {\"mql\": \"qualify\"}}, or no body.")
    })
}

/// `POST /v1/{manufacturer}/plugins/{name}/rollback`.
pub(super) async fn rollback(
    State(engine): State<Shared>,
    tenant: Tenant,
    request: Request,
) -> Result<Json<PluginVersion>, Failure> {
    let (mut head, _) = request.into_parts();
    let of = of(tenant, &mut head, None).await?;
    Ok(Json(engine.rollback(of).await?))
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

/// `GET /v1/{manufacturer}/plugins/{name}`: the version in force, or else the newest.
pub(super) async fn show(
    State(engine): State<Shared>,
    tenant: Tenant,
    request: Request,
) -> Result<Json<PluginDetails>, Failure> {
    let (mut head, _) = request.into_parts();
    let of = of(tenant, &mut head, None).await?;
    Ok(Json(engine.plugin(of).await?))
}

/// `GET /v1/{manufacturer}/plugins/{name}/versions/{version}`.
pub(super) async fn show_version(
    State(engine): State<Shared>,
    tenant: Tenant,
    request: Request,
) -> Result<Json<PluginDetails>, Failure> {
    let (mut head, _) = request.into_parts();
    let version = path_part(&mut head, "version").await?;
    let of = of(tenant, &mut head, Some(version)).await?;
    Ok(Json(engine.plugin(of).await?))
}

/// Which two versions are compared.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Versions {
    from: String,
    to: String,
}

/// `GET /v1/{manufacturer}/plugins/{name}/diff?from=&to=`.
pub(super) async fn diff(
    State(engine): State<Shared>,
    tenant: Tenant,
    request: Request,
) -> Result<Json<PluginDiff>, Failure> {
    let (mut head, _) = request.into_parts();
    let Query(versions) = Query::<Versions>::try_from_uri(&head.uri).map_err(|_| {
        Error::new(
            Fault::Invalid,
            "two versions are compared, \"from\" and \"to\"",
        )
        .with_hint("Ask for …/diff?from=1.0.0&to=1.1.0.")
    })?;
    let of = of(tenant, &mut head, None).await?;
    Ok(Json(
        engine.plugin_diff(of, versions.from, versions.to).await?,
    ))
}

/// What happened to a plugin.
#[derive(Serialize)]
pub(super) struct Logs {
    lines: Vec<LogLine>,
}

/// `GET /v1/{manufacturer}/plugins/{name}/logs`.
pub(super) async fn logs(
    State(engine): State<Shared>,
    tenant: Tenant,
    request: Request,
) -> Result<Json<Logs>, Failure> {
    let (mut head, _) = request.into_parts();
    let of = of(tenant, &mut head, None).await?;
    let lines = engine.plugin_log(of).await?;
    Ok(Json(Logs { lines }))
}

/// What rules decided.
#[derive(Serialize)]
pub(super) struct Ran {
    decided: Vec<Decided>,
}

/// `POST /v1/{manufacturer}/plugins/{name}/run?all=true`.
pub(super) async fn run(
    State(engine): State<Shared>,
    tenant: Tenant,
    request: Request,
) -> Result<Json<Ran>, Failure> {
    let (mut head, _) = request.into_parts();
    let asked = Query::<BTreeMap<String, bool>>::try_from_uri(&head.uri);
    let all = asked.ok().map_or(Some(false), |Query(asked)| {
        let known = asked.keys().all(|name| name == "all");
        known.then(|| asked.get("all").copied().unwrap_or_default())
    });
    let all = all.ok_or_else(|| {
        Error::new(
            Fault::Invalid,
            "a run of rules takes \"all\" and nothing else",
        )
        .with_hint("Send it to …/run, or to …/run?all=true.")
    })?;
    let name = path_part(&mut head, "name").await?;
    let decide = Decide {
        principal: tenant.principal,
        manufacturer: tenant.manufacturer,
        plugin: Some(name),
        all,
    };
    let decided = engine.decide(decide).await?;
    Ok(Json(Ran { decided }))
}

async fn of(
    tenant: Tenant,
    head: &mut Parts,
    version: Option<String>,
) -> Result<OfPlugin, Failure> {
    Ok(OfPlugin {
        principal: tenant.principal,
        manufacturer: tenant.manufacturer,
        name: path_part(head, "name").await?,
        version,
    })
}
