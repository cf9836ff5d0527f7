//! `…/query`: one SQL statement in, rows out as they come. POST carries the statement in its body, GET in the URL.

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::response::Response;
use tributary_engine_core::engine::{Principal, Query};
use tributary_engine_core::manufacturer::ManufacturerId;
use tributary_engine_core::{Error, Fault};

use super::Shared;
use super::answer::RequestId;
use super::caller::{Caller, Tenant};
use super::keys::Keys;
use super::question::Question;
use super::rows;
use super::running::Ticket;
use super::wanted::{OPTIONS, Wanted};
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
    request: Request,
) -> Result<Response, Failure> {
    by_url(engine, tenant, id, request).await
}

/// `GET /v1/query`: the manufacturer is the token's.
pub(super) async fn of_caller_by_url(
    State(engine): State<Shared>,
    Caller(principal): Caller,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Result<Response, Failure> {
    let tenant = own(&engine, principal).await?;
    by_url(engine, tenant, id, request).await
}

async fn posted(
    engine: Shared,
    tenant: Tenant,
    id: RequestId,
    request: Request,
) -> Result<Response, Failure> {
    let (head, body) = request.into_parts();
    let mut keys = Keys::of(&head.uri)?;
    let wanted = Wanted::take(&head.headers, &mut keys)?;
    let known = format!("{OPTIONS}; the statement and its parameters stand in the body");
    keys.finish(&known)?;
    let question = Question::of_body(&head, body).await?;
    answer(engine, tenant, id, &head, question, wanted).await
}

async fn by_url(
    engine: Shared,
    tenant: Tenant,
    id: RequestId,
    request: Request,
) -> Result<Response, Failure> {
    let (head, _) = request.into_parts();
    let mut keys = Keys::of(&head.uri)?;
    let wanted = Wanted::take(&head.headers, &mut keys)?;
    let question = Question::of_url(keys)?;
    answer(engine, tenant, id, &head, question, wanted).await
}

async fn answer(
    engine: Shared,
    tenant: Tenant,
    id: RequestId,
    head: &Parts,
    question: Question,
    wanted: Wanted,
) -> Result<Response, Failure> {
    let mut ticket = Ticket::of(
        head,
        (&tenant.principal, &tenant.manufacturer),
        wanted.deadline,
        None,
    )
    .await?;
    let query = Query {
        principal: tenant.principal,
        manufacturer: tenant.manufacturer,
        sql: question.sql,
        parameters: question.parameters,
        deadline: wanted.deadline,
    };
    let answer = ticket.run(engine.query(query)).await?;
    rows::respond(answer, &wanted, ticket, id).await
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
