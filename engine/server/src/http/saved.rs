//! `…/views`, `…/queries` and `…/metrics`: save the next version, read one, delete it, list them, and run a query by its name.

use axum::extract::{Request, State};
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use tributary_engine_core::parameter::{Parameter, Parameters, Value};
use tributary_engine_core::saved::{Named, Run, Save, Saved, SavedKind};
use tributary_engine_core::{Error, Fault, Result};

use super::Shared;
use super::answer::RequestId;
use super::body;
use super::caller::{Tenant, path_part};
use super::keys::Keys;
use super::route::{Operation, Route, Size, Takes};
use super::rows;
use super::running::Ticket;
use super::wanted::{OPTIONS, Wanted};
use crate::error::Failure;
use crate::parameters::{self, Given};

/// `{path}` and `{path}/{name}` for one kind.
pub(super) fn routes(kind: SavedKind, path: &str) -> [Route; 4] {
    let words = Words::of(kind);
    let one = format!("{path}/{{name}}");
    let about = |verb: &str, summary: String| {
        Operation::new(&format!("{verb}_{kind}"), words.plural, &summary)
    };
    [
        Route::get(
            path,
            move |engine, tenant| list(kind, engine, tenant),
            about("list", format!("The {} that there are", words.plural)).json(200, words.listed),
        ),
        Route::get(
            &one,
            move |engine, tenant, request| find(kind, engine, tenant, request),
            about("read", format!("One {kind}"))
                .key("version", VERSION, "One version; the latest where absent")
                .json(200, "Saved"),
        ),
        Route::put(
            &one,
            move |engine, tenant, request| put(kind, engine, tenant, request),
            about("save", format!("Save the next version of a {kind}"))
                .takes(Takes::json(Size::Query, words.definition))
                .json(200, "Saved"),
        ),
        Route::delete(
            &one,
            move |engine, tenant, request| delete(kind, engine, tenant, request),
            about("delete", format!("Delete a {kind}; its versions stay")).json(200, "Saved"),
        ),
    ]
}

/// What a version is in a document about the API.
const VERSION: &str = r#"{"type": "integer", "minimum": 0}"#;

/// How a document about the API names one kind.
struct Words {
    plural: &'static str,
    listed: &'static str,
    definition: &'static str,
}

impl Words {
    const fn of(kind: SavedKind) -> Self {
        let (plural, listed, definition) = match kind {
            SavedKind::View => ("views", "Views", "View"),
            SavedKind::Query => ("queries", "Queries", "NamedQuery"),
            SavedKind::Metric => ("metrics", "Metrics", "Metric"),
        };
        Self {
            plural,
            listed,
            definition,
        }
    }
}

async fn put(
    kind: SavedKind,
    State(engine): State<Shared>,
    tenant: Tenant,
    request: Request,
) -> Result<Json<Saved>, Failure> {
    let (mut head, body) = request.into_parts();
    let name = path_part(&mut head, "name").await?;
    let bytes = body::whole(&head, body).await?;
    let definition = body::object(&bytes).map_err(|error| {
        Error::new(Fault::Invalid, format!("the body is not a {kind}: {error}"))
            .with_hint(example(kind))
    })?;
    let save = Save {
        principal: tenant.principal,
        manufacturer: tenant.manufacturer,
        kind,
        name,
        definition,
    };
    Ok(Json(engine.put(save).await?))
}

fn example(kind: SavedKind) -> &'static str {
    match kind {
        SavedKind::View => "Send {\"sql\": \"SELECT …\", \"description\": \"…\"}.",
        SavedKind::Query => {
            "Send {\"sql\": \"SELECT $region\", \"parameters\": {\"region\": {\"type\": \"text\", \"default\": \"north\"}}}."
        }
        SavedKind::Metric => {
            "Send {\"sql\": \"SELECT distributor_id, sent_at AS at, … AS event FROM leads\", \"kind\": \"rate\", \"direction\": \"up\"}."
        }
    }
}

async fn find(
    kind: SavedKind,
    State(engine): State<Shared>,
    tenant: Tenant,
    request: Request,
) -> Result<Json<Saved>, Failure> {
    let mut keys = Keys::of(request.uri())?;
    let version = keys.take("version").map(|text| number(&text)).transpose()?;
    keys.finish("version")?;
    let named = named(kind, tenant, request, version).await?;
    Ok(Json(engine.saved(named).await?))
}

fn number(text: &str) -> Result<u64> {
    text.parse().map_err(|_| {
        let shown: String = text.chars().take(63).collect();
        Error::new(Fault::Invalid, format!("version {shown:?} is not a number"))
            .with_hint("Versions count from 1.")
    })
}

async fn delete(
    kind: SavedKind,
    State(engine): State<Shared>,
    tenant: Tenant,
    request: Request,
) -> Result<Json<Saved>, Failure> {
    let named = named(kind, tenant, request, None).await?;
    Ok(Json(engine.delete(named).await?))
}

