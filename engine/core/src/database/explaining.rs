//! Why a lead has the verdicts that it has: the component that decided, with its settings, asked again about the lead
//! as it was in the version of the data that was decided on.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int64Type, TimestampMicrosecondType};
use chrono::{DateTime, SecondsFormat, Utc};
use futures::TryStreamExt;
use serde_json::{Map, Value as Json};

use super::Database;
use super::judging::{Judge, Judged, picked, verdicts};
use crate::engine::{Act, Frame, Query};
use crate::fault::{Error, Fault, Result};
use crate::manufacturer::ManufacturerId;
use crate::parameter::{Parameter, Parameters, Value};
use crate::plugin::{
    Activation, DecisionKind, Explain, ExplainedDecision, Explanation, Outcome, ReasonGiven,
};

/// One row of table `decisions`.
struct Decision {
    kind: DecisionKind,
    plugin: String,
    version: String,
    digest: String,
    config_hash: String,
    data_version: i64,
    decided_at: i64,
    verdict: Option<String>,
    score: Option<f64>,
    reasons: Vec<String>,
    error: Option<String>,
}

impl Database {
    /// Finds the decision of each kind that was in force, and repeats it.
    pub(super) async fn explained(&self, explain: Explain) -> Result<Explanation> {
        self.permit(&explain.principal, &explain.manufacturer, Act::Explain)
            .await?;
        let decisions = self.decisions(&explain).await?;
        if decisions.is_empty() {
            let lead = shown(&explain.lead_id);
            return Err(Error::new(
                Fault::Missing,
                format!("nothing was decided about lead {lead}"),
            )
            .with_hint("Decisions are made by the rules in force when leads arrive, and by \"tributary plugin run\"."));
        }
        let mut explained = Vec::with_capacity(decisions.len());
        for decision in decisions {
            explained.push(self.repeated(&explain, decision).await?);
        }
        Ok(Explanation {
            lead_id: explain.lead_id,
            decisions: explained,
        })
    }

    /// The last decision of each kind up to the instant.
    async fn decisions(&self, explain: &Explain) -> Result<Vec<Decision>> {
        let at = explain.as_of.unwrap_or_else(Utc::now);
        let sql = "SELECT kind, plugin, version, digest, config_hash, data_version, decided_at, verdict, score, reasons, error
             FROM decisions WHERE lead_id = $lead AND decided_at <= CAST($at AS TIMESTAMP WITH TIME ZONE)
             ORDER BY decided_at";
        let at = at.to_rfc3339_opts(SecondsFormat::Micros, true);
        let values = [("lead", explain.lead_id.clone()), ("at", at)];
        let batches = self.rows(explain, sql.to_owned(), &values).await?;
        let mut last = BTreeMap::new();
        for batch in &batches {
            for row in 0..batch.num_rows() {
                let decision = Decision::read(batch, row)?;
                last.insert(decision.kind, decision);
            }
        }
        Ok(last.into_values().collect())
    }

    async fn repeated(&self, explain: &Explain, decision: Decision) -> Result<ExplainedDecision> {
        let (activation, function) = self.activation(&explain.manufacturer, &decision).await?;
        let in_force = self
            .registry
            .with_settings(&self.control, &activation)
            .await?;
        let settings: Json = serde_json::from_str(in_force.settings.json())
            .map_err(|error| Error::internal("read settings", error))?;
        let judge = Judge::new(in_force, &function, decision.decided_at)?;
        let lead = self.lead_then(explain, &judge, &decision).await?;
        let arguments = one_row(&lead)?;
        let work = tokio::task::spawn_blocking(move || {
            let repeated = repeat(&judge, &lead)?;
            Ok::<_, Error>((judge, repeated))
        });
        let (judge, repeated) = work
            .await
            .map_err(|panic| Error::internal("repeat decision", panic))??;
        let recorded = decision.outcome(&judge);
        let reproduced = agree(&recorded, &repeated);
        Ok(ExplainedDecision {
            kind: decision.kind,
            plugin: decision.plugin,
            version: decision.version,
            function,
            digest: decision.digest,
            config_hash: decision.config_hash,
            settings,
            data_version: decision.data_version.unsigned_abs(),
            decided_at: instant(decision.decided_at),
            arguments,
            recorded,
            repeated,
            reproduced,
        })
    }

