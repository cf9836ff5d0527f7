//! The integration tests, one binary: SQL files, HTTP, the command line, plugins, bad input, and the tidiness of the tree.

mod cli;
mod demo;
mod http;
mod ingest;
mod plugins;
mod slt;
mod support;
mod tidy;
