//! Whether there is a trend, and how steep it is, without assuming a shape or a distribution.

use tributary_engine_stats::trend::kendall::mann_kendall;
use tributary_engine_stats::trend::slope::theil_sen;

use super::argument::{CONF, Kind, needed};
use super::definition::{Body, Chapter, Definition, Returns, STATUS, Text, number, whole};

pub const ALL: &[Definition] = &[MANN_KENDALL, THEIL_SEN];

const MANN_KENDALL: Definition = Definition {
    name: "mann_kendall",
    arguments: &[
        needed("ord", Kind::Order, "the period"),
        needed("y", Kind::Number, "its value"),
    ],
    returns: Returns::Record(&[
        number("s", "pairs of periods that rise, less those that fall"),
        number(
            "z",
            "the statistic, standard normal where there is no trend",
        ),
        number("p", "two-sided probability of so much by chance"),
        number(
            "tau",
            "Kendall's τ of value against time, -1 to 1; NULL where all values are equal",
        ),
        whole("n", "periods"),
        STATUS,
    ]),
    body: Body::Aggregate(|rows, out| {
        let test = mann_kendall(&rows.series(0).summed(rows.numbers(1)))?;
        out.number(test.s)
            .number(test.z)
            .number(test.p)
            .number(test.tau)
            .count(test.n)
            .status(test.status);
        Ok(())
    }),
    text: Text {
        chapter: Chapter::SinceWhen,
        what: "The Mann-Kendall test: whether later values tend to be larger. A season is no trend: test the series without it.",
        nulls: "A row with a NULL is left out and counted. Rows of one period are added up. `no_data` without rows, `small_n` for a single period, `infeasible` where a value is not finite.",
        source: "Mann (1945) Econometrica 13:245; Kendall (1975); Gilbert (1987), sec. 16.4; R's `trend::mk.test`.",
        example: "SELECT mann_kendall(m, y) AS trend FROM (VALUES (1, 10), (2, 12), (3, 11), (4, 14), (5, 15), (6, 19)) AS t (m, y)",
    },
};

const THEIL_SEN: Definition = Definition {
    name: "theil_sen",
    arguments: &[
        needed("x", Kind::Number, "such as the number of the period"),
        needed("y", Kind::Number, "the value at it"),
        CONF,
    ],
    returns: Returns::Record(&[
        number("slope", "change of y per unit of x"),
        number("lo", "lower limit"),
        number("hi", "upper limit"),
        number("intercept", "median of y less slope times median of x"),
        whole("n", "points"),
        STATUS,
    ]),
    body: Body::Aggregate(|rows, out| {
        let conf = rows.number_or(2, 0.95);
        let line = theil_sen(rows.numbers(0), rows.numbers(1), conf)?;
        out.number(line.slope)
            .number(line.lo)
            .number(line.hi)
            .number(line.intercept)
            .count(line.n)
            .status(line.status);
        Ok(())
    }),
    text: Text {
        chapter: Chapter::SinceWhen,
        what: "The Theil-Sen slope: the median of the slopes between all pairs of points, which a few outliers cannot bend.",
        nulls: "A row with a NULL is left out and counted; rows of one x are points of their own. `no_data` without rows; `infeasible` where all x are equal or a value is not finite; `not_converged` beyond 100,000 points.",
        source: "Theil (1950); Sen (1968) JASA 63:1379; scipy's `theilslopes`.",
        example: "SELECT theil_sen(m, y) AS line FROM (VALUES (1, 10), (2, 12), (3, 99), (4, 14), (5, 15), (6, 19)) AS t (m, y)",
    },
};
