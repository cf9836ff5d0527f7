//! Special functions: the gamma function's logarithm, the normal and the beta distribution.
//!
//! Written here rather than taken from statrs, whose beta quantile loses relative accuracy below 1e-4
//! (Beta(3, 1e6) by 1e-4; measured in design/analytics.md 2.3) and whose normal distribution function is
//! good to 1e-10 only. Rates of rare events live exactly there. Every function keeps relative accuracy in
//! the small tail; `tests/special.rs` holds them to values computed with 45 digits.

mod beta;
mod gamma;
mod incomplete_gamma;
mod normal;
mod rising;

pub use beta::{beta_cdf, beta_quantile};
pub use gamma::ln_gamma;
pub use incomplete_gamma::{chi2_sf, chi2_upper_quantile, gamma_cdf, gamma_quantile, gamma_sf};
pub use normal::{norm_cdf, norm_quantile};

pub(crate) use beta::{beta_quantile_of_tails, beta_tails};
pub(crate) use gamma::{deviance, ln_beta_density_kernel};
pub(crate) use incomplete_gamma::{gamma_quantile_of_tails, gamma_tails};
pub(crate) use normal::two_sided_z;
pub(crate) use rising::rising;
