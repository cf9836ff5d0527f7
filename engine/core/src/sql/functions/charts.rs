//! Control charts: whether a process is still what it was, said at each of its points. A chart reads its rows in the order of
//! the window; a signal does not reset it.

use tributary_engine_stats::control::cusum::{Shift, cusum};
use tributary_engine_stats::control::ewma::{EwmaChart, Width, ewma};
use tributary_engine_stats::control::individuals::xmr;
use tributary_engine_stats::control::risk_adjusted::ra_cusum;

use super::argument::{Argument, Kind, needed, optional};
use super::definition::{
    Body, Chapter, Definition, Field, OfRows, Returns, STATUS, Shape, Text, field, number, whole,
};

pub const ALL: &[Definition] = &[CUSUM, EWMA, XMR, RA_CUSUM];

const X: Argument = needed("x", Kind::Number, "the value");

/// A sum never exceeds it.
const NEVER: f64 = 1e100;

const fn ordered(body: OfRows) -> Body {
    Body::Window {
        body,
        ordered: true,
    }
}

const SIGNAL: Field = field(
    "signal",
    Shape::Text,
    "`high`, `low` or `both`; NULL where there is none",
);

const NULLS: &str = "A row with a NULL is left out of the chart and reads `no_data`. A value that is not finite, or beyond 1e100, makes the whole chart `infeasible`. ORDER BY has to tell all rows of a partition apart.";

/// What the reference says of one of these.
const fn text(what: &'static str, source: &'static str, example: &'static str) -> Text {
    Text {
        chapter: Chapter::SinceWhen,
        what,
        nulls: NULLS,
        source,
        example,
    }
}

const CUSUM: Definition = Definition {
    name: "cusum",
    arguments: &[
        X,
        needed("target", Kind::Number, "what the mean should be").constant(),
        needed(
            "k",
            Kind::Amount,
            "the allowance, in units of x: half the shift to find",
        )
        .constant(),
        optional(
            "h",
            Kind::Positive,
            "where a sum signals, in units of x: 4 or 5 standard deviations; never by default",
        )
        .constant(),
    ],
    returns: Returns::Record(&[
        number("hi", "evidence for a mean above the target, at least 0"),
        number("lo", "evidence for a mean below it, at least 0"),
        whole(
            "run_hi",
            "for how many values in a row `hi` has been above 0: the shift, if it is one, began that long ago",
        ),
        whole("run_lo", "the same of `lo`"),
        SIGNAL,
        STATUS,
    ]),
    body: ordered(|rows, out| {
        let (target, k) = (rows.needed_number(1)?, rows.needed_number(2)?);
        let chart = cusum(rows.numbers(0), target, k, rows.number_or(3, NEVER))?;
        for point in chart.points {
            out.number(point.high)
                .number(point.low)
                .count(point.run_high)
                .count(point.run_low)
                .text(point.signal.map(Shift::as_str))
                .status(chart.status);
        }
        Ok(())
    }),
    text: text(
        "The tabular cusum: deviations from a target summed up, so that small lasting shifts of a mean show. For a target that differs by row, chart `x - target` against 0.",
        "Page (1954) Biometrika 41:100; Montgomery (2009), eq. 9.2-9.3.",
        "SELECT m, x, cusum(x, 10, 0.5, 3) OVER (ORDER BY m) AS chart FROM (VALUES (1, 10.2), (2, 9.7), (3, 11.6), (4, 11.9), (5, 11.4)) AS t (m, x) ORDER BY m",
    ),
};

const EWMA: Definition = Definition {
    name: "ewma",
    arguments: &[
        X,
        needed(
            "lambda",
            Kind::Probability,
            "weight of the newest value, above 0: 0.1 to 0.3",
        )
        .constant(),
        optional(
            "start",
            Kind::Number,
            "the average before the first value and the centre of the limits; the mean of the values by default",
        )
        .constant(),
        optional(
            "sigma",
            Kind::Amount,
            "standard deviation of one value; from moving ranges by default",
        )
        .constant(),
        optional(
            "sigmas",
            Kind::Positive,
            "how many standard deviations away the limits are, 3 by default",
        )
        .constant(),
        optional(
            "width",
            Kind::Choice(&["exact", "asymptotic"]),
            "`exact` limits, by default, are narrow at the start; `asymptotic` ones are the same everywhere",
        )
        .constant(),
    ],
    returns: Returns::Record(&[
        number("value", "the average including this value"),
        number("ucl", "upper limit"),
        number("lcl", "lower limit"),
        SIGNAL,
        STATUS,
    ]),
    body: ordered(|rows, out| {
        let plain = EwmaChart::new(rows.needed_number(1)?);
        let chart = ewma(
            rows.numbers(0),
            EwmaChart {
                start: rows.number(2),
                sigma: rows.number(3),
                sigmas: rows.number_or(4, plain.sigmas),
                width: rows.text(5).map_or(Ok(plain.width), Width::named)?,
                ..plain
            },
        )?;
        for point in chart.points {
            out.number(point.value)
                .number(point.ucl)
                .number(point.lcl)
                .text(point.signal.map(Shift::as_str))
                .status(chart.status);
        }
        Ok(())
    }),
    text: text(
        "The exponentially weighted moving average with its limits: the level now, and whether it has left its range. `small_n` without limits where a single value would have to tell its own spread.",
        "Roberts (1959) Technometrics 1:239; NIST/SEMATECH e-Handbook 6.3.2.4; Montgomery (2009), eq. 9.22-9.26.",
        "SELECT m, x, ewma(x, 0.3, 10, 0.8) OVER (ORDER BY m) AS chart FROM (VALUES (1, 10.2), (2, 9.7), (3, 11.6), (4, 11.9), (5, 11.4)) AS t (m, x) ORDER BY m",
    ),
};

