//! Time to an event, where for some it has not happened yet.
//!
//! A duration ends with an event or is still open (censored) when it was read; an open one says only that
//! the event comes later. What always holds: rows may arrive in any order and in any number of parts, the
//! answer is the same to the last bit; at equal durations events come before censorings; two durations are
//! equal when their numbers are (R's `timefix`, which merges times 1e-8 apart, is not applied). Negative
//! durations are left out and counted.

mod cholesky;
pub mod cox;
pub mod curve;
pub mod incidence;
pub mod limits;
pub mod logrank;
pub mod mean;
pub mod timeline;
