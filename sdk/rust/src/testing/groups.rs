//! Groups of an aggregate: each alone, merged from parts, after rows that came and went, and all of them at once.

use serde_json::Value;

use super::column::Layout;
use super::file::Group;
use super::result::{compare, read};
use super::trial::{Args, Trial, of};
use crate::argument::internal;
use crate::bindings::exports::tributary::plugin::manifest::Kind;
use crate::bindings::tributary::plugin::types::PluginError;
use crate::serve;

impl Trial {
    /// What came out otherwise.
    pub(super) fn groups(&self, groups: &[Group]) -> Vec<String> {
        let alone = groups
            .iter()
            .enumerate()
            .filter_map(|(position, group)| of("group", position, self.group(group)));
        let mut wrong: Vec<String> = alone.collect();
        if wrong.is_empty() && !groups.is_empty() {
            wrong.extend(self.at_once(groups));
        }
        wrong
    }

    fn group(&self, group: &Group) -> Result<(), String> {
        let rows: Vec<&Args> = group.rows.iter().collect();
        let told = |error: PluginError| format!("failed: {}", error.message);
        let whole = self.whole(&rows).map_err(told)?;
        compare(&group.expect, &whole, self.tolerance)?;
        let merged = self.in_parts(&rows).map_err(told)?;
        compare(&group.expect, &merged, self.tolerance)
            .map_err(|why| format!("merged from parts {why}"))?;
        if !self.function.retracts {
            return Ok(());
        }
        let slid = self.after_others(&rows).map_err(told)?;
        compare(&group.expect, &slid, self.tolerance)
            .map_err(|why| format!("after rows that came and went {why}"))
    }

    fn whole(&self, rows: &[&Args]) -> Result<Value, PluginError> {
        self.start(1)?;
        self.add(rows)?;
        self.value(0)
    }

    fn in_parts(&self, rows: &[&Args]) -> Result<Value, PluginError> {
        let (first, second) = rows.split_at(rows.len() / 2);
        let mut states = Vec::new();
        for part in [first, &[], second] {
            self.start(1)?;
            self.add(part)?;
            states.push(serve::state(&[0])?);
        }
        self.start(1)?;
        for state in states {
            serve::merge(&state, &[0], 1, 1)?;
        }
        self.value(0)
    }

    fn after_others(&self, rows: &[&Args]) -> Result<Value, PluginError> {
        self.start(1)?;
        self.add(rows)?;
        self.add(rows)?;
        let columns = self.columns(rows, Layout::Plain)?;
        serve::retract(&columns, &[], None, rows.len() as u32)?;
        self.value(0)
    }

    /// All groups in one batch.
    fn at_once(&self, groups: &[Group]) -> Vec<String> {
        let numbered = groups
            .iter()
            .zip(0..)
            .flat_map(|(group, number)| group.rows.iter().map(move |row| (number, row)));
        let (numbers, rows): (Vec<u32>, Vec<&Args>) = numbered.unzip();
        let total = groups.len() as u32;
        let values = || {
            self.start(total)?;
            let columns = self.columns(&rows, Layout::Plain)?;
            if !rows.is_empty() {
                serve::update(&columns, &numbers, None, rows.len() as u32, total)?;
            }
            (0..total).map(|number| self.value(number)).collect()
        };
        let values: Result<Vec<Value>, PluginError> = values();
        let values = match values {
            Ok(values) => values,
            Err(error) => return vec![format!("all groups at once failed: {}", error.message)],
        };
        let wrong = groups.iter().zip(&values).enumerate();
        let wrong = wrong.filter_map(|(position, (group, value))| {
            let compared = compare(&group.expect, value, self.tolerance);
            let compared = compared.map_err(|why| format!("at once with the others {why}"));
            of("group", position, compared)
        });
        wrong.collect()
    }

    /// Makes room for so many groups.
    fn start(&self, total: u32) -> Result<(), PluginError> {
        if self.function.kind != Kind::Aggregate {
            return Err(internal("groups are for aggregates"));
        }
        serve::start(self.plugin, self.number)?;
        serve::update(&self.columns(&[], Layout::Plain)?, &[], None, 0, total)
    }

    fn add(&self, rows: &[&Args]) -> Result<(), PluginError> {
        let columns = self.columns(rows, Layout::Plain)?;
        serve::update(&columns, &[], None, rows.len() as u32, 1)
    }

    fn value(&self, group: u32) -> Result<Value, PluginError> {
        let column = serve::evaluate(&[group])?;
        Ok(read(&column, &self.function.returns[0], 0))
    }
}
