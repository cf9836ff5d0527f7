//! Loads the generated tables through `Engine::ingest`, the call that HTTP makes: one table after the other for each
//! manufacturer, the manufacturers side by side.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tributary_datasets::Dataset;
use tributary_engine_core::engine::{Body, Format, Ingest, OnError, Principal, Reading};
use tributary_engine_core::manufacturer::ManufacturerId;
use tributary_engine_core::{Engine, Error, Result};

use crate::cli::grid::thousands;
use crate::cli::progress::{Progress, Unit};

/// Chunks made ahead of the engine: enough to keep it busy, not enough to hold a table.
const CHUNKS_AHEAD: usize = 4;

/// Loads every table of every manufacturer; rows in all.
pub(super) async fn all(
    engine: &Arc<dyn Engine>,
    dataset: &Arc<Dataset>,
    manufacturers: &[ManufacturerId],
) -> Result<u64> {
    let progress = Arc::new(Progress::new());
    let mut loads = JoinSet::new();
    for manufacturer in manufacturers {
        loads.spawn(manufacturer_tables(
            Arc::clone(engine),
            Arc::clone(dataset),
            manufacturer.clone(),
            Arc::clone(&progress),
        ));
    }
    let mut rows = 0;
    while let Some(load) = loads.join_next().await {
        rows += load.map_err(|error| Error::internal("load tables", error))??;
    }
    Ok(rows)
}

async fn manufacturer_tables(
    engine: Arc<dyn Engine>,
    dataset: Arc<Dataset>,
    manufacturer: ManufacturerId,
    progress: Arc<Progress>,
) -> Result<u64> {
    let expected = Dataset::tables()
        .iter()
        .map(|table| dataset.rows_estimate(manufacturer.as_str(), table))
        .sum();
    let step = progress.step(format!("load {manufacturer}"), Unit::Steps, expected);
    let mut rows = 0;
    for table in Dataset::tables() {
        step.doing(table);
        let ingest = Ingest {
            principal: Principal::Operator,
            manufacturer: manufacturer.clone(),
            table: (*table).to_owned(),
            reading: Reading::of(Format::Csv),
            on_error: OnError::Refuse,
        };
        let body = {
            let step = step.clone();
            made(Arc::clone(&dataset), manufacturer.clone(), table)
                .inspect(move |chunk| step.advance(lines(chunk.as_deref().unwrap_or_default())))
                .boxed()
        };
        rows += engine.ingest(ingest, body).await?.accepted;
    }
    step.done(&format!(
        "{} rows in {} tables",
        thousands(rows),
        Dataset::tables().len()
    ));
    Ok(rows)
}

/// One table as a request body. It is made on a blocking thread, which ends when the engine stops reading; a maker
/// that dies breaks the body off, so that half a table is never taken for a whole one.
fn made(dataset: Arc<Dataset>, manufacturer: ManufacturerId, table: &'static str) -> Body {
    let (chunks, received) = mpsc::channel(CHUNKS_AHEAD);
    let maker = tokio::task::spawn_blocking(move || {
        for chunk in dataset
            .csv(manufacturer.as_str(), table)
            .into_iter()
            .flatten()
        {
            if chunks.blocking_send(Bytes::from(chunk)).is_err() {
                return;
            }
        }
    });
    stream::unfold((received, Some(maker)), |(mut received, maker)| async {
        if let Some(chunk) = received.recv().await {
            return Some((Ok(chunk), (received, maker)));
        }
        match maker?.await {
            Ok(()) => None,
            Err(panic) => Some((Err(io::Error::other(panic)), (received, None))),
        }
    })
    .boxed()
}

fn lines(chunk: &[u8]) -> u64 {
    chunk.iter().filter(|byte| **byte == b'\n').count() as u64
}
