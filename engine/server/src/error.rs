//! The one table from a [`Fault`] to what a protocol says: HTTP status, exit code of the process, body of an error.
//!
//! Knows no route and no command. Outside this file a status is only ever 2xx.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tributary_engine_core::{Error, Fault};

/// The HTTP status of a fault.
#[must_use]
pub const fn http_status(fault: Fault) -> StatusCode {
    match fault {
        Fault::Syntax | Fault::Invalid | Fault::TooComplex => StatusCode::BAD_REQUEST,
        Fault::Unauthenticated => StatusCode::UNAUTHORIZED,
        Fault::Denied => StatusCode::FORBIDDEN,
        Fault::Missing => StatusCode::NOT_FOUND,
        Fault::Conflict => StatusCode::CONFLICT,
        Fault::Limit => StatusCode::PAYLOAD_TOO_LARGE,
        Fault::Busy => StatusCode::TOO_MANY_REQUESTS,
        Fault::Full => StatusCode::INSUFFICIENT_STORAGE,
        Fault::Timeout => StatusCode::GATEWAY_TIMEOUT,
        Fault::Plugin => StatusCode::UNPROCESSABLE_ENTITY,
        Fault::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Fault::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The exit code of a command that ends with a fault: 2 where the caller has to change something, else 1.
#[must_use]
pub const fn exit_code(fault: Fault) -> u8 {
    match fault {
        Fault::Syntax
        | Fault::Invalid
        | Fault::TooComplex
        | Fault::Unauthenticated
        | Fault::Denied
        | Fault::Missing
        | Fault::Conflict
        | Fault::Limit => 2,
        Fault::Busy
        | Fault::Full
        | Fault::Timeout
        | Fault::Plugin
        | Fault::Unavailable
        | Fault::Internal => 1,
    }
}

/// The header that a status brings along.
fn header_of(status: StatusCode) -> Option<(HeaderName, HeaderValue)> {
    match status {
        StatusCode::UNAUTHORIZED => Some((
            WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer realm=\"tributary\""),
        )),
        StatusCode::TOO_MANY_REQUESTS => Some((RETRY_AFTER, HeaderValue::from_static("1"))),
        StatusCode::SERVICE_UNAVAILABLE => Some((RETRY_AFTER, HeaderValue::from_static("5"))),
        _ => None,
    }
}

/// An error on its way out through HTTP. The outermost layer turns it into a body and a log line.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    error: Arc<Error>,
    status: StatusCode,
    /// The limit that refused the request, as the counters name it.
    refusal: Option<&'static str>,
}

impl Failure {
    /// No route has this path.
    pub(crate) fn no_such_route() -> Self {
        Error::new(Fault::Missing, "no such route")
            .with_hint("GET /openapi.json lists the routes.")
            .into()
    }

    /// The route exists for another method; axum adds the header `Allow`.
    pub(crate) fn wrong_method() -> Self {
        Self::refused(
            StatusCode::METHOD_NOT_ALLOWED,
            "this route does not know this method",
            "The header Allow names the methods that it knows.",
        )
    }

    /// None of the formats in `Accept` is offered.
    pub(crate) fn not_acceptable(offered: &[&str]) -> Self {
        Self::refused(
            StatusCode::NOT_ACCEPTABLE,
            "no offered format matches the header \"accept\"",
            &format!("Set {ACCEPT} to {}.", either(offered)),
        )
    }

    /// The body is in a format that the route does not read.
    pub(crate) fn unsupported_content_type(known: &[&str]) -> Self {
        Self::refused(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the body is in no format that this route reads",
            &format!("Set {CONTENT_TYPE} to {}.", either(known)),
        )
    }

    /// The body is packed in a way that the route does not unpack.
    pub(crate) fn unsupported_content_encoding() -> Self {
        Self::refused(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the body is packed in a way that this route does not unpack",
            "Set content-encoding to gzip or zstd, or leave it out.",
        )
    }

    /// The body is compressed, which this route does not read.
    pub(crate) fn compressed_body() -> Self {
        Self::refused(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "a compressed request body is not read here",
            "Send the body without content-encoding.",
        )
    }

