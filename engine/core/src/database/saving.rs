//! Saving views, named queries and metrics: what is saved has been planned.
//!
//! Checks and the change are not one transaction; instead the change counts only if nothing was saved since the checks
//! were made, and starts over where something was.

use std::time::Duration;

use arrow::datatypes::SchemaRef;

use super::Database;
use super::dependents::{Known, Views};
use super::measuring::{check_measure, check_own, metrics, versions};
use crate::control::History;
use crate::engine::{Act, Answer, Principal, Query};
use crate::fault::{Error, Fault, Result};
use crate::limits;
use crate::manufacturer::{ManufacturerId, is_name};
use crate::metric::Metrics;
use crate::parameter::Parameters;
use crate::principal::Scope;
use crate::saved::{Definition, Named, Run, Save, Saved, SavedKind};
use crate::sql::{
    Gated, HISTORIES, Library, RECORDS, Sessions, is_parameter_name, is_taken, needs_library,
    placeholders, record,
};

impl Database {
    /// Saves the next version of a view, a query or a metric; the same content again changes nothing.
    pub(super) async fn save(&self, save: Save) -> Result<Saved> {
        self.permit(&save.principal, &save.manufacturer, Act::Save)
            .await?;
        check_name(save.kind, &save.name)?;
        check_measure(save.kind, &save.definition)?;
        check_definition(save.kind, &save.definition)?;
        for _ in 0..limits::SAVED_TRIES {
            let history = self.control.saved(&save.manufacturer).await?;
            let known = current(&history, save.kind, &save.name);
            if let Some(known) = known.filter(|known| known.definition == save.definition) {
                return Ok(known.clone());
            }
            check_room(&history, &save, known.is_none())?;
            let after = Known::of(&history).with(save.kind, &save.name, &save.definition)?;
            self.check_plan(&save, &after).await?;
            let changed = (save.kind, save.name.as_str());
            self.check_dependents(&save.manufacturer, &history, changed, &after)
                .await?;
            let next = next(
                &history,
                save.kind,
                &save.name,
                save.definition.clone(),
                false,
            );
            if self
                .added(&save.manufacturer, save.kind, &next, &history)
                .await?
            {
                return Ok(next);
            }
        }
        Err(too_busy())
    }

    /// One version: the one in force, unless another is asked for.
    pub(super) async fn found(&self, named: Named) -> Result<Saved> {
        self.permit(&named.principal, &named.manufacturer, Act::ReadSaved)
            .await?;
        self.version(&named).await
    }

    async fn version(&self, named: &Named) -> Result<Saved> {
        let history = self.control.saved(&named.manufacturer).await?;
        let versions = versions(&history, named.kind);
        let is_asked_for = |saved: &&Saved| match named.version {
            None => saved.is_in_force(),
            Some(version) => saved.version == version,
        };
        let mut versions = versions.iter().filter(|saved| saved.name == named.name);
        versions
            .find(is_asked_for)
            // One that it may not run looks like one that is not there.
            .filter(|_| named.kind != SavedKind::Query || named.principal.may_run(&named.name))
            .cloned()
            .ok_or_else(|| not_there(&history, named))
    }

    /// Adds a version that says that it is gone.
    pub(super) async fn removed(&self, named: Named) -> Result<Saved> {
        self.permit(&named.principal, &named.manufacturer, Act::Save)
            .await?;
        for _ in 0..limits::SAVED_TRIES {
            let history = self.control.saved(&named.manufacturer).await?;
            let Some(known) = current(&history, named.kind, &named.name) else {
                check_own(named.kind, &named.name)?;
                return Err(not_there(&history, &named));
            };
            let left = Known::of(&history).without(named.kind, &named.name);
            let removed = (named.kind, named.name.as_str());
            self.check_dependents(&named.manufacturer, &history, removed, &left)
                .await?;
            let definition = known.definition.clone();
            let next = next(&history, named.kind, &named.name, definition, true);
            if self
                .added(&named.manufacturer, named.kind, &next, &history)
                .await?
            {
                return Ok(next);
            }
        }
        Err(too_busy())
    }

