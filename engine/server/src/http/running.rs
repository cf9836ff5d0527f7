//! The queries that run: each has the id of its request, and whoever asked, an admin or the operator can list and
//! cancel it. For others it is not there. A query leaves the list when its answer is sent, its reader is gone, or it was cancelled.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::http::request::Parts;
use axum::{Extension, Json};
use futures::stream::{self, BoxStream, StreamExt};
use serde::Serialize;
use tokio::sync::watch;
use tributary_engine_core::engine::{Frame, Principal, Role};
use tributary_engine_core::manufacturer::ManufacturerId;
use tributary_engine_core::{Error, Fault, Result};

use super::admission::Place;
use super::answer::RequestId;
use super::caller::{Tenant, path_part};
use super::desk::{self, Desk};
use crate::error::Failure;
use crate::limits::RUNNING_LISTED;

/// What runs on one server.
#[derive(Default)]
pub(super) struct Running {
    queries: Arc<Mutex<Queries>>,
}

/// By manufacturer and id. Ids of requests grow with time, so that the oldest query comes first.
type Queries = BTreeMap<(ManufacturerId, Arc<str>), Entry>;

struct Entry {
    principal: Principal,
    since: Instant,
    deadline: Option<Duration>,
    saved: Option<String>,
    cancel: watch::Sender<bool>,
}

impl Entry {
    fn is_shown_to(&self, principal: &Principal) -> bool {
        match principal {
            Principal::Operator => true,
            Principal::Member(member) => member.role == Role::Admin || self.principal == *principal,
        }
    }
}

/// One query, while it runs.
pub(super) struct Ticket {
    key: (ManufacturerId, Arc<str>),
    queries: Arc<Mutex<Queries>>,
    cancelled: watch::Receiver<bool>,
    ends: Option<(Duration, tokio::time::Instant)>,
    _place: Place,
}

impl Ticket {
    /// Waits for a place and enters the list; `saved` is the name of the saved query, if it is one.
    pub(super) async fn of(
        head: &Parts,
        (principal, manufacturer): (&Principal, &ManufacturerId),
        deadline: Option<Duration>,
        saved: Option<String>,
    ) -> Result<Self, Failure> {
        let desk = desk::of(&head.extensions)?;
        let id = RequestId::of(&head.extensions)?;
        let place = desk.admission.place(manufacturer).await?;
        let (cancel, cancelled) = watch::channel(false);
        let key = (manufacturer.clone(), id.shared());
        let entry = Entry {
            principal: principal.clone(),
            since: Instant::now(),
            deadline,
            saved,
            cancel,
        };
        let queries = Arc::clone(&desk.running.queries);
        lock(&queries).insert(key.clone(), entry);
        Ok(Self {
            key,
            queries,
            cancelled,
            ends: deadline.map(|after| (after, tokio::time::Instant::now() + after)),
            _place: place,
        })
    }

    /// Runs a step of the query, unless it is cancelled or its time is up.
    pub(super) async fn run<T>(&mut self, step: impl Future<Output = Result<T>>) -> Result<T> {
        let ends = self.ends;
        let late = async {
            match ends {
                Some((after, at)) => {
                    tokio::time::sleep_until(at).await;
                    after
                }
                None => std::future::pending().await,
            }
        };
        let told = async {
            if self.cancelled.wait_for(|told| *told).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            biased;
            () = told => Err(cancelled()),
            after = late => Err(too_late(after)),
            done = step => done,
        }
    }

    /// The frames of the answer; the query runs until they end or are dropped.
    pub(super) fn attend(
        self,
        frames: BoxStream<'static, Result<Frame>>,
    ) -> BoxStream<'static, Result<Frame>> {
        stream::unfold(Some((self, frames)), |state| async move {
            let (mut ticket, mut frames) = state?;
            let next = ticket.run(async { Ok(frames.next().await) }).await;
            match next {
                Ok(Some(Ok(frame))) => Some((Ok(frame), Some((ticket, frames)))),
                Ok(Some(Err(error))) | Err(error) => Some((Err(error), None)),
                Ok(None) => None,
            }
        })
        .boxed()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        lock(&self.queries).remove(&self.key);
    }
}

fn lock(queries: &Mutex<Queries>) -> std::sync::MutexGuard<'_, Queries> {
    queries.lock().unwrap_or_else(PoisonError::into_inner)
}

fn cancelled() -> Error {
    Error::new(Fault::Conflict, "the query was cancelled")
}

fn too_late(after: Duration) -> Error {
    let ms = after.as_millis();
    Error::new(Fault::Timeout, format!("the deadline of {ms} ms passed"))
        .with_hint("Ask for less, or set a later \"deadline_ms\".")
}

/// A query as the list shows it.
#[derive(Serialize)]
pub(super) struct Shown {
    id: String,
    saved_query: Option<String>,
    elapsed_ms: u64,
    deadline_ms: Option<u64>,
}

/// The queries over a manufacturer's tables, the oldest first.
#[derive(Serialize)]
pub(super) struct Listed {
    running: Vec<Shown>,
}

/// `GET /v1/{manufacturer}/running`.
pub(super) async fn list(tenant: Tenant, Extension(desk): Extension<Arc<Desk>>) -> Json<Listed> {
    let queries = lock(&desk.running.queries);
    let own = queries.iter().filter(|((manufacturer, _), entry)| {
        *manufacturer == tenant.manufacturer && entry.is_shown_to(&tenant.principal)
    });
    let shown = own.take(RUNNING_LISTED).map(|((_, id), entry)| Shown {
        id: id.to_string(),
        saved_query: entry.saved.clone(),
        elapsed_ms: millis(entry.since.elapsed()),
        deadline_ms: entry.deadline.map(millis),
    });
    Json(Listed {
        running: shown.collect(),
    })
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// That a query is told to stop.
#[derive(Serialize)]
pub(super) struct Cancelled {
    id: String,
    cancelled: bool,
}

/// `DELETE /v1/{manufacturer}/running/{id}`.
pub(super) async fn cancel(
    tenant: Tenant,
    Extension(desk): Extension<Arc<Desk>>,
    request: Request,
) -> Result<Json<Cancelled>, Failure> {
    let (mut head, _) = request.into_parts();
    let id = path_part(&mut head, "id").await?;
    let key = (tenant.manufacturer, Arc::from(id.as_str()));
    let queries = lock(&desk.running.queries);
    let told = queries
        .get(&key)
        .filter(|entry| entry.is_shown_to(&tenant.principal))
        .is_some_and(|entry| entry.cancel.send(true).is_ok());
    if !told {
        let shown: String = id.chars().take(63).collect();
        return Err(
            Error::new(Fault::Missing, format!("no query {shown:?} runs"))
                .with_hint("GET …/running lists those that do; the id is the header x-request-id.")
                .into(),
        );
    }
    Ok(Json(Cancelled {
        id,
        cancelled: true,
    }))
}
