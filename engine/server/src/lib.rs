//! The adapters of the engine: HTTP and the command line. The only crate that knows a protocol.
//!
//! Everything goes through the `Engine` trait; this crate does not know how tables are stored, how a session is built
//! or what runs a plugin.

mod cli;
mod compile;
mod config;
mod demo;
mod encode;
mod error;
mod http;
mod limits;
mod parameters;
mod shipped;

pub use cli::main;
pub use compile::InChild;
pub use config::{Config, configuration_reference};
pub use error::{exit_code, http_status};
pub use http::{Listeners, Server, openapi, serve};
pub use shipped::PLUGINS;
