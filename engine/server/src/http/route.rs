//! A route together with what a document about the API says of it. There is no way to make one without the other.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::Router;
use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, on};

use super::Shared;
use super::admission;
use super::body::Limit;
use super::desk::Desk;
use crate::config::LimitsSection;

/// One method of one path.
pub(super) struct Route {
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) operation: Operation,
    handler: MethodRouter<Shared>,
}

impl Route {
    pub(super) fn get<H, T>(path: &str, handler: H, operation: Operation) -> Self
    where
        H: Handler<T, Shared>,
        T: 'static,
    {
        Self::new("get", path, on(MethodFilter::GET, handler), operation)
    }

    pub(super) fn post<H, T>(path: &str, handler: H, operation: Operation) -> Self
    where
        H: Handler<T, Shared>,
        T: 'static,
    {
        Self::new("post", path, on(MethodFilter::POST, handler), operation)
    }

    pub(super) fn put<H, T>(path: &str, handler: H, operation: Operation) -> Self
    where
        H: Handler<T, Shared>,
        T: 'static,
    {
        Self::new("put", path, on(MethodFilter::PUT, handler), operation)
    }

    pub(super) fn delete<H, T>(path: &str, handler: H, operation: Operation) -> Self
    where
        H: Handler<T, Shared>,
        T: 'static,
    {
        Self::new("delete", path, on(MethodFilter::DELETE, handler), operation)
    }

    fn new(
        method: &'static str,
        path: &str,
        handler: MethodRouter<Shared>,
        operation: Operation,
    ) -> Self {
        Self {
            method,
            path: path.to_owned(),
            operation,
            handler,
        }
    }

    /// Adds the route to a router, behind what its operation asks for: first what is cheap to refuse.
    pub(super) fn add_to(
        self,
        router: Router<Shared>,
        desk: &Arc<Desk>,
        engine: &Shared,
    ) -> Router<Shared> {
        let state = (Arc::clone(desk), Arc::clone(engine));
        let mut handler = self.handler;
        if let Some(takes) = &self.operation.takes {
            handler = handler.route_layer(Extension(takes.size.limit(&desk.config.limits)));
        }
        if !self.operation.is_open {
            handler = handler.route_layer(from_fn_with_state(state.clone(), admission::admit));
        }
        if self.operation.has_rows {
            handler = handler.route_layer(from_fn_with_state(state, admission::unless_full));
        }
        router.route(&self.path, handler)
    }
}

/// What a route does, for whoever calls it.
pub(super) struct Operation {
    pub(super) id: String,
    pub(super) tag: &'static str,
    pub(super) summary: String,
    /// Whether it wants no token.
    pub(super) is_open: bool,
    pub(super) keys: Vec<Key>,
    pub(super) takes: Option<Takes>,
    /// Whether it answers with rows, in the format that the client wants.
    pub(super) has_rows: bool,
    /// Status and schema of an answer in JSON.
    pub(super) answers: Vec<(u16, &'static str)>,
}

/// A key of the URL.
pub(super) struct Key {
    pub(super) name: &'static str,
    /// A JSON schema.
    pub(super) schema: &'static str,
    pub(super) text: &'static str,
    pub(super) is_required: bool,
}

impl Operation {
    pub(super) fn new(id: &str, tag: &'static str, summary: &str) -> Self {
        Self {
            id: id.to_owned(),
            tag,
            summary: summary.to_owned(),
            is_open: false,
            keys: Vec::new(),
            takes: None,
            has_rows: false,
            answers: Vec::new(),
        }
    }

    /// Wants no token.
    pub(super) fn open(mut self) -> Self {
        self.is_open = true;
        self
    }

    pub(super) fn key(
        mut self,
        name: &'static str,
        schema: &'static str,
        text: &'static str,
    ) -> Self {
        self.keys.push(Key {
            name,
            schema,
            text,
            is_required: false,
        });
        self
    }

    /// The key that was named last has to be there.
    pub(super) fn required(mut self) -> Self {
        if let Some(last) = self.keys.last_mut() {
            last.is_required = true;
        }
        self
    }

    pub(super) fn takes(mut self, takes: Takes) -> Self {
        self.takes = Some(takes);
        self
    }

    /// Answers with a JSON document of a named schema.
    pub(super) fn json(mut self, status: u16, schema: &'static str) -> Self {
        self.answers.push((status, schema));
        self
    }

    /// Answers with rows.
    pub(super) fn rows(mut self) -> Self {
        self.has_rows = true;
        self.key(
            "format",
            FORMAT,
            "Format of the answer, in place of the header Accept",
        )
        .key("limit", LIMIT, "At most so many rows")
        .key("deadline_ms", DEADLINE, "After which the query is stopped")
        .key(
            "csv_formulas",
            FORMULAS,
            "In CSV, whether texts that a spreadsheet would compute get an apostrophe in front",
        )
    }
}

const FORMAT: &str = r#"{"type": "string", "enum": ["json", "ndjson", "csv", "arrow", "parquet"]}"#;
const LIMIT: &str = r#"{"type": "integer", "minimum": 1, "maximum": 1000000000}"#;
const DEADLINE: &str = r#"{"type": "integer", "minimum": 1, "maximum": 300000}"#;
const FORMULAS: &str = r#"{"type": "string", "enum": ["keep", "neutralise"]}"#;

/// The body that a route takes.
pub(super) struct Takes {
    pub(super) size: Size,
    /// Media types with the name of their schema; bytes have none.
    pub(super) types: Vec<(&'static str, Option<&'static str>)>,
    pub(super) is_required: bool,
}

impl Takes {
    /// One JSON document.
    pub(super) fn json(size: Size, schema: &'static str) -> Self {
        Self::of(size, vec![("application/json", Some(schema))])
    }

    pub(super) fn of(size: Size, types: Vec<(&'static str, Option<&'static str>)>) -> Self {
        Self {
            size,
            types,
            is_required: true,
        }
    }

    /// No body is one too.
    pub(super) fn or_nothing(mut self) -> Self {
        self.is_required = false;
        self
    }
}

/// Which bound a body has.
#[derive(Clone, Copy)]
pub(super) enum Size {
    Query,
    Ingest,
    Plugin,
    Other,
}

impl Size {
    fn limit(self, limits: &LimitsSection) -> Limit {
        let (name, bytes) = match self {
            Self::Query => ("query_body_bytes", limits.query_body_bytes),
            Self::Ingest => ("ingest_body_bytes", limits.ingest_body_bytes),
            Self::Plugin => ("plugin_bytes", limits.plugin_bytes),
            Self::Other => ("other_body_bytes", limits.other_body_bytes),
        };
        Limit {
            name,
            bytes,
            idle: Duration::from_secs(limits.body_idle_seconds),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use tributary_engine_core::limits::QUERY_SECONDS;

    use super::*;
    use crate::limits::ANSWER_ROWS_MAX;

    #[test]
    fn the_schemas_of_options_have_the_bounds_that_are_checked() {
        for (schema, most) in [(LIMIT, ANSWER_ROWS_MAX), (DEADLINE, QUERY_SECONDS * 1_000)] {
            let schema: Value = serde_json::from_str(schema).expect("JSON");
            assert_eq!(schema["maximum"], most);
        }
    }
}
