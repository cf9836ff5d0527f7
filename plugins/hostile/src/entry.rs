//! One function of this guest: its name, its signature, what it does.

use crate::aggregates::Aggregate;
use crate::exports::tributary::plugin::manifest::{
    DataType, Field, Function, Kind, Physical, Range, Reason, Volatility,
};
use crate::exports::tributary::plugin::rule::Judgement;
use crate::tributary::plugin::types::{Column, PluginError};

pub(crate) type Answer<T> = Result<T, PluginError>;

/// A type: its physical layout and its logical name.
pub(crate) type Type = (Physical, &'static str);

pub(crate) const FLOAT: Type = (Physical::Float64, "");
pub(crate) const INTEGER: Type = (Physical::Int64, "");
pub(crate) const TEXT: Type = (Physical::Text, "");
pub(crate) const JSON: Type = (Physical::Text, "json");

pub(crate) enum Body {
    Scalar(fn(Vec<Column>, usize) -> Answer<Column>),
    Rule(fn(usize) -> Answer<Judgement>),
    Aggregate(&'static (dyn Aggregate + Sync)),
}

pub(crate) struct Entry {
    pub(crate) name: &'static str,
    args: &'static [(Type, bool)],
    result: (Type, bool),
    state: &'static [Type],
    stable: bool,
    wants_now: bool,
    dictionaries: bool,
    range: Option<(f64, f64)>,
    retracts: bool,
    pub(crate) body: Body,
}

impl Entry {
    const fn new(name: &'static str, body: Body) -> Self {
        Self {
            name,
            args: &[(FLOAT, false)],
            result: (FLOAT, false),
            state: &[],
            stable: false,
            wants_now: false,
            dictionaries: false,
            range: None,
            retracts: false,
            body,
        }
    }

    /// Of a strict float, to such a result.
    pub(crate) const fn scalar(
        name: &'static str,
        result: Type,
        run: fn(Vec<Column>, usize) -> Answer<Column>,
    ) -> Self {
        Self {
            result: (result, false),
            ..Self::new(name, Body::Scalar(run))
        }
    }

    /// Of a strict float, with one detail.
    pub(crate) const fn rule(name: &'static str, run: fn(usize) -> Answer<Judgement>) -> Self {
        Self::new(name, Body::Rule(run))
    }

    /// Of a strict float, with one float of state.
    pub(crate) const fn aggregate(
        name: &'static str,
        aggregate: &'static (dyn Aggregate + Sync),
    ) -> Self {
        Self {
            state: &[FLOAT],
            retracts: true,
            ..Self::new(name, Body::Aggregate(aggregate))
        }
    }

    /// With these arguments; the flag says which see NULLs.
    pub(crate) const fn of(self, args: &'static [(Type, bool)]) -> Self {
        Self { args, ..self }
    }

    /// With a result that may be NULL.
    pub(crate) const fn nullable(self) -> Self {
        Self {
            result: (self.result.0, true),
            ..self
        }
    }

    pub(crate) const fn giving(self, result: Type) -> Self {
        Self {
            result: (result, self.result.1),
            ..self
        }
    }

    pub(crate) const fn keeping(self, state: &'static [Type]) -> Self {
        Self { state, ..self }
    }

    pub(crate) const fn stable(self, wants_now: bool) -> Self {
        Self {
            stable: true,
            wants_now,
            ..self
        }
    }

    pub(crate) const fn with_dictionaries(self) -> Self {
        Self {
            dictionaries: true,
            ..self
        }
    }

    pub(crate) const fn within(self, lo: f64, hi: f64) -> Self {
        Self {
            range: Some((lo, hi)),
            ..self
        }
    }

    pub(crate) const fn without_retract(self) -> Self {
        Self {
            retracts: false,
            ..self
        }
    }

    pub(crate) fn describe(&self) -> Function {
        let rule = matches!(self.body, Body::Rule(_));
        Function {
            name: self.name.to_owned(),
            kind: match self.body {
                Body::Scalar(_) => Kind::Scalar,
                Body::Rule(_) => Kind::Rule,
                Body::Aggregate(_) => Kind::Aggregate,
            },
            doc: "for tests".to_owned(),
            args: fields(self.args.iter().copied()),
            returns: fields(std::iter::once(self.result)),
            volatility: if self.stable {
                Volatility::Stable
            } else {
                Volatility::Immutable
            },
            wants_now: self.wants_now,
            accepts_dictionaries: self.dictionaries,
            output_range: self.range.map(|(lo, hi)| Range { lo, hi }),
            verdicts: ["yes", "no"][..if rule { 2 } else { 0 }]
                .iter()
                .map(|verdict| (*verdict).to_owned())
                .collect(),
            reasons: if rule { vec![reason()] } else { Vec::new() },
            state: fields(self.state.iter().map(|ty| (*ty, false))),
            retracts: self.retracts,
        }
    }
}

/// Fields named "x", "y", "z" and so on.
fn fields(types: impl Iterator<Item = (Type, bool)>) -> Vec<Field> {
    let fields = types
        .zip('x'..)
        .map(|(((physical, logical), nullable), name)| Field {
            name: name.to_string(),
            ty: DataType {
                physical,
                logical: logical.to_owned(),
            },
            nullable,
        });
    fields.collect()
}

fn reason() -> Reason {
    Reason {
        code: "BECAUSE".to_owned(),
        text: "because".to_owned(),
    }
}
