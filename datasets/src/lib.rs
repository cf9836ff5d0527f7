//! Seeded demo data with planted truths, and the questions that find them again.
//! Knows neither Arrow nor the engine: it writes CSV, and its SQL is text.

mod content_events;
mod csv;
mod dataset;
mod feedback;
mod grants;
mod leads;
mod market;
mod names;
mod queries;
mod resources;
mod revenue;
mod rng;
mod schema;
mod small;
mod tally;
#[cfg(test)]
mod tests;
mod time;
mod truths;
mod world;

pub use dataset::Dataset;
pub use queries::{Question, questions};
pub use tally::{Finding, Tally};
pub use truths::{
    ManufacturerTruths, PayingResource, RejectionReason, Truths, Underperformer, WorseLeads,
};
