//! The database: what arrives is checked, stored, and answered in SQL. Start reading at `engine.rs`.
//!
//! Knows no protocol, no environment variable and no wasmtime: adapters reach it through the [`Engine`] trait.

pub mod compile;
pub mod engine;
pub mod fault;
pub mod limits;
pub mod manufacturer;
pub mod metric;
pub mod model;
pub mod parameter;
pub mod plugin;
pub mod principal;
pub mod saved;
pub mod settings;
pub mod token;

mod attributes;
mod catalog;
mod classify;
mod control;
mod database;
mod folder;
mod import;
mod ingest;
mod plugins;
mod reading;
mod sql;
mod store;

pub use database::{Database, Options};
pub use engine::Engine;
pub use fault::{Error, Fault, Result};
pub use plugins::{Trial, Tried};
pub use reading::unknown_option;
pub use sql::{
    Entry as FunctionEntry, NativeFunctions, reference as function_reference, shipped_views,
};
pub use store::HANDLED_IN_LOG;
