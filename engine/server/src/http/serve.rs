//! The accept loop: connections with caps, deadlines for slow peers, TLS, and an orderly end.
//!
//! `axum::serve` would be shorter, but sets no timer, which leaves hyper's head timeout without effect.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::http::{Request, Response};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tributary_engine_core::{Engine, Result};

use super::admission::{Peer, counted};
use super::counters::Counters;
use super::desk::Desk;
use super::patience::{Answering, Patience, Patient, Phase};
use super::tls::Tls;
use super::{metrics_router, router};
use crate::config::Config;

/// What a server listens on.
pub struct Listeners {
    /// The API.
    pub api: TcpListener,
    /// The counters, which nobody but the operator should reach.
    pub metrics: Option<TcpListener>,
}

/// A server that is set up and does not listen yet.
pub struct Server {
    config: Config,
    tls: Option<Tls>,
}

impl Server {
    /// Reads what the configuration names.
    ///
    /// # Errors
    ///
    /// A certificate or a key that is not there or no good.
    pub fn new(config: Config) -> Result<Self> {
        let tls = Tls::of(&config.tls)?;
        Ok(Self { config, tls })
    }

    /// Serves until `shutdown` resolves. Then it says that it is not ready, takes connections for as long as the
    /// configuration says, and lets open requests finish for a while.
    pub async fn serve(
        self,
        listeners: Listeners,
        engine: Arc<dyn Engine>,
        shutdown: impl Future<Output = ()> + Send,
    ) {
        let desk = Desk::new(self.config);
        let limits = &desk.config.limits;
        let door = Door::new(
            router(&engine, &desk),
            &desk,
            limits.connections,
            self.tls.clone(),
        );
        let mut beside = JoinSet::new();
        if let Some(listener) = listeners.metrics {
            let door = Door::new(metrics_router(&desk), &desk, METRICS_CONNECTIONS, None);
            beside.spawn(async move {
                let mut connections = Connections::new();
                door.take(&listener, &mut connections, std::future::pending())
                    .await;
            });
        }
        if let Some(tls) = self.tls {
            beside.spawn(reload_at_signal(tls));
        }
        let mut connections = Connections::new();
        door.take(&listeners.api, &mut connections, shutdown).await;
        desk.start_draining();
        let http = &desk.config.http;
        let pause = Duration::from_secs(http.drain_pause_seconds);
        if !pause.is_zero() {
            let over = tokio::time::sleep(pause);
            door.take(&listeners.api, &mut connections, over).await;
        }
        drop(listeners.api);
        connections
            .finish(Duration::from_secs(http.drain_seconds))
            .await;
        beside.shutdown().await;
    }
}

/// Serves the API as it is by default, but counts no requests, until `shutdown` resolves: for whoever embeds the server
/// and knows who asks.
pub async fn serve(
    listener: TcpListener,
    engine: Arc<dyn Engine>,
    shutdown: impl Future<Output = ()> + Send,
) {
    let mut config = Config::default();
    config.limits.address_requests_per_second = 1_000_000;
    config.limits.tenant_requests_per_second = 1_000_000;
    let server = Server { config, tls: None };
    let listeners = Listeners {
        api: listener,
        metrics: None,
    };
    server.serve(listeners, engine, shutdown).await;
}

/// Connections of the counters at once; those who read them are few.
const METRICS_CONNECTIONS: u64 = 16;

/// Reads the certificate again whenever the process is told to.
async fn reload_at_signal(tls: Tls) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut told) = signal(SignalKind::hangup()) else {
            return;
        };
        while told.recv().await.is_some() {
            match tls.reload() {
                Ok(()) => tracing::info!("certificate read again"),
                Err(error) => {
                    tracing::error!(message = error.message(), "certificate not replaced");
                }
            }
        }
    }
    #[cfg(not(unix))]
    drop(tls);
}

/// The connections of one listener, and the word that they are to end.
struct Connections {
    open: JoinSet<()>,
    closing: watch::Sender<()>,
}

impl Connections {
    fn new() -> Self {
        Self {
            open: JoinSet::new(),
            closing: watch::channel(()).0,
        }
    }

    /// Lets requests at hand finish, and cuts off those that take too long.
    async fn finish(self, longest: Duration) {
        let Self { mut open, closing } = self;
        drop(closing);
        let finished = async { while open.join_next().await.is_some() {} };
        if tokio::time::timeout(longest, finished).await.is_err() {
            tracing::warn!(open = open.len(), "requests cut off at shutdown");
            open.shutdown().await;
        }
    }
}

