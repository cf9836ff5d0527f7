//! From SQL text to a stream of batches: gate → session → plan → run. Knows no protocol and no storage format.

mod answer;
mod function;
mod functions;
mod gate;
mod relations;
mod session;
mod views;

pub use answer::{stream, too_long};
pub use function::{QueryPlugins, plugin_error, signature};
pub use gate::Gated;
pub use session::Sessions;
