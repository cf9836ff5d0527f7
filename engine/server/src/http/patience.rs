//! A socket that gives up on a peer which keeps it waiting: for the head of a request, for the next request, or for
//! room to write. An answer nobody reads would hold its query and its connection for ever.
//!
//! Bodies of requests are not its business: while a request is being answered, reads have no deadline here.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use super::counters::Counters;
use crate::config::Config;

/// How long a peer is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// For the head of a request, from its first byte; of the first request, from the connection's start.
    pub(super) head: Duration,
    /// For the next request.
    pub(super) idle: Duration,
    /// For room to write.
    pub(super) stall: Duration,
}

impl Patience {
    pub(super) fn of(config: &Config) -> Self {
        Self {
            head: Duration::from_secs(config.limits.request_head_seconds),
            idle: Duration::from_secs(config.limits.keep_alive_seconds),
            stall: Duration::from_secs(config.limits.answer_stall_seconds),
        }
    }
}

/// What a connection is at. Its two ends share it: the socket waits accordingly, the service says what is going on.
#[derive(Clone, Debug)]
pub(super) struct Phase(Arc<Now>);

#[derive(Debug)]
struct Now {
    at: AtomicU8,
    /// Whoever reads without a deadline while a request is being answered, and has one after it.
    reader: AtomicWaker,
}

const HEAD: u8 = 0;
const ANSWER: u8 = 1;
const IDLE: u8 = 2;

impl Phase {
    pub(super) fn first_head() -> Self {
        Self(Arc::new(Now {
            at: AtomicU8::new(HEAD),
            reader: AtomicWaker::new(),
        }))
    }

    /// A request is being answered, until what this returns is dropped.
    pub(super) fn answering(&self) -> Answering {
        self.0.at.store(ANSWER, Ordering::Release);
        Answering(self.clone())
    }

    fn now(&self) -> u8 {
        self.0.at.load(Ordering::Acquire)
    }

    /// The first bytes after a pause begin a head.
    fn bytes_came(&self) {
        let _ = self
            .0
            .at
            .compare_exchange(IDLE, HEAD, Ordering::AcqRel, Ordering::Acquire);
    }
}

/// Lasts as long as a request is being answered.
pub(super) struct Answering(Phase);

impl Drop for Answering {
    fn drop(&mut self) {
        let now = &self.0.0;
        now.at.store(IDLE, Ordering::Release);
        now.reader.wake();
    }
}

/// A connection whose reads and writes fail when they wait for too long.
pub(super) struct Patient {
    stream: TcpStream,
    patience: Patience,
    phase: Phase,
    counters: Arc<Counters>,
    /// Runs while a read waits for the peer, and for what.
    waiting: Option<(u8, Pin<Box<Sleep>>)>,
    /// Runs while a write waits for the peer.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    pub(super) fn new(
        stream: TcpStream,
        patience: Patience,
        phase: Phase,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            stream,
            patience,
            phase,
            counters,
            waiting: None,
            stalled: None,
        }
    }

    /// Pending, or an error once the peer has kept us waiting for too long.
    fn unless_silent(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.phase.0.reader.register(context.waker());
        let now = self.phase.now();
        let longest = match now {
            ANSWER => {
                self.waiting = None;
                return Poll::Pending;
            }
            HEAD => self.patience.head,
            _ => self.patience.idle,
        };
        if self.waiting.as_ref().is_none_or(|(what, _)| *what != now) {
            self.waiting = Some((now, Box::pin(sleep(longest))));
        }
        let Some((_, waiting)) = &mut self.waiting else {
            return Poll::Pending;
        };
        ready!(waiting.as_mut().poll(context));
        if now == HEAD {
            self.counters.refused("head_slow");
        }
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// The result of a write; or an error, once it has been pending for too long.
    fn unless_stalled(
        &mut self,
        written: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(result) = &written {
            self.stalled = None;
            self.counters.sent(result.as_ref().copied().unwrap_or(0));
            return written;
        }
        let longest = self.patience.stall;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(longest)));
        ready!(stalled.as_mut().poll(context));
        self.counters.refused("answer_stalled");
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Pending => self.unless_silent(context),
            ready => {
                if buffer.filled().len() > before {
                    self.phase.bytes_came();
                }
                ready
            }
        }
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.unless_stalled(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.unless_stalled(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    async fn patient(phase: &Phase, head_ms: u64, idle_ms: u64) -> (Patient, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let peer = TcpStream::connect(address).await.expect("a connection");
        let (stream, _) = listener.accept().await.expect("a connection");
        let patience = Patience {
            head: Duration::from_millis(head_ms),
            idle: Duration::from_millis(idle_ms),
            stall: Duration::from_millis(20),
        };
        let counters = Arc::new(Counters::new());
        (
            Patient::new(stream, patience, phase.clone(), counters),
            peer,
        )
    }

    #[tokio::test]
    async fn gives_up_on_a_peer_that_does_not_read() {
        let (mut patient, _peer) = patient(&Phase::first_head(), 10_000, 10_000).await;
        let chunk = vec![0; 1 << 20];
        let error = loop {
            let write = poll_fn(|context| Pin::new(&mut patient).poll_write(context, &chunk));
            if let Err(error) = write.await {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_head_has_one_deadline_however_often_a_byte_comes() {
        let (mut patient, mut peer) = patient(&Phase::first_head(), 200, 60_000).await;
        let trickle = tokio::spawn(async move {
            while peer.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        let started = std::time::Instant::now();
        let error = loop {
            if let Err(error) = patient.read_u8().await {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(started.elapsed() < Duration::from_secs(10));
        drop(patient);
        trickle.await.expect("the peer sees that it is cut off");
    }

    #[tokio::test]
    async fn nobody_waits_for_reads_while_a_request_is_answered() {
        let phase = Phase::first_head();
        let (mut patient, _peer) = patient(&phase, 20, 20).await;
        let answering = phase.answering();
        let mut read = tokio::spawn(async move { patient.read_u8().await });
        let silent = tokio::time::timeout(Duration::from_millis(100), &mut read).await;
        assert!(silent.is_err(), "the read is still pending");
        // The same read has a deadline from now on.
        drop(answering);
        let ended = tokio::time::timeout(Duration::from_secs(10), read).await;
        let ended = ended.expect("it does not wait for ever").expect("no panic");
        let error = ended.expect_err("idle for too long");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
