//! What the server counts, in the text format of Prometheus. Labels are words of ours: templates of routes, methods,
//! classes of status, reasons. No name of a manufacturer and nothing of a path gets into them.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use tributary_engine_core::Error;

/// Upper ends of the buckets of the time that a request takes.
const SECONDS: [f64; 12] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 300.0,
];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    route: String,
    method: &'static str,
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refusal {
    reason: &'static str,
}

/// The counters of one server.
pub(super) struct Counters {
    registry: Registry,
    requests: Family<Request, Counter>,
    seconds: Family<Route, Histogram>,
    refusals: Family<Refusal, Counter>,
    sent: Counter,
    /// Queries that run.
    pub(super) running: Gauge,
    /// Queries that wait for one of those to end.
    pub(super) waiting: Gauge,
    /// Connections that are open.
    pub(super) connections: Gauge,
}

impl Counters {
    pub(super) fn new() -> Self {
        let seconds = || Histogram::new(SECONDS);
        let mut counters = Self {
            registry: Registry::with_prefix("tributary"),
            requests: Family::default(),
            seconds: Family::new_with_constructor(seconds as fn() -> Histogram),
            refusals: Family::default(),
            sent: Counter::default(),
            running: Gauge::default(),
            waiting: Gauge::default(),
            connections: Gauge::default(),
        };
        counters.register();
        counters
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("http_requests", "Answered requests", self.requests.clone());
        registry.register_with_unit(
            "http_request",
            "Time until the head of the answer is sent",
            Unit::Seconds,
            self.seconds.clone(),
        );
        registry.register(
            "refused",
            "Requests and connections that a limit refused or cut off",
            self.refusals.clone(),
        );
        registry.register_with_unit(
            "sent",
            "Bytes written to clients",
            Unit::Bytes,
            self.sent.clone(),
        );
        registry.register("queries_running", "Queries that run", self.running.clone());
        registry.register(
            "queries_waiting",
            "Queries that wait for one of those to end",
            self.waiting.clone(),
        );
        registry.register(
            "connections_open",
            "Connections that are open",
            self.connections.clone(),
        );
    }

    /// A request was answered; `route` is the template that its path matched, where it matched one.
    pub(super) fn answered(
        &self,
        route: Option<&str>,
        method: &Method,
        status: StatusCode,
        elapsed: Duration,
    ) {
        let route = route.unwrap_or("none").to_owned();
        self.requests
            .get_or_create(&Request {
                route: route.clone(),
                method: method_word(method),
                status: class(status),
            })
            .inc();
        self.seconds
            .get_or_create(&Route { route })
            .observe(elapsed.as_secs_f64());
    }

    /// A limit refused a request or a connection, or cut it off.
    pub(super) fn refused(&self, reason: &'static str) {
        self.refusals.get_or_create(&Refusal { reason }).inc();
    }

    /// Bytes were written to a client.
    pub(super) fn sent(&self, bytes: usize) {
        self.sent.inc_by(bytes as u64);
    }

    /// All of it as text.
    pub(super) fn text(&self) -> Result<String, Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)
            .map_err(|error| Error::internal("write counters", error))?;
        Ok(text)
    }
}

/// Methods are the client's words, so only those that we know are labels and in the log.
pub(super) fn method_word(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}
