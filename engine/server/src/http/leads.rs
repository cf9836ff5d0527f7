//! `…/leads/{id}`: one lead as it stands, what a distributor says of it, and what to do with it next.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tributary_engine_core::engine::{Format, OnError, Reading};
use tributary_engine_core::engine::{Ingest, Query};
use tributary_engine_core::parameter::{Parameter, Parameters, Value};
use tributary_engine_core::{Error, Fault};

use super::Shared;
use super::body;
use super::caller::{Tenant, path_part};
use super::desk;
use crate::encode;
use crate::error::Failure;

const LEAD: &str = "SELECT * FROM v_lead WHERE lead_id = $id";
const FEEDBACK: &str =
    "SELECT * FROM feedback WHERE subject = 'lead' AND subject_id = $id ORDER BY at, feedback_id";
const STAGE: &str = "
SELECT l.stage, s.position, s.exit_criteria
FROM v_lead AS l LEFT JOIN stages AS s ON s.stage = l.stage
WHERE l.lead_id = $id";
/// What fits the lead's stage and is current: made for its product first, then what fits any.
const CONTENT: &str = "
SELECT c.*
FROM v_lead AS l JOIN content AS c ON c.stage = l.stage
WHERE l.lead_id = $id
  AND (c.product_id IS NULL OR c.product_id = l.product_id)
  AND (c.valid_from IS NULL OR c.valid_from <= CAST(l.as_of AS DATE))
  AND (c.valid_to IS NULL OR c.valid_to >= CAST(l.as_of AS DATE))
ORDER BY c.product_id NULLS LAST, c.title, c.content_id";

/// One lead with the feedback on it.
#[derive(Serialize)]
pub(super) struct Lead {
    lead: Box<RawValue>,
    feedback: Vec<Box<RawValue>>,
    tables: BTreeMap<String, u64>,
}

/// What the stage of a lead asks for.
#[derive(Serialize)]
pub(super) struct Next {
    lead_id: String,
    #[serde(flatten)]
    stage: Stage,
    content: Vec<Box<RawValue>>,
    tables: BTreeMap<String, u64>,
}

/// The stage of a lead, as the manufacturer describes it.
#[derive(Serialize, Deserialize)]
struct Stage {
    stage: String,
    position: Option<i64>,
    exit_criteria: Option<String>,
}

/// What a distributor says of a lead.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    decision: Decision,
    feedback_id: Option<String>,
    reason_code: Option<String>,
    comment: Option<String>,
    rating: Option<i8>,
    rep_id: Option<String>,
    next_action: Option<String>,
    next_action_on: Option<String>,
    at: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Decision {
    Accept,
    Reject,
}

/// The row of `feedback` that is appended.
#[derive(Serialize)]
struct Row {
    feedback_id: String,
    distributor_id: String,
    subject: &'static str,
    subject_id: String,
    at: String,
    decision: Decision,
    reason_code: Option<String>,
    comment: Option<String>,
    rating: Option<i8>,
    rep_id: Option<String>,
    next_action: Option<String>,
    next_action_on: Option<String>,
}

/// What was appended, and the lead as it stands after it.
#[derive(Serialize)]
pub(super) struct Noted {
    feedback_id: String,
    #[serde(flatten)]
    lead: Lead,
}

/// `GET /v1/{manufacturer}/leads/{id}`.
pub(super) async fn show(
    State(engine): State<Shared>,
    tenant: Tenant,
    request: Request,
) -> Result<Json<Lead>, Failure> {
    let (id, request) = lead_id(request).await?;
    let _place = desk::place(request.extensions(), &tenant.manufacturer).await?;
    Ok(Json(lead(&engine, &tenant, &id).await?))
}

/// `GET /v1/{manufacturer}/leads/{id}/next`.
pub(super) async fn next(
    State(engine): State<Shared>,
    tenant: Tenant,
    request: Request,
) -> Result<Json<Next>, Failure> {
    let (id, request) = lead_id(request).await?;
    let _place = desk::place(request.extensions(), &tenant.manufacturer).await?;
    let (stage, mut tables) = objects(&engine, &tenant, STAGE, &id).await?;
    let stage = stage.first().ok_or_else(|| no_lead(&id))?;
    let stage = serde_json::from_str(stage.get())
        .map_err(|error| Error::internal("read stage of lead", error))?;
    let (content, more) = objects(&engine, &tenant, CONTENT, &id).await?;
    tables.extend(more);
    Ok(Json(Next {
        lead_id: id,
        stage,
        content,
        tables,
    }))
}

