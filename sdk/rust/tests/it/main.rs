//! The SDK as a plugin's author and the host see it: functions in, manifest and columns out.

mod aggregates;
mod arguments;
mod columns;
mod examples;
mod now;
mod settings;
