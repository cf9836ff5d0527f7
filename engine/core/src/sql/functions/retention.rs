//! Growth of a set of units between two windows: of those in both, and of existing customers.

use tributary_engine_stats::growth::{Retention, like_for_like, retention};
use tributary_engine_stats::invalid::Invalid;

use super::argument::{Argument, Kind, needed};
use super::definition::{Body, Chapter, Definition, Field, Returns, STATUS, Text, number, whole};
use super::out::Out;
use super::rows::Rows;

pub const ALL: &[Definition] = &[NRR, GRR, LIKE_FOR_LIKE];

const ARGUMENTS: &[Argument] = &[
    needed(
        "base",
        Kind::Number,
        "what a unit brought in the earlier window, 0 where nothing",
    ),
    needed("now", Kind::Number, "what it brings in the later window"),
];

const FIELDS: &[Field] = &[
    number("value", "the rate; 1 where nothing was gained or lost"),
    number("base", "what the customers brought"),
    number("expansion", "what those who bring more bring more"),
    number(
        "contraction",
        "what those who bring less, but something, bring less",
    ),
    number("churned", "what those brought who bring nothing any more"),
    whole("n", "customers with a base above 0"),
    whole("lost", "those of them who bring nothing any more"),
    STATUS,
];

const NULLS: &str = "A row with a NULL is left out and counted: a customer of one window only needs a 0 for the other. No customer with a base above 0: `no_data`. A negative amount now counts as 0.";

const NRR: Definition = Definition {
    name: "nrr",
    arguments: ARGUMENTS,
    returns: Returns::Record(FIELDS),
    body: Body::Aggregate(|rows, out| kept(rows, out, |found| found.nrr)),
    text: Text {
        chapter: Chapter::Shares,
        what: "Net revenue retention: what the customers of the earlier window bring now over what they brought, one row for each customer. New customers do not count.",
        nulls: NULLS,
        source: "Σ now / Σ base over customers with a base.",
        example: "SELECT nrr(base, now) AS n FROM (VALUES (500, 620), (400, 320), (100, 0), (0, 90)) AS t (base, now)",
    },
};

const GRR: Definition = Definition {
    name: "grr",
    arguments: ARGUMENTS,
    returns: Returns::Record(FIELDS),
    body: Body::Aggregate(|rows, out| kept(rows, out, |found| found.grr)),
    text: Text {
        chapter: Chapter::Shares,
        what: "Gross revenue retention: the same without what customers bring more, so at most 1.",
        nulls: NULLS,
        source: "Σ min(now, base) / Σ base over customers with a base.",
        example: "SELECT grr(base, now) AS g FROM (VALUES (500, 620), (400, 320), (100, 0), (0, 90)) AS t (base, now)",
    },
};

fn kept(
    rows: &Rows<'_>,
    out: &mut Out,
    value: impl Fn(&Retention) -> Option<f64>,
) -> Result<(), Invalid> {
    let found = retention(rows.numbers(0), rows.numbers(1))?;
    out.number(value(&found))
        .number(found.base)
        .number(found.expansion)
        .number(found.contraction)
        .number(found.churned)
        .count(found.customers)
        .count(found.lost_customers)
        .status(found.status);
    Ok(())
}

const LIKE_FOR_LIKE: Definition = Definition {
    name: "like_for_like",
    arguments: ARGUMENTS,
    returns: Returns::Record(&[
        number("value", "growth of the units active in both windows"),
        number("total", "growth of all units"),
        number("base", "all units in the earlier window"),
        number("now", "all units in the later window"),
        whole("n_units", "units active in both windows"),
        whole("new_units", "units active in the later window only"),
        whole("lost_units", "units active in the earlier window only"),
        STATUS,
    ]),
    body: Body::Aggregate(|rows, out| {
        let found = like_for_like(rows.numbers(0), rows.numbers(1))?;
        out.number(found.like_for_like)
            .number(found.total)
            .number(found.base)
            .number(found.now)
            .count(found.n_units)
            .count(found.new_units)
            .count(found.lost_units)
            .status(found.status);
        Ok(())
    }),
    text: Text {
        chapter: Chapter::Shares,
        what: "Growth of the units that were there in both windows, beside that of all: new and lost ones are no merit of the rest. One row for each unit; both windows whole, or of the same days.",
        nulls: "A row with a NULL is left out and counted: a unit of one window only needs a 0 for the other. No unit in both: `no_data`. Their base 0 or negative: `zero_base` or `infeasible`.",
        source: "A unit is active in a window where its amount is not 0.",
        example: "SELECT like_for_like(base, now) AS g FROM (VALUES ('A', 7500, 6400), ('B', 0, 1500), ('C', 2000, 0), ('D', 1000, 550)) AS t (unit, base, now)",
    },
};
