//! From SQL text to a stream of batches: gate → session → plan → run. Knows no protocol and no storage format.

mod aggregate;
mod answer;
mod binding;
mod compare;
mod dialect;
mod distinct;
mod files;
mod frames;
mod function;
mod functions;
mod gate;
mod histories;
mod in_order;
mod library;
mod optimizer;
mod parameters;
mod receipt;
mod records;
mod relations;
mod scored;
mod session;
mod slots;
mod travel;
mod views;

pub use answer::{After, Plan, stream, too_long};
pub use binding::bind;
pub use files::{FilePlan, Files};
pub use function::{QueryPlugins, coerce, signature};
pub use functions::{Entry, NativeFunctions, reference};
pub use gate::{Gated, placeholders};
pub use histories::HISTORIES;
pub use library::{Library, is_taken, needs_library};
pub use parameters::is_parameter_name;
pub use records::{RECORDS, record};
pub use session::{Sessions, Tables, When};
pub use views::shipped_views;
