//! The sandbox through its public door, one binary: `guests` are right, `uploads` are refused,
//! `hostile` guests hurt nobody.

mod aggregates;
mod guests;
mod hostile;
mod settings;
mod trust;
mod uploads;
mod world;
