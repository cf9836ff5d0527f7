//! `POST …/tables/{table}`: a file streams into the engine, a receipt comes back.

use axum::Json;
use axum::extract::{Query, Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderMap};
use axum::http::request::Parts;
use tributary_engine_core::engine::{Encoding, Format, Ingest, OnError, Reading, Receipt};
use tributary_engine_core::{Error, Fault, unknown_option};

use super::Shared;
use super::body::{self, Arriving};
use super::caller::{Tenant, path_part};
use crate::error::Failure;

const CONTENT_TYPES: [&str; 6] = [
    "text/csv",
    "application/vnd.apache.parquet",
    "application/x-ndjson",
    "application/jsonl",
    "application/vnd.apache.arrow.stream",
    "application/vnd.apache.arrow.file",
];

/// `POST /v1/{manufacturer}/tables/{table}`: one commit, all rows or none, unless bad rows are to be set aside.
pub(super) async fn ingest(
    State(engine): State<Shared>,
    tenant: Tenant,
    request: Request,
) -> Result<Json<Receipt>, Failure> {
    let (mut head, body) = request.into_parts();
    let mut reading = Reading::of(format(&head.headers)?);
    let on_error = options(&head, &mut reading)?;
    reading.compression = body::compression(&head.headers)?;
    let Arriving { body, cut } = body::arriving(&head, body)?;
    let ingest = Ingest {
        principal: tenant.principal,
        manufacturer: tenant.manufacturer,
        table: path_part(&mut head, "table").await?,
        reading,
        on_error,
    };
    let stored = engine.ingest(ingest, body).await;
    Ok(Json(stored.map_err(|error| cut.explain(error))?))
}

fn format(headers: &HeaderMap) -> Result<Format, Failure> {
    Ok(match body::media_type(headers).as_deref() {
        Some("text/csv") => Format::Csv,
        Some("application/vnd.apache.parquet") => Format::Parquet,
        Some("application/x-ndjson" | "application/jsonl") => Format::Ndjson,
        Some("application/vnd.apache.arrow.stream" | "application/vnd.apache.arrow.file") => {
            Format::Arrow
        }
        _ => return Err(Failure::unsupported_content_type(&CONTENT_TYPES)),
    })
}

/// The options of the query string, and the encoding that the content type may name.
fn options(head: &Parts, reading: &mut Reading) -> Result<OnError, Failure> {
    let Query(said) = Query::<Vec<(String, String)>>::try_from_uri(&head.uri)
        .map_err(|_| Error::new(Fault::Invalid, "query string is not readable"))?;
    let mut on_error = None;
    for (option, value) in said {
        match option.as_str() {
            "on_error" if on_error.is_some() => {
                let message = "option \"on_error\" is said twice";
                return Err(Error::new(Fault::Invalid, message).into());
            }
            "on_error" => on_error = Some(OnError::named(&value)?),
            known if Reading::OPTIONS.contains(&known) => reading.set(known, &value)?,
            other => {
                let known = [Reading::OPTIONS, &["on_error"]].concat();
                return Err(unknown_option(other, &known).into());
            }
        }
    }
    if let (None, Some(charset)) = (reading.encoding, charset(&head.headers)) {
        reading.encoding = Some(Encoding::named(&charset)?);
    }
    Ok(on_error.unwrap_or(OnError::Refuse))
}

/// `charset` of the content type.
fn charset(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let mut parameters = value.split(';').skip(1);
    parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let is_charset = name.trim().eq_ignore_ascii_case("charset");
        is_charset.then(|| value.trim().trim_matches('"').to_owned())
    })
}
