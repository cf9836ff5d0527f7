//! The saved views that one statement needs, in the order in which they can be planned, and the other tables that come
//! from the control file.
//!
//! Depth and size are bounded before anything is planned, since every use of a view puts the whole of it into the plan.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use datafusion::common::TableReference;
use datafusion::datasource::{MemTable, ViewTable};
use datafusion::prelude::SessionContext;

use super::compare;
use super::gate::Gated;
use super::histories::{HISTORIES, history};
use super::records::RECORDS;
use super::relations::Relations;
use super::scored;
use super::session::{Behind, Sessions, no_versions};
use super::travel::Past;
use super::views::VIEWS;
use crate::catalog::OrderedSchema;
use crate::classify::classify;
use crate::fault::{Error, Fault, Result};
use crate::limits;
use crate::metric::Metrics;
use crate::model::Table;
use crate::parameter::Parameters;
use crate::saved::{Saved, SavedKind};
use crate::store::At;

/// Whether a name means something else in every session, so that no view may take it.
pub fn is_taken(name: &str) -> bool {
    Table::named(name).is_some()
        || name.starts_with("v_")
        || name == "information_schema"
        || name == scored::NAME
        || compare::NAMES.contains(&name)
        || RECORDS.contains(&name)
        || HISTORIES.iter().any(|(history, _)| *history == name)
}

/// What a manufacturer saved, as far as one statement needs it.
#[derive(Default)]
pub struct Library {
    views: Vec<SavedView>,
    histories: Vec<(&'static str, RecordBatch)>,
    calls: BTreeSet<(String, String)>,
}

/// One saved view, ready to be planned after those before it.
struct SavedView {
    name: String,
    sql: String,
    gated: Gated,
    references: Vec<TableReference>,
    /// Whether it is read as of an instant.
    is_past: bool,
    /// Whether the statement reads it; the others are there to be listed, and left out where they do not plan.
    required: bool,
}

impl Library {
    /// The views that a statement reads, and behind those; all that there are where it lists tables.
    pub fn of(
        sessions: &Sessions,
        statement: &Gated,
        sql: &BTreeMap<String, String>,
        metrics: &Metrics,
    ) -> Result<Self> {
        let mut finder = Finder {
            sessions,
            sql,
            metrics,
            found: Self::default(),
            weights: HashMap::new(),
            depths: HashMap::new(),
        };
        let references = sessions.named(statement)?;
        finder.find_all(&references, &statement.past, &mut Vec::new(), true)?;
        if sessions.lists(statement)? {
            for name in sql.keys() {
                // A view that cannot be planned any more is no reason to list nothing.
                let _ = finder.find(name, name, None, &mut Vec::new(), false);
            }
        }
        finder.weigh(statement)?;
        let mut found = finder.found;
        found.calls.extend(statement.calls().iter().cloned());
        Ok(found)
    }

    /// Adds the table of a history.
    pub fn with_history(
        self,
        table: &'static str,
        kind: SavedKind,
        versions: &[Saved],
    ) -> Result<Self> {
        Ok(self.with_rows(table, history(kind, versions)?))
    }

    /// Adds a table of these rows.
    pub fn with_rows(mut self, table: &'static str, rows: RecordBatch) -> Self {
        self.histories.push((table, rows));
        self
    }

    /// Plugin functions that the statement and the views behind it call.
    pub const fn calls(&self) -> &BTreeSet<(String, String)> {
        &self.calls
    }

    /// What calls the views need that are only listed.
    pub fn optional_calls(&self) -> impl Iterator<Item = &BTreeSet<(String, String)>> {
        let optional = self.views.iter().filter(|view| !view.required);
        optional.map(|view| view.gated.calls())
    }

    /// Whether a view is among them.
    pub fn has_view(&self, name: &str) -> bool {
        self.views.iter().any(|view| view.name == name)
    }

    /// Whether the statement, or a view behind it, reads a history; a list of tables names it too.
    pub fn wants(&self, sessions: &Sessions, statement: &Gated, history: &str) -> Result<bool> {
        let named = sessions.named(statement)?;
        let reads = |name: &TableReference| name.table() == history;
        let behind = self.reads().any(|(name, _, _)| reads(name));
        Ok(sessions.lists(statement)? || named.iter().any(reads) || behind)
    }

    /// The tables that the views read which the statement needs, with the past states that they name.
    pub(super) fn reads(&self) -> impl Iterator<Item = (&TableReference, &Past, Behind)> {
        let required = self.views.iter().filter(|view| view.required);
        required.flat_map(|view| {
            let behind = match view.is_past {
                true => Behind::View,
                false => Behind::Statement,
            };
            let references = view.references.iter();
            references.map(move |reference| (reference, &view.gated.past, behind))
        })
    }

    /// Whether a name is a view or a history that is here.
    pub(super) fn provides(&self, name: &str) -> bool {
        self.views.iter().any(|view| view.name == name)
            || self.histories.iter().any(|(table, _)| *table == name)
    }

