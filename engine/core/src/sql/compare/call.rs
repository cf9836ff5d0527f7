//! One call of a table function: its arguments by name, as they are written.

use std::collections::BTreeMap;

use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, ObjectNamePart, TableAlias, TableFactor, Value,
};

use super::NAMES;
use crate::fault::{Error, Fault, Result};

/// A call.
pub struct Call {
    pub name: &'static str,
    /// The first argument may stand without its name.
    pub first: Option<Expr>,
    pub options: BTreeMap<String, Expr>,
    pub alias: Option<TableAlias>,
}

impl Call {
    /// The call that a relation is; nothing where it is something else.
    pub fn of(factor: &TableFactor) -> Result<Option<Self>> {
        let TableFactor::Table {
            name,
            args: Some(arguments),
            alias,
            ..
        } = factor
        else {
            return Ok(None);
        };
        let [ObjectNamePart::Identifier(name)] = name.0.as_slice() else {
            return Ok(None);
        };
        let known = NAMES
            .into_iter()
            .find(|known| name.value.eq_ignore_ascii_case(known));
        let Some(name) = known else {
            return Ok(None);
        };
        let mut call = Self {
            name,
            first: None,
            options: BTreeMap::new(),
            alias: alias.clone(),
        };
        for (place, argument) in arguments.args.iter().enumerate() {
            call.take(place, argument)?;
        }
        Ok(Some(call))
    }

    fn take(&mut self, place: usize, argument: &FunctionArg) -> Result<()> {
        match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) if place == 0 => {
                self.first = Some(expr.clone());
                Ok(())
            }
            FunctionArg::Named {
                name,
                arg: FunctionArgExpr::Expr(expr),
                ..
            } => {
                let option = name.value.to_ascii_lowercase();
                match self.options.insert(option, expr.clone()) {
                    None => Ok(()),
                    Some(_) => Err(self.wrong(&format!("has \"{}\" twice", name.value))),
                }
            }
            other => Err(self.wrong(&format!("does not take {other}")).with_hint(
                "The first argument may stand alone; every other one has its name: grain => 'quarter'.",
            )),
        }
    }

    /// An error about this call.
    pub fn wrong(&self, what: &str) -> Error {
        Error::new(Fault::Invalid, format!("{} {what}", self.name))
    }

    /// Refuses what is not among the names of arguments.
    pub fn check_names(&self, known: &[&str]) -> Result<()> {
        match self
            .options
            .keys()
            .find(|name| !known.contains(&name.as_str()))
        {
            None => Ok(()),
            Some(name) => Err(self
                .wrong(&format!("has no argument \"{name}\""))
                .with_hint(format!("Its arguments are {}.", known.join(", ")))),
        }
    }

    /// An argument that is a word.
    pub fn word(&self, name: &str) -> Result<Option<String>> {
        self.options
            .get(name)
            .map(|expr| self.as_word(name, expr))
            .transpose()
    }

    fn as_word(&self, name: &str, expr: &Expr) -> Result<String> {
        match expr {
            Expr::Value(value) => match &value.value {
                Value::SingleQuotedString(text) => Ok(text.clone()),
                other => Err(self.needs(name, "a text", &other.to_string())),
            },
            Expr::Cast { expr, .. } => self.as_word(name, expr),
            other => Err(self.needs(name, "a text", &other.to_string())),
        }
    }

    /// An argument that is a word or a list of words.
    pub fn words(&self, name: &str) -> Result<Option<Vec<String>>> {
        match self.options.get(name) {
            None => Ok(None),
            Some(Expr::Array(array)) => {
                let words = array.elem.iter().map(|expr| self.as_word(name, expr));
                Ok(Some(words.collect::<Result<_>>()?))
            }
            Some(expr) => Ok(Some(vec![self.as_word(name, expr)?])),
        }
    }

    /// An argument that is one of some words.
    pub fn choice(
        &self,
        name: &str,
        words: &[&'static str],
        default: &'static str,
    ) -> Result<&'static str> {
        let Some(given) = self.word(name)? else {
            return Ok(default);
        };
        let found = words.iter().find(|word| **word == given);
        found.copied().ok_or_else(|| {
            self.needs(
                name,
                &format!("one of {}", words.join(", ")),
                &format!("'{given}'"),
            )
        })
    }

    /// An argument that is true or false.
    pub fn truth(&self, name: &str) -> Result<bool> {
        match self.options.get(name) {
            None => Ok(false),
            Some(Expr::Value(value)) => match value.value {
                Value::Boolean(truth) => Ok(truth),
                ref other => Err(self.needs(name, "true or false", &other.to_string())),
            },
            Some(other) => Err(self.needs(name, "true or false", &other.to_string())),
        }
    }

    /// An argument that is a number.
    pub fn number(&self, name: &str) -> Result<Option<f64>> {
        let Some(expr) = self.options.get(name) else {
            return Ok(None);
        };
        let text = match expr {
            Expr::Value(value) => match &value.value {
                Value::Number(text, _) => text.clone(),
                other => other.to_string(),
            },
            other => other.to_string(),
        };
        let number = text
            .parse()
            .map_err(|_| self.needs(name, "a number", &text))?;
        Ok(Some(number))
    }

    pub fn needs(&self, name: &str, needs: &str, got: &str) -> Error {
        self.wrong(&format!("argument \"{name}\" needs {needs}, got {got}"))
    }

    /// The first argument, with or without its name.
    pub fn first_word(&self, name: &str) -> Result<Option<String>> {
        match (&self.first, self.options.contains_key(name)) {
            (Some(_), true) => Err(self.wrong(&format!("has \"{name}\" twice"))),
            (Some(expr), false) => self.as_word(name, expr).map(Some),
            (None, _) => self.word(name),
        }
    }
}
