//! What a server is told: every value with its unit, default and meaning, in one list that the reader, the printer and the
//! reference are made from.
//!
//! A value comes from a flag, or else from the environment, or else from the file, or else it is the default. What nobody
//! knows is an error wherever it comes from. Nothing here knows what a value is used for.

mod file;
mod reference;
mod value;

use std::fmt::Write;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use tributary_engine_core::{Error, Fault, Result};

pub use reference::configuration_reference;
pub(crate) use value::LogFormat;
use value::{Value, loopback};

/// One value that can be set.
struct Definition {
    section: &'static str,
    key: &'static str,
    text: &'static str,
    range: Option<RangeInclusive<u64>>,
}

impl Definition {
    /// Its name on the command line.
    fn name(&self) -> String {
        format!("{}.{}", self.section, self.key)
    }

    /// Its name in the environment.
    fn variable(&self) -> String {
        format!("TRIBUTARY_{}_{}", self.section, self.key).to_ascii_uppercase()
    }
}

macro_rules! sections {
    ($(
        $(#[doc = $about:literal])+
        $section:ident: $Section:ident {
            $( $(#[doc = $text:literal])+ $key:ident: $kind:ty = $default:expr $(, in $range:expr)?; )+
        }
    )+) => {
        /// What a server is told. `Config::default()` is what it does without being told anything.
        #[derive(Clone, Debug, Default)]
        pub struct Config {
            $( $(#[doc = $about])+ pub(crate) $section: $Section, )+
        }

        $(
            $(#[doc = $about])+
            #[derive(Clone, Debug)]
            pub(crate) struct $Section {
                $( $(#[doc = $text])+ pub(crate) $key: $kind, )+
            }

            impl Default for $Section {
                fn default() -> Self {
                    Self { $( $key: $default, )+ }
                }
            }
        )+

        /// The sections, in the order of the file, each with what it is about.
        const SECTIONS: &[(&str, &str)] = &[
            $( (stringify!($section), concat!($($about),+)), )+
        ];

        /// Every value, section by section.
        const DEFINITIONS: &[Definition] = &[
            $( $( Definition {
                section: stringify!($section),
                key: stringify!($key),
                text: concat!($($text),+),
                range: range!($($range)?),
            }, )+ )+
        ];

        impl Config {
            /// The value of a definition.
            fn value(&mut self, section: &str, key: &str) -> Option<&mut dyn Value> {
                match (section, key) {
                    $( $( (stringify!($section), stringify!($key)) => Some(&mut self.$section.$key), )+ )+
                    _ => None,
                }
            }
        }
    };
}

macro_rules! range {
    () => {
        None
    };
    ($range:expr) => {
        Some($range)
    };
}

sections! {
    /// The data folder.
    data: DataSection {
        /// The folder; made where it does not exist.
        folder: PathBuf = PathBuf::from("tributary-data");
        /// Threads that queries may use; 0 is one for each core.
        threads: u64 = 0, in 0..=1_024;
    }
    /// What the server listens on, and how it stops.
    http: HttpSection {
        /// Address and port of the API; port 0 is any free one.
        listen: SocketAddr = loopback(7070);
        /// Whether answers are packed with zstd or gzip for clients that accept it.
        compression: bool = true;
        /// After the signal to stop, how long connections are still taken while `/readyz` says 503.
        drain_pause_seconds: u64 = 0, in 0..=600;
        /// After that pause, how long the requests in flight have to finish before they are cut off.
        drain_seconds: u64 = 30, in 0..=3_600;
    }
    /// TLS. With both files named the API speaks HTTPS and nothing else; SIGHUP reads them again.
    tls: TlsSection {
        /// PEM file of the certificate, followed by those that vouch for it; empty is no TLS.
        certificate_file: Option<PathBuf> = None;
        /// PEM file of its private key.
        key_file: Option<PathBuf> = None;
    }
    /// Which web pages may call the API from a browser. None may unless it is named.
    cors: CorsSection {
        /// Origins, such as `https://console.example.com`; `*` alone is any, without credentials.
        origins: Vec<String> = Vec::new();
        /// Whether browsers may send cookies and client certificates along; bearer tokens do not need it.
        credentials: bool = false;
        /// How long a browser may remember that it was allowed.
        max_age_seconds: u64 = 600, in 0..=86_400;
    }
    /// Counters for Prometheus, at `/metrics` of an address of their own. They name no manufacturer and no path.
    metrics: MetricsSection {
        /// Address and port; port 0 is any free one, which the start prints; empty is none at all.
        listen: Option<SocketAddr> = Some(loopback(0));
    }
    /// The log, which goes to standard error.
    log: LogSection {
        /// `text` or `json`.
        format: LogFormat = LogFormat::Text;
        /// What is logged, as `level` or `target=level`, separated by commas; `TRIBUTARY_LOG` is the same.
        filter: String = "warn,tributary=info".to_owned();
    }
    /// Bounds. A request beyond one of them is refused with a status that says so, or waits where the text says so.
    limits: LimitsSection {
        /// Connections that are served at once; more wait to be taken.
        connections: u64 = 1_024, in 1..=100_000;
        /// Connections of one address; more are closed at once. A proxy in front is one address.
        connections_per_address: u64 = 256, in 1..=100_000;
        /// Time in which the head of a request has to arrive, the TLS handshake included.
        request_head_seconds: u64 = 10, in 1..=3_600;
        /// How long a connection is kept for the next request.
        keep_alive_seconds: u64 = 30, in 1..=3_600;
        /// Time without a byte after which the body of a request is given up.
        body_idle_seconds: u64 = 30, in 1..=3_600;
        /// Time after which an answer that the client does not take is given up.
        answer_stall_seconds: u64 = 60, in 1..=3_600;
        /// Requests of one address each second, counted before its token is looked at. A proxy in front is one address.
        address_requests_per_second: u64 = 200, in 1..=1_000_000;
        /// Requests of one manufacturer's tokens each second; the operator's are counted together too.
        tenant_requests_per_second: u64 = 100, in 1..=1_000_000;
        /// How many seconds' worth of requests may come at once, for both rates.
        burst_seconds: u64 = 2, in 1..=60;
        /// Queries over one manufacturer's tables that run at once.
        tenant_queries: u64 = 16, in 1..=10_000;
        /// Queries that run at once.
        queries: u64 = 32, in 1..=10_000;
        /// Queries that wait for one of those to end; more are refused.
        queries_waiting: u64 = 64, in 0..=10_000;
        /// How long they wait.
        query_wait_ms: u64 = 5_000, in 0..=600_000;
        /// Bytes of a request about SQL: a statement with its parameters, a view, a metric.
        query_body_bytes: u64 = 2 << 20, in 1_024..=16 << 20;
        /// Bytes of one ingest request as it arrives.
        ingest_body_bytes: u64 = 4 << 30, in 1_024..=4 << 30;
        /// Bytes of an uploaded plugin.
        plugin_bytes: u64 = 4 << 20, in 1_024..=4 << 20;
        /// Bytes of any other request body.
        other_body_bytes: u64 = 2 << 20, in 1_024..=16 << 20;
    }
}

impl Config {
    /// Reads the file, where there is one, then the environment, then what the command line sets as `section.key`.
    ///
    /// # Errors
    ///
    /// A key that nobody knows, a value of another kind or out of range, a file that is not there.
    pub fn load(
        path: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        set: &[(String, String)],
    ) -> Result<Self> {
        let mut config = Self::default();
        if let Some(path) = path {
            file::read(path, &mut config)?;
        }
        for (variable, text) in environment {
            config.take_variable(&variable, &text)?;
        }
        for (name, text) in set {
            config.set(name, text)?;
        }
        config.check()?;
        Ok(config)
    }

    /// Sets one value, named `section.key`, from a text.
    ///
    /// # Errors
    ///
    /// A name that nobody knows, or a text that is no such value.
    pub fn set(&mut self, name: &str, text: &str) -> Result<()> {
        let Some(definition) = DEFINITIONS.iter().find(|one| one.name() == name) else {
            let names: Vec<String> = DEFINITIONS.iter().map(Definition::name).collect();
            let error = Error::new(Fault::Invalid, format!("setting {name:?} is not known"));
            return Err(error.with_hint(nearest(name, &names)));
        };
        self.put(definition, |value| value.read_text(text))
            .map_err(|why| Error::new(Fault::Invalid, format!("setting \"{name}\": {why}")))
    }

    /// Takes a variable of the environment that is about a section; all others are somebody else's.
    fn take_variable(&mut self, variable: &str, text: &str) -> Result<()> {
        let is_ours = |(section, _): &(&str, &str)| {
            let prefix = format!("TRIBUTARY_{}_", section.to_ascii_uppercase());
            variable.starts_with(&prefix)
        };
        if !SECTIONS.iter().any(is_ours) {
            return Ok(());
        }
        let Some(definition) = DEFINITIONS.iter().find(|one| one.variable() == variable) else {
            let names: Vec<String> = DEFINITIONS.iter().map(Definition::variable).collect();
            let message = format!("variable {variable:?} of the environment is not known");
            return Err(Error::new(Fault::Invalid, message).with_hint(nearest(variable, &names)));
        };
        self.put(definition, |value| value.read_text(text))
            .map_err(|why| {
                let message = format!("variable \"{variable}\" of the environment: {why}");
                Error::new(Fault::Invalid, message)
            })
    }

    /// Sets a value and checks its range.
    fn put(
        &mut self,
        definition: &Definition,
        read: impl FnOnce(&mut dyn Value) -> Result<(), String>,
    ) -> Result<(), String> {
        let value = self
            .value(definition.section, definition.key)
            .expect("every definition has its value");
        read(value)?;
        match (&definition.range, value.number()) {
            (Some(range), Some(number)) if !range.contains(&number) => Err(format!(
                "{number} is not between {} and {}",
                range.start(),
                range.end()
            )),
            _ => Ok(()),
        }
    }

    /// What no value can say alone.
    fn check(&self) -> Result<()> {
        let wrong = |message: &str, hint: &str| {
            Err(Error::new(Fault::Invalid, message).with_hint(hint.to_owned()))
        };
        if self.tls.certificate_file.is_some() != self.tls.key_file.is_some() {
            return wrong(
                "TLS needs both a certificate and its key",
                "Set tls.certificate_file and tls.key_file, or neither.",
            );
        }
        let any = self.cors.origins.iter().any(|origin| origin == "*");
        if any && self.cors.credentials {
            return wrong(
                "\"cors.origins\" has \"*\" together with \"cors.credentials\"",
                "Name the origins: a browser refuses a wildcard with credentials, and so do we.",
            );
        }
        for origin in &self.cors.origins {
            if origin != "*" && !is_origin(origin) {
                return wrong(
                    &format!("{origin:?} in \"cors.origins\" is no origin"),
                    "Write scheme, host and port only, such as https://console.example.com.",
                );
            }
        }
        Ok(())
    }

    /// The values as they are, as a file that says the same.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut config = self.clone();
        let mut text = String::new();
        for (section, _) in SECTIONS {
            let gap = if text.is_empty() { "" } else { "\n" };
            let _ = writeln!(text, "{gap}[{section}]");
            for definition in DEFINITIONS.iter().filter(|one| one.section == *section) {
                let value = config
                    .value(section, definition.key)
                    .expect("every definition has its value");
                let _ = writeln!(text, "{} = {}", definition.key, value.written());
            }
        }
        text
    }
}

/// `scheme://host` or `scheme://host:port`, as browsers send it.
fn is_origin(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, host)| {
        matches!(scheme, "http" | "https")
            && !host.is_empty()
            && !host.contains(['/', '?', '#', '*', ' ', '@'])
            && host.is_ascii()
    })
}

/// A hint that names the likeliest of the names, or how to see all of them.
fn nearest(name: &str, names: &[String]) -> String {
    let close = names
        .iter()
        .map(|known| (distance(name, known), known))
        .min()
        .filter(|(distance, known)| *distance <= known.len() / 2);
    match close {
        Some((_, known)) => format!("Did you mean \"{known}\"?"),
        None => "\"tributary serve --print-config\" shows every value there is.".to_owned(),
    }
}

/// How many letters have to change to make one text the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, letter) in one.chars().take(100).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, known) in other.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *known);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_letters_that_change() {
        assert_eq!(distance("listen", "listen"), 0);
        assert_eq!(distance("listn", "listen"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
    }

    #[test]
    fn knows_an_origin() {
        for origin in ["https://a.example", "http://localhost:3000"] {
            assert!(is_origin(origin), "{origin}");
        }
        for origin in [
            "a.example",
            "https://a.example/",
            "https://*.a.example",
            "ftp://a",
            "null",
            "https://",
        ] {
            assert!(!is_origin(origin), "{origin}");
        }
    }
}
