//! `POST …/query`: one SQL statement in, rows out as they come.
//!
//! The first batch is awaited before the status line is written, so that a statement that fails at once gets its
//! error. One that fails later breaks the body off: it never looks complete.

use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use axum::response::Response;
use futures::stream::{self, StreamExt, TryStreamExt};
use serde::Deserialize;
use tributary_engine_core::engine::{Answer, Principal, Query};
use tributary_engine_core::manufacturer::ManufacturerId;
use tributary_engine_core::{Error, Fault};

use super::Shared;
use super::answer::{self, RequestId};
use super::body::{self, Limit};
use super::caller::{Caller, Tenant};
use super::negotiate;
use crate::encode::{self, Encoding};
use crate::error::Failure;
use crate::limits::{MANUFACTURERS_NAMED, QUERY_BODY_BYTES};

const TABLES: HeaderName = HeaderName::from_static("x-tributary-tables");
const CONTENT_TYPES: [&str; 2] = ["application/json", "text/plain"];

/// `POST /v1/{manufacturer}/query`.
pub(super) async fn of_manufacturer(
    State(engine): State<Shared>,
    tenant: Tenant,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Result<Response, Failure> {
    query(engine, tenant, id, request).await
}

/// `POST /v1/query`: the manufacturer is the token's.
pub(super) async fn of_caller(
    State(engine): State<Shared>,
    Caller(principal): Caller,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Result<Response, Failure> {
    let manufacturer = match &principal {
        Principal::Manufacturer(own) => own.clone(),
        Principal::Operator => return Err(choose_one(&engine, &principal).await?.into()),
    };
    let tenant = Tenant {
        principal,
        manufacturer,
    };
    query(engine, tenant, id, request).await
}

async fn query(
    engine: Shared,
    tenant: Tenant,
    id: RequestId,
    request: Request,
) -> Result<Response, Failure> {
    let encoding = negotiate::encoding(request.headers())?;
    let sql = statement(request).await?;
    let query = Query {
        principal: tenant.principal,
        manufacturer: tenant.manufacturer,
        sql,
        deadline: None,
    };
    let answer = first_frame(engine.query(query).await?).await?;
    respond(answer, encoding, id)
}

/// The statement of the body, which is JSON or the bare SQL.
async fn statement(request: Request) -> Result<String, Failure> {
    let (head, body) = request.into_parts();
    let media_type = body::media_type(&head.headers);
    let stated = match media_type.as_deref() {
        Some("application/json") => Some(true),
        Some("text/plain") => Some(false),
        // Nothing stated, or what `curl --data` states unasked.
        None | Some("application/x-www-form-urlencoded") => None,
        _ => return Err(Failure::unsupported_content_type(&CONTENT_TYPES)),
    };
    let limit = Limit {
        name: "query_body_bytes",
        bytes: QUERY_BODY_BYTES as u64,
    };
    let bytes = body::whole(&head.headers, body, &limit).await?;
    let looks_like_json = || bytes.trim_ascii_start().starts_with(b"{");
    if stated.unwrap_or_else(looks_like_json) {
        return Ok(Statement::parse(&bytes)?.sql);
    }
    String::from_utf8(bytes.into())
        .map_err(|_| Error::new(Fault::Invalid, "the statement is not UTF-8 text").into())
}

/// The JSON body of a query.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    sql: String,
}

impl Statement {
    fn parse(bytes: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(bytes).map_err(|error| {
            Error::new(Fault::Invalid, format!("the body is not a query: {error}"))
                .with_hint("Send {\"sql\": \"SELECT 1\"}, or the bare SQL as text/plain.")
        })
    }
}

/// The answer with its first frame known to be good.
async fn first_frame(mut answer: Answer) -> Result<Answer, Error> {
    let first = answer.frames.try_next().await?;
    answer.frames = stream::iter(first.map(Ok)).chain(answer.frames).boxed();
    Ok(answer)
}

fn respond(answer: Answer, encoding: Encoding, id: RequestId) -> Result<Response, Failure> {
    let encoder = encoding.encoder(&answer.schema, &answer.freshness)?;
    let tables: Vec<String> = answer
        .freshness
        .iter()
        .map(|(table, version)| format!("{table}={version}"))
        .collect();
    let bytes =
        encode::bytes(answer.frames, encoder).inspect_err(move |error| answer::log(&id, error));
    let mut response = Response::new(Body::from_stream(bytes));
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static(encoding.media_type()),
    );
    if let Ok(tables) = HeaderValue::from_str(&tables.join(",")) {
        headers.insert(TABLES, tables);
    }
    Ok(response)
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
            "POST to /v1/{{manufacturer}}/query with one of: {}{more}.",
            named.join(", ")
        )
    };
    Ok(Error::new(
        Fault::Invalid,
        "the operator's token belongs to no one manufacturer",
    )
    .with_hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_one_statement_and_nothing_else() {
        assert_eq!(
            Statement::parse(br#"{"sql":"SELECT 1"}"#)
                .expect("a query")
                .sql,
            "SELECT 1"
        );
        for body in [
            r#"{"sql":1}"#,
            r#"{"sql":"x","limit":2}"#,
            "{}",
            "",
            "SELECT 1",
            r#"{"sql":"a","sql":"b"}"#,
        ] {
            let error = Statement::parse(body.as_bytes())
                .map(|s| s.sql)
                .expect_err(body);
            assert_eq!(error.fault(), Fault::Invalid);
        }
    }
}