/// What a connection of one listener is served with.
#[derive(Clone)]
struct Door {
    service: TowerToHyperService<Router>,
    desk: Arc<Desk>,
    permits: Arc<Semaphore>,
    addresses: Addresses,
    tls: Option<Tls>,
}

impl Door {
    fn new(router: Router, desk: &Arc<Desk>, connections: u64, tls: Option<Tls>) -> Self {
        Self {
            service: TowerToHyperService::new(router),
            desk: Arc::clone(desk),
            permits: Arc::new(Semaphore::new(connections as usize)),
            addresses: Addresses {
                most: desk.config.limits.connections_per_address as usize,
                open: Arc::default(),
            },
            tls,
        }
    }

    /// Takes connections until `over` resolves.
    async fn take(
        &self,
        listener: &TcpListener,
        connections: &mut Connections,
        over: impl Future<Output = ()> + Send,
    ) {
        let mut over = pin!(over);
        loop {
            tokio::select! {
                () = &mut over => break,
                Some(ended) = connections.open.join_next() => {
                    if let Err(panic) = ended {
                        tracing::error!(%panic, "serve connection");
                    }
                }
                (stream, address, permit) = accept(listener, &self.permits) => {
                    let Some(place) = self.addresses.place(counted(address)) else {
                        self.desk.counters.refused("address_connections");
                        continue;
                    };
                    let held = (permit, place);
                    let closing = connections.closing.subscribe();
                    connections.open.spawn(self.clone().serve(stream, address, held, closing));
                }
            }
        }
    }

    /// Serves one connection to its end, or until the server closes and the request at hand is answered.
    async fn serve(
        self,
        stream: TcpStream,
        address: IpAddr,
        _held: (OwnedSemaphorePermit, Address),
        closing: watch::Receiver<()>,
    ) {
        let _ = stream.set_nodelay(true);
        let counters = Arc::clone(&self.desk.counters);
        let _open = Open::new(&counters);
        let phase = Phase::first_head();
        let patience = Patience::of(&self.desk.config);
        let patient = Patient::new(stream, patience, phase.clone(), Arc::clone(&counters));
        let speaker = Speaker {
            service: self.service,
            address,
            phase,
        };
        match self.tls {
            None => speaker.speak(patient, closing).await,
            Some(tls) => match tls.acceptor().accept(patient).await {
                Ok(encrypted) => speaker.speak(encrypted, closing).await,
                Err(error) => tracing::debug!(%error, "no TLS"),
            },
        }
    }
}

/// Counts as an open connection.
struct Open<'a>(&'a Counters);

impl<'a> Open<'a> {
    fn new(counters: &'a Counters) -> Self {
        counters.connections.inc();
        Self(counters)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.connections.dec();
    }
}

/// The next connection, once there is room for it.
async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> (TcpStream, IpAddr, OwnedSemaphorePermit) {
    loop {
        let permit = Arc::clone(permits)
            .acquire_owned()
            .await
            .expect("the semaphore is never closed");
        match listener.accept().await {
            Ok((stream, address)) => return (stream, address.ip(), permit),
            Err(error) if of_one_connection(&error) => {}
            // Out of file descriptors, say: pausing lets other connections end.
            Err(error) => {
                tracing::error!(%error, "accept connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

fn of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

/// How many connections each address has open.
#[derive(Clone)]
struct Addresses {
    most: usize,
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Addresses {
    fn place(&self, address: IpAddr) -> Option<Address> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(address).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Address {
            address,
            open: Arc::clone(&self.open),
        })
    }
}

/// One connection of an address.
struct Address {
    address: IpAddr,
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Drop for Address {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}

/// Speaks HTTP on one connection.
struct Speaker {
    service: TowerToHyperService<Router>,
    address: IpAddr,
    phase: Phase,
}

impl Speaker {
    async fn speak(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        mut closing: watch::Receiver<()>,
    ) {
        let mut builder = Builder::new(TokioExecutor::new()).http1_only();
        // The socket itself waits for heads, and tells a slow one from an idle connection.
        builder.http1().header_read_timeout(None);
        let service = service_fn(|request| self.answer(request));
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            _ = closing.changed() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(error, "connection ended early");
        }
    }

    fn answer(
        &self,
        mut request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<Sent>, Infallible>> + use<> {
        let answering = self.phase.answering();
        request.extensions_mut().insert(Peer(self.address));
        let answer = self.service.call(request);
        async move {
            let response = answer.await?;
            Ok(response.map(|body| Sent {
                body,
                _answering: answering,
            }))
        }
    }
}

/// The body of an answer; the request counts as being answered until it is gone.
struct Sent {
    body: Body,
    _answering: Answering,
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
