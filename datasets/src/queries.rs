//! The comparison questions: one SELECT each, printed by the demo and run by tests and benches.

/// A question in SQL; its header comment says the grain and what NULL means.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// The file's name without `.sql`.
    pub name: &'static str,
    /// What a channel manager reads above the table.
    pub title: &'static str,
    /// The file, header comment included.
    pub sql: &'static str,
}

macro_rules! question {
    ($name:literal, $title:literal) => {
        Question {
            name: $name,
            title: $title,
            sql: include_str!(concat!("../queries/", $name, ".sql")),
        }
    };
}

static QUESTIONS: [Question; 9] = [
    question!(
        "revenue_by_quarter",
        "Revenue by distributor and quarter, against the year before"
    ),
    question!(
        "rolling_12_months",
        "Rolling 12 months of revenue by distributor"
    ),
    question!("funnel_by_month", "How far the leads of each month came"),
    question!(
        "resource_yield",
        "What was given to each distributor, and what it sold"
    ),
    question!(
        "share_and_rank",
        "Share and rank of each distributor by year"
    ),
    question!(
        "underperformers",
        "Who wins less than the network would, since when, how sure"
    ),
    question!(
        "worse_leads",
        "Whose low win rate is explained by worse leads"
    ),
    question!(
        "resource_payback",
        "Which kind of resource comes back as revenue"
    ),
    question!(
        "rejection_reasons",
        "Which rejection reasons belong to one distributor"
    ),
];

/// All questions: five comparisons, then four findings.
pub fn questions() -> &'static [Question] {
    &QUESTIONS
}
