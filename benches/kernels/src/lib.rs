//! The plugin of the boundary bench: the formulas of `formulas.rs` behind the SDK's attributes, and
//! nothing of its own. Outside WebAssembly it is a plain library, so that the native contenders
//! call the very same functions.

pub mod formulas;
pub mod rows;

use tributary_sdk::prelude::*;

tributary_sdk::plugin! {
    name: "kernels",
    version: "1.0.0",
    functions: [identity, same_text, lead_score, qualify],
}

/// What becomes of the lead.
#[derive(Verdicts, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// hand over to sales
    Qualified,
    /// keep warm
    Nurture,
    /// stop
    Reject,
}

/// Why it does: bit by bit those of [`formulas::qualify`].
#[derive(Reasons, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// bit 0
    #[reason("revenue below the minimum")]
    LowRevenue,
    /// bit 1
    #[reason("too few employees")]
    Small,
    /// bit 2
    #[reason("no contact")]
    NoContact,
    /// bit 3
    #[reason("budget unknown")]
    BudgetUnknown,
    /// bit 4
    #[reason("budget too small for the revenue")]
    LowBudget,
    /// bit 5
    #[reason("industry excluded")]
    Excluded,
    /// bit 6
    #[reason("industry outside the targets")]
    OffTarget,
    /// bit 7
    #[reason("revenue per employee implausible")]
    Implausible,
}

/// The argument: what the boundary costs when nothing is computed.
#[score]
pub fn identity(value: f64) -> f64 {
    value
}

/// The argument, as text.
#[score]
pub fn same_text(value: &str) -> String {
    value.to_owned()
}

/// Points of a lead, 0 to 100.
#[score(range = 0..=100)]
pub fn lead_score(revenue: f64, employees: i64, age_days: i32) -> f64 {
    formulas::lead_score(revenue, employees, age_days)
}

/// Qualifies a lead by eight rules.
#[rule]
pub fn qualify(
    industry: &str,
    revenue: f64,
    employees: i64,
    contacts: i32,
    budget: Option<f64>,
) -> Decision<Stage, Why> {
    let (verdict, mask) = formulas::qualify(industry, revenue, employees, contacts, budget);
    let stage = match verdict {
        0 => Stage::Qualified,
        1 => Stage::Nurture,
        _ => Stage::Reject,
    };
    let bit = |bit: u32| mask >> bit & 1 == 1;
    Decision::new(stage, ())
        .because_if(bit(0), Why::LowRevenue)
        .because_if(bit(1), Why::Small)
        .because_if(bit(2), Why::NoContact)
        .because_if(bit(3), Why::BudgetUnknown)
        .because_if(bit(4), Why::LowBudget)
        .because_if(bit(5), Why::Excluded)
        .because_if(bit(6), Why::OffTarget)
        .because_if(bit(7), Why::Implausible)
}
