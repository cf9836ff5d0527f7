//! `comparison(…)`: what `compare()` says of each row. Not for statements: its arguments are sums that `compare()` makes.

use tributary_engine_stats::compare::{Base, Kind as MetricKind, Moments, compare};
use tributary_engine_stats::invalid::Invalid;

use super::argument::{Kind, needed};
use super::definition::{Body, Chapter, Definition, Returns, STATUS, Text, number, whole};
use super::row::Row;

pub const ALL: &[Definition] = &[COMPARISON];

const COMPARISON: Definition = Definition {
    name: "comparison",
    arguments: &[
        needed(
            "kind",
            Kind::Choice(&["sum", "count", "ratio", "rate"]),
            "how rows become a number",
        ),
        needed("n", Kind::Count, "rows"),
        needed("y", Kind::Number, "sum of values, numerators or successes"),
        needed("x", Kind::Number, "sum of denominators"),
        needed("yy", Kind::Number, "sum of squares of y"),
        needed("xy", Kind::Number, "sum of products"),
        needed("xx", Kind::Number, "sum of squares of x"),
        needed(
            "base_n",
            Kind::Count,
            "the same of what it is compared with; NULL: nothing is known of it",
        ),
        needed("base_y", Kind::Number, "the same of the base"),
        needed("base_x", Kind::Number, "the same of the base"),
        needed("base_yy", Kind::Number, "the same of the base"),
        needed("base_xy", Kind::Number, "the same of the base"),
        needed("base_xx", Kind::Number, "the same of the base"),
        needed(
            "fixed",
            Kind::Number,
            "a base without uncertainty, as a quota; NULL: the sums are the base",
        ),
        needed("conf", Kind::Inside, "confidence of the intervals"),
    ],
    returns: Returns::Record(&[
        number("value", "the period's number"),
        whole("n", "rows behind it"),
        number("lo", "lower end of its interval"),
        number("hi", "upper end of its interval"),
        number("base_value", "the base's number"),
        whole("base_n", "rows behind it"),
        number("diff", "value minus base"),
        number("diff_lo", "lower end of its interval"),
        number("diff_hi", "upper end of its interval"),
        number("pct_change", "the difference over the base"),
        number("p_value", "two-sided, of no difference"),
        STATUS,
    ]),
    body: Body::Scalar(|row, out| {
        let kind: MetricKind = row.word(0, MetricKind::Sum)?;
        let now = moments(row, 1)?.unwrap_or_default();
        let base = match (row.number(13), moments(row, 7)?) {
            (Some(fixed), _) => Base::Fixed(fixed),
            (None, Some(moments)) => Base::Measured(moments),
            (None, None) => Base::Unknown,
        };
        let found = compare(kind, now, base, row.number_or(14, 0.95))?;
        out.number(found.value)
            .count(found.n)
            .number(found.lo)
            .number(found.hi)
            .number(found.base_value)
            .count(found.base_n)
            .number(found.diff)
            .number(found.diff_lo)
            .number(found.diff_hi)
            .number(found.pct_change)
            .number(found.p)
            .status(found.status);
        Ok(())
    }),
    text: Text {
        chapter: Chapter::Rates,
        what: "A period beside what it is compared with, from sums over the rows of both: what `compare()` calls for each of its rows.",
        nulls: "No rows are a sum or a count of 0, and no ratio and no rate (`no_data`). A base of 0: no percentage, `zero_base`.",
        source: "rate: Newcombe (1998), methods 3 and 10; count: Garwood (1936) and Przyborowski & Wilenski (1940); sum: compound Poisson, variance Σy²; ratio: Cochran (1977) eq. 2.39.",
        example: "SELECT comparison('rate', 200, 30, 0, 0, 0, 0, 180, 45, 0, 0, 0, 0, NULL, 0.95) AS c",
    },
};

/// The sums that begin at a place; nothing where there is no count.
fn moments(row: &Row<'_>, place: usize) -> Result<Option<Moments>, Invalid> {
    let sum = |offset| row.number_or(place + offset, 0.0);
    Ok(row.count(place)?.map(|n| Moments {
        n,
        y: sum(1),
        x: sum(2),
        yy: sum(3),
        xy: sum(4),
        xx: sum(5),
    }))
}
