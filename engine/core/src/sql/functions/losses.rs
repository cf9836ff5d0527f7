//! Losses of probabilities: what being wrong costs, on average over the rows.

use tributary_engine_stats::invalid::Invalid;
use tributary_engine_stats::quality::{Loss, Scored, brier, brier_diff, log_loss};

use super::argument::{Argument, CONF, Kind, needed};
use super::definition::{Body, Chapter, Definition, Field, Returns, STATUS, Text, number, whole};
use super::out::Out;
use super::rows::Rows;

pub const ALL: &[Definition] = &[BRIER, LOG_LOSS, BRIER_DIFF];

const SCORE: Argument = needed("score", Kind::Probability, "a probability");
const LABEL: Argument = needed("label", Kind::Truth, "whether it came true");

const FIELDS: &[Field] = &[
    number("value", "mean over the rows; lower is better"),
    number("se", "its standard error; NULL below two rows"),
    whole("n", "rows"),
    STATUS,
];

const NULLS: &str = "A row with a NULL is left out and counted. No rows: `no_data`. A score that is no probability: `infeasible`.";

const BRIER: Definition = Definition {
    name: "brier",
    arguments: &[SCORE, LABEL],
    returns: Returns::Record(FIELDS),
    body: Body::Aggregate(|rows, out| loss(rows, out, brier)),
    text: Text {
        chapter: Chapter::LeadQuality,
        what: "The mean squared distance of a probability from what happened.",
        nulls: NULLS,
        source: "Brier (1950) Mon Weather Rev 78:1; scikit-learn's `brier_score_loss`.",
        example: "SELECT brier(score, won) AS b FROM (VALUES (0.9, true), (0.8, true), (0.7, false), (0.6, true), (0.4, false), (0.2, false)) AS t (score, won)",
    },
};

const LOG_LOSS: Definition = Definition {
    name: "log_loss",
    arguments: &[SCORE, LABEL],
    returns: Returns::Record(FIELDS),
    body: Body::Aggregate(|rows, out| loss(rows, out, log_loss)),
    text: Text {
        chapter: Chapter::LeadQuality,
        what: "The mean surprise at what happened: a certain and wrong row costs 36.04.",
        nulls: NULLS,
        source: "Good (1952), with probabilities cut to 2⁻⁵² and 1 less that; scikit-learn's `log_loss`.",
        example: "SELECT log_loss(score, won) AS l FROM (VALUES (0.9, true), (0.8, true), (0.7, false), (0.6, true), (0.4, false), (0.2, false)) AS t (score, won)",
    },
};

fn loss(
    rows: &Rows<'_>,
    out: &mut Out,
    measure: impl Fn(&Scored) -> Result<Loss, Invalid>,
) -> Result<(), Invalid> {
    let found = measure(&Scored::new(rows.numbers(0), rows.truths(1))?)?;
    out.number(found.value)
        .number(found.se)
        .count(found.n)
        .status(found.status);
    Ok(())
}

const BRIER_DIFF: Definition = Definition {
    name: "brier_diff",
    arguments: &[
        needed("s1", Kind::Probability, "the one probability"),
        needed(
            "s2",
            Kind::Probability,
            "the other probability of the same lead",
        ),
        LABEL,
        CONF,
    ],
    returns: Returns::Record(&[
        number(
            "diff",
            "the first less the second: negative where the first is better",
        ),
        number("se", "its standard error"),
        number("lo", "lower end of the interval"),
        number("hi", "upper end"),
        number("z", "`diff` over `se`"),
        number("p", "its two-sided p value"),
        whole("n", "rows"),
        STATUS,
    ]),
    body: Body::Aggregate(|rows, out| {
        let found = brier_diff(
            rows.numbers(0),
            rows.numbers(1),
            rows.truths(2),
            rows.number_or(3, 0.95),
        )?;
        out.number(found.diff)
            .number(found.se)
            .number(found.lo)
            .number(found.hi)
            .number(found.z)
            .number(found.p)
            .count(found.n)
            .status(found.status);
        Ok(())
    }),
    text: Text {
        chapter: Chapter::LeadQuality,
        what: "Which of two probabilities of the same leads is closer to what happened, with the interval of the difference.",
        nulls: "As `brier`. One row, or a difference that is the same in every row: `small_n`.",
        source: "Diebold & Mariano (1995) J Bus Econ Stat 13:253, for independent rows.",
        example: "SELECT brier_diff(old, new, won) AS d FROM (VALUES (0.9, 0.8, true), (0.8, 0.9, true), (0.3, 0.7, true), (0.6, 0.4, false), (0.5, 0.75, false), (0.4, 0.1, false), (0.2, 0.3, false)) AS t (old, new, won)",
    },
};
