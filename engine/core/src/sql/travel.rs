//! Time travel: `leads VERSION AS OF 12` and `leads TIMESTAMP AS OF '2024-05-31'` become names of their own.
//!
//! The planner drops such a clause without a word and answers with today's rows, so it never sees one: here the table is
//! renamed to what it was, and the session registers that state under the new name.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};
use datafusion::sql::sqlparser::ast::{
    Expr, Ident, ObjectName, ObjectNamePart, Query, Statement, TableAlias, TableFactor,
    TableVersion, Value, VisitMut, VisitorMut,
};

use crate::fault::{Error, Fault, Result};
use crate::store::At;

/// Stands between a table and its state in a name; no table has it in its own.
const SEPARATOR: char = '@';

/// The past states that a statement names, by the names that now stand for them.
pub type Past = BTreeMap<String, (String, At)>;

/// Renames every table of the statement that has a version clause.
pub fn rename(statement: &mut Statement) -> Result<Past> {
    rename_all(statement, None)
}

/// Renames every table of a statement that was renamed before: those without a clause of their own as of one instant.
pub fn rename_as_of(statement: &mut Statement, at: At) -> Result<Past> {
    rename_all(statement, Some(at))
}

fn rename_all(statement: &mut Statement, every: Option<At>) -> Result<Past> {
    let mut renamer = Renamer {
        every,
        past: Past::new(),
        ctes: BTreeSet::new(),
    };
    match statement.visit(&mut renamer) {
        ControlFlow::Continue(()) => Ok(renamer.past),
        ControlFlow::Break(error) => Err(error),
    }
}

struct Renamer {
    every: Option<At>,
    past: Past,
    /// Names of common table expressions, which have no versions.
    ctes: BTreeSet<String>,
}

impl VisitorMut for Renamer {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        let ctes = query.with.iter().flat_map(|with| &with.cte_tables);
        self.ctes.extend(ctes.map(|cte| folded(&cte.alias.name)));
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        let TableFactor::Table {
            name,
            alias,
            version,
            args: None,
            ..
        } = factor
        else {
            return ControlFlow::Continue(());
        };
        match self.rename(name, alias, version.take()) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}

impl Renamer {
    fn rename(
        &mut self,
        name: &mut ObjectName,
        alias: &mut Option<TableAlias>,
        version: Option<TableVersion>,
    ) -> Result<()> {
        let unqualified = name.0.len() == 1;
        let Some(ObjectNamePart::Identifier(last)) = name.0.last_mut() else {
            return Ok(());
        };
        let table = folded(last);
        if table.contains(SEPARATOR) {
            // It is a past state already, and stays the one that its statement asked for.
            return Ok(());
        }
        let is_cte = unqualified && self.ctes.contains(&table);
        let at = match (version, self.every) {
            (Some(_), _) if is_cte => {
                return Err(Error::new(
                    Fault::Invalid,
                    format!("common table expression \"{table}\" has no versions"),
                )
                .with_hint("Put the clause behind the tables that it reads."));
            }
            (Some(version), _) => at(&version)?,
            (None, Some(every)) if !is_cte => every,
            (None, _) => return Ok(()),
        };
        let renamed = format!("{table}{SEPARATOR}{}", spelled(at));
        if alias.is_none() {
            *alias = Some(TableAlias {
                explicit: true,
                name: last.clone(),
                columns: Vec::new(),
                at: None,
            });
        }
        *last = Ident::with_quote('"', &renamed);
        self.past.insert(renamed, (table, at));
        Ok(())
    }
}

fn folded(ident: &Ident) -> String {
    match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => ident.value.to_ascii_lowercase(),
    }
}

fn spelled(at: At) -> String {
    match at {
        At::Version(version) => version.to_string(),
        At::Instant(us) => DateTime::<Utc>::from_timestamp_micros(us)
            .map(|instant| instant.to_rfc3339_opts(SecondsFormat::AutoSi, true))
            .unwrap_or_else(|| us.to_string()),
    }
}

fn at(version: &TableVersion) -> Result<At> {
    match version {
        TableVersion::VersionAsOf(expr) => {
            let text = literal(expr).and_then(|text| text.parse().ok());
            text.map(At::Version)
                .ok_or_else(|| not_a_literal("VERSION AS OF takes a version number like 12", expr))
        }
        TableVersion::TimestampAsOf(expr) | TableVersion::ForSystemTimeAsOf(expr) => {
            let instant = literal(expr).and_then(|text| instant(&text));
            instant.map(At::Instant).ok_or_else(|| {
                let message =
                    "TIMESTAMP AS OF takes an instant like '2024-05-31T09:30:00Z' or '2024-05-31'";
                not_a_literal(message, expr)
            })
        }
        other => Err(
            Error::new(Fault::Invalid, format!("not supported: {other}"))
                .with_hint("Write VERSION AS OF 12 or TIMESTAMP AS OF '2024-05-31T09:30:00Z'."),
        ),
    }
}

fn not_a_literal(message: &str, expr: &Expr) -> Error {
    let shown: String = expr.to_string().chars().take(60).collect();
    Error::new(Fault::Invalid, format!("{message}, not {shown}"))
        .with_hint("Write it out, or send it as a parameter.")
}

/// The text of a literal, whatever type is written around it.
fn literal(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::Number(text, _) => Some(text.clone()),
            _ => None,
        },
        Expr::TypedString(typed) => match &typed.value.value {
            Value::SingleQuotedString(text) => Some(text.clone()),
            _ => None,
        },
        Expr::Cast { expr, .. } | Expr::Nested(expr) => literal(expr),
        _ => None,
    }
}

/// RFC 3339; without an offset it is UTC, and a day alone is its first instant.
fn instant(text: &str) -> Option<i64> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Some(instant.timestamp_micros());
    }
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(day.and_hms_opt(0, 0, 0)?.and_utc().timestamp_micros());
    }
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .map(|instant| instant.and_utc().timestamp_micros())
}