async fn named(
    kind: SavedKind,
    tenant: Tenant,
    request: Request,
    version: Option<u64>,
) -> Result<Named, Failure> {
    let (mut head, _) = request.into_parts();
    Ok(Named {
        principal: tenant.principal,
        manufacturer: tenant.manufacturer,
        kind,
        name: path_part(&mut head, "name").await?,
        version,
    })
}

/// Those in force.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Listed {
    Views(Vec<Saved>),
    Queries(Vec<Saved>),
    Metrics(Vec<Saved>),
}

async fn list(
    kind: SavedKind,
    State(engine): State<Shared>,
    tenant: Tenant,
) -> Result<Response, Failure> {
    let saved = engine
        .list(&tenant.principal, &tenant.manufacturer, kind)
        .await?;
    let listed = match kind {
        SavedKind::View => Listed::Views(saved),
        SavedKind::Query => Listed::Queries(saved),
        SavedKind::Metric => Listed::Metrics(saved),
    };
    Ok(Json(listed).into_response())
}

/// `GET|POST /v1/{manufacturer}/queries/{name}/rows`: values as keys of the URL, or in a JSON body.
pub(super) async fn run(
    State(engine): State<Shared>,
    tenant: Tenant,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Result<Response, Failure> {
    let (mut head, body) = request.into_parts();
    let mut keys = Keys::of(&head.uri)?;
    let wanted = Wanted::take(&head.headers, &mut keys)?;
    let parameters = if head.method == Method::POST {
        let known = format!("{OPTIONS}; the values of parameters stand in the body");
        keys.finish(&known)?;
        Values::parse(&body::whole(&head, body).await?)?
    } else {
        by_url(keys)?
    };
    let name = path_part(&mut head, "name").await?;
    let saved = Some(name.clone());
    let mut ticket = Ticket::of(
        &head,
        (&tenant.principal, &tenant.manufacturer),
        wanted.deadline,
        saved,
    )
    .await?;
    let run = Run {
        principal: tenant.principal,
        manufacturer: tenant.manufacturer,
        name,
        parameters,
    };
    let answer = ticket.run(engine.run(run)).await?;
    rows::respond(answer, &wanted, ticket, id).await
}

/// Every other key of the URL is a parameter. One that is named like an option is written with a dollar sign.
fn by_url(mut keys: Keys) -> Result<Parameters> {
    let mut parameters = Parameters::new();
    let (typed, untyped): (Vec<_>, Vec<_>) = keys
        .take_all("$")
        .into_iter()
        .partition(|(name, _)| name.contains(':'));
    for (name, value) in typed {
        parameters::add(&mut parameters, &name, value)?;
    }
    for (name, value) in untyped.into_iter().chain(keys.take_all("")) {
        let value = Parameter::untyped(Value::Text(value));
        if parameters.insert(name, value).is_some() {
            let message = "a parameter is given twice, with and without its dollar sign";
            return Err(Error::new(Fault::Invalid, message));
        }
    }
    Ok(parameters)
}

/// The JSON body of a run; an empty body leaves every parameter at its default.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Values {
    #[serde(default)]
    parameters: Given,
}

impl Values {
    fn parse(bytes: &[u8]) -> Result<Parameters> {
        if bytes.trim_ascii().is_empty() {
            return Ok(Parameters::new());
        }
        let values: Self = body::object(bytes).map_err(|error| {
            Error::new(
                Fault::Invalid,
                format!("the body has no parameters: {error}"),
            )
            .with_hint("Send {\"parameters\": {\"region\": \"north\"}}.")
        })?;
        Ok(values.parameters.0)
    }
}

#[cfg(test)]
mod tests {
    use tributary_engine_core::saved::Definition;

    use super::*;

    #[test]
    fn a_default_of_null_is_one() {
        let definition: Definition = serde_json::from_str(
            r#"{"sql": "SELECT $a, $b", "parameters": {"a": {"type": "text", "default": null}, "b": {"type": "decimal", "default": 1.50}}}"#,
        )
        .expect("a definition");
        assert_eq!(definition.parameters["a"].default, Some(Value::Null));
        let json = serde_json::to_string(&definition).expect("JSON");
        assert!(json.contains("\"default\":1.50"), "{json}");
    }

    /// Whoever reads a version reads what was written.
    #[test]
    fn a_version_is_the_same_after_json() {
        let mut saved: Saved = serde_json::from_str(
            r#"{"name": "wins", "version": 0, "sql": "SELECT 1", "description": "", "parameters": {}, "kind": "rate",
                "direction": "down", "maturity_days": 7, "saved_at": null, "is_current": true, "is_deleted": false,
                "is_shipped": true}"#,
        )
        .expect("a version");
        let days = saved
            .definition
            .measure
            .map(|measure| measure.maturity_days);
        assert_eq!((days, saved.is_shipped), (Some(7), true));
        let again = |saved: &Saved| -> Saved {
            let json = serde_json::to_string(saved).expect("JSON");
            serde_json::from_str(&json).expect("a version")
        };
        assert_eq!(again(&saved), saved);
        saved.definition.measure = None;
        saved.is_shipped = false;
        assert_eq!(again(&saved), saved);
    }
}
