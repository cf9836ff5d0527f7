//! Rules: what they decide, the loop around one, and its entry in the manifest.

use std::marker::PhantomData;

use crate::bindings::exports::tributary::plugin::manifest::{
    Field, Function, Kind, Physical, Reason, Volatility,
};
use crate::bindings::exports::tributary::plugin::rule::Judgement;
use crate::bindings::tributary::plugin::types::{Column, PluginError};
use crate::block::Block;
use crate::failure::PluginFailure;

/// The verdicts of a rule: an enum with `#[derive(Verdicts)]`. `NeedInfo` is `need_info` in SQL.
pub trait Verdicts {
    /// all of them, in order
    const NAMES: &'static [&'static str];
    /// The place of this one in `NAMES`.
    fn code(&self) -> u8;
}

/// The reasons of a rule: an enum with `#[derive(Reasons)]`, at most 64.
/// `NoAuthority` is `NO_AUTHORITY` in SQL.
pub trait Reasons {
    /// all of them, in order: code and text
    const REASONS: &'static [(&'static str, &'static str)];
    /// The place of this one in `REASONS`.
    fn bit(&self) -> u8;
}

/// What a rule says beside its verdict: a struct with `#[derive(Details)]`.
pub trait Details {
    /// its columns while they grow
    type Slots;
    /// How the manifest spells its fields.
    fn fields() -> Vec<Field>;
    /// Columns with room for a batch.
    fn slots(rows: usize) -> Self::Slots;
    /// Writes a row.
    fn put(self, slots: &mut Self::Slots, row: usize);
    /// Makes a row NULL.
    fn skip(slots: &mut Self::Slots, row: usize);
    /// The finished columns.
    fn columns(slots: Self::Slots) -> Vec<Column>;
}

/// No reasons.
impl Reasons for () {
    const REASONS: &'static [(&'static str, &'static str)] = &[];
    fn bit(&self) -> u8 {
        0
    }
}

/// No details.
impl Details for () {
    type Slots = ();
    fn fields() -> Vec<Field> {
        Vec::new()
    }
    fn slots(_rows: usize) {}
    fn put(self, _slots: &mut (), _row: usize) {}
    fn skip(_slots: &mut (), _row: usize) {}
    fn columns(_slots: ()) -> Vec<Column> {
        Vec::new()
    }
}

/// What a rule decides about one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decision<V, R = (), D = ()> {
    /// the verdict
    pub verdict: V,
    /// the details
    pub details: D,
    reasons: u64,
    kind: PhantomData<R>,
}

impl<V: Verdicts, R: Reasons, D> Decision<V, R, D> {
    /// A decision without reasons.
    #[inline]
    pub fn new(verdict: V, details: D) -> Self {
        Self {
            verdict,
            details,
            reasons: 0,
            kind: PhantomData,
        }
    }

    /// Adds a reason. Adding one twice is adding it once.
    #[inline]
    #[must_use]
    pub fn because(self, reason: R) -> Self {
        self.because_if(true, reason)
    }

    /// Adds a reason if it applies.
    #[inline]
    #[must_use]
    pub fn because_if(mut self, applies: bool, reason: R) -> Self {
        self.reasons |= u64::from(applies) << reason.bit();
        self
    }

    /// The codes of its reasons.
    pub fn reasons(&self) -> Vec<&'static str> {
        let codes = R::REASONS.iter().enumerate();
        codes
            .filter(|(bit, _)| self.reasons >> bit & 1 == 1)
            .map(|(_, (code, _))| *code)
            .collect()
    }
}

/// What a rule may return: a decision, perhaps a failure.
pub trait Ruling {
    /// its verdicts
    type Verdicts: Verdicts;
    /// its reasons
    type Reasons: Reasons;
    /// its details
    type Details: Details;
    /// The decision or the failure.
    fn open(self) -> Result<Decided<Self>, PluginFailure>;
}

/// The decision of a ruling.
pub type Decided<R> =
    Decision<<R as Ruling>::Verdicts, <R as Ruling>::Reasons, <R as Ruling>::Details>;

impl<V: Verdicts, R: Reasons, D: Details> Ruling for Decision<V, R, D> {
    type Verdicts = V;
    type Reasons = R;
    type Details = D;

    #[inline]
    fn open(self) -> Result<Self, PluginFailure> {
        Ok(self)
    }
}

impl<V: Verdicts, R: Reasons, D: Details> Ruling for Result<Decision<V, R, D>, PluginFailure> {
    type Verdicts = V;
    type Reasons = R;
    type Details = D;

    #[inline]
    fn open(self) -> Self {
        self
    }
}

/// The decisions of a batch while they are made.
pub struct Judgements<R: Ruling> {
    verdicts: Vec<u8>,
    reasons: Vec<u64>,
    details: <R::Details as Details>::Slots,
}

impl<R: Ruling> Judgements<R> {
    /// No decisions yet.
    pub fn new(rows: usize) -> Self {
        Self {
            verdicts: vec![0; rows],
            reasons: vec![0; rows],
            details: R::Details::slots(rows),
        }
    }

    /// Decides a block; rows that are not callable are left to the host, which makes them NULL.
    #[inline]
    pub fn extend(
        &mut self,
        block: Block,
        callable: u64,
        mut rule: impl FnMut(usize) -> R,
    ) -> Result<(), PluginError> {
        let verdicts = self.verdicts[block.start..][..block.len].iter_mut();
        let reasons = self.reasons[block.start..][..block.len].iter_mut();
        for (row, (verdict, mask)) in verdicts.zip(reasons).enumerate() {
            let place = block.start + row;
            if callable >> row & 1 == 0 {
                R::Details::skip(&mut self.details, place);
                continue;
            }
            let decision = rule(row).open().map_err(|failure| failure.in_row(place))?;
            *verdict = decision.verdict.code();
            *mask = decision.reasons;
            decision.details.put(&mut self.details, place);
        }
        Ok(())
    }

    /// The finished columns.
    pub fn judgement(self) -> Judgement {
        let details = R::Details::columns(self.details);
        Judgement {
            verdicts: self.verdicts,
            reasons: self.reasons,
            details,
        }
    }
}

/// The manifest entry of a rule.
pub fn describe_rule<R: Ruling>(
    name: &str,
    doc: &str,
    args: Vec<Field>,
    wants_now: bool,
) -> Function {
    let reasons = <R::Reasons as Reasons>::REASONS.iter();
    Function {
        name: name.to_owned(),
        kind: Kind::Rule,
        doc: doc.to_owned(),
        accepts_dictionaries: args.iter().any(|arg| arg.ty.physical == Physical::Text),
        args,
        returns: R::Details::fields(),
        volatility: match wants_now {
            true => Volatility::Stable,
            false => Volatility::Immutable,
        },
        wants_now,
        output_range: None,
        verdicts: <R::Verdicts as Verdicts>::NAMES
            .iter()
            .map(|&name| name.to_owned())
            .collect(),
        reasons: reasons
            .map(|&(code, text)| Reason {
                code: code.to_owned(),
                text: text.to_owned(),
            })
            .collect(),
        state: Vec::new(),
        retracts: false,
    }
}