const XMR: Definition = Definition {
    name: "xmr",
    arguments: &[X],
    returns: Returns::Record(&[
        number("value", "the value"),
        number("ucl", "upper limit of the values"),
        number("lcl", "lower limit of the values"),
        number("centre", "mean of the values"),
        number(
            "range",
            "distance from the value before; NULL for the first",
        ),
        number("range_ucl", "upper limit of the ranges"),
        field(
            "beyond_limit",
            Shape::Truth,
            "whether the value lies outside the limits",
        ),
        field(
            "two_of_three",
            Shape::Truth,
            "whether two of the last three, this one included, lie beyond 2σ on one side",
        ),
        field(
            "four_of_five",
            Shape::Truth,
            "whether four of the last five, this one included, lie beyond 1σ on one side",
        ),
        field(
            "run",
            Shape::Truth,
            "whether the last eight lie on one side of the centre",
        ),
        field(
            "range_beyond",
            Shape::Truth,
            "whether the range exceeds its limit",
        ),
        STATUS,
    ]),
    body: ordered(|rows, out| {
        let chart = xmr(rows.numbers(0))?;
        for point in &chart.points {
            out.number(point.value)
                .number(chart.ucl)
                .number(chart.lcl)
                .number(chart.centre)
                .number(point.range)
                .number(chart.range_ucl)
                .truth(point.beyond_limit)
                .truth(point.two_of_three)
                .truth(point.four_of_five)
                .truth(point.run)
                .truth(point.range_beyond)
                .status(chart.status);
        }
        Ok(())
    }),
    text: text(
        "The chart of individual values and moving ranges: the natural limits of a process from its own noise, and the run signals that say it has changed. `small_n` without limits for a single value.",
        "Wheeler & Chambers (1992); Montgomery (2009), eq. 6.33; runs: Western Electric (1956), p. 25-28, each marked at the value that completes it.",
        "SELECT m, c['value'] AS x, round(c['lcl'], 2) AS lcl, round(c['ucl'], 2) AS ucl, c['beyond_limit'] AS beyond FROM (SELECT m, xmr(x) OVER (ORDER BY m) AS c FROM (VALUES (1, 10), (2, 11), (3, 10), (4, 9), (5, 10), (6, 11), (7, 10), (8, 18)) AS t (m, x)) ORDER BY m",
    ),
};

const RA_CUSUM: Definition = Definition {
    name: "ra_cusum",
    arguments: &[
        needed("y", Kind::Truth, "whether it happened"),
        needed("p", Kind::Probability, "how probable it was for this case"),
        needed(
            "odds_ratio",
            Kind::Positive,
            "the change of the odds to watch for: below 1 for a drop, above for a rise",
        )
        .constant(),
        optional(
            "h",
            Kind::Positive,
            "where the sum signals; never by default. To be chosen by simulation for the false alarms one can bear",
        )
        .constant(),
    ],
    returns: Returns::Record(&[
        number(
            "score",
            "log likelihood ratio of changed odds against the expected ones, of this case",
        ),
        number("sum", "sum of the scores, never below 0"),
        field(
            "signal",
            Shape::Truth,
            "whether the sum has reached `h`",
        ),
        STATUS,
    ]),
    body: ordered(|rows, out| {
        let (odds_ratio, h) = (rows.needed_number(2)?, rows.number(3));
        let chart = ra_cusum(rows.truths(0), rows.numbers(1), odds_ratio, h)?;
        for point in chart.points {
            out.number(point.score)
                .number(point.sum)
                .truth(point.signal)
                .status(chart.status);
        }
        Ok(())
    }),
    text: Text {
        nulls: "A row with a NULL is left out of the chart and reads `no_data`. A `p` outside 0 to 1 makes the whole chart `infeasible`. ORDER BY has to tell all rows of a partition apart.",
        ..text(
            "The risk-adjusted cusum: whether the odds of success, given what was to be expected of each case, have changed.",
            "Steiner, Cook, Farewell & Treasure (2000) Biostatistics 1:441, eq. 2.2-2.3.",
            "SELECT m, ra_cusum(won, 0.5, 2, 0.5) OVER (ORDER BY m) AS chart FROM (VALUES (1, true), (2, true), (3, false), (4, true)) AS t (m, won) ORDER BY m",
        )
    },
};
