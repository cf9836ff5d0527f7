//! `GET /openapi.json`: a document about the API, OpenAPI 3.1, made from the table of routes that the router is made from.
//! The schemas of bodies stand in `schemas.json` beside this file.

use axum::Json;
use serde_json::{Map, Value, json};

use super::route::{Operation, Route, Takes};
use super::routes::routes;
use crate::encode::Encoding;

const SCHEMAS: &str = include_str!("schemas.json");

/// Statuses that any route with a token may answer with, each with the body of an error.
const ERRORS: [(&str, &str); 13] = [
    ("400", "the request can't be right"),
    ("401", "no token, or one that nobody issued"),
    ("403", "the token may not do this"),
    ("404", "it does not exist, or not for this token"),
    ("406", "no offered format is acceptable"),
    (
        "409",
        "an earlier change stands against this one, or the query was cancelled",
    ),
    ("413", "more than one request may ask"),
    (
        "415",
        "the body is in a format that the route does not read",
    ),
    ("422", "a plugin failed"),
    ("429", "more than this token's share; come back later"),
    ("503", "the server can't take it now; come back later"),
    ("504", "the deadline passed"),
    ("507", "no room left for the data"),
];

/// `GET /openapi.json`.
pub(super) async fn show() -> Json<Value> {
    Json(document())
}

/// The document.
///
/// # Panics
///
/// Where `schemas.json` or a key's schema is no JSON, which a test would have found.
#[must_use]
pub fn document() -> Value {
    let mut paths = Map::new();
    for route in routes() {
        let path = paths.entry(route.path.clone()).or_insert_with(|| json!({}));
        path[route.method] = operation(&route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tributary",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": schema(SCHEMAS),
            "responses": {"Error": error()},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    })
}

fn schema(text: &str) -> Value {
    serde_json::from_str(text).expect("the schemas are JSON")
}

fn named(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

fn error() -> Value {
    json!({
        "description": "What went wrong; the header x-request-id finds it in the log",
        "content": {"application/json": {"schema": named("Error")}},
    })
}

fn operation(route: &Route) -> Value {
    let operation = &route.operation;
    let mut said = json!({
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "parameters": parameters(&route.path, operation),
        "responses": responses(operation),
    });
    if operation.is_open {
        said["security"] = json!([]);
    }
    if let Some(takes) = &operation.takes {
        said["requestBody"] = body(takes);
    }
    said
}

fn parameters(path: &str, operation: &Operation) -> Vec<Value> {
    let parts = path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let parts = parts
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": part(name)}));
    let keys = operation.keys.iter().map(|key| {
        json!({
            "name": key.name,
            "in": "query",
            "required": key.is_required,
            "description": key.text,
            "schema": schema(key.schema),
        })
    });
    parts.chain(keys).collect()
}

/// The schema of a part of the path.
fn part(name: &str) -> Value {
    match name {
        "manufacturer" | "name" | "table" => {
            json!({"type": "string", "pattern": "^[a-z][a-z0-9_]{0,62}$"})
        }
        _ => json!({"type": "string", "minLength": 1}),
    }
}

fn body(takes: &Takes) -> Value {
    let content = takes.types.iter().map(|(media_type, schema)| {
        let content = match schema {
            Some(schema) => json!({"schema": named(schema)}),
            None => json!({}),
        };
        ((*media_type).to_owned(), content)
    });
    json!({"required": takes.is_required, "content": content.collect::<Map<_, _>>()})
}

fn responses(operation: &Operation) -> Value {
    let mut responses = Map::new();
    for (status, schema) in &operation.answers {
        let content = json!({"application/json": {"schema": named(schema)}});
        let answer = json!({"description": operation.summary, "content": content});
        responses.insert(status.to_string(), answer);
    }
    if operation.has_rows {
        responses.insert("200".to_owned(), rows());
    }
    for (status, why) in ERRORS {
        if is_possible(status, operation) {
            let error = json!({"$ref": "#/components/responses/Error", "description": why});
            responses.insert(status.to_owned(), error);
        }
    }
    responses.into()
}

/// Whether an operation may answer so.
fn is_possible(status: &str, operation: &Operation) -> bool {
    match status {
        "503" => true,
        _ if operation.is_open => false,
        "406" => operation.has_rows,
        "413" => operation.takes.is_some() || operation.has_rows,
        "415" => operation.takes.is_some(),
        _ => true,
    }
}

/// Rows in each of the formats.
fn rows() -> Value {
    let content = Encoding::ALL.map(|encoding| {
        let content = match encoding {
            Encoding::Json => json!({"schema": named("Rows")}),
            Encoding::Ndjson | Encoding::Csv => json!({"schema": {"type": "string"}}),
            Encoding::Arrow | Encoding::Parquet => json!({}),
        };
        (encoding.media_type().to_owned(), content)
    });
    json!({
        "description": "The rows, as they come",
        "headers": {
            "x-tributary-tables": {
                "description": "The version of each table that the answer is computed from",
                "schema": {"type": "string"},
            },
            "x-tributary-limit": {
                "description": "The limit that was asked for; whether there are more rows is in the trailer x-tributary-more",
                "schema": {"type": "integer"},
            },
        },
        "content": content.into_iter().collect::<Map<_, _>>(),
    })
}
