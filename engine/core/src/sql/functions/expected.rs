//! Observed against expected: what a unit would have at the rates of everyone, for the leads that it gets.

use tributary_engine_stats::count::{Method, count_ci};
use tributary_engine_stats::indirect::{adjusted_rate, expected_from_strata};
use tributary_engine_stats::invalid::Invalid;

use super::argument::{Argument, CONF, Kind, needed, optional};
use super::definition::{
    Body, Chapter, Definition, Field, Returns, STATUS, Shape, Text, number, whole,
};
use super::estimate;
use super::sound::{counts_of, each, of};

pub const ALL: &[Definition] = &[OE_CI, EXPECTED_RATE, EXPECTED_COUNT, ADJUSTED_RATE];

const METHOD: Argument = optional(
    "method",
    Kind::Choice(&["byar", "garwood", "log"]),
    "how the interval is drawn, `byar` by default; `garwood` is exact",
);

const OE_CI: Definition = Definition {
    name: "oe_ci",
    arguments: &[
        needed("o", Kind::Count, "events observed"),
        needed("e", Kind::Amount, "events expected"),
        optional(
            "conf",
            Kind::Inside,
            "confidence of the interval, .95 by default",
        ),
        METHOD,
    ],
    returns: Returns::Record(estimate::FIELDS),
    body: Body::Scalar(|row, out| {
        let method = row.word(3, Method::Byar)?;
        let (o, e) = row.count(0)?.zip(row.number(1)).unwrap_or_default();
        out.estimate(&count_ci(o, e, row.number_or(2, 0.95), method)?);
        Ok(())
    }),
    text: Text {
        chapter: Chapter::FairComparison,
        what: "Observed over expected events with its interval: 1 is as expected. `n` is the number observed.",
        nulls: "A NULL, or nothing expected: `no_data`, or `zero_base` where something was observed.",
        source: "byar: Breslow & Day (1987) vol. II, eq. 2.10; garwood: Garwood (1936), R's `poisson.test`; log: R's `epitools::ageadjust.indirect`.",
        example: "SELECT oe_ci(12, 18.4) AS byar, oe_ci(12, 18.4, 0.95, 'garwood') AS exact",
    },
};

const STRATUM: Argument = needed(
    "stratum",
    Kind::Text,
    "what makes leads alike, such as source and product",
);

const PSEUDO: Argument = optional(
    "pseudo_trials",
    Kind::Amount,
    "trials at the common rate added to every stratum, so that small ones do not decide by chance; 0 by default",
)
.constant();

const VALUE: Returns = Returns::Value(Shape::Number);

const EXPECTED_RATE: Definition = Definition {
    name: "expected_rate",
    arguments: &[
        needed("success", Kind::Truth, "whether it succeeded"),
        STRATUM,
        PSEUDO,
    ],
    returns: VALUE,
    body: Body::Window {
        ordered: false,
        body: |rows, out| {
            let successes: Vec<u64> = rows.truths(0).iter().map(|it| u64::from(*it)).collect();
            let trials = vec![1; rows.len];
            let pseudo = rows.number_or(2, 0.0);
            for expected in of_strata(&rows.groups(1).0, &successes, &trials, pseudo)? {
                out.number(expected);
            }
            Ok(())
        },
    },
    text: Text {
        chapter: Chapter::FairComparison,
        what: "For each lead, the rate at which all units together succeed with leads of its kind. Its sum over a unit's leads is what the unit would have at everyone's rates.",
        nulls: "A row with a NULL is NULL and does not count.",
        source: "Indirect standardisation: Breslow & Day (1987) vol. II, 2.3. Scaled so that the expected successes of all rows sum to the observed ones.",
        example: "SELECT unit, oe_ci(count(*) FILTER (WHERE won), sum(e)) AS oe FROM (SELECT unit, won, expected_rate(won, source) OVER () AS e FROM (VALUES ('A', 'web', false), ('A', 'web', true), ('A', 'web', false), ('A', 'fair', true), ('B', 'fair', true), ('B', 'fair', false), ('B', 'web', false), ('B', 'fair', true)) AS t (unit, source, won)) GROUP BY unit ORDER BY unit",
    },
};

