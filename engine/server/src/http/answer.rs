//! The outermost layer: a request id, an error body where a handler failed, headers, and one log line per request.
//!
//! A panic of a handler ends here as an internal error; the process and the other requests go on.

use std::any::Any;
use std::error::Error as _;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{Extensions, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use tributary_engine_core::{Error, Fault};
use uuid::Uuid;

use super::counters::method_word;
use super::desk::Desk;
use crate::error::Failure;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Names one request in its answer and in the log. Never the client's choice, so that a log line is not either.
#[derive(Clone, Debug)]
pub(super) struct RequestId(Arc<str>);

impl RequestId {
    fn new() -> Self {
        Self(Uuid::now_v7().to_string().into())
    }

    /// The id of a request.
    pub(super) fn of(extensions: &Extensions) -> Result<Self, Error> {
        let id = extensions.get::<Self>().cloned();
        id.ok_or_else(|| Error::internal("answer request", "the request has no id"))
    }

    /// Its text.
    pub(super) fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

/// Runs a request and finishes its answer. The log has the route's template and nothing of the path or the query string:
/// they may name what is somebody's own.
pub(super) async fn finish(
    State(desk): State<Arc<Desk>>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = RequestId::new();
    let started = Instant::now();
    let method = request.method().clone();
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map(MatchedPath::as_str);
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(Arc::clone(&desk));

    let response = AssertUnwindSafe(next.run(request))
        .catch_unwind()
        .await
        .unwrap_or_else(|panic| Failure::from(panicked(panic.as_ref())).into_response());
    let (response, failure) = with_error_body(response, &id);

    let status = response.status();
    let elapsed = started.elapsed();
    desk.counters.answered(route, &method, status, elapsed);
    let (status, elapsed_ms) = (status.as_u16(), elapsed.as_millis());
    let method = method_word(&method);
    tracing::info!(
        request_id = &*id.0,
        method,
        route,
        status,
        elapsed_ms,
        "request"
    );
    if let Some(failure) = failure {
        if let Some(reason) = failure.refusal().or(reason(failure.error().fault())) {
            desk.counters.refused(reason);
        }
        if failure.refusal().is_none() {
            log(&id, failure.error());
        }
    }
    with_headers(response, &id)
}

/// Faults that count as refusals, though no limit of the server's load was reached.
const fn reason(fault: Fault) -> Option<&'static str> {
    match fault {
        Fault::Unauthenticated => Some("unauthenticated"),
        Fault::Denied => Some("denied"),
        Fault::Limit => Some("limit"),
        Fault::Timeout => Some("timeout"),
        _ => None,
    }
}

/// Finishes an answer that is nobody's request: it is neither counted nor in the log.
pub(super) async fn finish_quietly(request: Request, next: Next) -> Response {
    let id = RequestId::new();
    let (response, _) = with_error_body(next.run(request).await, &id);
    with_headers(response, &id)
}

/// Writes the failure's body into the answer, where there is a failure.
fn with_error_body(mut response: Response, id: &RequestId) -> (Response, Option<Failure>) {
    let Some(failure) = response.extensions_mut().remove::<Failure>() else {
        return (response, None);
    };
    *response.body_mut() = failure.body(&id.0);
    response.headers_mut().extend(failure.headers());
    (response, Some(failure))
}

/// Answers are one principal's own: no cache keeps them, no browser guesses their type.
fn with_headers(mut response: Response, id: &RequestId) -> Response {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id.0) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Logs an error at the place where it leaves the process. What the client caused is the client's to read: its message
/// may quote its data, which does not belong in our log.
pub(super) fn log(id: &RequestId, error: &Error) {
    let request_id = &*id.0;
    let code = error.fault().code();
    match error.fault() {
        Fault::Internal | Fault::Unavailable | Fault::Full => {
            let cause = error.source().map(ToString::to_string);
            tracing::error!(
                request_id,
                code,
                message = error.message(),
                cause,
                "request failed"
            );
        }
        _ => tracing::debug!(request_id, code, "request refused"),
    }
}

/// The text of a panic is for the log alone.
fn panicked(panic: &(dyn Any + Send)) -> Error {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without text".to_owned());
    Error::internal("answer request", text)
        .with_hint("The request id finds this failure in the server's log.")
}
