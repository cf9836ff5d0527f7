//! `tributary serve`: the data folder over HTTP, until told to stop.

use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;
use tributary_engine_core::HANDLED_IN_LOG;
use tributary_engine_core::{Error, Fault};

use super::data::{self, TOKEN_FILE};
use super::stop::{Result, colour};
use crate::config::{Config, LogFormat};
use crate::http::{Listeners, Server};

/// Answer over HTTP.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tributary serve
  tributary serve --data tributary-demo --listen 127.0.0.1:8080
  tributary serve --config tributary.toml --print-config

Then, with the operator's token from the data folder:
  curl -H \"Authorization: Bearer $(cat tributary-data/operator.token)\" \\
       -H 'Content-Type: text/plain' -H 'Accept: text/csv' \\
       --data 'SELECT * FROM v_funnel LIMIT 10' http://127.0.0.1:7070/v1/acme/query

docs/configuration.md lists every value, with its key in the file and its variable in the environment.
TRIBUTARY_LOG sets what is logged: error, warn, info or debug (default \"warn,tributary=info\").")]
pub(super) struct Serve {
    /// File with the configuration, TOML
    #[arg(long, value_name = "FILE", env = "TRIBUTARY_CONFIG")]
    config: Option<PathBuf>,

    /// Sets one value of the configuration; may be given several times
    #[arg(long, value_name = "SECTION.KEY=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,

    /// Print the values in force, as a configuration file, and end
    #[arg(long)]
    print_config: bool,

    /// Folder of the data [default: tributary-data]
    #[arg(long, value_name = "DIR", env = "TRIBUTARY_DATA")]
    data: Option<PathBuf>,

    /// Threads that a query may use [default: one per core]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,

    /// Address to listen on [default: 127.0.0.1:7070]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,

    /// How the log is written [default: text]
    #[arg(long, value_enum)]
    log_format: Option<LogFormat>,
}

impl Serve {
    pub(super) async fn run(self) -> Result<()> {
        let config = self.config()?;
        if self.print_config {
            let mut out = io::stdout().lock();
            write!(out, "{}", config.to_toml())?;
            return Ok(out.flush()?);
        }
        log_to_stderr(config.log.format, &config.log.filter)?;
        // Before the folder is opened: with the port taken, or without a certificate, nothing should have been made.
        let server = Server::new(config.clone())?;
        let listeners = listen(&config).await?;
        let opened = data::open(&config.data.folder, threads(&config)).await?;
        greet(&config, &listeners, opened.first_token.as_deref())?;
        server.serve(listeners, opened.engine, told_to_stop()).await;
        Ok(())
    }

    /// The file, the environment and the flags, the later before the earlier.
    fn config(&self) -> Result<Config> {
        // A variable that is not UTF-8 is none of ours.
        let environment = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        let mut config = Config::load(self.config.as_deref(), environment, &self.set)?;
        if let Some(folder) = &self.data {
            config.data.folder.clone_from(folder);
        }
        if let Some(threads) = self.threads {
            config.set("data.threads", &threads.to_string())?;
        }
        if let Some(listen) = self.listen {
            config.http.listen = listen;
        }
        if let Some(format) = self.log_format {
            config.log.format = format;
        }
        Ok(config)
    }
}

/// `section.key=value` of the command line.
fn assignment(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| "write it as section.key=value".to_owned())?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn threads(config: &Config) -> Option<usize> {
    let threads = usize::try_from(config.data.threads).ok()?;
    (threads > 0).then_some(threads)
}

async fn listen(config: &Config) -> Result<Listeners> {
    let api = bind(
        config.http.listen,
        "Choose another address with --listen, for example 127.0.0.1:0 for any free port.",
    );
    let api = api.await?;
    let metrics = match config.metrics.listen {
        None => None,
        Some(address) => Some(bind(address, "Set metrics.listen to another address.").await?),
    };
    Ok(Listeners { api, metrics })
}

async fn bind(address: SocketAddr, hint: &str) -> Result<TcpListener> {
    let bound = TcpListener::bind(address).await.map_err(|error| {
        let message = format!("listen on \"{address}\": {error}");
        Error::new(Fault::Unavailable, message).with_hint(hint.to_owned())
    });
    Ok(bound?)
}

fn greet(config: &Config, listeners: &Listeners, first_token: Option<&str>) -> Result<()> {
    let file = config.data.folder.join(TOKEN_FILE);
    let mut out = io::stdout().lock();
    token_line(&mut out, &file, first_token)?;
    if let Some(metrics) = &listeners.metrics {
        writeln!(out, "metrics on http://{}/metrics", metrics.local_addr()?)?;
    }
    let scheme = if config.tls.certificate_file.is_some() {
        "https"
    } else {
        "http"
    };
    writeln!(
        out,
        "listening on {scheme}://{}",
        listeners.api.local_addr()?
    )?;
    Ok(out.flush()?)
}

fn token_line(out: &mut impl Write, file: &Path, first_token: Option<&str>) -> io::Result<()> {
    match first_token {
        Some(token) => {
            writeln!(out, "operator token: {token}")?;
            writeln!(out, "  shown once; kept in {}", file.display())
        }
        None if file.is_file() => writeln!(out, "operator token: in {}", file.display()),
        None => Ok(()),
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

fn log_to_stderr(format: LogFormat, said: &str) -> Result<()> {
    EnvFilter::try_new(said).map_err(|error| {
        Error::new(Fault::Invalid, format!("setting \"log.filter\": {error}"))
            .with_hint("Write levels and targets, such as \"warn,tributary=debug\".")
    })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter(said))
        .with_writer(io::stderr)
        .with_ansi(colour(&io::stderr()));
    match format {
        LogFormat::Text => builder.with_target(!io::stderr().is_terminal()).init(),
        LogFormat::Json => builder.json().init(),
    }
    Ok(())
}

/// What `TRIBUTARY_LOG` says, or the default.
pub(super) fn filter(default: &str) -> EnvFilter {
    let default = format!("{default},{HANDLED_IN_LOG}");
    EnvFilter::try_from_env("TRIBUTARY_LOG").unwrap_or_else(|_| EnvFilter::new(default))
}
