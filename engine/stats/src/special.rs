//! Special functions: the gamma function's logarithm, the normal and the beta distribution.
//!
//! Written here rather than taken from statrs, whose beta quantile loses relative accuracy below 1e-4
//! (Beta(3, 1e6) by 1e-4; measured in design/analytics.md 2.3) and whose normal distribution function is
//! good to 1e-10 only. Rates of rare events live exactly there. Every function keeps relative accuracy in
//! the small tail; `tests/special.rs` holds them to values computed with 45 digits.

mod beta;
mod chi2;
mod chi2_quantile;
mod gamma;
mod normal;

pub use beta::{beta_cdf, beta_quantile};
pub use chi2::chi2_sf;
pub use chi2_quantile::chi2_upper_quantile;
pub use gamma::ln_gamma;
pub use normal::{norm_cdf, norm_quantile};

pub(crate) use beta::beta_quantile_of_tails;
pub(crate) use gamma::{deviance, ln_beta_density_kernel};
pub(crate) use normal::two_sided_z;
