//! The list of tables: every column, key and order of the data model. Adding to it is a change of what is on disk.

use std::borrow::Cow;

use super::{Column, Kind, Semantics, Table};

/// Every table of a manufacturer, in the order in which a newcomer fills them.
pub(super) fn all() -> Vec<Table> {
    vec![
        define(
            "distributors",
            vec![
                text("distributor_id"),
                text("name"),
                maybe(text("region")),
                maybe(text("territory")),
                maybe(text("tier")),
                maybe(date("joined_on")),
                maybe(text("parent_id")),
                maybe(text("status")),
            ],
            &["distributor_id"],
            Semantics::Upsert,
            &["distributor_id"],
        ),
        define(
            "reps",
            vec![
                text("rep_id"),
                maybe(text("distributor_id")),
                maybe(text("manager_id")),
                text("name"),
                maybe(text("territory")),
                maybe(date("joined_on")),
            ],
            &["rep_id"],
            Semantics::Upsert,
            &["distributor_id", "rep_id"],
        ),
        define(
            "products",
            vec![
                text("product_id"),
                text("name"),
                maybe(text("line")),
                maybe(money("list_price")),
            ],
            &["product_id"],
            Semantics::Upsert,
            &["product_id"],
        ),
        define(
            "campaigns",
            vec![
                text("campaign_id"),
                text("name"),
                maybe(text("source")),
                maybe(money("cost")),
                maybe(date("started_on")),
            ],
            &["campaign_id"],
            Semantics::Upsert,
            &["campaign_id"],
        ),
        define(
            "leads",
            vec![
                text("lead_id"),
                maybe(text("distributor_id")),
                maybe(text("rep_id")),
                maybe(text("product_id")),
                maybe(text("campaign_id")),
                maybe(text("region")),
                maybe(text("industry")),
                maybe(count("employees")),
                maybe(money("est_value")),
                time("created_at"),
                maybe(time("mql_at")),
                maybe(time("sent_at")),
                maybe(time("first_touch_at")),
                maybe(time("dql_at")),
                maybe(time("rejected_at")),
                maybe(text("reject_reason")),
                maybe(time("opportunity_at")),
                maybe(time("closed_at")),
                one_of("outcome", &["won", "lost", "rejected", "open"]),
                maybe(money("amount")),
            ],
            &["lead_id"],
            Semantics::Upsert,
            &["distributor_id", "created_at"],
        ),
        define(
            "revenue",
            vec![
                text("revenue_id"),
                text("distributor_id"),
                maybe(text("rep_id")),
                maybe(text("lead_id")),
                maybe(text("product_id")),
                time("booked_at"),
                money("amount"),
                maybe(money("cost")),
                count("quantity"),
                one_of("kind", &["new", "repeat", "return"]),
            ],
            &["revenue_id"],
            Semantics::Append,
            &["distributor_id", "booked_at"],
        ),
        define(
            "resources",
            vec![
                text("resource_id"),
                text("distributor_id"),
                maybe(text("lead_id")),
                time("granted_at"),
                one_of(
                    "kind",
                    &[
                        "mdf",
                        "training",
                        "samples",
                        "support",
                        "rebate",
                        "lead_cost",
                    ],
                ),
                money("cost"),
                count("quantity"),
            ],
            &["resource_id"],
            Semantics::Append,
            &["distributor_id", "granted_at"],
        ),
        define(
            "targets",
            vec![
                one_of(
                    "subject_kind",
                    &["distributor", "rep", "territory", "manufacturer"],
                ),
                text("subject_id"),
                date("period_start"),
                one_of("grain", &["month", "quarter", "year"]),
                text("measure"),
                money("value"),
            ],
            &[
                "subject_kind",
                "subject_id",
                "period_start",
                "grain",
                "measure",
            ],
            Semantics::Upsert,
            &["subject_kind", "subject_id", "period_start"],
        ),
        define(
            "lead_events",
            vec![
                text("lead_id"),
                time("at"),
                text("field"),
                maybe(text("value")),
                text("source"),
            ],
            &["lead_id", "at", "field"],
            Semantics::Engine,
            &["lead_id", "at"],
        ),
        define(
            "decisions",
            vec![
                text("decision_id"),
                text("lead_id"),
                one_of("kind", &["mql", "dql"]),
                text("plugin"),
                text("version"),
                text("digest"),
                text("config_hash"),
                count("data_version"),
                time("decided_at"),
                maybe(text("verdict")),
                maybe(column("score", Kind::Number)),
                maybe(text("reasons")),
                maybe(text("error")),
            ],
            &["decision_id"],
            Semantics::Engine,
            &["lead_id", "decided_at"],
        ),
        define(
            "stages",
            vec![
                text("stage"),
                count("position"),
                maybe(text("exit_criteria")),
            ],
            &["stage"],
            Semantics::Upsert,
            &["position"],
        ),
        define(
            "calendars",
            vec![
                text("calendar_id"),
                date("day"),
                column("is_open", Kind::Flag),
                maybe(text("opens")),
                maybe(text("closes")),
            ],
            &["calendar_id", "day"],
            Semantics::Upsert,
            &["calendar_id", "day"],
        ),
        define(
            "feedback",
            vec![
                text("feedback_id"),
                text("distributor_id"),
                maybe(text("rep_id")),
                one_of("subject", &["lead", "material", "product", "promotion"]),
                text("subject_id"),
                time("at"),
                maybe(column("rating", Kind::Rating)),
                maybe(one_of("decision", &["accept", "reject"])),
                maybe(text("reason_code")),
                maybe(text("comment")),
                maybe(text("next_action")),
                maybe(date("next_action_on")),
                maybe(time("answered_at")),
            ],
            &["feedback_id"],
            Semantics::Append,
            &["distributor_id", "at"],
        ),
        define(
            "content",
            vec![
                text("content_id"),
                text("title"),
                text("kind"),
                maybe(text("product_id")),
                maybe(text("stage")),
                maybe(date("valid_from")),
                maybe(date("valid_to")),
            ],
            &["content_id"],
            Semantics::Upsert,
            &["content_id"],
        ),
        define(
            "content_events",
            vec![
                text("event_id"),
                text("content_id"),
                maybe(text("lead_id")),
                maybe(text("rep_id")),
                time("at"),
                one_of("kind", &["shown", "opened", "sent"]),
            ],
            &["event_id"],
            Semantics::Append,
            &["content_id", "at"],
        ),
        define(
            "training",
            vec![
                text("training_id"),
                text("rep_id"),
                text("course"),
                time("at"),
                column("passed", Kind::Flag),
            ],
            &["training_id"],
            Semantics::Append,
            &["rep_id", "at"],
        ),
        define(
            "quarantine",
            vec![
                text("request_id"),
                text("table_name"),
                time("at"),
                count("position"),
                maybe(text("column_name")),
                text("reason"),
                maybe(text("content")),
            ],
            &["request_id", "position"],
            Semantics::Engine,
            &["request_id", "position"],
        ),
        define(
            "imports",
            vec![
                text("import_id"),
                text("mapping"),
                text("digest"),
                time("at"),
                text("table_name"),
                count("rows_in"),
                count("inserted"),
                count("updated"),
                count("unchanged"),
                count("rejected"),
            ],
            &["import_id", "table_name"],
            Semantics::Engine,
            &["at", "table_name"],
        ),
    ]
}

fn define(
    name: &'static str,
    columns: Vec<Column>,
    key: &'static [&'static str],
    semantics: Semantics,
    order: &'static [&'static str],
) -> Table {
    Table::new(Cow::Borrowed(name), columns, key, semantics, order)
}

fn column(name: &'static str, kind: Kind) -> Column {
    Column {
        name: Cow::Borrowed(name),
        kind,
        nullable: false,
        allowed: &[],
    }
}

fn text(name: &'static str) -> Column {
    column(name, Kind::Text)
}

fn one_of(name: &'static str, allowed: &'static [&'static str]) -> Column {
    Column {
        allowed,
        ..column(name, Kind::Text)
    }
}

fn maybe(column: Column) -> Column {
    Column {
        nullable: true,
        ..column
    }
}

fn date(name: &'static str) -> Column {
    column(name, Kind::Date)
}

fn time(name: &'static str) -> Column {
    column(name, Kind::Timestamp)
}

fn money(name: &'static str) -> Column {
    column(name, Kind::Money)
}

fn count(name: &'static str) -> Column {
    column(name, Kind::Count)
}