    /// The activation under which a decision was made, and the rule.
    async fn activation(
        &self,
        manufacturer: &ManufacturerId,
        decision: &Decision,
    ) -> Result<(Activation, String)> {
        let activations = self.control.activations(manufacturer).await?;
        let made = activations.into_iter().find_map(|activation| {
            let same = activation.plugin == decision.plugin
                && activation.digest == decision.digest
                && activation.config_hash == decision.config_hash;
            let function = activation.applies.get(&decision.kind).cloned();
            same.then_some(activation).zip(function)
        });
        made.ok_or_else(|| {
            Error::internal("find activation", format!("none of {}", decision.digest))
        })
    }

    /// The rule's arguments as the lead had them: one row.
    async fn lead_then(
        &self,
        explain: &Explain,
        judge: &Judge,
        decision: &Decision,
    ) -> Result<RecordBatch> {
        let arguments = judge.function().args.iter();
        let columns: Vec<String> = arguments.map(|arg| format!("\"{}\"", arg.name)).collect();
        let columns = match columns.is_empty() {
            true => "lead_id".to_owned(),
            false => columns.join(", "),
        };
        let sql = format!(
            "SELECT {columns} FROM leads VERSION AS OF {} WHERE lead_id = $lead",
            decision.data_version
        );
        let values = [("lead", explain.lead_id.clone())];
        let batches = self.rows(explain, sql, &values).await?;
        let found = batches.into_iter().find(|batch| batch.num_rows() > 0);
        found.ok_or_else(|| {
            let lead = shown(&explain.lead_id);
            Error::internal(
                "find lead",
                format!("lead {lead} is not in version {}", decision.data_version),
            )
        })
    }

    async fn rows(
        &self,
        explain: &Explain,
        sql: String,
        values: &[(&str, String)],
    ) -> Result<Vec<RecordBatch>> {
        let mut parameters = Parameters::new();
        for (name, value) in values {
            let value = Parameter::untyped(Value::Text(value.clone()));
            parameters.insert((*name).to_owned(), value);
        }
        let query = Query {
            principal: explain.principal.clone(),
            manufacturer: explain.manufacturer.clone(),
            sql,
            parameters,
            deadline: None,
        };
        let answer = crate::engine::Engine::query(self, query).await?;
        let frames: Vec<Frame> = answer.frames.try_collect().await?;
        let batches = frames.into_iter().filter_map(|frame| match frame {
            Frame::Batch(batch) => Some(batch),
            Frame::End(_) => None,
        });
        Ok(batches.collect())
    }
}

impl Decision {
    fn read(batch: &RecordBatch, row: usize) -> Result<Self> {
        let text = |at: usize| -> Result<Option<String>> {
            let column = arrow::compute::cast(batch.column(at), &arrow::datatypes::DataType::Utf8)
                .map_err(|error| Error::internal("read decision", error))?;
            let column = column.as_string::<i32>();
            Ok(column.is_valid(row).then(|| column.value(row).to_owned()))
        };
        let must = |at: usize| Ok::<_, Error>(text(at)?.unwrap_or_default());
        let scores = batch.column(8).as_primitive::<Float64Type>();
        Ok(Self {
            kind: must(0)?.parse()?,
            plugin: must(1)?,
            version: must(2)?,
            digest: must(3)?,
            config_hash: must(4)?,
            data_version: batch.column(5).as_primitive::<Int64Type>().value(row),
            decided_at: batch
                .column(6)
                .as_primitive::<TimestampMicrosecondType>()
                .value(row),
            verdict: text(7)?,
            score: scores.is_valid(row).then(|| scores.value(row)),
            reasons: must(9)?
                .split(',')
                .filter(|code| !code.is_empty())
                .map(str::to_owned)
                .collect(),
            error: text(10)?,
        })
    }

    fn outcome(&self, judge: &Judge) -> Outcome {
        Outcome {
            verdict: self.verdict.clone(),
            score: self.score,
            reasons: given(judge, &self.reasons),
            error: self.error.clone(),
            details: Map::new(),
        }
    }
}

