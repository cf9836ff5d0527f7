//! What a session of one manufacturer sees: one provider for each table, over one snapshot.

mod provider;

pub use provider::SnapshotProvider;
