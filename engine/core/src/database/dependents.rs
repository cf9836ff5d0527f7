//! What is saved depends on what is saved: no change of a view or a metric leaves behind what no longer plans.

use std::collections::BTreeMap;

use super::Database;
use super::measuring::{metric, metrics, reading};
use crate::control::History;
use crate::fault::{Error, Fault, Result};
use crate::manufacturer::ManufacturerId;
use crate::metric::{Metrics, shipped};
use crate::parameter::Parameters;
use crate::saved::{Definition, Saved, SavedKind};
use crate::sql::{Gated, Library};

/// The SQL of views by their names.
pub(super) type Views = BTreeMap<String, String>;

/// What statements may name of all that is saved: as it is, or as it would be after a change.
pub(super) struct Known {
    pub(super) views: Views,
    pub(super) metrics: Metrics,
}

impl Known {
    pub(super) fn of(history: &History) -> Self {
        let views = history.current(SavedKind::View);
        Self {
            views: views
                .map(|view| (view.name.clone(), view.definition.sql.clone()))
                .collect(),
            metrics: metrics(history),
        }
    }

    /// With one more, or in the place of the one of that name.
    pub(super) fn with(
        mut self,
        kind: SavedKind,
        name: &str,
        definition: &Definition,
    ) -> Result<Self> {
        match kind {
            SavedKind::View => {
                self.views.insert(name.to_owned(), definition.sql.clone());
            }
            SavedKind::Metric => {
                self.metrics.insert(name.to_owned(), metric(definition)?);
            }
            SavedKind::Query => {}
        }
        Ok(self)
    }

    /// Without one; a metric that is shipped takes the place of the own one.
    pub(super) fn without(mut self, kind: SavedKind, name: &str) -> Self {
        match kind {
            SavedKind::View => {
                self.views.remove(name);
            }
            SavedKind::Metric => {
                self.metrics.remove(name);
                let shipped = shipped().remove(name);
                self.metrics
                    .extend(shipped.map(|metric| (name.to_owned(), metric)));
            }
            SavedKind::Query => {}
        }
        self
    }
}

impl Database {
    /// Refuses a change of a view or a metric after which something else no longer plans that does now.
    pub(super) async fn check_dependents(
        &self,
        manufacturer: &ManufacturerId,
        history: &History,
        changed: (SavedKind, &str),
        after: &Known,
    ) -> Result<()> {
        let before = Known::of(history);
        let mut broken = Vec::new();
        for kind in [SavedKind::View, SavedKind::Query, SavedKind::Metric] {
            for saved in history.current(kind) {
                if (kind, saved.name.as_str()) != changed
                    && self.may_need(kind, saved, changed, &before)
                    && self.reads(manufacturer, (kind, saved), &before).await
                    && !self.reads(manufacturer, (kind, saved), after).await
                {
                    broken.push(format!("{kind} \"{}\"", saved.name));
                }
            }
        }
        if broken.is_empty() {
            return Ok(());
        }
        let (kind, name) = changed;
        Err(Error::new(
            Fault::Conflict,
            format!("{kind} \"{name}\" is needed by {}", broken.join(", ")),
        )
        .with_hint("Change or delete what needs it first."))
    }

    /// Whether something saved may depend on what changes; planning it tells whether it does.
    fn may_need(
        &self,
        kind: SavedKind,
        saved: &Saved,
        (changed, name): (SavedKind, &str),
        before: &Known,
    ) -> bool {
        match changed {
            SavedKind::View => {
                let library = dependent(kind, saved, &before.metrics).and_then(|statement| {
                    Library::of(&self.sessions, &statement, &before.views, &before.metrics)
                });
                library.is_ok_and(|library| library.has_view(name))
            }
            // compare() has the name as a text; what reads a view that does is not asked, the view itself is.
            SavedKind::Metric => saved.definition.sql.contains(name),
            SavedKind::Query => false,
        }
    }

    /// Whether something saved can be planned.
    async fn reads(
        &self,
        manufacturer: &ManufacturerId,
        (kind, saved): (SavedKind, &Saved),
        known: &Known,
    ) -> bool {
        match dependent(kind, saved, &known.metrics) {
            Ok(statement) => self.plans(manufacturer, statement, known).await.is_ok(),
            Err(_) => false,
        }
    }
}

/// The statement that shows whether something saved plans.
fn dependent(kind: SavedKind, saved: &Saved, metrics: &Metrics) -> Result<Gated> {
    let gated = match kind {
        SavedKind::View => {
            Gated::parse(&format!("SELECT * FROM {}", saved.name), &Parameters::new())
        }
        SavedKind::Query => Gated::parse(&saved.definition.sql, &saved.definition.samples()),
        SavedKind::Metric => reading(&saved.definition),
    };
    gated?.expanded(metrics)
}
