//! The sandbox through its public door, one binary: `guests` are right, `uploads` are refused,
//! `hostile` guests hurt nobody.

mod guests;
mod hostile;
mod uploads;
mod world;
