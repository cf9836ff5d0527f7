//! Recalibration: how a score has to be bent to become a probability.

use tributary_engine_stats::quality::{Coefficient, Scored, isotonic_of_labels, recalibration};

use super::argument::{CONF, Kind, needed};
use super::definition::{Body, Chapter, Definition, Returns, STATUS, Text, number, whole};
use super::out::Out;

pub const ALL: &[Definition] = &[ISOTONIC, RECALIBRATION];

const ISOTONIC: Definition = Definition {
    name: "isotonic",
    arguments: &[
        needed("score", Kind::Number, "the score; higher means likelier"),
        needed("label", Kind::Truth, "whether it succeeded"),
    ],
    returns: Returns::Records(&[
        number("score", "a score that occurs"),
        number("value", "the probability that goes with it"),
        whole("n", "rows with this score"),
    ]),
    body: Body::Aggregate(|rows, out| {
        let scored = Scored::new(rows.numbers(0), rows.truths(1))?;
        for point in isotonic_of_labels(&scored).points {
            out.number(point.score)
                .number(point.value)
                .count(point.weight as u64);
        }
        Ok(())
    }),
    text: Text {
        chapter: Chapter::LeadQuality,
        what: "What probability goes with each score, if a higher score may not mean a lower one: the non-decreasing fit, ascending in score.",
        nulls: "A row with a NULL is left out. No rows: an empty list. A score that is not finite: NULL.",
        source: "Pool adjacent violators: Ayer et al. (1955) Ann Math Stat 26:641; Zadrozny & Elkan (2002) KDD; R's `isoreg`.",
        example: "SELECT unnest(isotonic(score, won)) AS i FROM (VALUES (1, true), (2, false), (3, false), (4, true), (5, false), (6, true)) AS t (score, won)",
    },
};

const RECALIBRATION: Definition = Definition {
    name: "recalibration",
    arguments: &[
        needed("score", Kind::Probability, "a probability"),
        needed("label", Kind::Truth, "whether it came true"),
        CONF,
    ],
    returns: Returns::Record(&[
        number(
            "intercept",
            "a of logit P = a + b logit(score); 0 for calibrated scores",
        ),
        number("intercept_se", "its standard error"),
        number("intercept_lo", "lower end of its interval"),
        number("intercept_hi", "upper end"),
        number(
            "slope",
            "b of the same; 1 for calibrated scores, below 1 for scores that are too extreme",
        ),
        number("slope_se", "its standard error"),
        number("slope_lo", "lower end of its interval"),
        number("slope_hi", "upper end"),
        number(
            "in_the_large",
            "a with b held at 1: above 0 where more comes true than the scores say",
        ),
        number("in_the_large_se", "its standard error"),
        number("in_the_large_lo", "lower end of its interval"),
        number("in_the_large_hi", "upper end"),
        whole(
            "excluded",
            "rows with a score of 0 or 1, which have no logit",
        ),
        whole("n", "rows used"),
        STATUS,
    ]),
    body: Body::Aggregate(|rows, out| {
        let scored = Scored::new(rows.numbers(0), rows.truths(1))?;
        let found = recalibration(&scored, rows.number_or(2, 0.95))?;
        for coefficient in [found.intercept, found.slope, found.in_the_large] {
            put(coefficient, out);
        }
        out.count(found.excluded)
            .count(found.n)
            .status(found.status);
        Ok(())
    }),
    text: Text {
        chapter: Chapter::LeadQuality,
        what: "How far a probability is off: the line along which its logit has to be bent.",
        nulls: "A row with a NULL is left out and counted. No rows: `no_data`. One outcome only, one score only, scores that separate the outcomes, or a score that is no probability: `infeasible`.",
        source: "Cox (1958) Biometrika 45:562; Miller, Hui & Tierney (1991) Stat Med 10:1213; R's `rms::val.prob`.",
        example: "SELECT recalibration(score, won) AS r FROM (VALUES (0.9, true), (0.8, true), (0.7, false), (0.6, true), (0.5, false), (0.4, true), (0.3, false), (0.2, false)) AS t (score, won)",
    },
};

fn put(coefficient: Option<Coefficient>, out: &mut Out) {
    out.number(coefficient.map(|it| it.value))
        .number(coefficient.map(|it| it.se))
        .number(coefficient.map(|it| it.lo))
        .number(coefficient.map(|it| it.hi));
}
