//! `…/query`: one SQL statement in, rows out as they come. POST carries the statement in its body, GET in the URL.

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::Uri;
use axum::response::Response;
use tributary_engine_core::engine::{Principal, Query};
use tributary_engine_core::manufacturer::ManufacturerId;
use tributary_engine_core::{Error, Fault};

use super::Shared;
use super::answer::RequestId;
use super::caller::{Caller, Tenant};
use super::keys::Keys;
use super::negotiate;
use super::question::Question;
use super::rows;
use crate::encode::Encoding;
use crate::error::Failure;
use crate::limits::MANUFACTURERS_NAMED;

/// `POST /v1/{manufacturer}/query`.
pub(super) async fn of_manufacturer(
    State(engine): State<Shared>,
    tenant: Tenant,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Result<Response, Failure> {
    posted(engine, tenant, id, request).await
}

/// `POST /v1/query`: the manufacturer is the token's.
pub(super) async fn of_caller(
    State(engine): State<Shared>,
    Caller(principal): Caller,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Result<Response, Failure> {
    let tenant = own(&engine, principal).await?;
    posted(engine, tenant, id, request).await
}

/// `GET /v1/{manufacturer}/query`.
pub(super) async fn of_manufacturer_by_url(
    State(engine): State<Shared>,
    tenant: Tenant,
    Extension(id): Extension<RequestId>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Failure> {
    by_url(engine, tenant, id, &headers, &uri).await
}

/// `GET /v1/query`: the manufacturer is the token's.
pub(super) async fn of_caller_by_url(
    State(engine): State<Shared>,
    Caller(principal): Caller,
    Extension(id): Extension<RequestId>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Failure> {
    let tenant = own(&engine, principal).await?;
    by_url(engine, tenant, id, &headers, &uri).await
}

async fn posted(
    engine: Shared,
    tenant: Tenant,
    id: RequestId,
    request: Request,
) -> Result<Response, Failure> {
    let (head, body) = request.into_parts();
    let mut keys = Keys::of(&head.uri)?;
    let encoding = negotiate::encoding(&head.headers, keys.take("format").as_deref())?;
    keys.finish("format; the statement and its parameters stand in the body")?;
    let question = Question::of_body(&head.headers, body).await?;
    answer(engine, tenant, id, question, encoding).await
}

async fn by_url(
    engine: Shared,
    tenant: Tenant,
    id: RequestId,
    headers: &HeaderMap,
    uri: &Uri,
) -> Result<Response, Failure> {
    let mut keys = Keys::of(uri)?;
    let encoding = negotiate::encoding(headers, keys.take("format").as_deref())?;
    let question = Question::of_url(keys)?;
    answer(engine, tenant, id, question, encoding).await
}

async fn answer(
    engine: Shared,
    tenant: Tenant,
    id: RequestId,
    question: Question,
    encoding: Encoding,
) -> Result<Response, Failure> {
    let query = Query {
        principal: tenant.principal,
        manufacturer: tenant.manufacturer,
        sql: question.sql,
        parameters: question.parameters,
        deadline: None,
    };
    rows::respond(engine.query(query).await?, encoding, id).await
}

/// The caller on its own manufacturer; the operator has none.
async fn own(engine: &Shared, principal: Principal) -> Result<Tenant, Failure> {
    match &principal {
        Principal::Member(member) => Ok(Tenant {
            manufacturer: member.manufacturer.clone(),
            principal,
        }),
        Principal::Operator => Err(choose_one(engine, &principal).await?.into()),
    }
}

/// The operator belongs to no manufacturer: the error names those there are.
async fn choose_one(engine: &Shared, principal: &Principal) -> Result<Error, Failure> {
    let manufacturers = engine.manufacturers(principal).await?;
    let hint = if manufacturers.is_empty() {
        "No manufacturer exists yet: POST a file to /v1/{manufacturer}/tables/distributors to create one.".to_owned()
    } else {
        let named: Vec<&str> = manufacturers
            .iter()
            .take(MANUFACTURERS_NAMED)
            .map(ManufacturerId::as_str)
            .collect();
        let more = if named.len() < manufacturers.len() {
            ", …"
        } else {
            ""
        };
        format!(
            "Use /v1/{{manufacturer}}/query with one of: {}{more}.",
            named.join(", ")
        )
    };
    Ok(Error::new(
        Fault::Invalid,
        "the operator's token belongs to no one manufacturer",
    )
    .with_hint(hint))
}
