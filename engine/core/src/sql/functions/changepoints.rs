//! The segments between which the level of a series jumps.

use tributary_engine_stats::change::points::{Cost, Segmentation, changepoints};
use tributary_engine_stats::estimate::Status;
use tributary_engine_stats::invalid::Invalid;

use super::argument::{Argument, Kind, needed, optional};
use super::definition::{
    Body, Chapter, Definition, Field, Returns, Shape, Text, field, number, whole,
};
use super::out::Out;
use super::rows::{Rows, Series};

pub const ALL: &[Definition] = &[CHANGEPOINTS, CHANGEPOINTS_RATE];

const ORD: Argument = needed("ord", Kind::Order, "the period");

const MIN_SEG: Argument = optional(
    "min_seg",
    Kind::Count,
    "the fewest periods of a segment, 2 by default: one odd period is no segment",
)
.constant();

const FIELDS: &[Field] = &[
    whole("seg", "the segment, from 1"),
    field("start", Shape::Order, "its first period"),
    field("end", Shape::Order, "its last period, which belongs to it"),
    number("level", "its level"),
    number(
        "delta_prev",
        "the level less that of the segment before; NULL for the first",
    ),
    whole("n", "its periods"),
];

const NULLS: &str = "A row with a NULL is left out. Rows of one period are added up; a period without rows is none, so fill gaps with 0 first. An empty list without rows; NULL where a value makes no sense, or there are more than 10,000 periods.";

/// Hands over the segments.
fn put(found: &Segmentation, series: &Series, out: &mut Out) -> Result<(), Invalid> {
    if found.status == Status::NotConverged {
        return Err(Invalid {
            argument: "ord",
            needs: "at most 10,000 periods",
            got: found.n.to_string(),
        });
    }
    for (number, segment) in (1..).zip(&found.segments) {
        out.whole(number)
            .order(series.order[segment.start])
            .order(series.order[segment.end - 1])
            .number(segment.level)
            .number(segment.delta_prev)
            .count((segment.end - segment.start) as u64);
    }
    Ok(())
}

fn min_seg(rows: &Rows<'_>, place: usize) -> usize {
    let given = rows.count(place).unwrap_or(2);
    usize::try_from(given).unwrap_or(usize::MAX)
}

const CHANGEPOINTS: Definition = Definition {
    name: "changepoints",
    arguments: &[
        ORD,
        needed("y", Kind::Number, "the value of the period"),
        optional(
            "cost",
            Kind::Choice(&["l2", "poisson"]),
            "`l2` for measurements, by default; `poisson` for counts",
        )
        .constant(),
        optional(
            "penalty",
            Kind::Amount,
            "what a change has to gain; by default 2 ln n times the variance of one period for `l2`, 2 ln n for `poisson`",
        )
        .constant(),
        MIN_SEG,
    ],
    returns: Returns::Records(FIELDS),
    body: Body::Aggregate(|rows, out| {
        let cost = Cost::named(rows.text(2).unwrap_or("l2"), None)?;
        let series = rows.series(0);
        let y = series.summed(rows.numbers(1));
        let found = changepoints(&y, cost, rows.number(3), min_seg(rows, 4))?;
        put(&found, &series, out)
    }),
    text: Text {
        chapter: Chapter::SinceWhen,
        what: "The segments between which a series jumps from one level to another, any number of them; one where nothing changed. Season and trend show as jumps: take them out first.",
        nulls: NULLS,
        source: "The cheapest of all segmentations: Jackson et al. (2005) IEEE SPL 12:105; Killick, Fearnhead & Eckley (2012) JASA 107:1590. The variance of one period from the median absolute deviation of the differences of neighbours.",
        example: "SELECT unnest(changepoints(m, y)) AS segment FROM (VALUES (1, 10), (2, 11), (3, 9), (4, 10), (5, 4), (6, 5), (7, 4), (8, 3)) AS t (m, y)",
    },
};

const CHANGEPOINTS_RATE: Definition = Definition {
    name: "changepoints_rate",
    arguments: &[
        ORD,
        needed("y", Kind::Count, "successes in the period"),
        needed("n", Kind::Count, "trials in it"),
        optional(
            "penalty",
            Kind::Amount,
            "what a change has to gain in deviance, 2 ln n of n periods by default",
        )
        .constant(),
        MIN_SEG,
    ],
    returns: Returns::Records(FIELDS),
    body: Body::Aggregate(|rows, out| {
        let series = rows.series(0);
        let (y, n) = (rows.counts(1)?, rows.counts(2)?);
        let y: Vec<f64> = series.counted(&y).iter().map(|y| *y as f64).collect();
        let n = series.counted(&n);
        let found = changepoints(&y, Cost::Binomial(&n), rows.number(3), min_seg(rows, 4))?;
        put(&found, &series, out)
    }),
    text: Text {
        chapter: Chapter::SinceWhen,
        what: "The segments between which a rate jumps from one level to another, each period weighted with its trials. `level` is NULL where a segment has no trials. `since_when` says of a single change how sure it is.",
        nulls: NULLS,
        source: "As `changepoints`, with the binomial deviance for the cost.",
        example: "SELECT unnest(changepoints_rate(m, y, n)) AS segment FROM (VALUES (DATE '2024-01-01', 50, 100), (DATE '2024-02-01', 52, 100), (DATE '2024-03-01', 20, 100), (DATE '2024-04-01', 22, 100)) AS t (m, y, n)",
    },
};
