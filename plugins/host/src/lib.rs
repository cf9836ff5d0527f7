//! The sandbox: runs WebAssembly plugins over Arrow columns. It knows Arrow and wasmtime, and
//! deliberately nothing of tables, SQL, DataFusion or sockets.
//!
//! ```text
//! bytes ─ upload ─ check ─ compile ─ plugin          at upload, once
//!         Upload → Checked → Compiled → Plugin       each constructible only by the step before
//!
//! plugin.settings() ─ plugin.pool()                  per query, with a manufacturer's settings
//!
//! pool.call ─ batch ─ lower ─ instance ─ lift ─ ArrayRef                per batch of a query
//! ```
//!
//! | file | noun |
//! |---|---|
//! | `host.rs` | the process-wide engine, and `install`, which is the chain above |
//! | `limits.rs` | every bound |
//! | `error.rs` | what went wrong, whose fault it is, and where |
//! | `upload.rs` `check.rs` `compile.rs` | the steps of the chain |
//! | `manifest.rs` `function.rs` `types.rs` `names.rs` | what a plugin says it is, checked |
//! | `plugin.rs` | a plugin that is ready to run |
//! | `engine.rs` | how wasmtime is configured |
//! | `wire.rs` `exports.rs` | the types and functions of `sdk/wit/plugin.wit`, as wasmtime wants them |
//! | `instance.rs` | one running guest: the only file that holds a `Store` |
//! | `batch.rs` `lower.rs` `json.rs` | Arrow to guest, in parts that fit |
//! | `lift.rs` | guest to Arrow, where nothing is believed |
//! | `pool.rs` `receipts.rs` | the instances of one query, and what they cost |
//! | `call.rs` `distinct.rs` | one batch of a score or a rule |
//! | `aggregation.rs` `accumulator.rs` | an aggregate that accumulates |
//! | `cached.rs` | compiled code that is kept, signed |
//! | `rehearse.rs` | whether a plugin gives the same results however rows come |
//! | `settings.rs` | a manufacturer's settings, checked against the manifest |
//!
//! What always holds: a guest imports nothing but `diagnostics`; every call has a budget of
//! instructions, memory, stack and output; an instance that failed in any way is never used
//! again; no output reaches Arrow unchecked; results do not depend on how many instances ran.

#![warn(missing_docs)]
#![cfg_attr(not(test), warn(clippy::unwrap_used))]

mod accumulator;
mod aggregation;
mod batch;
mod cached;
mod call;
mod check;
mod compile;
mod digest;
mod distinct;
mod engine;
mod error;
mod exports;
mod function;
mod host;
mod instance;
mod json;
mod lift;
mod limits;
mod lower;
mod manifest;
mod names;
mod plugin;
mod pool;
mod receipts;
mod rehearse;
mod settings;
mod types;
mod upload;
mod wire;

pub use aggregation::Aggregation;
pub use cached::Cached;
pub use call::Argument;
pub use compile::{Compiler, InProcess};
pub use error::{Error, ErrorKind, LimitHit, Place};
pub use function::{Function, Kind, Range, Reason, Volatility};
pub use host::Host;
pub use limits::Limits;
pub use manifest::{Manifest, Wire};
pub use plugin::Plugin;
pub use pool::{Pool, Warning};
pub use receipts::Receipts;
pub use settings::{ConfigKey, ConfigType, Settings};
pub use types::{Field, Type};
