//! The rules in force, and the leads that they are to decide about: those that are new or changed since the last time, or
//! all. What a decision looks like is known to its run only.

mod run;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Database;
use super::judging::Judge;
use crate::engine::Act;
use crate::fault::{Error, Fault, Result};
use crate::ingest::Rows;
use crate::manufacturer::ManufacturerId;
use crate::model::Table;
use crate::plugin::{Action, Activation, Decide, Decided, DecisionKind};
use crate::store::{At, Snapshot};

use run::{Run, told};

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
        self.permit(&decide.principal, &decide.manufacturer, Act::Decide)
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
        let judge = Judge::new(in_force, &rule.function, decided_at)?;
        let run = Run::new(judge, rule.kind, version, decided_at);
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
        let decided = run.outcome();
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
