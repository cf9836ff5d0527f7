//! Ranks: how sure a league table is, how stable over periods, and how alike two orders are.

mod agreement;
mod posterior;

pub use agreement::{KendallW, Spearman, kendall_w, spearman};
pub use posterior::{UnitRank, rank_posterior, rank_posterior_eb};