/// What the rule says now of the same arguments.
fn repeat(judge: &Judge, lead: &RecordBatch) -> Result<Outcome> {
    let count = judge.function().args.len();
    let columns = picked(lead, &(0..count).collect::<Vec<_>>());
    let judged = judge.judge(&columns, 1).map_err(|failed| failed.error)?;
    let Some(judged) = judged.into_iter().next() else {
        return Ok(Outcome::default());
    };
    match judged {
        Judged::Refused(message) => Ok(Outcome {
            error: Some(message),
            ..Outcome::default()
        }),
        Judged::Rows(array) => {
            let verdict = verdicts(&array)?.into_iter().next();
            let verdict = verdict.ok_or_else(|| Error::internal("repeat decision", "no row"))?;
            Ok(Outcome {
                verdict: verdict.verdict,
                score: verdict.score,
                reasons: given(judge, &verdict.reasons),
                error: None,
                details: details(&array)?,
            })
        }
    }
}

/// Whether two outcomes are the same, as far as one is recorded.
fn agree(recorded: &Outcome, repeated: &Outcome) -> bool {
    recorded.verdict == repeated.verdict
        && recorded.score == repeated.score
        && recorded.reasons == repeated.reasons
        && recorded.error == repeated.error
}

/// Reasons with their texts.
fn given(judge: &Judge, codes: &[String]) -> Vec<ReasonGiven> {
    let known = &judge.function().reasons;
    let each = codes.iter().map(|code| ReasonGiven {
        code: code.clone(),
        text: known
            .iter()
            .find(|reason| reason.code == *code)
            .map(|reason| reason.text.clone())
            .unwrap_or_default(),
    });
    each.collect()
}

/// The details of a rule's result of one row.
fn details(array: &ArrayRef) -> Result<Map<String, Json>> {
    let rule = array.as_struct();
    let names = rule.fields().iter().map(|field| field.name().as_str());
    let columns = names.zip(rule.columns()).skip(2);
    let columns: Vec<(&str, ArrayRef)> = columns
        .map(|(name, column)| (name, Arc::clone(column)))
        .collect();
    if columns.is_empty() {
        return Ok(Map::new());
    }
    let batch = RecordBatch::try_from_iter(columns)
        .map_err(|error| Error::internal("read details", error))?;
    match one_row(&batch)? {
        Json::Object(details) => Ok(details),
        _ => Ok(Map::new()),
    }
}

/// One row as a JSON object, NULLs included.
fn one_row(batch: &RecordBatch) -> Result<Json> {
    let fail = |error: arrow::error::ArrowError| Error::internal("write row", error);
    let mut json = Vec::new();
    let mut writer = arrow::json::WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, arrow::json::writer::LineDelimited>(&mut json);
    writer.write(&batch.slice(0, 1)).map_err(fail)?;
    writer.finish().map_err(fail)?;
    serde_json::from_slice(&json).map_err(|error| Error::internal("write row", error))
}

fn instant(us: i64) -> String {
    DateTime::<Utc>::from_timestamp_micros(us)
        .map(|instant| instant.to_rfc3339_opts(SecondsFormat::Micros, true))
        .unwrap_or_else(|| us.to_string())
}

fn shown(lead: &str) -> String {
    format!("{:?}", lead.chars().take(63).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::{Outcome, ReasonGiven, agree};
    use serde_json::{Map, json};

    #[test]
    fn outcomes_agree_in_all_that_is_recorded() {
        let reason = |code: &str| ReasonGiven {
            code: code.to_owned(),
            text: "because".to_owned(),
        };
        let recorded = Outcome {
            verdict: Some("mql".to_owned()),
            score: Some(70.0),
            reasons: vec![reason("A"), reason("B")],
            error: None,
            details: Map::new(),
        };
        let with_details = Outcome {
            details: Map::from_iter([("coverage".to_owned(), json!(1))]),
            ..recorded.clone()
        };
        assert!(agree(&recorded, &with_details), "details are not recorded");
        for other in [
            Outcome {
                verdict: None,
                ..recorded.clone()
            },
            Outcome {
                score: Some(70.5),
                ..recorded.clone()
            },
            Outcome {
                reasons: vec![reason("B"), reason("A")],
                ..recorded.clone()
            },
            Outcome {
                error: Some("no".to_owned()),
                ..recorded.clone()
            },
        ] {
            assert!(!agree(&recorded, &other), "{other:?}");
        }
    }
}
