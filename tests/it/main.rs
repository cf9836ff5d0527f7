//! The integration tests, one binary: SQL files, HTTP, the command line, plugins, bad input, and the tidiness of the tree.

mod attributes;
mod broken;
mod cli;
mod compile;
mod corpora;
mod demo;
mod dialects;
mod files;
mod formats;
mod history;
mod http;
mod import;
mod ingest;
mod leads;
mod parameters;
mod platform;
mod plugin_sql;
mod plugins;
mod saved;
mod shell;
mod slt;
mod support;
mod tidy;
mod travel;
