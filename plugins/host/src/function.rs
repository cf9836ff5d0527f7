//! A function of a plugin: its signature and what it promises, checked.

use std::collections::HashSet;

use arrow::datatypes::{DataType, Field as ArrowField, Fields};
use serde::{Deserialize, Serialize};

use crate::error::{Error, within};
use crate::limits::Limits;
use crate::names::{code, doc, name, unique};
use crate::types::Field;
use crate::wire;

/// A function of a plugin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Function {
    /// its name, without the plugin's
    pub name: String,
    /// whether it computes a value, decides, or sums up
    pub kind: Kind,
    /// its documentation
    pub doc: String,
    /// its arguments; a nullable one shows its NULLs to the function, another makes the result NULL
    pub args: Vec<Field>,
    /// scalar and aggregate: its one result; rule: its details
    pub returns: Vec<Field>,
    /// when it may be computed once instead of often
    pub volatility: Volatility,
    /// whether its result depends on the time the query is as of
    pub wants_now: bool,
    /// whether text arguments may stay dictionaries
    pub accepts_dictionaries: bool,
    /// the range its values are promised to be in, which every batch is checked against
    pub output_range: Option<Range>,
    /// rule: what it can decide
    pub verdicts: Vec<String>,
    /// rule: why
    pub reasons: Vec<Reason>,
    /// aggregate: the columns of one group's partial state
    pub state: Vec<Field>,
    /// aggregate: whether rows can leave a group again
    pub retracts: bool,
}

/// What a function does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// computes a value per row
    Scalar,
    /// decides about each row, and says why
    Rule,
    /// computes one value of many rows
    Aggregate,
}

/// When a function may be computed once instead of often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Volatility {
    /// the same arguments always give the same result
    Immutable,
    /// they do within one query
    Stable,
}

/// Both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// the lowest value
    pub lo: f64,
    /// the highest value
    pub hi: f64,
}

/// Why a rule decides as it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// as in SQL results
    pub code: String,
    /// for people
    pub text: String,
}

impl Function {
    /// What each argument should be cast to before a call, unless [`Function::accepts`] it.
    pub fn arg_types(&self) -> Vec<DataType> {
        self.args.iter().map(|arg| arg.ty.arrow()).collect()
    }

    /// Whether an array of that type can be passed for the argument at `position` without a cast.
    pub fn accepts(&self, position: usize, given: &DataType) -> bool {
        self.args
            .get(position)
            .is_some_and(|arg| arg.ty.accepts(given))
    }

    /// What a call returns: the type of a scalar or an aggregate; for a rule
    /// `Struct(verdict: Dictionary(UInt8, Utf8), reasons: List(Dictionary(UInt8, Utf8)), details…)`.
    pub fn return_type(&self) -> DataType {
        match (self.kind, self.returns.as_slice()) {
            (Kind::Scalar | Kind::Aggregate, [result]) => result.ty.arrow(),
            _ => DataType::Struct(self.rule_fields()),
        }
    }

    /// The columns of one group's partial state.
    pub fn state_types(&self) -> Vec<DataType> {
        self.state.iter().map(|field| field.ty.arrow()).collect()
    }

    /// Whether NULL in means NULL out, in every argument.
    pub fn is_strict(&self) -> bool {
        self.args.iter().all(|arg| !arg.nullable)
    }

    pub(crate) fn rule_fields(&self) -> Fields {
        let reasons = DataType::List(ArrowField::new_list_field(names_type(), true).into());
        let mut fields = vec![
            ArrowField::new("verdict", names_type(), true),
            ArrowField::new("reasons", reasons, true),
        ];
        fields.extend(
            self.returns
                .iter()
                .map(|field| ArrowField::new(&field.name, field.ty.arrow(), true)),
        );
        fields.into()
    }

