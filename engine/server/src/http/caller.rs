//! Who asks, and whose data the path names: parsed from the head of a request, before its body is looked at.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use tributary_engine_core::engine::Principal;
use tributary_engine_core::manufacturer::ManufacturerId;
use tributary_engine_core::{Error, Fault};

use super::Shared;
use crate::error::Failure;
use crate::limits::TOKEN_BYTES;

/// The holder of the request's bearer token.
pub(super) struct Caller(pub(super) Principal);

impl FromRequestParts<Shared> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, engine: &Shared) -> Result<Self, Failure> {
        let token = bearer(&parts.headers)?;
        Ok(Self(engine.authenticate(token).await?))
    }
}

/// A caller on the path of a manufacturer that it may see.
pub(super) struct Tenant {
    pub(super) principal: Principal,
    pub(super) manufacturer: ManufacturerId,
}

impl FromRequestParts<Shared> for Tenant {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, engine: &Shared) -> Result<Self, Failure> {
        let Caller(principal) = Caller::from_request_parts(parts, engine).await?;
        let manufacturer = ManufacturerId::try_from(path_part(parts, "manufacturer").await?)?;
        if !principal.sees(&manufacturer) {
            return Err(not_there(&manufacturer).into());
        }
        Ok(Self {
            principal,
            manufacturer,
        })
    }
}

/// One named part of the matched path, decoded.
pub(super) async fn path_part(parts: &mut Parts, name: &str) -> Result<String, Failure> {
    let part = RawPathParams::from_request_parts(parts, &())
        .await
        .ok()
        .and_then(|params| {
            params
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.to_owned())
        });
    part.ok_or_else(|| {
        Error::new(
            Fault::Invalid,
            format!("{name} in the path is not UTF-8 text"),
        )
        .into()
    })
}

/// Another's manufacturer and none at all look the same from outside.
fn not_there(manufacturer: &ManufacturerId) -> Error {
    Error::new(
        Fault::Missing,
        format!("manufacturer \"{manufacturer}\" does not exist"),
    )
    .with_hint(
        "A token of one manufacturer sees that one only; POST to /v1/query to leave the name out.",
    )
}

/// The token of the one `Authorization: Bearer` header.
fn bearer(headers: &HeaderMap) -> Result<&str, Error> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let token = values
        .next()
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .filter(|token| !token.is_empty() && token.len() <= TOKEN_BYTES);
    match (token, values.next()) {
        (Some(token), None) => Ok(token),
        _ => Err(Error::new(Fault::Unauthenticated, "a bearer token is needed").with_hint(
            "Send the header \"Authorization: Bearer <token>\"; the operator's token is in the file operator.token \
             of the data folder.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn check(values: &[&str], expected: Option<&str>) {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(
                AUTHORIZATION,
                HeaderValue::from_str(value).expect("a header value"),
            );
        }
        assert_eq!(bearer(&headers).ok(), expected, "{values:?}");
    }

    #[test]
    fn takes_the_token_of_exactly_one_bearer_header() {
        check(&["Bearer abc"], Some("abc"));
        check(&["bearer  abc "], Some("abc"));
        check(&[], None);
        check(&["abc"], None);
        check(&["Bearer "], None);
        check(&["Basic abc"], None);
        check(&["Bearer abc", "Bearer def"], None);
        check(&[&format!("Bearer {}", "a".repeat(TOKEN_BYTES + 1))], None);
    }
}
