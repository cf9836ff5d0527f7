//! One run of one rule: batches of leads in, rows of table `decisions` out, and a tally of them. Which rule, and which leads,
//! was decided before.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{
    ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use sha2::{Digest, Sha256};

use super::super::judging::{Failed, Judge, Judged, Verdict, picked, verdicts};
use crate::fault::{Error, Result};
use crate::model::Table;
use crate::plugin::{Decided, DecisionKind};
use crate::store::Snapshot;

/// One run of one rule. Clones of it are the same run.
#[derive(Clone)]
pub struct Run {
    kind: DecisionKind,
    data_version: u64,
    decided_at: i64,
    judge: Arc<Judge>,
    tally: Arc<Mutex<Tally>>,
    failed: Arc<Mutex<Option<Box<Failed>>>>,
}

#[derive(Default)]
struct Tally {
    leads: u64,
    refused: u64,
    verdicts: BTreeMap<String, u64>,
}

impl Run {
    pub fn new(judge: Judge, kind: DecisionKind, data_version: u64, decided_at: i64) -> Self {
        Self {
            kind,
            data_version,
            decided_at,
            judge: Arc::new(judge),
            tally: Arc::default(),
            failed: Arc::default(),
        }
    }

    /// `lead_id` and the rule's arguments, by name.
    pub fn columns(&self, leads: &Snapshot) -> Result<Vec<String>> {
        let schema = leads.table.schema();
        self.judge.columns(&schema)?;
        let arguments = self.judge.function().args.iter();
        Ok(["lead_id".to_owned()]
            .into_iter()
            .chain(arguments.map(|arg| arg.name.clone()))
            .collect())
    }

    /// The decisions about a batch of leads: `lead_id`, then the arguments.
    pub fn decide(&self, leads: &RecordBatch) -> Result<RecordBatch> {
        let positions: Vec<usize> = (1..leads.num_columns()).collect();
        let judged = self
            .judge
            .judge(&picked(leads, &positions), leads.num_rows());
        let judged = judged.map_err(|failed| {
            let error = Error::new(failed.error.fault(), failed.error.message().to_owned());
            *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(failed);
            error
        })?;
        let mut rows: Vec<Result<Verdict, String>> = Vec::with_capacity(leads.num_rows());
        for part in judged {
            match part {
                Judged::Rows(array) => rows.extend(verdicts(&array)?.into_iter().map(Ok)),
                Judged::Refused(message) => rows.push(Err(message)),
            }
        }
        self.count(&rows);
        self.batch(leads.column(0), &rows)
    }

    fn count(&self, rows: &[Result<Verdict, String>]) {
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        for row in rows {
            match row {
                Ok(verdict) => {
                    tally.leads += 1;
                    let name = verdict.verdict.clone().unwrap_or_else(|| "none".to_owned());
                    *tally.verdicts.entry(name).or_default() += 1;
                }
                Err(_) => tally.refused += 1,
            }
        }
    }

    /// The rows of table `decisions`.
    fn batch(&self, leads: &ArrayRef, rows: &[Result<Verdict, String>]) -> Result<RecordBatch> {
        let table = Table::named("decisions").expect("the data model has decisions");
        let leads = leads.as_string::<i32>();
        let plugin = &self.judge.in_force().plugin;
        let always =
            |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text; rows.len()])) };
        let version = i64::try_from(self.data_version).unwrap_or(i64::MAX);
        let decided_at = TimestampMicrosecondArray::from(vec![self.decided_at; rows.len()]);
        let said = || rows.iter().map(|row| row.as_ref().ok());
        let verdicts = said().map(|said| said?.verdict.as_deref());
        let scores = said().map(|said| said?.score);
        let reasons = said().map(|said| Some(said?.reasons.join(",")));
        let errors = rows.iter().map(|row| row.as_ref().err());
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from_iter_values(self.ids(leads))),
            Arc::new(leads.clone()),
            always(self.kind.name()),
            always(&plugin.manifest().name),
            always(&plugin.manifest().version),
            always(plugin.digest()),
            always(self.judge.in_force().settings.hash()),
            Arc::new(Int64Array::from(vec![version; rows.len()])),
            Arc::new(decided_at.with_timezone("UTC")),
            Arc::new(StringArray::from_iter(verdicts)),
            Arc::new(Float64Array::from_iter(scores)),
            Arc::new(StringArray::from_iter(reasons)),
            Arc::new(StringArray::from_iter(errors)),
        ];
        RecordBatch::try_new(table.schema(), columns)
            .map_err(|error| Error::internal("record decisions", error))
    }

    /// The same lead decided by the same rule, with the same settings, on the same data and at the same time has the same
    /// id.
    fn ids(&self, leads: &StringArray) -> impl Iterator<Item = String> {
        let in_force = self.judge.in_force();
        leads.iter().map(move |lead| {
            let about = format!(
                "{}\0{}\0{}\0{}\0{}\0{}",
                lead.unwrap_or_default(),
                self.kind,
                in_force.plugin.digest(),
                in_force.settings.hash(),
                self.data_version,
                self.decided_at
            );
            hex(&Sha256::digest(about.as_bytes())[..16])
        })
    }

    /// What made the run fail, where the plugin did.
    pub fn failure(&self) -> Option<Box<Failed>> {
        self.failed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// What was decided so far.
    pub fn outcome(&self) -> Decided {
        let tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        let manifest = self.judge.in_force().plugin.manifest();
        Decided {
            kind: self.kind,
            plugin: manifest.name.clone(),
            version: manifest.version.clone(),
            function: self.judge.function().name.clone(),
            data_version: self.data_version,
            leads: tally.leads,
            refused: tally.refused,
            verdicts: tally.verdicts.clone(),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What was decided, in a line for people.
pub fn told(decided: &[Decided]) -> String {
    let each = decided.iter().map(|one| {
        let verdicts = one.verdicts.iter();
        let verdicts: Vec<String> = verdicts
            .map(|(verdict, leads)| format!("{verdict} {leads}"))
            .collect();
        format!(
            "{} by {} {} on version {} of leads: {} decided ({}), {} refused",
            one.kind,
            one.plugin,
            one.version,
            one.data_version,
            one.leads,
            verdicts.join(", "),
            one.refused
        )
    });
    let lines: Vec<String> = each.collect();
    match lines.is_empty() {
        true => "nothing to decide".to_owned(),
        false => lines.join("; "),
    }
}