    /// Puts everything into a session in which the tables are already; views with their texts, or without.
    pub(super) async fn register(
        &self,
        context: &SessionContext,
        schema: &OrderedSchema,
        with_text: bool,
    ) -> Result<()> {
        for (name, batch) in &self.histories {
            let table = MemTable::try_new(batch.schema(), vec![vec![batch.clone()]])
                .map_err(|error| Error::internal(format!("make table \"{name}\""), error))?;
            schema.add(name, Arc::new(table));
        }
        for view in &self.views {
            let plan = context
                .state()
                .statement_to_plan(view.gated.statement.clone())
                .await;
            match plan {
                Ok(plan) => {
                    let table = ViewTable::new(plan, with_text.then(|| view.sql.clone()));
                    schema.add(&view.name, Arc::new(table));
                }
                Err(error) if view.required => return Err(in_view(&view.name, classify(error))),
                Err(_) => {}
            }
        }
        Ok(())
    }
}

/// Walks from view to view.
struct Finder<'a> {
    sessions: &'a Sessions,
    sql: &'a BTreeMap<String, String>,
    metrics: &'a Metrics,
    found: Library,
    /// Tables that one use of a view reads.
    weights: HashMap<String, usize>,
    depths: HashMap<String, usize>,
}

impl Finder<'_> {
    /// Finds the views among these names; the answer is the deepest of them.
    fn find_all(
        &mut self,
        references: &[TableReference],
        past: &Past,
        trail: &mut Vec<String>,
        required: bool,
    ) -> Result<usize> {
        let mut deepest = 0;
        for name in references {
            let (view, at) = match past.get(name.table()) {
                Some((view, at)) => (view.as_str(), Some(*at)),
                None => (name.table(), None),
            };
            if !is_taken(view) && self.sql.contains_key(view) {
                deepest = deepest.max(self.find(name.table(), view, at, trail, required)?);
            }
        }
        Ok(deepest)
    }

    /// Finds a view; where it is read as of an instant, `name` says so and is not the view's own.
    fn find(
        &mut self,
        name: &str,
        view: &str,
        at: Option<At>,
        trail: &mut Vec<String>,
        required: bool,
    ) -> Result<usize> {
        trail.push(name.to_owned());
        if trail[..trail.len() - 1]
            .iter()
            .any(|earlier| earlier == name)
        {
            return Err(Error::new(
                Fault::Invalid,
                format!("view \"{name}\" reads itself: {}", trail.join(" → ")),
            )
            .with_hint("A view may read others, and none of them may read it."));
        }
        if let Some(depth) = self.depths.get(name) {
            trail.pop();
            return Ok(*depth);
        }
        too_many("saved_view_depth", limits::SAVED_VIEW_DEPTH, trail.len())?;
        let Some(sql) = self.sql.get(view) else {
            return Err(Error::internal("find view", format!("no view {view:?}")));
        };
        let gated = Gated::parse(sql, &Parameters::new())
            .and_then(|gated| gated.expanded(self.metrics))
            .map_err(|e| in_view(view, e))?;
        let gated = match at {
            None => gated,
            Some(At::Version(_)) => return Err(no_versions(view)),
            Some(at) => gated
                .reading_as_of(at)
                .map_err(|error| in_view(view, error))?,
        };
        let references = self.sessions.named(&gated)?;
        let depth = self.find_all(&references, &gated.past, trail, required)? + 1;
        too_many("saved_view_depth", limits::SAVED_VIEW_DEPTH, depth)?;
        let weight = self.weigh(&gated).map_err(|error| in_view(name, error))?;
        self.weights.insert(name.to_owned(), weight.max(1));
        // A past state is named in quotes.
        self.weights.insert(format!("\"{name}\""), weight.max(1));
        self.depths.insert(name.to_owned(), depth);
        if required {
            self.found.calls.extend(gated.calls().iter().cloned());
        }
        self.found.views.push(SavedView {
            name: name.to_owned(),
            sql: sql.clone(),
            gated,
            references,
            is_past: at.is_some(),
            required,
        });
        trail.pop();
        Ok(depth)
    }

    /// Tables that a statement reads, with every use of a view counted.
    fn weigh(&self, gated: &Gated) -> Result<usize> {
        let expanded = Relations::with_views(&gated.statement, &self.weights).expanded;
        too_many(
            "sql_relations_expanded",
            limits::SQL_RELATIONS_EXPANDED,
            expanded,
        )?;
        Ok(expanded)
    }
}

fn too_many(name: &str, limit: usize, asked: usize) -> Result<()> {
    if asked <= limit {
        return Ok(());
    }
    Err(Error::new(
        Fault::TooComplex,
        format!("limit \"{name}\" is {limit}, asked for {asked}"),
    )
    .with_hint("Let views read tables rather than one another."))
}

/// The same error, with the view in which it lies.
fn in_view(name: &str, error: Error) -> Error {
    let told = Error::new(
        error.fault(),
        format!("view \"{name}\": {}", error.message()),
    );
    let told = match error.hint() {
        Some(hint) => told.with_hint(hint.to_owned()),
        None => told,
    };
    told.with_source(error)
}

/// Whether a statement names something that only a library can have.
pub fn needs_library(sessions: &Sessions, statement: &Gated) -> Result<bool> {
    let known = |name: &TableReference| {
        let past = statement.past.get(name.table());
        let name = past.map_or(name.table(), |(name, _)| name.as_str());
        Table::named(name).is_some() || VIEWS.iter().any(|view| view.name == name)
    };
    Ok(sessions.lists(statement)? || !sessions.named(statement)?.iter().all(known))
}