    /// Checks what the guest said, counts and lengths first.
    pub(crate) fn check(function: &wire::Function, limits: &Limits) -> Result<Self, Error> {
        name("function", &function.name, limits)?;
        doc(&function.doc, limits)?;
        let checked = Self {
            name: function.name.clone(),
            kind: Kind::from(function.kind),
            doc: function.doc.clone(),
            args: Field::check_all("argument", &function.args, limits)?,
            returns: Field::check_all("result", &function.returns, limits)?,
            volatility: match function.volatility {
                wire::Volatility::Immutable => Volatility::Immutable,
                wire::Volatility::Stable => Volatility::Stable,
            },
            wants_now: function.wants_now,
            accepts_dictionaries: function.accepts_dictionaries,
            output_range: function.output_range.as_ref().map(Range::from),
            verdicts: function.verdicts.clone(),
            reasons: function.reasons.iter().map(Reason::from).collect(),
            state: Field::check_all("state", &function.state, limits)?,
            retracts: function.retracts,
        };
        if checked.wants_now && checked.volatility != Volatility::Stable {
            return Err(Error::refused(
                "a function whose result depends on the time of the query is stable, not immutable",
            ));
        }
        match checked.kind {
            Kind::Scalar => scalar(&checked)?,
            Kind::Rule => rule(&checked, limits)?,
            Kind::Aggregate => aggregate(&checked)?,
        }
        Ok(checked)
    }
}

/// Names by number: verdicts, reasons.
pub(crate) fn names_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::UInt8), Box::new(DataType::Utf8))
}

impl From<wire::Kind> for Kind {
    fn from(kind: wire::Kind) -> Self {
        match kind {
            wire::Kind::Scalar => Self::Scalar,
            wire::Kind::Rule => Self::Rule,
            wire::Kind::Aggregate => Self::Aggregate,
        }
    }
}

impl From<&wire::Range> for Range {
    fn from(range: &wire::Range) -> Self {
        Self {
            lo: range.lo,
            hi: range.hi,
        }
    }
}

impl From<&wire::Reason> for Reason {
    fn from(reason: &wire::Reason) -> Self {
        Self {
            code: reason.code.clone(),
            text: reason.text.clone(),
        }
    }
}

fn scalar(function: &Function) -> Result<(), Error> {
    stateless(function, "a scalar function")?;
    one_result(function, "a scalar function")
}

fn aggregate(function: &Function) -> Result<(), Error> {
    if function.args.is_empty() {
        return Err(Error::refused("an aggregate has at least one argument"));
    }
    if function.state.is_empty() {
        return Err(Error::refused(
            "an aggregate has at least one column of state",
        ));
    }
    one_result(function, "an aggregate")
}

fn one_result(function: &Function, what: &str) -> Result<(), Error> {
    let [result] = function.returns.as_slice() else {
        return Err(Error::refused(format!("{what} has exactly one result")));
    };
    if !function.verdicts.is_empty() || !function.reasons.is_empty() {
        return Err(Error::refused(format!(
            "{what} has no verdicts and no reasons"
        )));
    }
    let Some(Range { lo, hi }) = function.output_range else {
        return Ok(());
    };
    if !result.ty.is_number() || !lo.is_finite() || !hi.is_finite() || lo > hi {
        return Err(Error::refused(
            "a promised range is for plain numbers, from low to high",
        ));
    }
    Ok(())
}

fn stateless(function: &Function, what: &str) -> Result<(), Error> {
    if function.state.is_empty() && !function.retracts {
        return Ok(());
    }
    Err(Error::refused(format!(
        "{what} has no state and does not retract"
    )))
}

fn rule(function: &Function, limits: &Limits) -> Result<(), Error> {
    let Function {
        verdicts, reasons, ..
    } = function;
    stateless(function, "a rule")?;
    within("verdicts_max", limits.verdicts_max, verdicts.len() as u64)?;
    let reasons_max = limits.reasons_max.min(64);
    within("reasons_max", reasons_max, reasons.len() as u64)?;
    if verdicts.is_empty() || function.output_range.is_some() {
        return Err(Error::refused("a rule has verdicts, and promises no range"));
    }
    unique("verdict", verdicts.iter().map(String::as_str), limits)?;
    let details = function.returns.iter().map(|field| field.name.as_str());
    unique(
        "detail",
        ["verdict", "reasons"].into_iter().chain(details),
        limits,
    )?;
    for reason in reasons {
        code(&reason.code, limits)?;
        doc(&reason.text, limits)?;
    }
    let mut codes = HashSet::new();
    match reasons.iter().find(|reason| !codes.insert(&reason.code)) {
        Some(twice) => Err(Error::refused(format!(
            "reason \"{}\" is there twice",
            twice.code
        ))),
        None => Ok(()),
    }
}
