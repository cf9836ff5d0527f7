//! A planned query, and its run: batches through a short queue from the engine's own threads to the reader.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::datatypes::SchemaRef;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, Sender};

use super::function::QueryPlugins;
use crate::classify::classify;
use crate::engine::{Frame, Trailer};
use crate::fault::{Error, Fault, Result};
use crate::limits;

/// What is to happen when a query with plugins has run, before its last frame is sent.
pub type After = Box<dyn FnOnce(QueryPlugins) -> BoxFuture<'static, ()> + Send>;

/// A query that is ready to run.
pub struct Plan {
    physical: Arc<dyn ExecutionPlan>,
    task: Arc<TaskContext>,
    freshness: BTreeMap<String, u64>,
    plugins: QueryPlugins,
}

impl Plan {
    pub(super) const fn new(
        physical: Arc<dyn ExecutionPlan>,
        task: Arc<TaskContext>,
        freshness: BTreeMap<String, u64>,
        plugins: QueryPlugins,
    ) -> Self {
        Self {
            physical,
            task,
            freshness,
            plugins,
        }
    }

    /// Names and types of the answer's columns.
    pub fn schema(&self) -> SchemaRef {
        self.physical.schema()
    }

    /// The version of each table that the plan reads.
    pub fn freshness(&self) -> BTreeMap<String, u64> {
        self.freshness.clone()
    }
}

/// Runs a plan on the engine's threads. It stops when the reader goes away or the deadline passes.
pub fn stream(
    plan: Plan,
    threads: &Handle,
    started: Instant,
    deadline: Duration,
    after: After,
) -> BoxStream<'static, Result<Frame>> {
    let (sender, receiver) = mpsc::channel(limits::ANSWER_BATCHES_WAITING);
    let run = threads.spawn(async move {
        let plugins = plan.plugins.clone();
        let remaining = deadline.saturating_sub(started.elapsed());
        let done = tokio::select! {
            // The reader is gone: whatever is being computed, nobody waits for it.
            () = sender.closed() => return,
            done = tokio::time::timeout(remaining, run(plan, started, &sender)) => done,
        };
        if !plugins.is_empty() {
            after(plugins).await;
        }
        let last = match done {
            Ok(Ok(Some(trailer))) => Ok(Frame::End(trailer)),
            // The reader is gone.
            Ok(Ok(None)) => return,
            Ok(Err(error)) => Err(error),
            Err(_) => Err(too_long(deadline)),
        };
        // Nobody is left to tell where this fails.
        let _ = sender.send(last).await;
    });
    let frames = futures::stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|frame| (frame, receiver))
    });
    // A panic in an operator ends this query, and says so.
    let outcome = futures::stream::once(run).filter_map(|joined| async {
        joined
            .err()
            .map(|panic| Err(Error::internal("answer query", panic)))
    });
    frames.chain(outcome).boxed()
}

/// What a query is told whose deadline has passed.
pub fn too_long(deadline: Duration) -> Error {
    Error::new(
        Fault::Timeout,
        format!("query took longer than {} s", deadline.as_secs()),
    )
    .with_hint("Select fewer rows, or ask for a longer deadline.")
}

async fn run(
    plan: Plan,
    started: Instant,
    sender: &Sender<Result<Frame>>,
) -> Result<Option<Trailer>> {
    let mut batches = execute_stream(plan.physical, plan.task).map_err(classify)?;
    let mut rows = 0;
    while let Some(batch) = batches.next().await {
        let batch = batch.map_err(classify)?;
        rows += batch.num_rows() as u64;
        if batch.num_rows() > 0 && sender.send(Ok(Frame::Batch(batch))).await.is_err() {
            return Ok(None);
        }
    }
    Ok(Some(Trailer {
        rows,
        elapsed_us: u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        plugins: plan.plugins.receipts(),
    }))
}