/// `POST /v1/{manufacturer}/leads/{id}/feedback`: accept or reject, one append.
pub(super) async fn feedback(
    State(engine): State<Shared>,
    tenant: Tenant,
    request: Request,
) -> Result<(StatusCode, Json<Noted>), Failure> {
    let (id, request) = lead_id(request).await?;
    let (head, body) = request.into_parts();
    let said = Said::parse(&body::whole(&head, body).await?)?;
    let _place = desk::place(&head.extensions, &tenant.manufacturer).await?;
    let distributor = distributor(&lead(&engine, &tenant, &id).await?, &id)?;
    let row = said.row(id.clone(), distributor);
    let feedback_id = row.feedback_id.clone();
    let line =
        serde_json::to_vec(&row).map_err(|error| Error::internal("write feedback", error))?;
    let ingest = Ingest {
        principal: tenant.principal.clone(),
        manufacturer: tenant.manufacturer.clone(),
        table: "feedback".to_owned(),
        reading: Reading::of(Format::Ndjson),
        on_error: OnError::Refuse,
    };
    engine
        .ingest(ingest, stream::iter([Ok(Bytes::from(line))]).boxed())
        .await?;
    let noted = Noted {
        feedback_id,
        lead: lead(&engine, &tenant, &id).await?,
    };
    Ok((StatusCode::CREATED, Json(noted)))
}

impl Said {
    fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let said: Self = body::object(bytes).map_err(|error| {
            Error::new(Fault::Invalid, format!("the body is no feedback: {error}")).with_hint(
                "Send {\"decision\": \"reject\", \"reason_code\": \"no_need\"} or {\"decision\": \"accept\", \
                 \"next_action\": \"call\"}.",
            )
        })?;
        if said.feedback_id.as_deref() == Some("") {
            return Err(Error::new(Fault::Invalid, "\"feedback_id\" is empty")
                .with_hint("Leave it out to have one made."));
        }
        if said.decision == Decision::Reject && said.reason_code.is_none() {
            return Err(
                Error::new(Fault::Invalid, "a rejection needs a \"reason_code\"")
                    .with_hint("The manufacturer learns from the reason what to send instead."),
            );
        }
        Ok(said)
    }

    fn row(self, lead: String, distributor_id: String) -> Row {
        let now = || chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
        Row {
            feedback_id: self
                .feedback_id
                .unwrap_or_else(|| uuid::Uuid::now_v7().to_string()),
            distributor_id,
            subject: "lead",
            subject_id: lead,
            at: self.at.unwrap_or_else(now),
            decision: self.decision,
            reason_code: self.reason_code,
            comment: self.comment,
            rating: self.rating,
            rep_id: self.rep_id,
            next_action: self.next_action,
            next_action_on: self.next_action_on,
        }
    }
}

async fn lead(engine: &Shared, tenant: &Tenant, id: &str) -> Result<Lead, Error> {
    let (rows, mut tables) = objects(engine, tenant, LEAD, id).await?;
    let lead = rows.into_iter().next().ok_or_else(|| no_lead(id))?;
    let (feedback, more) = objects(engine, tenant, FEEDBACK, id).await?;
    tables.extend(more);
    Ok(Lead {
        lead,
        feedback,
        tables,
    })
}

/// Who got the lead: only that distributor can accept or reject it.
fn distributor(lead: &Lead, id: &str) -> Result<String, Error> {
    #[derive(Deserialize)]
    struct Sent {
        distributor_id: Option<String>,
    }
    let sent: Sent = serde_json::from_str(lead.lead.get())
        .map_err(|error| Error::internal("read lead", error))?;
    sent.distributor_id.ok_or_else(|| {
        Error::new(
            Fault::Conflict,
            format!("lead {id:?} was sent to no distributor"),
        )
        .with_hint("Assign it first: ingest the lead with its distributor_id.")
    })
}

fn no_lead(id: &str) -> Error {
    let shown: String = id.chars().take(63).collect();
    Error::new(Fault::Missing, format!("lead {shown:?} does not exist"))
}

async fn lead_id(request: Request) -> Result<(String, Request), Failure> {
    let (mut head, body) = request.into_parts();
    let id = path_part(&mut head, "id").await?;
    Ok((id, Request::from_parts(head, body)))
}

/// The rows of a statement about one lead, each a JSON object, and the versions that they are computed from.
async fn objects(
    engine: &Shared,
    tenant: &Tenant,
    sql: &str,
    id: &str,
) -> Result<(Vec<Box<RawValue>>, BTreeMap<String, u64>), Error> {
    let id = Parameter::untyped(Value::Text(id.to_owned()));
    let query = Query {
        principal: tenant.principal.clone(),
        manufacturer: tenant.manufacturer.clone(),
        sql: sql.to_owned(),
        parameters: Parameters::from([("id".to_owned(), id)]),
        deadline: None,
    };
    let answer = engine.query(query).await?;
    let tables = answer.freshness.clone();
    Ok((encode::objects(answer).await?, tables))
}