    /// What is in force.
    pub(super) async fn listed(
        &self,
        principal: &Principal,
        manufacturer: &ManufacturerId,
        kind: SavedKind,
    ) -> Result<Vec<Saved>> {
        self.permit(principal, manufacturer, Act::ReadSaved).await?;
        let history = self.control.saved(manufacturer).await?;
        let mut all = versions(&history, kind).into_owned();
        all.retain(Saved::is_in_force);
        Ok(all)
    }

    /// Answers a named query with these values.
    pub(super) async fn ran(&self, run: Run) -> Result<Answer> {
        self.permit(&run.principal, &run.manufacturer, Act::RunQuery)
            .await?;
        let named = Named {
            principal: run.principal.clone(),
            manufacturer: run.manufacturer.clone(),
            kind: SavedKind::Query,
            name: run.name,
            version: None,
        };
        let saved = self.version(&named).await?;
        let query = Query {
            principal: run.principal,
            manufacturer: run.manufacturer,
            parameters: saved.definition.values(run.parameters)?,
            sql: saved.definition.sql,
            deadline: None,
        };
        self.answered(query).await
    }

    /// A statement with its comparisons written out.
    pub(super) async fn expanded(
        &self,
        manufacturer: &ManufacturerId,
        statement: Gated,
    ) -> Result<Gated> {
        if !statement.compares() {
            return Ok(statement);
        }
        let history = self.control.saved(manufacturer).await?;
        statement.expanded(&metrics(&history))
    }

    /// What a manufacturer has saved, as far as a statement needs it.
    pub(super) async fn library(
        &self,
        manufacturer: &ManufacturerId,
        scope: &Scope,
        statement: &Gated,
    ) -> Result<Library> {
        if !needs_library(&self.sessions, statement)? {
            return Library::of(&self.sessions, statement, &Views::new(), &Metrics::new());
        }
        let history = self.control.saved(manufacturer).await?;
        let known = Known::of(&history);
        if *scope != Scope::Whole {
            // The texts of what is saved, and the records, are the manufacturer's alone.
            return Library::of(&self.sessions, statement, &known.views, &known.metrics);
        }
        let library = self.library_of(statement, &history, &known)?;
        self.with_records(manufacturer, statement, library).await
    }

    /// Adds those tables of what happened that a statement reads.
    async fn with_records(
        &self,
        manufacturer: &ManufacturerId,
        statement: &Gated,
        mut library: Library,
    ) -> Result<Library> {
        for table in RECORDS {
            if library.wants(&self.sessions, statement, table)? {
                let rows = record(&self.control, manufacturer, table).await?;
                library = library.with_rows(table, rows);
            }
        }
        Ok(library)
    }

    fn library_of(&self, statement: &Gated, history: &History, known: &Known) -> Result<Library> {
        let mut library = Library::of(&self.sessions, statement, &known.views, &known.metrics)?;
        for (table, kind) in HISTORIES {
            if library.wants(&self.sessions, statement, table)? {
                library = library.with_history(table, kind, &versions(history, kind))?;
            }
        }
        Ok(library)
    }

    /// Whether it can be planned, with everything as it would be.
    async fn check_plan(&self, save: &Save, after: &Known) -> Result<()> {
        let definition = &save.definition;
        match save.kind {
            SavedKind::View => {
                let gated =
                    Gated::parse(&definition.sql, &Parameters::new())?.expanded(&after.metrics)?;
                check_rows(&self.sessions, save.kind, &gated)?;
                let read = format!("SELECT * FROM {}", save.name);
                let read = Gated::parse(&read, &Parameters::new())?;
                self.plans(&save.manufacturer, read, after).await?;
            }
            SavedKind::Query => {
                let gated = Gated::parse(&definition.sql, &definition.samples())?
                    .expanded(&after.metrics)?;
                if !gated.is_select() {
                    return Err(not_a_select(save.kind));
                }
                self.plans(&save.manufacturer, gated, after).await?;
            }
            SavedKind::Metric => self.check_metric(save, after).await?,
        }
        Ok(())
    }

