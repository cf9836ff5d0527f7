//! Who may ask now: rates of requests, by address and by tenant, and the number of queries at once.
//!
//! What is cheap to refuse is refused first: a rate by address and a full house cost nothing and know no token. A token
//! is looked up once to learn whose rate it counts for; what it may do is decided elsewhere, at every request anew.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tributary_engine_core::engine::Principal;
use tributary_engine_core::manufacturer::ManufacturerId;

use super::Shared;
use super::caller::Caller;
use super::counters::Counters;
use super::desk::Desk;
use super::rates::Rates;
use crate::config::LimitsSection;
use crate::error::Failure;
use crate::limits::ADDRESSES_COUNTED;

/// The address that a request came from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) IpAddr);

/// Whom an address counts for: all of an IPv6 network of one subscriber is one.
pub(super) fn counted(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => {
            let [a, b, c, d, ..] = six.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        four => four,
    }
}

/// Rates and places.
pub(super) struct Admission {
    addresses: Rates<IpAddr>,
    tenants: Rates<Tenant>,
    /// Tokens that were good, by a keyed hash, and whose they were. For counting only.
    seen: Mutex<HashMap<u64, Tenant>>,
    hasher: RandomState,
    places: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    query_wait: Duration,
    tenant_queries: usize,
    queries_of: Arc<Mutex<HashMap<ManufacturerId, usize>>>,
    counters: Arc<Counters>,
}

/// Whose requests are counted together; nobody is the operator.
type Tenant = Option<ManufacturerId>;

impl Admission {
    pub(super) fn of(limits: &LimitsSection, counters: &Arc<Counters>) -> Self {
        Self {
            addresses: Rates::new(
                limits.address_requests_per_second,
                limits.burst_seconds,
                ADDRESSES_COUNTED,
            ),
            tenants: Rates::new(
                limits.tenant_requests_per_second,
                limits.burst_seconds,
                ADDRESSES_COUNTED,
            ),
            seen: Mutex::default(),
            hasher: RandomState::new(),
            places: Arc::new(Semaphore::new(limits.queries as usize)),
            queue: Arc::new(Semaphore::new(limits.queries_waiting as usize)),
            query_wait: Duration::from_millis(limits.query_wait_ms),
            tenant_queries: limits.tenant_queries as usize,
            queries_of: Arc::default(),
            counters: Arc::clone(counters),
        }
    }

    /// Whether a query that comes now would be refused.
    fn is_full(&self) -> bool {
        self.places.available_permits() == 0 && self.queue.available_permits() == 0
    }

    /// A place for one query over a manufacturer's tables; waits for a while where all are taken.
    pub(super) async fn place(&self, manufacturer: &ManufacturerId) -> Result<Place, Failure> {
        let tenant = self.place_of_tenant(manufacturer)?;
        let permit = match Arc::clone(&self.places).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => self.queued().await?,
        };
        self.counters.running.inc();
        Ok(Place {
            _permit: permit,
            _tenant: tenant,
            counters: Arc::clone(&self.counters),
        })
    }

    async fn queued(&self) -> Result<OwnedSemaphorePermit, Failure> {
        let Ok(_waiting) = self.queue.try_acquire() else {
            return Err(Failure::overloaded("queries_waiting"));
        };
        let _counted = Waiting::new(&self.counters);
        let place = Arc::clone(&self.places).acquire_owned();
        match tokio::time::timeout(self.query_wait, place).await {
            Ok(permit) => Ok(permit.expect("the semaphore is never closed")),
            Err(_) => Err(Failure::overloaded("query_wait")),
        }
    }

    fn place_of_tenant(&self, manufacturer: &ManufacturerId) -> Result<PlaceOfTenant, Failure> {
        let mut queries = self
            .queries_of
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let running = queries.entry(manufacturer.clone()).or_default();
        if *running >= self.tenant_queries {
            let most = self.tenant_queries;
            let message = format!("manufacturer \"{manufacturer}\" has {most} queries running");
            return Err(Failure::too_many("tenant_queries", &message));
        }
        *running += 1;
        Ok(PlaceOfTenant {
            manufacturer: manufacturer.clone(),
            queries_of: Arc::clone(&self.queries_of),
        })
    }

    /// Takes one request from the rate of whoever holds the token.
    async fn count(&self, parts: &mut Parts, engine: &Shared) -> Result<(), Failure> {
        let token = parts.headers.get(AUTHORIZATION);
        let token = token.map(|value| self.hasher.hash_one(value.as_bytes()));
        let seen = token.and_then(|token| self.seen().get(&token).cloned());
        let tenant = match seen {
            Some(tenant) => tenant,
            None => {
                let Caller(principal) = Caller::from_request_parts(parts, engine).await?;
                let tenant = match principal {
                    Principal::Operator => None,
                    Principal::Member(member) => Some(member.manufacturer),
                };
                let mut seen = self.seen();
                if seen.len() >= ADDRESSES_COUNTED {
                    seen.clear();
                }
                seen.extend(token.map(|token| (token, tenant.clone())));
                tenant
            }
        };
        if self.tenants.take(tenant, Instant::now()) {
            return Ok(());
        }
        let message = "this token's manufacturer asks too often";
        Err(Failure::too_many("tenant_rate", message))
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Tenant>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn admit(&self, parts: &mut Parts, engine: &Shared) -> Result<(), Failure> {
        if let Some(Peer(address)) = parts.extensions.get::<Peer>()
            && !self.addresses.take(counted(*address), Instant::now())
        {
            let message = "too many requests come from this address";
            return Err(Failure::too_many("address_rate", message));
        }
        self.count(parts, engine).await
    }
}

/// Admits a request with a token.
pub(super) async fn admit(
    State((desk, engine)): State<(Arc<Desk>, Shared)>,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let (mut parts, body) = request.into_parts();
    desk.admission.admit(&mut parts, &engine).await?;
    Ok(next.run(Request::from_parts(parts, body)).await)
}

/// Refuses a query at once where it would find neither a place nor room to wait.
pub(super) async fn unless_full(
    State((desk, _)): State<(Arc<Desk>, Shared)>,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    if desk.admission.is_full() {
        return Err(Failure::overloaded("queries_waiting"));
    }
    Ok(next.run(request).await)
}

/// One query's place; the next may come when it is dropped.
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
    _tenant: PlaceOfTenant,
    counters: Arc<Counters>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.counters.running.dec();
    }
}

struct PlaceOfTenant {
    manufacturer: ManufacturerId,
    queries_of: Arc<Mutex<HashMap<ManufacturerId, usize>>>,
}

impl Drop for PlaceOfTenant {
    fn drop(&mut self) {
        let mut queries = self
            .queries_of
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = queries.get_mut(&self.manufacturer) {
            *running -= 1;
            if *running == 0 {
                queries.remove(&self.manufacturer);
            }
        }
    }
}

struct Waiting<'a>(&'a Counters);

impl<'a> Waiting<'a> {
    fn new(counters: &'a Counters) -> Self {
        counters.waiting.inc();
        Self(counters)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.dec();
    }
}
