//! Growth of one amount, and the pace towards a quota.

use tributary_engine_stats::estimate::Status;
use tributary_engine_stats::growth::{cagr, growth, pace};

use super::argument::{Kind, needed};
use super::definition::{Body, Chapter, Definition, Field, Returns, STATUS, Text, number};

pub const ALL: &[Definition] = &[CAGR, GROWTH, PACE];

const CAGR_FIELDS: &[Field] = &[
    number("value", "growth per period; .1 is 10 % more"),
    STATUS,
];

const CAGR: Definition = Definition {
    name: "cagr",
    arguments: &[
        needed("first", Kind::Number, "the amount at the start"),
        needed("last", Kind::Number, "the amount at the end"),
        needed(
            "periods",
            Kind::Positive,
            "periods between them, whole or not",
        ),
    ],
    returns: Returns::Record(CAGR_FIELDS),
    body: Body::Scalar(|row, out| {
        let given = row.number(0).zip(row.number(1)).zip(row.number(2));
        let Some(((first, last), periods)) = given else {
            out.nothing(CAGR_FIELDS, Status::NoData);
            return Ok(());
        };
        let found = cagr(first, last, periods)?;
        out.number(found.rate).status(found.status);
        Ok(())
    }),
    text: Text {
        chapter: Chapter::Shares,
        what: "The steady growth per period that leads from one amount to another.",
        nulls: "A NULL: `no_data`. From 0: `zero_base`. A negative amount: `infeasible`. No periods: an error as literals, `infeasible` in a row.",
        source: "(last/first)^(1/periods) - 1.",
        example: "SELECT cagr(100, 161.051, 5) AS c",
    },
};

const GROWTH_FIELDS: &[Field] = &[
    number("value", "(now - base) / base; .1 is 10 % more"),
    number("diff", "now - base"),
    STATUS,
];

const GROWTH: Definition = Definition {
    name: "growth",
    arguments: &[
        needed("base", Kind::Number, "the amount before"),
        needed("now", Kind::Number, "the amount now"),
    ],
    returns: Returns::Record(GROWTH_FIELDS),
    body: Body::Scalar(|row, out| {
        let Some((base, now)) = row.number(0).zip(row.number(1)) else {
            out.nothing(GROWTH_FIELDS, Status::NoData);
            return Ok(());
        };
        let found = growth(base, now)?;
        out.number(found.rate)
            .number(found.diff)
            .status(found.status);
        Ok(())
    }),
    text: Text {
        chapter: Chapter::Shares,
        what: "The change from a base, and relative to it where the base is above 0.",
        nulls: "A NULL: `no_data`. From 0: `zero_base`, with the difference. From a negative base: `infeasible`, with the difference.",
        source: "Arithmetic.",
        example: "SELECT growth(80, 92) AS more, growth(0, 92) AS from_nothing",
    },
};

const PACE_FIELDS: &[Field] = &[
    number("attainment", "actual / quota"),
    number("pace", "attainment / seasonal share to date: 1 is on plan"),
    number("due", "what should have been reached by now"),
    number(
        "projected",
        "what the whole period would reach at this pace",
    ),
    STATUS,
];

const PACE: Definition = Definition {
    name: "pace",
    arguments: &[
        needed("quota", Kind::Amount, "what is to be reached in the period"),
        needed("actual", Kind::Number, "what has been reached so far"),
        needed(
            "seasonal_share",
            Kind::Probability,
            "the part of a period's business that is usually done by now; with even business the elapsed part",
        ),
    ],
    returns: Returns::Record(PACE_FIELDS),
    body: Body::Scalar(|row, out| {
        let given = row.number(0).zip(row.number(1)).zip(row.number(2));
        let Some(((quota, actual), share)) = given else {
            out.nothing(PACE_FIELDS, Status::NoData);
            return Ok(());
        };
        let found = pace(quota, actual, share)?;
        out.number(found.attainment)
            .number(found.pace)
            .number(found.due)
            .number(found.projected)
            .status(found.status);
        Ok(())
    }),
    text: Text {
        chapter: Chapter::Shares,
        what: "How far a quota is reached, and whether that is early or late for the season.",
        nulls: "A NULL: `no_data`. A quota or a seasonal share of 0: `zero_base`, with what can be said.",
        source: "Attainment over the seasonal share of the quota to date.",
        example: "SELECT pace(1200, 500, 0.4) AS p",
    },
};