    /// Somebody asks more than its share; the status brings `Retry-After`.
    pub(crate) fn too_many(reason: &'static str, message: &str) -> Self {
        let error = Error::new(Fault::Busy, message)
            .with_hint("Wait for as long as the header Retry-After says, then ask again.");
        Self {
            refusal: Some(reason),
            ..Self::from(error)
        }
    }

    /// Everybody together asks more than the server can do; the status brings `Retry-After`.
    pub(crate) fn overloaded(reason: &'static str) -> Self {
        let error = Error::new(Fault::Unavailable, "too many queries are running")
            .with_hint("Wait for as long as the header Retry-After says, then ask again.");
        Self {
            refusal: Some(reason),
            ..Self::from(error)
        }
    }

    /// The server takes no more work.
    pub(crate) fn not_ready(reason: &'static str, message: &str) -> Self {
        Self {
            refusal: Some(reason),
            ..Self::from(Error::new(Fault::Unavailable, message))
        }
    }

    /// The limit that refused the request, where one did.
    pub(crate) fn refusal(&self) -> Option<&'static str> {
        self.refusal
    }

    /// Refusals that only HTTP knows: to a client they are requests that cannot be right.
    fn refused(status: StatusCode, message: &str, hint: &str) -> Self {
        Self {
            error: Arc::new(Error::new(Fault::Invalid, message).with_hint(hint)),
            status,
            refusal: None,
        }
    }

    /// What went wrong.
    pub(crate) fn error(&self) -> &Error {
        &self.error
    }

    /// The body: one shape for every error of every route.
    pub(crate) fn body(&self, request_id: &str) -> Body {
        let body = ErrorBody {
            code: self.error.fault().code(),
            message: self.error.message(),
            hint: self.error.hint(),
            request_id,
        };
        Body::from(serde_json::to_vec(&body).unwrap_or_default())
    }

    /// The headers that go with the body.
    pub(crate) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::from_iter(header_of(self.status));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            status: http_status(error.fault()),
            error: Arc::new(error),
            refusal: None,
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status;
        response.extensions_mut().insert(self);
        response
    }
}

/// The body of an error, in the order in which it is read.
#[derive(Serialize)]
struct ErrorBody<'a> {
    code: &'a str,
    message: &'a str,
    hint: Option<&'a str>,
    request_id: &'a str,
}

/// Names as a person lists them: `a`, `a or b`, `a, b or c`.
fn either(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spells_every_fault_as_the_architecture_says() {
        let table: Vec<(&str, u16, u8)> = Fault::ALL
            .iter()
            .map(|fault| {
                (
                    fault.code(),
                    http_status(*fault).as_u16(),
                    exit_code(*fault),
                )
            })
            .collect();
        assert_eq!(
            table,
            [
                ("syntax", 400, 2),
                ("invalid", 400, 2),
                ("unauthenticated", 401, 2),
                ("denied", 403, 2),
                ("missing", 404, 2),
                ("conflict", 409, 2),
                ("limit", 413, 2),
                ("too_complex", 400, 2),
                ("busy", 429, 1),
                ("full", 507, 1),
                ("timeout", 504, 1),
                ("plugin", 422, 1),
                ("unavailable", 503, 1),
                ("internal", 500, 1),
            ]
        );
    }

    #[test]
    fn tells_when_to_come_back_and_how_to_sign_in() {
        for (fault, header) in [
            (Fault::Unauthenticated, Some("www-authenticate")),
            (Fault::Busy, Some("retry-after")),
            (Fault::Unavailable, Some("retry-after")),
            (Fault::Internal, None),
        ] {
            let headers = Failure::from(Error::new(fault, "x")).headers();
            for name in ["www-authenticate", "retry-after"] {
                assert_eq!(
                    headers.contains_key(name),
                    header == Some(name),
                    "{fault:?} {name}"
                );
            }
        }
    }

    #[test]
    fn names_what_is_offered() {
        let failure = Failure::not_acceptable(&["a", "b", "c"]);
        assert_eq!(failure.error().hint(), Some("Set accept to a, b or c."));
        assert_eq!(failure.into_response().status().as_u16(), 406);
    }
}
