//! The command line: one file per command, each with its arguments, its help and what it does.
//!
//! Commands work on a data folder through the same [`Engine`](tributary_engine_core::Engine) trait as HTTP, as the
//! operator.

mod attribute;
mod demo;
mod door;
mod explain;
mod generate;
mod import;
mod ingest;
mod plugin;
mod remote;
mod saved;
mod serve;
mod settings;
mod shape;
mod shell;
mod sql;
mod stop;
mod token;

pub(crate) mod data;
pub(crate) mod grid;
pub(crate) mod progress;

use std::io;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tributary_engine_core::Error;

use crate::compile;
use crate::limits::THREAD_STACK_BYTES;

pub(crate) use stop::{Result, file_error};

/// Compare distributors: leads, revenue and resources in Delta tables, questions in SQL, rules as WebAssembly.
#[derive(Parser)]
#[command(
    name = "tributary",
    version,
    max_term_width = 100,
    after_help = "\
Start here:
  tributary demo                          see all of it on generated data
  tributary serve --data tributary-demo   the same over HTTP
  tributary sql --data tributary-demo -m acme -c 'SELECT * FROM v_funnel LIMIT 10'
  tributary sql --data tributary-demo -m acme   a shell for many statements

Exit codes: 0 done, 1 failed, 2 wrong usage or bad input."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::Demo),
    Serve(serve::Serve),
    Sql(sql::Sql),
    View(saved::View),
    Query(saved::Query),
    Metric(saved::Metric),
    Ingest(ingest::Ingest),
    Import(import::Import),
    Attribute(attribute::Attribute),
    Generate(generate::Generate),
    Plugin(plugin::Plugin),
    Explain(explain::Explain),
    #[command(hide = true)]
    CompilePlugin,
    Settings(settings::Settings),
    Token(token::Token),
}

/// Runs the command of this process's arguments.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    if matches!(cli.command, Command::CompilePlugin) {
        return compile::child();
    }
    let done = runtime().and_then(|runtime| runtime.block_on(cli.command.run()));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => stop.report(),
    }
}

impl Command {
    async fn run(self) -> Result<()> {
        if !matches!(self, Self::Serve(_)) {
            log_warnings();
        }
        match self {
            Self::Demo(demo) => demo.run().await,
            Self::Serve(serve) => serve.run().await,
            Self::Sql(sql) => sql.run().await,
            Self::View(view) => view.run().await,
            Self::Query(query) => query.run().await,
            Self::Metric(metric) => metric.run().await,
            Self::Ingest(ingest) => ingest.run().await,
            Self::Import(import) => import.run().await,
            Self::Attribute(attribute) => attribute.run().await,
            Self::Generate(generate) => generate.run(),
            Self::Plugin(plugin) => plugin.run().await,
            Self::Explain(explain) => explain.run().await,
            Self::CompilePlugin => unreachable!("answered before a runtime is started"),
            Self::Settings(settings) => settings.run().await,
            Self::Token(token) => token.run().await,
        }
    }
}

/// Commands say what went wrong themselves; the log adds what the engine warns of.
fn log_warnings() {
    tracing_subscriber::fmt()
        .with_env_filter(serve::filter("warn"))
        .with_writer(io::stderr)
        .with_ansi(stop::colour(&io::stderr()))
        .init();
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(THREAD_STACK_BYTES)
        .build()
        .map_err(|error| Error::internal("start runtime", error).into())
}
