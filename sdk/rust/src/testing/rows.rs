//! Rows of a score or a rule: alone, and together in one batch, in every layout.

use serde_json::{Map, Value, json};

use super::column::Layout;
use super::file::Example;
use super::result::{compare, read};
use super::trial::{Args, Trial, of};
use crate::argument::internal;
use crate::bindings::exports::tributary::plugin::manifest::Kind;
use crate::bindings::exports::tributary::plugin::rule::Judgement;
use crate::bindings::tributary::plugin::types::PluginError;
use crate::serve;

impl Trial {
    /// What came out otherwise.
    pub(super) fn rows(&self, rows: &[Example]) -> Vec<String> {
        let alone = rows.iter().enumerate().flat_map(|(position, row)| {
            let layouts = [Layout::Plain, Layout::Constant, Layout::Dictionary].into_iter();
            layouts.filter_map(move |layout| of("row", position, self.alone(row, layout)))
        });
        let mut wrong: Vec<String> = alone.collect();
        // Together they say nothing new, unless each of them is right.
        if wrong.is_empty() && !rows.is_empty() {
            wrong.extend(self.together(rows, Layout::Plain));
            wrong.extend(self.together(rows, Layout::Dictionary));
        }
        wrong
    }

    fn alone(&self, row: &Example, layout: Layout) -> Result<(), String> {
        let called = self.call(&[&row.args], layout);
        match (called, &row.error) {
            (Ok(given), None) => compare(&row.expect, &given[0], self.tolerance),
            (Ok(given), Some(_)) => Err(format!("gave {}, expected an error", given[0])),
            (Err(error), Some(wanted)) if error.message.contains(wanted) => Ok(()),
            (Err(error), Some(wanted)) => Err(format!(
                "failed with {:?}, expected {wanted:?}",
                error.message
            )),
            (Err(error), None) => Err(format!("failed: {}", error.message)),
        }
    }

    fn together(&self, rows: &[Example], layout: Layout) -> Vec<String> {
        let answered: Vec<(usize, &Example)> = rows
            .iter()
            .enumerate()
            .filter(|(_, row)| row.error.is_none())
            .collect();
        let args: Vec<&Args> = answered.iter().map(|(_, row)| &row.args).collect();
        let given = match self.call(&args, layout) {
            Ok(given) => given,
            Err(error) => return vec![format!("all rows in one batch failed: {}", error.message)],
        };
        let wrong = answered
            .iter()
            .zip(&given)
            .filter_map(|((position, row), given)| {
                let compared = compare(&row.expect, given, self.tolerance);
                let compared =
                    compared.map_err(|why| format!("in one batch with the others {why}"));
                of("row", *position, compared)
            });
        wrong.collect()
    }

    /// The result of each row.
    fn call(&self, rows: &[&Args], layout: Layout) -> Result<Vec<Value>, PluginError> {
        let columns = self.columns(rows, layout)?;
        let count = rows.len() as u32;
        let results: Vec<Value> = match self.function.kind {
            Kind::Scalar => {
                let column = serve::eval(self.plugin, self.number, &columns, count)?;
                let field = &self.function.returns[0];
                (0..rows.len())
                    .map(|row| read(&column, field, row))
                    .collect()
            }
            Kind::Rule => {
                let judged = serve::judge(self.plugin, self.number, &columns, count)?;
                (0..rows.len())
                    .map(|row| self.decision(&judged, row))
                    .collect()
            }
            Kind::Aggregate => return Err(internal("examples of an aggregate are groups")),
        };
        let results = rows.iter().zip(results);
        let results = results.map(|(args, result)| {
            if self.missing(args) {
                Value::Null
            } else {
                result
            }
        });
        Ok(results.collect())
    }

    fn decision(&self, judged: &Judgement, row: usize) -> Value {
        let mut fields = Map::new();
        let verdict = self
            .function
            .verdicts
            .get(usize::from(judged.verdicts[row]));
        fields.insert("verdict".to_owned(), json!(verdict));
        let reasons = self.function.reasons.iter().enumerate();
        let reasons = reasons.filter(|(bit, _)| judged.reasons[row] >> bit & 1 == 1);
        let codes: Vec<&str> = reasons.map(|(_, reason)| reason.code.as_str()).collect();
        fields.insert("reasons".to_owned(), json!(codes));
        for (column, field) in judged.details.iter().zip(&self.function.returns) {
            fields.insert(field.name.clone(), read(column, field, row));
        }
        Value::Object(fields)
    }
}
