//! The numerics of the comparison: intervals, change points, concentration.
//!
//! Every function takes slices and numbers and returns a small struct. What always holds: no NaN and no
//! infinity leaves a function, a quantity that does not exist is `None` with a [`estimate::Status`] saying
//! why, and an argument that makes no sense is [`invalid::Invalid`]. Nothing here knows Arrow, SQL or IO.

pub mod change;
pub mod estimate;
pub mod invalid;
pub mod rate;
pub mod share;
pub mod special;
