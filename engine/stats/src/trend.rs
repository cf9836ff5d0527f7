//! Is there a trend, and how steep is it? Without assuming a shape or a distribution.

pub mod kendall;
pub mod slope;
