//! From SQL text to a stream of batches: gate → session → plan → run. Knows no protocol and no storage format.

mod answer;
mod dialect;
mod files;
mod function;
mod functions;
mod gate;
mod library;
mod parameters;
mod relations;
mod session;
mod travel;
mod views;

pub use answer::{Plan, stream, too_long};
pub use files::{FilePlan, Files};
pub use function::{QueryPlugins, plugin_error, signature};
pub use gate::{Gated, placeholders};
pub use library::{HISTORIES, Library, is_taken, needs_library};
pub use parameters::is_parameter_name;
pub use session::{Sessions, Tables, When};
