//! Every route, in the order of those who call it. The router and the document about the API are both made from this.

use tributary_engine_core::saved::SavedKind;

use super::route::{Operation, Route, Size, Takes};
use super::{
    attributes, explain, health, leads, openapi, plugins, query, running, saved, settings, tables,
    tokens,
};

const TEXT: &str = r#"{"type": "string"}"#;
const VERSION: &str = r#"{"type": "string", "examples": ["1.0.0"]}"#;
const INSTANT: &str = r#"{"type": "string", "format": "date-time"}"#;
const YES: &str = r#"{"type": "boolean"}"#;

/// The whole API. Everything but what is called open wants a bearer token.
pub(super) fn routes() -> Vec<Route> {
    let mut routes = Vec::from(anyone());
    routes.extend(analysts());
    for (kind, path) in [
        (SavedKind::View, "/v1/{manufacturer}/views"),
        (SavedKind::Query, "/v1/{manufacturer}/queries"),
        (SavedKind::Metric, "/v1/{manufacturer}/metrics"),
    ] {
        routes.extend(saved::routes(kind, path));
    }
    routes.extend(saved_rows());
    routes.extend(manufacturers());
    routes.extend(plugins());
    routes.extend(distributors());
    routes.extend(admins());
    routes
}

fn anyone() -> [Route; 3] {
    [
        Route::get(
            "/healthz",
            health::healthz,
            Operation::new("health", "server", "Whether the process is alive")
                .open()
                .json(200, "Health"),
        ),
        Route::get(
            "/readyz",
            health::readyz,
            Operation::new(
                "ready",
                "server",
                "Whether the server takes requests; 503 while it is about to stop",
            )
            .open()
            .json(200, "Ready"),
        ),
        Route::get(
            "/openapi.json",
            openapi::show,
            Operation::new("openapi", "server", "This document")
                .open()
                .json(200, "Document"),
        ),
    ]
}

fn statement() -> Takes {
    Takes::of(
        Size::Query,
        vec![
            ("application/json", Some("Query")),
            ("text/plain", Some("Statement")),
        ],
    )
}

fn analysts() -> [Route; 6] {
    let by_url = |id: &str, summary: &str| {
        Operation::new(id, "queries", summary)
            .key(
                "sql",
                TEXT,
                "One read-only statement; each parameter is a key of its own, $name or $name:kind",
            )
            .required()
            .rows()
    };
    let posted = |id: &str, summary: &str| {
        Operation::new(id, "queries", summary)
            .takes(statement())
            .rows()
    };
    const OWN: &str = "Answer a statement over the tables of the token's manufacturer";
    const NAMED: &str = "Answer a statement over the tables of a manufacturer";
    [
        Route::get(
            "/v1/query",
            query::of_caller_by_url,
            by_url("query_own_by_url", OWN),
        ),
        Route::post("/v1/query", query::of_caller, posted("query_own", OWN)),
        Route::get(
            "/v1/{manufacturer}/query",
            query::of_manufacturer_by_url,
            by_url("query_by_url", NAMED),
        ),
        Route::post(
            "/v1/{manufacturer}/query",
            query::of_manufacturer,
            posted("query", NAMED),
        ),
        Route::get(
            "/v1/{manufacturer}/running",
            running::list,
            Operation::new(
                "list_running",
                "queries",
                "The queries that run, the oldest first",
            )
            .json(200, "Running"),
        ),
        Route::delete(
            "/v1/{manufacturer}/running/{id}",
            running::cancel,
            Operation::new("cancel_running", "queries", "Stop a query that runs")
                .json(200, "Cancelled"),
        ),
    ]
}

fn saved_rows() -> [Route; 2] {
    const PATH: &str = "/v1/{manufacturer}/queries/{name}/rows";
    const SUMMARY: &str = "Run a saved query";
    [
        Route::get(
            PATH,
            saved::run,
            Operation::new("run_query_by_url", "queries", SUMMARY).rows(),
        ),
        Route::post(
            PATH,
            saved::run,
            Operation::new("run_query", "queries", SUMMARY)
                .takes(Takes::json(Size::Query, "Values").or_nothing())
                .rows(),
        ),
    ]
}

fn manufacturers() -> [Route; 5] {
    const ATTRIBUTES: &str = "/v1/{manufacturer}/tables/{table}/attributes";
    [
        Route::get(
            "/v1/{manufacturer}/settings",
            settings::show,
            Operation::new(
                "read_settings",
                "settings",
                "How a manufacturer's year runs",
            )
            .json(200, "Settings"),
        ),
        Route::put(
            "/v1/{manufacturer}/settings",
            settings::put,
            Operation::new(
                "set_settings",
                "settings",
                "Set how a manufacturer's year runs",
            )
            .takes(Takes::json(Size::Other, "Settings"))
            .json(200, "Settings"),
        ),
        Route::post(
            "/v1/{manufacturer}/tables/{table}",
            tables::ingest,
            ingest(),
        ),
        Route::get(
            ATTRIBUTES,
            attributes::list,
            Operation::new(
                "list_attributes",
                "tables",
                "A table's columns of a manufacturer's own",
            )
            .json(200, "Declared"),
        ),
        Route::post(
            ATTRIBUTES,
            attributes::declare,
            Operation::new(
                "declare_attributes",
                "tables",
                "Add columns of a manufacturer's own",
            )
            .takes(Takes::json(Size::Other, "Attributes"))
            .json(200, "Declared"),
        ),
    ]
}

