//! What a score is worth at a capacity: lift of the top rows, and the largest gap between the classes.

use tributary_engine_stats::quality::{Lift, Scored, ks_stat, lift_at, lift_at_count};

use super::argument::{Argument, Kind, needed};
use super::definition::{Body, Chapter, Definition, Field, Returns, STATUS, Text, number, whole};
use super::out::Out;

pub const ALL: &[Definition] = &[LIFT_AT, LIFT_AT_COUNT, KS_STAT];

const SCORE: Argument = needed("score", Kind::Number, "the score; higher means likelier");
const LABEL: Argument = needed("label", Kind::Truth, "whether it succeeded");

const FIELDS: &[Field] = &[
    number("lift", "`rate_top` over `rate_all`"),
    number("rate_top", "share of successes among the top rows"),
    number("rate_all", "share of successes among all rows"),
    number(
        "captured",
        "share of all successes that are among the top rows",
    ),
    number("top", "rows in the top; need not be whole"),
    number("threshold", "lowest score in the top"),
    whole("n", "rows"),
    STATUS,
];

const LIFT_AT: Definition = Definition {
    name: "lift_at",
    arguments: &[
        SCORE,
        LABEL,
        needed(
            "frac",
            Kind::Probability,
            "the part of the rows at the top, above 0",
        )
        .constant(),
    ],
    returns: Returns::Record(FIELDS),
    body: Body::Aggregate(|rows, out| {
        let scored = Scored::new(rows.numbers(0), rows.truths(1))?;
        put(&lift_at(&scored, rows.number_or(2, 0.0))?, out);
        Ok(())
    }),
    text: Text {
        chapter: Chapter::LeadQuality,
        what: "How much richer in successes the rows with the highest scores are. Where the top cuts through equal scores it takes the part of each class that fits.",
        nulls: "A row with a NULL is left out and counted. No rows: `no_data`; no successes: `zero_base`.",
        source: "Ties as Fawcett (2006) Pattern Recogn Lett 27:861, sec. 4.",
        example: "SELECT lift_at(score, won, 0.5) AS l FROM (VALUES (0.9, true), (0.8, true), (0.7, false), (0.6, true), (0.4, false), (0.2, false)) AS t (score, won)",
    },
};

const LIFT_AT_COUNT: Definition = Definition {
    name: "lift_at_count",
    arguments: &[
        SCORE,
        LABEL,
        needed(
            "count",
            Kind::Count,
            "the rows at the top: how many leads can be worked",
        )
        .constant(),
    ],
    returns: Returns::Record(FIELDS),
    body: Body::Aggregate(|rows, out| {
        let scored = Scored::new(rows.numbers(0), rows.truths(1))?;
        put(
            &lift_at_count(&scored, rows.count(2).unwrap_or_default())?,
            out,
        );
        Ok(())
    }),
    text: Text {
        chapter: Chapter::LeadQuality,
        what: "The same for a capacity: the rows with the `count` highest scores, or all where there are fewer.",
        nulls: "As `lift_at`.",
        source: "As `lift_at`.",
        example: "SELECT lift_at_count(score, won, 2) AS l FROM (VALUES (0.9, true), (0.8, true), (0.7, false), (0.6, true), (0.4, false), (0.2, false)) AS t (score, won)",
    },
};

fn put(lift: &Lift, out: &mut Out) {
    out.number(lift.lift)
        .number(lift.rate_top)
        .number(lift.rate_all)
        .number(lift.captured)
        .number(lift.top)
        .number(lift.threshold)
        .count(lift.n)
        .status(lift.status);
}

const KS_STAT: Definition = Definition {
    name: "ks_stat",
    arguments: &[SCORE, LABEL],
    returns: Returns::Record(&[
        number(
            "value",
            "largest distance between the distributions of the scores of successes and failures, 0 to 1",
        ),
        number("at", "the score up to which it is taken"),
        whole("positives", "rows that succeeded"),
        whole("negatives", "rows that did not"),
        whole("n", "rows"),
        STATUS,
    ]),
    body: Body::Aggregate(|rows, out| {
        let scored = Scored::new(rows.numbers(0), rows.truths(1))?;
        let found = ks_stat(&scored);
        out.number(found.value)
            .number(found.at)
            .count(found.positives)
            .count(found.negatives)
            .count(scored.n())
            .status(found.status);
        Ok(())
    }),
    text: Text {
        chapter: Chapter::LeadQuality,
        what: "How far the scores of successes and failures lie apart, and where a threshold would part them best.",
        nulls: "A row with a NULL is left out and counted. No successes, or no failures: `no_data`.",
        source: "Smirnov (1939); `scipy.stats.ks_2samp`, R's `ks.test`.",
        example: "SELECT ks_stat(score, won) AS k FROM (VALUES (0.9, true), (0.8, true), (0.7, false), (0.6, true), (0.4, false), (0.2, false)) AS t (score, won)",
    },
};
