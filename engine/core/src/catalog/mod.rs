//! What a session of one manufacturer sees: one provider for each table, over one snapshot. Whoever sees only some of the
//! rows gets providers of which the others are no part; there is no other way to a provider than [`provide`].

mod canonical;
mod policy;
mod policy_scan;
mod provider;
mod schema;
mod seen;

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::catalog::TableProvider;

use crate::fault::{Error, Result};
use crate::principal::Scope;
use crate::store::Snapshot;

use policy::PolicyProvider;
use provider::SnapshotProvider;
pub use schema::OrderedSchema;
use seen::Seen;

/// Tables by the names that they have in a session.
pub type Providers = BTreeMap<String, Arc<dyn TableProvider>>;

/// Whether a table is there for somebody.
pub fn is_there(table: &str, scope: &Scope) -> bool {
    match scope {
        Scope::Whole => true,
        Scope::Distributor(_) => Seen::of(table).is_some(),
    }
}

/// The tables without which the rows of another one cannot be told.
pub fn needed(table: &str, scope: &Scope) -> Vec<&'static str> {
    match scope {
        Scope::Whole => Vec::new(),
        Scope::Distributor(_) => Seen::of(table)
            .map(|seen| seen.needs().collect())
            .unwrap_or_default(),
    }
}

/// Providers of these snapshots, as far as somebody sees them.
pub fn provide(snapshots: Vec<(String, Arc<Snapshot>)>, scope: &Scope) -> Result<Providers> {
    match scope {
        Scope::Whole => Ok(snapshots
            .into_iter()
            .map(|(name, snapshot)| (name, Arc::new(SnapshotProvider::new(snapshot)) as _))
            .collect()),
        Scope::Distributor(id) => own(snapshots, id),
    }
}

/// What one distributor sees; first the tables that the others need.
fn own(snapshots: Vec<(String, Arc<Snapshot>)>, distributor: &Arc<str>) -> Result<Providers> {
    let mut seen = Vec::with_capacity(snapshots.len());
    for (name, snapshot) in snapshots {
        let of = Seen::of(&snapshot.table.name)
            .ok_or_else(|| Error::internal("provide table", format!("{name} is not seen")))?;
        seen.push((name, of, snapshot));
    }
    seen.sort_by_key(|(_, of, _)| of.needs().count());
    let mut made: Vec<Arc<PolicyProvider>> = Vec::with_capacity(seen.len());
    let mut providers = Providers::new();
    for (name, of, snapshot) in seen {
        let needs = |other: &&Arc<PolicyProvider>| of.needs().any(|it| it == other.table());
        let needed = made.iter().filter(needs).cloned().collect();
        let inner = SnapshotProvider::new(snapshot);
        let provider = PolicyProvider::new(inner, of, Arc::clone(distributor), needed);
        let provider = Arc::new(provider);
        made.push(Arc::clone(&provider));
        providers.insert(name, provider);
    }
    Ok(providers)
}
