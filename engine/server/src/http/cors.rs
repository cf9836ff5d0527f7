//! Which web pages may call the API: the origins of the configuration, and no others. Without origins no header is sent,
//! and a browser keeps every page out.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::desk::Desk;
use crate::config::CorsSection;

const METHODS: &str = "GET, POST, PUT, DELETE";
const HEADERS: &str = "authorization, content-type, content-encoding, accept";
const EXPOSED: &str = "x-request-id, x-tributary-tables, x-tributary-limit, retry-after";

/// Answers what a browser asks beforehand, and says who may read the answer.
pub(super) async fn allow(State(desk): State<Arc<Desk>>, request: Request, next: Next) -> Response {
    let cors = &desk.config.cors;
    if cors.origins.is_empty() {
        return next.run(request).await;
    }
    let allowed = allowed(cors, request.headers());
    let is_preflight = request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if is_preflight && allowed.is_some() {
        preflight(cors)
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = allowed {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static(EXPOSED),
        );
        if cors.credentials {
            let yes = HeaderValue::from_static("true");
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
        }
    }
    response
}

/// What the header about the origin says, where the origin is on the list.
fn allowed(cors: &CorsSection, headers: &HeaderMap) -> Option<HeaderValue> {
    let origin = headers.get(ORIGIN)?;
    let is_named = |named: &String| named.as_bytes() == origin.as_bytes();
    if cors.origins.iter().any(is_named) {
        return Some(origin.clone());
    }
    let any = cors.origins.iter().any(|named| named == "*");
    any.then(|| HeaderValue::from_static("*"))
}

fn preflight(cors: &CorsSection) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(
        ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static(METHODS),
    );
    headers.insert(
        ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static(HEADERS),
    );
    headers.insert(ACCESS_CONTROL_MAX_AGE, cors.max_age_seconds.into());
    response
}
