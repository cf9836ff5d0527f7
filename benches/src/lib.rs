//! What the benches share: two contenders run in alternating pairs, and what is said about the pairs.
//!
//! | file | noun |
//! |---|---|
//! | `pairs.rs` | the measured pairs: medians, quartiles, ratios |
//! | `took.rs` | what a piece of work took, on the wall and on the processors |
//! | `report.rs` | one line for each question as it is answered, a Markdown table at the end |
//! | `settings.rs` | what the command line may change |
//! | `tributary.rs` | this engine, in this process, on a scratch folder |
//! | `duckdb.rs` | DuckDB in a Python process of its own |
//! | `totals.rs` | sums of answers, to see that both contenders gave the same one |
//!
//! Nothing here decides what is measured: that is the one file of each question beside this folder.

mod duckdb;
mod pairs;
mod report;
mod settings;
mod took;
mod totals;
mod tributary;

pub use duckdb::{DuckDb, Fetched, quoted};
pub use pairs::{Pairs, Spread, alternate};
pub use report::Report;
pub use settings::Settings;
pub use took::Took;
pub use totals::Totals;
pub use tributary::{Answered, Tributary, scratch};

/// Whatever goes wrong ends the bench, with its reason.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Threads that each contender may use.
pub const THREADS: usize = 2;
