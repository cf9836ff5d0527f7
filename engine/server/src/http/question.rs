//! What a request asks: a statement with the values of its parameters, from the body or from the URL.

use axum::body::Body;
use axum::http::request::Parts;
use serde::Deserialize;
use tributary_engine_core::parameter::Parameters;
use tributary_engine_core::{Error, Fault, Result};

use super::body;
use super::keys::Keys;
use super::wanted::OPTIONS;
use crate::error::Failure;
use crate::parameters::{self, Given};

const CONTENT_TYPES: [&str; 2] = ["application/json", "text/plain"];

/// A statement and what its placeholders stand for.
pub(super) struct Question {
    pub(super) sql: String,
    pub(super) parameters: Parameters,
}

impl Question {
    /// From a URL: `?sql=…&$region=north&$from:date=2024-01-01`.
    pub(super) fn of_url(mut keys: Keys) -> Result<Self> {
        let Some(sql) = keys.take("sql") else {
            return Err(Error::new(Fault::Invalid, "the URL has no statement")
                .with_hint("Write it percent-encoded after ?sql=, or POST it."));
        };
        let mut parameters = Parameters::new();
        for (name, value) in keys.take_all("$") {
            parameters::add(&mut parameters, &name, value)?;
        }
        let known = format!("sql, {OPTIONS}, and $name or $name:kind for each parameter");
        keys.finish(&known)?;
        Ok(Self { sql, parameters })
    }

    /// From a body, which is JSON or the bare SQL.
    pub(super) async fn of_body(head: &Parts, body: Body) -> Result<Self, Failure> {
        let media_type = body::media_type(&head.headers);
        let stated = match media_type.as_deref() {
            Some("application/json") => Some(true),
            Some("text/plain") => Some(false),
            // Nothing stated, or what `curl --data` states unasked.
            None | Some("application/x-www-form-urlencoded") => None,
            _ => return Err(Failure::unsupported_content_type(&CONTENT_TYPES)),
        };
        let bytes = body::whole(head, body).await?;
        let looks_like_json = || bytes.trim_ascii_start().starts_with(b"{");
        if stated.unwrap_or_else(looks_like_json) {
            return Ok(Statement::parse(&bytes)?.into());
        }
        let sql = String::from_utf8(bytes.into())
            .map_err(|_| Error::new(Fault::Invalid, "the statement is not UTF-8 text"))?;
        Ok(Self {
            sql,
            parameters: Parameters::new(),
        })
    }
}

/// The JSON body of a query.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    sql: String,
    #[serde(default)]
    parameters: Given,
}

impl Statement {
    fn parse(bytes: &[u8]) -> Result<Self> {
        body::object(bytes).map_err(|error| {
            Error::new(Fault::Invalid, format!("the body is not a query: {error}")).with_hint(
                "Send {\"sql\": \"SELECT $1\", \"parameters\": [1]}, or the bare SQL as text/plain.",
            )
        })
    }
}

impl From<Statement> for Question {
    fn from(statement: Statement) -> Self {
        Self {
            sql: statement.sql,
            parameters: statement.parameters.0,
        }
    }
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
            r#"{"sql":"a","parameters":1}"#,
        ] {
            let error = Statement::parse(body.as_bytes())
                .map(|s| s.sql)
                .expect_err(body);
            assert_eq!(error.fault(), Fault::Invalid);
        }
    }
}
