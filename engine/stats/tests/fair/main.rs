//! Rates, samples and fair comparison, against published numbers, other implementations and what always holds.

#![expect(clippy::unwrap_used, reason = "a test that gets no number has failed")]

mod dice;
mod funnel;
mod published;
mod ranks;
mod rates;
mod reference;
mod shrink;
mod strata;
mod tables;
