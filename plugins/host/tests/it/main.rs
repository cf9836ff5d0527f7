//! The sandbox through its public door, one binary: `honest` guests get what they are passed,
//! `settings` reach them, `aggregates` accumulate, the shipped `guests` are right, `uploads` and
//! `components` that are no plugins are refused, `hostile` guests hurt nobody, and `trust` is earned.

mod aggregates;
mod components;
mod guests;
mod honest;
mod hostile;
mod settings;
mod trust;
mod uploads;
mod world;