    /// The columns of a statement that can be planned.
    pub(super) async fn plans(
        &self,
        manufacturer: &ManufacturerId,
        statement: Gated,
        known: &Known,
    ) -> Result<SchemaRef> {
        let history = self.control.saved(manufacturer).await?;
        let library = self.library_of(&statement, &history, known)?;
        let library = self.with_records(manufacturer, &statement, library).await?;
        let deadline = Duration::from_secs(limits::QUERY_SECONDS);
        self.planned(manufacturer, Scope::Whole, statement, library, deadline)
            .await
            .map(|plan| plan.schema())
    }

    async fn added(
        &self,
        manufacturer: &ManufacturerId,
        kind: SavedKind,
        next: &Saved,
        history: &History,
    ) -> Result<bool> {
        self.control
            .add_saved(manufacturer, kind, next, history.rows())
            .await
    }
}

/// Refuses what is not rows that are the same whoever reads them.
pub(super) fn check_rows(sessions: &Sessions, kind: SavedKind, statement: &Gated) -> Result<()> {
    if !statement.is_select() {
        return Err(not_a_select(kind));
    }
    if sessions.lists(statement)? {
        return Err(Error::new(
            Fault::Invalid,
            format!("a {kind} cannot read information_schema"),
        )
        .with_hint("Query information_schema itself, or save a query."));
    }
    Ok(())
}

fn current<'a>(history: &'a History, kind: SavedKind, name: &str) -> Option<&'a Saved> {
    history.current(kind).find(|saved| saved.name == name)
}

/// The version after the last one of this name, deletions included.
fn next(
    history: &History,
    kind: SavedKind,
    name: &str,
    definition: Definition,
    is_deleted: bool,
) -> Saved {
    let versions = history.of(kind).iter().filter(|saved| saved.name == name);
    let now = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    Saved {
        name: name.to_owned(),
        version: versions.map(|saved| saved.version).max().unwrap_or(0) + 1,
        definition,
        saved_at: Some(now),
        is_current: true,
        is_deleted,
        is_shipped: false,
    }
}

fn check_name(kind: SavedKind, name: &str) -> Result<()> {
    let shown: String = name.chars().take(63).collect();
    if !is_name(name) {
        return Err(Error::new(
            Fault::Invalid,
            format!("{kind} {shown:?} is not a valid name"),
        )
        .with_hint(
            "A name is a lower-case letter followed by at most 62 lower-case letters, digits or underscores.",
        ));
    }
    if kind == SavedKind::View && is_taken(name) {
        return Err(Error::new(
            Fault::Conflict,
            format!("view \"{name}\" has a name that is taken"),
        )
        .with_hint("The names of tables, and names that begin with v_, are the product's own."));
    }
    // A name that SQL reads as something else would have to be quoted in every statement.
    if kind == SavedKind::View
        && Gated::parse(&format!("SELECT * FROM {name}"), &Parameters::new()).is_err()
    {
        return Err(Error::new(
            Fault::Invalid,
            format!("view \"{name}\" has a word of SQL as its name"),
        )
        .with_hint("Choose a name that can stand in FROM without quotes."));
    }
    Ok(())
}

