//! Since when: whether a rate changed once, and in which period.

use tributary_engine_stats::change::since_when;

use super::argument::{Kind, needed, optional};
use super::definition::{
    Body, Chapter, Definition, Returns, STATUS, Shape, Text, field, number, whole,
};

pub const ALL: &[Definition] = &[SINCE_WHEN];

const SINCE_WHEN: Definition = Definition {
    name: "since_when",
    arguments: &[
        needed("ord", Kind::Order, "the period"),
        needed("y", Kind::Count, "successes in it"),
        needed("n", Kind::Count, "trials in it"),
        optional(
            "expected",
            Kind::Probability,
            "the rate of the network in it, for the same kind of leads",
        ),
    ],
    returns: Returns::Record(&[
        number(
            "p_change",
            "probability that there was a change, at even odds before",
        ),
        number("log_bf", "log of the Bayes factor"),
        field(
            "mode",
            Shape::Order,
            "the first period after the likeliest change",
        ),
        field(
            "set_lo",
            Shape::Order,
            "first period of its 95 % credible set",
        ),
        field("set_hi", Shape::Order, "last period of the set"),
        number("rate_before", "rate before the likeliest change"),
        number("rate_after", "rate after it"),
        number("lr", "likelihood ratio statistic at it"),
        whole("n", "trials"),
        STATUS,
    ]),
    body: Body::Aggregate(|rows, out| {
        let series = rows.series(0);
        let (y, n) = (rows.counts(1)?, rows.counts(2)?);
        let (sum_y, sum_n) = (series.counted(&y), series.counted(&n));
        // Expectations of several rows of one period are weighted with their trials.
        let expected = rows.has(3).then(|| {
            let products = rows.numbers(3).iter().zip(&n);
            let products: Vec<f64> = products.map(|(rate, n)| rate * *n as f64).collect();
            let sums = series.summed(&products);
            let means = sums.iter().zip(&sum_n);
            means
                .map(|(sum, n)| if *n == 0 { 0.0 } else { sum / *n as f64 })
                .collect::<Vec<f64>>()
        });
        let found = since_when(&sum_y, &sum_n, expected.as_deref())?;
        let change = found.change.as_ref();
        let period = |position: usize| series.order.get(position).copied();
        out.number(change.map(|it| it.p_change))
            .number(change.map(|it| it.log_bf))
            .order(change.and_then(|it| period(it.mode)))
            .order(change.and_then(|it| period(it.set_lo)))
            .order(change.and_then(|it| period(it.set_hi)))
            .number(change.map(|it| it.rate_before))
            .number(change.map(|it| it.rate_after))
            .number(change.map(|it| it.lr))
            .count(found.n)
            .status(found.status);
        Ok(())
    }),
    text: Text {
        chapter: Chapter::SinceWhen,
        what: "Whether a rate changed, and since when. With `expected`, relative to the network, so that market and season cancel.",
        nulls: "A row with a NULL is left out and counted. Rows of one period are added up. Every field but the counts and `status` is NULL where `status` is not `ok`.",
        source: "Exact posterior of one change of a binomial rate under uniform priors: Smith (1975) Biometrika 62:407.",
        example: "SELECT since_when(m, y, n) AS w FROM (VALUES (DATE '2024-01-01', 50, 100), (DATE '2024-02-01', 52, 100), (DATE '2024-03-01', 20, 100), (DATE '2024-04-01', 22, 100), (DATE '2024-05-01', 19, 100), (DATE '2024-06-01', 21, 100)) AS t (m, y, n)",
    },
};
