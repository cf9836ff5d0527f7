//! The numerics of the comparison: intervals, change points, concentration.
//!
//! Every function takes slices and numbers and returns a small struct. What always holds: no NaN and no
//! infinity leaves a function, a quantity that does not exist is `None` with a [`estimate::Status`] saying
//! why, and an argument that makes no sense is [`invalid::Invalid`]. Nothing here knows Arrow, SQL or IO.

pub mod calendar;
pub mod change;
mod compensated;
pub mod control;
pub mod estimate;
pub mod glm;
pub mod growth;
pub mod invalid;
pub mod pareto;
pub mod quality;
pub mod rate;
pub mod season;
pub mod share;
pub mod special;
pub mod survival;
pub mod trend;
