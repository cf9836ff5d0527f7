//! `tributary serve`: the data folder over HTTP, until told to stop.

use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;

use clap::{Args, ValueEnum};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;
use tributary_engine_core::HANDLED_IN_LOG;
use tributary_engine_core::{Error, Fault};

use super::data::{Data, TOKEN_FILE};
use super::stop::{Result, colour};
use crate::http;

/// Answer over HTTP.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tributary serve
  tributary serve --data tributary-demo --listen 127.0.0.1:8080

Then, with the operator's token from the data folder:
  curl -H \"Authorization: Bearer $(cat tributary-data/operator.token)\" \\
       -H 'Content-Type: text/plain' -H 'Accept: text/csv' \\
       --data 'SELECT * FROM v_funnel LIMIT 10' http://127.0.0.1:7070/v1/acme/query

The server speaks plain HTTP: keep it on this machine, or behind something that speaks TLS.
TRIBUTARY_LOG sets what is logged: error, warn, info or debug (default \"warn,tributary=info\").")]
pub(super) struct Serve {
    #[command(flatten)]
    data: Data,

    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7070")]
    listen: SocketAddr,

    /// How the log is written
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
}

#[derive(Clone, Copy, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

impl Serve {
    pub(super) async fn run(self) -> Result<()> {
        log_to_stderr(self.log_format);
        // Before the folder is opened: with the port taken, nothing should have been made.
        let listener = TcpListener::bind(self.listen).await.map_err(|error| {
            Error::new(
                Fault::Unavailable,
                format!("listen on \"{}\": {error}", self.listen),
            )
            .with_hint(
                "Choose another address with --listen, for example 127.0.0.1:0 for any free port.",
            )
        })?;
        let opened = self.data.created().await?;
        let address = listener.local_addr()?;
        self.greet(address, opened.first_token.as_deref())?;
        http::serve(listener, opened.engine, told_to_stop()).await;
        Ok(())
    }

    fn greet(&self, address: SocketAddr, first_token: Option<&str>) -> Result<()> {
        let file = self.data.data.join(TOKEN_FILE);
        let mut out = io::stdout().lock();
        match first_token {
            Some(token) => {
                writeln!(out, "operator token: {token}")?;
                writeln!(out, "  shown once; kept in {}", file.display())?;
            }
            None if file.is_file() => writeln!(out, "operator token: in {}", file.display())?,
            None => {}
        }
        writeln!(out, "listening on http://{address}")?;
        Ok(out.flush()?)
    }
}

/// Resolves at Ctrl-C, or when the service manager says stop.
async fn told_to_stop() {
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        () = interrupted => {}
        () = terminated => {}
    }
}

fn log_to_stderr(format: LogFormat) {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter("warn,tributary=info"))
        .with_writer(io::stderr)
        .with_ansi(colour(&io::stderr()));
    match format {
        LogFormat::Text => builder.with_target(!io::stderr().is_terminal()).init(),
        LogFormat::Json => builder.json().init(),
    }
}

/// What `TRIBUTARY_LOG` says, or the default.
pub(super) fn filter(default: &str) -> EnvFilter {
    let default = format!("{default},{HANDLED_IN_LOG}");
    EnvFilter::try_from_env("TRIBUTARY_LOG").unwrap_or_else(|_| EnvFilter::new(default))
}
