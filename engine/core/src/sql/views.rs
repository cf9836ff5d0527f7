//! The shipped views: SQL over the tables, one file each, planned in the session that names them.

/// A view that every manufacturer has.
pub struct View {
    pub name: &'static str,
    pub sql: &'static str,
}

/// In the order in which they may name one another.
pub const VIEWS: [View; 17] = [
    View {
        name: "v_clock",
        sql: include_str!("../../views/v_clock.sql"),
    },
    View {
        name: "v_lead",
        sql: include_str!("../../views/v_lead.sql"),
    },
    View {
        name: "v_spine",
        sql: include_str!("../../views/v_spine.sql"),
    },
    View {
        name: "v_funnel",
        sql: include_str!("../../views/v_funnel.sql"),
    },
    View {
        name: "v_revenue_by_period",
        sql: include_str!("../../views/v_revenue_by_period.sql"),
    },
    View {
        name: "v_underperformers",
        sql: include_str!("../../views/v_underperformers.sql"),
    },
    View {
        name: "v_scorecard",
        sql: include_str!("../../views/v_scorecard.sql"),
    },
    View {
        name: "v_feedback_loop",
        sql: include_str!("../../views/v_feedback_loop.sql"),
    },
    View {
        name: "v_content_gap",
        sql: include_str!("../../views/v_content_gap.sql"),
    },
    View {
        name: "v_content_effect",
        sql: include_str!("../../views/v_content_effect.sql"),
    },
    View {
        name: "v_training_effect",
        sql: include_str!("../../views/v_training_effect.sql"),
    },
    View {
        name: "v_lead_aging",
        sql: include_str!("../../views/v_lead_aging.sql"),
    },
    View {
        name: "v_funnel_cohort",
        sql: include_str!("../../views/v_funnel_cohort.sql"),
    },
    View {
        name: "v_definition_gap",
        sql: include_str!("../../views/v_definition_gap.sql"),
    },
    View {
        name: "v_rejection_reasons",
        sql: include_str!("../../views/v_rejection_reasons.sql"),
    },
    View {
        name: "v_concentration",
        sql: include_str!("../../views/v_concentration.sql"),
    },
    View {
        name: "v_data_trust",
        sql: include_str!("../../views/v_data_trust.sql"),
    },
];

/// The shipped views: their names and their SQL, which begins with what they say of themselves.
pub fn shipped_views() -> impl Iterator<Item = (&'static str, &'static str)> {
    VIEWS.iter().map(|view| (view.name, view.sql))
}
