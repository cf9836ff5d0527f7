//! The rules in force, applied to leads: those that are new or changed since the last time, or all.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{
    ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use futures::StreamExt;
use sha2::{Digest, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Database;
use super::judging::{Failed, Judge, Judged, Verdict, picked, verdicts};
use crate::fault::{Error, Fault, Result};
use crate::ingest::Rows;
use crate::manufacturer::ManufacturerId;
use crate::model::Table;
use crate::plugin::{Action, Activation, Decide, Decided, DecisionKind};
use crate::store::{At, Snapshot};

/// One run of rules at a time for each manufacturer: a second one finds nothing left to do.
#[derive(Default)]
pub struct Turns {
    of: Mutex<HashMap<ManufacturerId, Arc<Semaphore>>>,
}

impl Turns {
    async fn take(&self, manufacturer: &ManufacturerId) -> Result<OwnedSemaphorePermit> {
        let turn = {
            let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
            let entry = of.entry(manufacturer.clone());
            Arc::clone(entry.or_insert_with(|| Arc::new(Semaphore::new(1))))
        };
        let turn = turn.acquire_owned().await;
        turn.map_err(|error| Error::internal("wait for a run of rules", error))
    }
}

/// One rule in force.
struct Rule {
    activation: Activation,
    kind: DecisionKind,
    function: String,
}

impl Database {
    /// Applies the rules in force, as a client asks for it.
    pub(super) async fn decided(&self, decide: Decide) -> Result<Vec<Decided>> {
        self.entitled(&decide.principal, &decide.manufacturer)
            .await?;
        let rules = self
            .rules(&decide.manufacturer, decide.plugin.as_deref())
            .await?;
        if rules.is_empty() {
            let what = match &decide.plugin {
                Some(plugin) => format!("no rule of plugin {plugin:?} decides about leads"),
                None => "no rule decides about leads".to_owned(),
            };
            return Err(Error::new(Fault::Missing, what)
                .with_hint("Name the rule when you activate: --applies mql=qualify."));
        }
        let _turn = self.turns.take(&decide.manufacturer).await?;
        let mut decided = Vec::new();
        for rule in &rules {
            decided.extend(self.apply(&decide.manufacturer, rule, decide.all).await?);
        }
        let subject = decide.plugin.as_deref().unwrap_or("all rules in force");
        self.control
            .audit(
                &decide.manufacturer,
                &decide.principal,
                "run",
                subject,
                &told(&decided),
            )
            .await?;
        Ok(decided)
    }

    /// Applies the rules in force to what a commit changed. Their failures are in the plugins' logs, and no reason to
    /// refuse rows that are stored.
    pub(super) async fn decide_after_commit(&self, manufacturer: &ManufacturerId) {
        if let Err(error) = self.decide_changed(manufacturer).await {
            tracing::warn!(%manufacturer, error = error.message(), "rules in force were not applied");
        }
    }

    async fn decide_changed(&self, manufacturer: &ManufacturerId) -> Result<()> {
        if !self.control.has_manufacturer(manufacturer).await? {
            return Ok(());
        }
        let rules = self.rules(manufacturer, None).await?;
        if rules.is_empty() {
            return Ok(());
        }
        let _turn = self.turns.take(manufacturer).await?;
        let mut last = Ok(());
        for rule in &rules {
            if let Err(error) = self.apply(manufacturer, rule, false).await {
                last = Err(error);
            }
        }
        last
    }

    async fn rules(
        &self,
        manufacturer: &ManufacturerId,
        plugin: Option<&str>,
    ) -> Result<Vec<Rule>> {
        let in_force = self.control.in_force(manufacturer).await?;
        let chosen = in_force.into_iter().filter(|activation| {
            activation.action != Action::Suspend
                && plugin.is_none_or(|plugin| activation.plugin == plugin)
        });
        let rules = chosen.flat_map(|activation| {
            let applies = activation.applies.clone().into_iter();
            applies.map(move |(kind, function)| Rule {
                activation: activation.clone(),
                kind,
                function,
            })
        });
        Ok(rules.collect())
    }

    /// Applies one rule; nothing where every lead is decided already.
    async fn apply(
        &self,
        manufacturer: &ManufacturerId,
        rule: &Rule,
        all: bool,
    ) -> Result<Option<Decided>> {
        let leads = Table::named("leads").expect("the data model has leads");
        let now = self.store.snapshot(manufacturer, leads).await?;
        let Some(version) = now.version else {
            return Ok(None);
        };
        let id = rule.activation.activation_id;
        let before = match all {
            true => None,
            false => self.control.decided_to(id, rule.kind.name()).await?,
        };
        if before == Some(version) {
            return Ok(None);
        }
        let (fresh, gone) = self.changed(manufacturer, &now, before).await?;
        let in_force = self
            .registry
            .as_activated(&self.control, &rule.activation)
            .await?;
        let decided_at = chrono::Utc::now().timestamp_micros();
        let judge = Arc::new(Judge::new(in_force, &rule.function, decided_at)?);
        let run = Run {
            kind: rule.kind,
            data_version: version,
            decided_at,
            judge: Arc::clone(&judge),
            tally: Arc::default(),
            failed: Arc::default(),
        };
        let done = self.run(manufacturer, &run, fresh, gone).await;
        if let Some(failed) = run.failure() {
            self.registry
                .strike(&self.control, manufacturer, &failed.fault)
                .await?;
        }
        done?;
        self.control
            .note_decided(id, rule.kind.name(), version)
            .await?;
        let decided = run.outcome(&rule.function);
        if decided.leads + decided.refused > 0 {
            let of = (decided.plugin.as_str(), decided.version.as_str());
            self.control
                .log_plugin(
                    manufacturer,
                    of,
                    "info",
                    &told(std::slice::from_ref(&decided)),
                )
                .await?;
        }
        Ok(Some(decided))
    }

    /// The files of leads that are new since a version, and those that are gone.
    async fn changed(
        &self,
        manufacturer: &ManufacturerId,
        now: &Arc<Snapshot>,
        before: Option<u64>,
    ) -> Result<(Arc<Snapshot>, Option<Arc<Snapshot>>)> {
        let Some(before) = before else {
            return Ok((Arc::clone(now), None));
        };
        let leads = Table::named("leads").expect("the data model has leads");
        let at = At::Version(before);
        match self.store.snapshot_at(manufacturer, leads, at).await {
            Ok(then) => Ok((
                now.besides(&then),
                Some(then.besides(now).widened(&now.table)?),
            )),
            // It is not kept any more: then every lead is decided anew.
            Err(error) if error.fault() == Fault::Missing => Ok((Arc::clone(now), None)),
            Err(error) => Err(error),
        }
    }

    async fn run(
        &self,
        manufacturer: &ManufacturerId,
        run: &Run,
        fresh: Arc<Snapshot>,
        gone: Option<Arc<Snapshot>>,
    ) -> Result<()> {
        let columns = run.columns(&fresh)?;
        let (sessions, store) = (Arc::clone(&self.sessions), Arc::clone(&self.store));
        let (manufacturer, run) = (manufacturer.clone(), run.clone());
        let work = self.threads().spawn(async move {
            let rows = sessions
                .changed(&manufacturer, fresh, gone, &columns)
                .await?;
            let decisions: Rows = rows.map(move |batch| run.decide(&batch?)).boxed();
            let table = Table::named("decisions").expect("the data model has decisions");
            store.record(&manufacturer, table, decisions).await
        });
        work.await
            .map_err(|panic| Error::internal("apply rules", panic))?
    }
}

/// One run of one rule.
#[derive(Clone)]
struct Run {
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
    /// `lead_id` and the rule's arguments, by name.
    fn columns(&self, leads: &Snapshot) -> Result<Vec<String>> {
        let schema = leads.table.schema();
        self.judge.columns(&schema)?;
        let arguments = self.judge.function().args.iter();
        Ok(["lead_id".to_owned()]
            .into_iter()
            .chain(arguments.map(|arg| arg.name.clone()))
            .collect())
    }

    /// The decisions about a batch of leads: `lead_id`, then the arguments.
    fn decide(&self, leads: &RecordBatch) -> Result<RecordBatch> {
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

    fn batch(&self, leads: &ArrayRef, rows: &[Result<Verdict, String>]) -> Result<RecordBatch> {
        let table = Table::named("decisions").expect("the data model has decisions");
        let leads = leads.as_string::<i32>();
        let manifest = self.judge.in_force().plugin.manifest();
        let (digest, hash) = (
            self.judge.in_force().plugin.digest(),
            self.judge.in_force().settings.hash(),
        );
        let ids = leads.iter().map(|lead| {
            let about = format!(
                "{}\0{}\0{digest}\0{hash}\0{}\0{}",
                lead.unwrap_or_default(),
                self.kind,
                self.data_version,
                self.decided_at
            );
            hex(&Sha256::digest(about.as_bytes())[..16])
        });
        let always =
            |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text; rows.len()])) };
        let version = i64::try_from(self.data_version).unwrap_or(i64::MAX);
        let ok = |row: &'_ Result<Verdict, String>| row.as_ref().ok().is_some();
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from_iter_values(ids)),
            Arc::new(leads.clone()),
            always(self.kind.name()),
            always(&manifest.name),
            always(&manifest.version),
            always(digest),
            always(hash),
            Arc::new(Int64Array::from(vec![version; rows.len()])),
            Arc::new(
                TimestampMicrosecondArray::from(vec![self.decided_at; rows.len()])
                    .with_timezone("UTC"),
            ),
            Arc::new(StringArray::from_iter(rows.iter().map(|row| {
                row.as_ref().ok().and_then(|row| row.verdict.as_deref())
            }))),
            Arc::new(Float64Array::from_iter(
                rows.iter()
                    .map(|row| row.as_ref().ok().and_then(|row| row.score)),
            )),
            Arc::new(StringArray::from_iter(rows.iter().map(|row| {
                ok(row).then(|| {
                    row.as_ref()
                        .map(|row| row.reasons.join(","))
                        .unwrap_or_default()
                })
            }))),
            Arc::new(StringArray::from_iter(
                rows.iter()
                    .map(|row| row.as_ref().err().map(String::as_str)),
            )),
        ];
        RecordBatch::try_new(table.schema(), columns)
            .map_err(|error| Error::internal("record decisions", error))
    }

    fn failure(&self) -> Option<Box<Failed>> {
        self.failed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    fn outcome(&self, function: &str) -> Decided {
        let tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        let manifest = self.judge.in_force().plugin.manifest();
        Decided {
            kind: self.kind,
            plugin: manifest.name.clone(),
            version: manifest.version.clone(),
            function: function.to_owned(),
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
fn told(decided: &[Decided]) -> String {
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