const EXPECTED_COUNT: Definition = Definition {
    name: "expected_count",
    arguments: &[
        needed("y", Kind::Count, "successes"),
        needed("n", Kind::Count, "trials"),
        STRATUM,
        PSEUDO,
    ],
    returns: VALUE,
    body: Body::Window {
        ordered: false,
        body: |rows, out| {
            let (y, n, strata) = (rows.wholes(0), rows.wholes(1), rows.groups(2).0);
            let pseudo = rows.number_or(3, 0.0);
            let compute = |asked: &[usize]| {
                let (y, n) = (counts_of("y", y, asked)?, counts_of("n", n, asked)?);
                of_strata(&of(&strata, asked), &y, &n, pseudo)
            };
            each(rows, out, VALUE, compute, |_, expected, out| {
                out.number(*expected);
            })
        },
    },
    text: Text {
        chapter: Chapter::FairComparison,
        what: "The same for rows that count `y` successes in `n` trials of a stratum: the successes expected at everyone's rates.",
        nulls: "A row with a NULL is NULL and does not count, nor does one that makes no sense, such as more successes than trials.",
        source: "As `expected_rate`.",
        example: "SELECT unit, sum(y) AS won, sum(e) AS expected FROM (SELECT unit, y, expected_count(y, n, source) OVER () AS e FROM (VALUES ('A', 'web', 8, 40), ('A', 'fair', 9, 12), ('B', 'web', 2, 14), ('B', 'fair', 26, 40)) AS t (unit, source, y, n)) GROUP BY unit ORDER BY unit",
    },
};

/// What each row would have at the rate of its stratum over all rows.
fn of_strata(
    strata: &[u32],
    y: &[u64],
    n: &[u64],
    pseudo_trials: f64,
) -> Result<Vec<f64>, Invalid> {
    let mut present = strata.to_vec();
    present.sort_unstable();
    present.dedup();
    let numbers: Vec<usize> = strata
        .iter()
        .map(|stratum| present.partition_point(|it| it < stratum))
        .collect();
    let rows: Vec<usize> = (0..strata.len()).collect();
    let found = expected_from_strata(&rows, &numbers, y, n, pseudo_trials)?;
    Ok(found.iter().map(|it| it.expected).collect())
}

const ADJUSTED_FIELDS: &[Field] = &[
    number(
        "value",
        "the adjusted rate: what the unit's would be with the standard's mix",
    ),
    number("lo", "lower end of its interval"),
    number("hi", "upper end"),
    number("crude", "the unit's events over its exposure"),
    number("oe", "observed over expected"),
    number("oe_lo", "lower end of its interval"),
    number("oe_hi", "upper end"),
    number("expected", "events expected at the standard's rates"),
    whole("n", "events observed"),
    STATUS,
];

const ADJUSTED_RATE: Definition = Definition {
    name: "adjusted_rate",
    arguments: &[
        needed("events", Kind::Count, "the unit's events in a stratum"),
        needed("exposure", Kind::Amount, "its exposure, or trials, in it"),
        needed(
            "standard_events",
            Kind::Count,
            "events of the standard, such as all units, in it",
        ),
        needed(
            "standard_exposure",
            Kind::Amount,
            "exposure of the standard in it",
        ),
        CONF,
        METHOD.constant(),
    ],
    returns: Returns::Record(ADJUSTED_FIELDS),
    body: Body::Aggregate(|rows, out| {
        let found = adjusted_rate(
            &rows.counts(0)?,
            rows.numbers(1),
            &rows.counts(2)?,
            rows.numbers(3),
            rows.number_or(4, 0.95),
            rows.word(5, Method::Byar)?,
        )?;
        out.number(found.rate.value)
            .number(found.rate.lo)
            .number(found.rate.hi)
            .number(found.crude_rate)
            .number(found.ratio.value)
            .number(found.ratio.lo)
            .number(found.ratio.hi)
            .number(found.expected)
            .count(found.observed)
            .status(found.ratio.status);
        Ok(())
    }),
    text: Text {
        chapter: Chapter::FairComparison,
        what: "A unit's rate adjusted for its mix of strata, one row for each stratum.",
        nulls: "A row with a NULL is left out and counted. A stratum without exposure of the standard expects nothing. Nothing expected: `no_data`, or `zero_base` where something was observed. A number below 0: `infeasible`.",
        source: "Indirect standardisation: Breslow & Day (1987) vol. II, 2.3; with `log` R's `epitools::ageadjust.indirect`.",
        example: "SELECT adjusted_rate(won, leads, all_won, all_leads) AS a FROM (VALUES ('web', 8, 40, 60, 420), ('fair', 9, 12, 90, 130)) AS t (source, won, leads, all_won, all_leads)",
    },
};