fn check_definition(kind: SavedKind, definition: &Definition) -> Result<()> {
    if definition.sql.len() > limits::SQL_BYTES {
        return Err(Error::limit(
            "sql_bytes",
            limits::SQL_BYTES,
            definition.sql.len(),
        ));
    }
    if definition.parameters.len() > limits::PARAMETERS {
        return Err(Error::limit(
            "parameters",
            limits::PARAMETERS,
            definition.parameters.len(),
        ));
    }
    let declared = definition.parameters.values();
    let descriptions = declared.map(|parameter| &parameter.description);
    let longest = descriptions
        .chain([&definition.description])
        .map(String::len)
        .max()
        .unwrap_or_default();
    if longest > limits::SAVED_DESCRIPTION_BYTES {
        return Err(Error::limit(
            "saved_description_bytes",
            limits::SAVED_DESCRIPTION_BYTES,
            longest,
        ));
    }
    if let Some(name) = definition
        .parameters
        .keys()
        .find(|name| !is_parameter_name(name))
    {
        let shown: String = name.chars().take(63).collect();
        return Err(Error::new(
            Fault::Invalid,
            format!("parameter {shown:?} is not a valid name"),
        )
        .with_hint("A name is made of at most 63 letters, digits and underscores."));
    }
    if definition.parameters.contains_key("format") {
        return Err(Error::new(
            Fault::Invalid,
            "parameter \"format\" has the name of a key that every URL of rows has",
        )
        .with_hint("Give the parameter another name."));
    }
    let placeholders = placeholders(&definition.sql);
    if kind != SavedKind::Query {
        let named = placeholders.first().or(definition.parameters.keys().next());
        return match named {
            None => Ok(()),
            Some(name) => Err(Error::new(
                Fault::Invalid,
                format!("a {kind} has no parameters, and this one has \"{name}\""),
            )
            .with_hint(match kind {
                SavedKind::Metric => {
                    "Make it a dimension: a column that the metric is compared by."
                }
                _ => "Save a query instead, or filter where the view is read.",
            })),
        };
    }
    let undeclared = placeholders
        .iter()
        .find(|name| !definition.parameters.contains_key(*name));
    match undeclared {
        None => Ok(()),
        Some(name) => Err(Error::new(
            Fault::Invalid,
            format!("parameter \"{name}\" is not declared"),
        )
        .with_hint(format!(
            "Add it to the parameters: {{\"{name}\": {{\"type\": \"text\"}}}}."
        ))),
    }
}

fn check_room(history: &History, save: &Save, is_new: bool) -> Result<()> {
    let names = history.current(save.kind).count() + usize::from(is_new);
    let bytes = |definition: &Definition| {
        let parameters = serde_json::to_string(&definition.parameters).unwrap_or_default();
        definition.sql.len() + definition.description.len() + parameters.len()
    };
    let kept: usize = history.all().map(|saved| bytes(&saved.definition)).sum();
    for (name, limit, asked) in [
        ("saved_names", limits::SAVED_NAMES, names),
        ("saved_versions", limits::SAVED_VERSIONS, history.rows() + 1),
        (
            "saved_bytes",
            limits::SAVED_BYTES,
            kept + bytes(&save.definition),
        ),
    ] {
        if asked > limit {
            return Err(Error::limit(name, limit, asked));
        }
    }
    Ok(())
}

fn not_a_select(kind: SavedKind) -> Error {
    Error::new(Fault::Invalid, format!("a {kind} is one SELECT"))
        .with_hint("EXPLAIN, SHOW and DESCRIBE are answered and not saved.")
}

fn not_there(history: &History, named: &Named) -> Error {
    let kind = named.kind;
    let shown: String = named.name.chars().take(63).collect();
    let version = named.version.map(|version| format!(" {version}"));
    let may_run = |saved: &&Saved| kind != SavedKind::Query || named.principal.may_run(&saved.name);
    let names: Vec<String> = match kind {
        SavedKind::Metric => metrics(history).into_keys().take(40).collect(),
        _ => {
            let current = history.current(kind).filter(may_run).take(20);
            current.map(|saved| saved.name.clone()).collect()
        }
    };
    Error::new(
        Fault::Missing,
        format!(
            "{kind} {shown:?}{} does not exist",
            version.unwrap_or_default()
        ),
    )
    .with_hint(match names.is_empty() {
        true => "Nothing of this kind is saved.".to_owned(),
        false => format!("There are {}.", names.join(", ")),
    })
}

fn too_busy() -> Error {
    Error::new(
        Fault::Busy,
        "others keep changing what this manufacturer has saved",
    )
}
