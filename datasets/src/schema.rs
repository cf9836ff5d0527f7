//! The tables that outsiders deliver, in load order, with their columns as the data model has them.

/// (table, columns), in load order: a table comes after the tables it refers to.
pub(crate) const TABLES: [(&str, &[&str]); 14] = [
    (
        "distributors",
        &[
            "distributor_id",
            "name",
            "region",
            "territory",
            "tier",
            "joined_on",
            "parent_id",
            "status",
        ],
    ),
    (
        "reps",
        &[
            "rep_id",
            "distributor_id",
            "manager_id",
            "name",
            "territory",
            "joined_on",
        ],
    ),
    ("products", &["product_id", "name", "line", "list_price"]),
    (
        "campaigns",
        &["campaign_id", "name", "source", "cost", "started_on"],
    ),
    ("stages", &["stage", "position", "exit_criteria"]),
    (
        "calendars",
        &["calendar_id", "day", "is_open", "opens", "closes"],
    ),
    (
        "content",
        &[
            "content_id",
            "title",
            "kind",
            "product_id",
            "stage",
            "valid_from",
            "valid_to",
        ],
    ),
    (
        "targets",
        &[
            "subject_kind",
            "subject_id",
            "period_start",
            "grain",
            "measure",
            "value",
        ],
    ),
    (
        "training",
        &["training_id", "rep_id", "course", "at", "passed"],
    ),
    (
        "leads",
        &[
            "lead_id",
            "distributor_id",
            "rep_id",
            "product_id",
            "campaign_id",
            "region",
            "industry",
            "employees",
            "est_value",
            "created_at",
            "mql_at",
            "sent_at",
            "first_touch_at",
            "dql_at",
            "rejected_at",
            "reject_reason",
            "opportunity_at",
            "closed_at",
            "outcome",
            "amount",
        ],
    ),
    (
        "revenue",
        &[
            "revenue_id",
            "distributor_id",
            "rep_id",
            "lead_id",
            "product_id",
            "booked_at",
            "amount",
            "cost",
            "quantity",
            "kind",
        ],
    ),
    (
        "resources",
        &[
            "resource_id",
            "distributor_id",
            "lead_id",
            "granted_at",
            "kind",
            "cost",
            "quantity",
        ],
    ),
    (
        "feedback",
        &[
            "feedback_id",
            "distributor_id",
            "rep_id",
            "subject",
            "subject_id",
            "at",
            "rating",
            "decision",
            "reason_code",
            "comment",
            "next_action",
            "next_action_on",
            "answered_at",
        ],
    ),
    (
        "content_events",
        &["event_id", "content_id", "lead_id", "rep_id", "at", "kind"],
    ),
];

pub(crate) const NAMES: [&str; TABLES.len()] = {
    let mut names = [""; TABLES.len()];
    let mut index = 0;
    while index < TABLES.len() {
        names[index] = TABLES[index].0;
        index += 1;
    }
    names
};

/// Columns of a table, or None for a table that is not delivered.
pub(crate) fn columns(table: &str) -> Option<&'static [&'static str]> {
    TABLES
        .iter()
        .find(|(name, _)| *name == table)
        .map(|(_, columns)| *columns)
}
