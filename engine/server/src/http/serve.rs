//! The accept loop: connections with a cap, a deadline for the head of a request, and an orderly end.
//!
//! `axum::serve` would be shorter, but sets no timer, which leaves hyper's head timeout without effect.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tributary_engine_core::Engine;

use super::patience::Patient;
use super::router;
use crate::limits::{ANSWER_STALL_SECONDS, CONNECTIONS, REQUEST_HEAD_SECONDS, SHUTDOWN_SECONDS};

/// Serves until `shutdown` resolves, then lets open requests finish for a while.
pub async fn serve(
    listener: TcpListener,
    engine: Arc<dyn Engine>,
    shutdown: impl Future<Output = ()> + Send,
) {
    let service = TowerToHyperService::new(router(engine));
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    let (closing, _) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(ended) = connections.join_next() => {
                if let Err(panic) = ended {
                    tracing::error!(%panic, "serve connection");
                }
            }
            (stream, permit) = accept(&listener, &permits) => {
                connections.spawn(connection(stream, permit, service.clone(), closing.subscribe()));
            }
        }
    }
    drop(listener);
    drop(closing);
    let finished = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(Duration::from_secs(SHUTDOWN_SECONDS), finished)
        .await
        .is_err()
    {
        tracing::warn!(open = connections.len(), "requests cut off at shutdown");
        connections.shutdown().await;
    }
}

/// The next connection, once there is room for it.
async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> (TcpStream, OwnedSemaphorePermit) {
    loop {
        let permit = Arc::clone(permits)
            .acquire_owned()
            .await
            .expect("the semaphore is never closed");
        match listener.accept().await {
            Ok((stream, _)) => return (stream, permit),
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

/// Serves one connection to its end, or until the server closes and the request at hand is answered.
async fn connection(
    stream: TcpStream,
    _permit: OwnedSemaphorePermit,
    service: TowerToHyperService<Router>,
    mut closing: watch::Receiver<()>,
) {
    let _ = stream.set_nodelay(true);
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(REQUEST_HEAD_SECONDS));
    let patient = Patient::new(stream, Duration::from_secs(ANSWER_STALL_SECONDS));
    let mut connection = pin!(builder.serve_connection(TokioIo::new(patient), service));
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
