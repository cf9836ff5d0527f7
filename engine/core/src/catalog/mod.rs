//! What a session of one manufacturer sees: one provider for each table, over one snapshot.

mod provider;
mod schema;

pub use provider::SnapshotProvider;
pub use schema::OrderedSchema;
