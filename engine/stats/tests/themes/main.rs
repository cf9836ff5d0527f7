//! One file for each theme: the published numbers, values computed by other programs, and what must always hold.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot read its file has failed"
)]

mod business;
mod calendar;
mod chi2;
mod glm;
mod growth;
mod pareto;
mod published;
mod quality;
mod quality_rules;
mod retail;