fn ingest() -> Operation {
    let types = vec![
        ("text/csv", Some("Text")),
        ("application/x-ndjson", Some("Text")),
        ("application/vnd.apache.parquet", None),
        ("application/vnd.apache.arrow.stream", None),
        ("application/vnd.apache.arrow.file", None),
    ];
    Operation::new(
        "ingest",
        "tables",
        "Store the rows of a file: one commit, all rows or none. The body may be packed, as Content-Encoding gzip or zstd",
    )
    .takes(Takes::of(Size::Ingest, types))
    .key("encoding", TEXT, "Encoding of a text file")
    .key("delimiter", r#"{"type": "string", "enum": [",", ";", "tab", "|"]}"#, "Delimiter of CSV")
    .key("decimal", r#"{"type": "string", "enum": [".", ","]}"#, "Decimal mark of texts")
    .key("dates", r#"{"type": "string", "enum": ["iso", "dmy", "mdy"]}"#, "Order of dates in texts")
    .key("null", TEXT, "A text that means NULL")
    .key("missing", r#"{"type": "string", "enum": ["refuse", "null"]}"#, "What a key of NDJSON means that other rows have")
    .key("on_error", r#"{"type": "string", "enum": ["refuse", "quarantine"]}"#, "What becomes of bad rows")
    .json(200, "Receipt")
}

fn plugins() -> [Route; 9] {
    const ONE: &str = "/v1/{manufacturer}/plugins/{name}";
    const VERSIONED: &str = "/v1/{manufacturer}/plugins/{name}/versions/{version}";
    let about = |id: &str, summary: &str| Operation::new(id, "plugins", summary);
    let below = |end: &str| format!("{ONE}/{end}");
    [
        Route::get(
            "/v1/{manufacturer}/plugins",
            plugins::list,
            about("list_plugins", "Every version that was uploaded").json(200, "Plugins"),
        ),
        Route::post(
            "/v1/{manufacturer}/plugins",
            plugins::upload,
            about("upload_plugin", "Keep a component as a draft")
                .takes(Takes::of(
                    Size::Plugin,
                    vec![
                        ("application/octet-stream", None),
                        ("application/wasm", None),
                    ],
                ))
                .json(201, "Plugin"),
        ),
        Route::get(
            ONE,
            plugins::show,
            about("read_plugin", "The version in force, or else the newest").json(200, "Plugin"),
        ),
        Route::get(
            VERSIONED,
            plugins::show_version,
            about("read_plugin_version", "One version").json(200, "Plugin"),
        ),
        Route::post(
            &format!("{VERSIONED}/activate"),
            plugins::activate,
            about("activate_plugin", "Put a version in force")
                .takes(Takes::json(Size::Other, "Setup").or_nothing())
                .json(200, "Plugin"),
        ),
        Route::post(
            &below("rollback"),
            plugins::rollback,
            about("roll_back_plugin", "Put in force again what was before").json(200, "Plugin"),
        ),
        Route::get(
            &below("diff"),
            plugins::diff,
            about("compare_plugins", "How two versions differ")
                .key("from", VERSION, "The version that is compared with")
                .required()
                .key("to", VERSION, "The version that is compared")
                .required()
                .json(200, "PluginDiff"),
        ),
        Route::get(
            &below("logs"),
            plugins::logs,
            about("read_plugin_log", "What happened to a plugin, newest last").json(200, "Logs"),
        ),
        Route::post(
            &below("run"),
            plugins::run,
            about("run_plugin", "Decide about leads by the rules in force")
                .key("all", YES, "All leads, and not only new and changed ones")
                .json(200, "Ran"),
        ),
    ]
}

fn distributors() -> [Route; 4] {
    let about = |id: &str, summary: &str| Operation::new(id, "leads", summary);
    [
        Route::get(
            "/v1/{manufacturer}/leads/{id}",
            leads::show,
            about(
                "read_lead",
                "One lead as it stands, with the feedback on it",
            )
            .json(200, "Lead"),
        ),
        Route::get(
            "/v1/{manufacturer}/leads/{id}/next",
            leads::next,
            about("next_of_lead", "What the stage of a lead asks for").json(200, "Next"),
        ),
        Route::get(
            "/v1/{manufacturer}/leads/{id}/explain",
            explain::explain,
            about("explain_lead", "Why a lead has the verdicts that it has")
                .key(
                    "as_of",
                    INSTANT,
                    "The instant whose decisions are asked for; now where absent",
                )
                .json(200, "Explanation"),
        ),
        Route::post(
            "/v1/{manufacturer}/leads/{id}/feedback",
            leads::feedback,
            about("give_feedback", "Accept or reject a lead")
                .takes(Takes::json(Size::Other, "Feedback"))
                .json(201, "Lead"),
        ),
    ]
}

fn admins() -> [Route; 4] {
    const ALL: &str = "/v1/{manufacturer}/tokens";
    const ONE: &str = "/v1/{manufacturer}/tokens/{id}";
    let about = |id: &str, summary: &str| Operation::new(id, "tokens", summary);
    [
        Route::get(
            ALL,
            tokens::list,
            about(
                "list_tokens",
                "The tokens of a manufacturer, without their secrets",
            )
            .json(200, "Tokens"),
        ),
        Route::post(
            ALL,
            tokens::issue,
            about(
                "issue_token",
                "Issue a token, which is shown in this answer only",
            )
            .takes(Takes::json(Size::Other, "NewToken").or_nothing())
            .json(201, "IssuedToken"),
        ),
        Route::post(
            &format!("{ONE}/rotate"),
            tokens::rotate,
            about(
                "rotate_token",
                "Issue a token for the same, and end the old one",
            )
            .json(201, "IssuedToken"),
        ),
        Route::delete(
            ONE,
            tokens::revoke,
            about("revoke_token", "End a token at once").json(200, "Token"),
        ),
    ]
}
