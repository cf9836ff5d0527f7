//! The numerics of the comparison: intervals, fair comparison, survival, change points, lead quality, shares, calendars.
//!
//! Every function takes slices and numbers and returns a small struct. What always holds: no NaN and no
//! infinity leaves a function, a quantity that does not exist is `None` with a [`estimate::Status`] saying
//! why, and an argument that makes no sense is [`invalid::Invalid`]. Nothing here knows Arrow, SQL or IO.

pub mod adjust;
pub mod better;
pub mod calendar;
pub mod change;
pub mod compare;
mod compensated;
pub mod control;
pub mod count;
pub mod difference;
pub mod estimate;
pub mod funnel;
pub mod glm;
pub mod growth;
pub mod indirect;
pub mod invalid;
pub mod pareto;
pub mod power;
pub mod quality;
pub mod rank;
pub mod rate;
pub mod season;
pub mod share;
pub mod shrink;
pub mod special;
pub mod strata;
pub mod survival;
pub mod table;
pub mod trend;
