//! How good a score is at telling leads that succeed from leads that don't.
//!
//! What always holds: equal scores are treated alike, so no result depends on the order of the rows, to the last
//! bit; a higher score means "more likely". Which rows may be judged (resolved, old enough, not chosen by the
//! score itself) is the caller's business.

mod auc;
mod auc_diff;
mod bins;
mod calibration;
mod isotonic;
mod lift;
mod loss;
mod paired;
mod placements;
mod psi;
mod recalibration;
mod scored;

pub use auc::{Auc, AucInterval, AucMethod, auc, auc_ci};
pub use auc_diff::{AucDifference, auc_diff};
pub use bins::Binning;
pub use calibration::{
    CalibrationBin, CalibrationError, HosmerLemeshow, calibration, ece, hosmer_lemeshow,
};
pub use isotonic::{Isotonic, IsotonicPoint, isotonic, isotonic_of_labels};
pub use lift::{KolmogorovSmirnov, Lift, ks_stat, lift_at, lift_at_count};
pub use loss::{Loss, LossDifference, brier, brier_diff, log_loss};
pub use psi::{Drift, Psi, ScoreCounts, psi, psi_critical, score_counts};
pub use recalibration::{Coefficient, Recalibration, recalibration};
pub use scored::Scored;
