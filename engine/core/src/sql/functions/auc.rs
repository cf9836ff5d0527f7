//! Area under the ROC curve: how well a score tells leads that succeed from leads that don't.

use tributary_engine_stats::quality::{AucMethod, Scored, auc, auc_ci, auc_diff};

use super::argument::{Argument, CONF, Kind, needed, optional};
use super::definition::{Body, Chapter, Definition, Field, Returns, STATUS, Text, number, whole};

pub const ALL: &[Definition] = &[AUC, AUC_CI, AUC_DIFF];

const SCORE: Argument = needed("score", Kind::Number, "the score; higher means likelier");
const LABEL: Argument = needed("label", Kind::Truth, "whether it succeeded");

const VALUE: Field = number(
    "value",
    "chance that a success scores above a failure, equal scores counting half",
);
const SE: Field = number("se", "its standard error");
const LO: Field = number("lo", "lower end of the interval");
const HI: Field = number("hi", "upper end");
const POSITIVES: Field = whole("positives", "rows that succeeded");
const NEGATIVES: Field = whole("negatives", "rows that did not");
const ROWS: Field = whole("n", "rows");

const AUC: Definition = Definition {
    name: "auc",
    arguments: &[SCORE, LABEL],
    returns: Returns::Record(&[VALUE, POSITIVES, NEGATIVES, ROWS, STATUS]),
    body: Body::Aggregate(|rows, out| {
        let found = auc(&Scored::new(rows.numbers(0), rows.truths(1))?);
        out.number(found.value)
            .count(found.positives)
            .count(found.negatives)
            .count(found.positives + found.negatives)
            .status(found.status);
        Ok(())
    }),
    text: Text {
        chapter: Chapter::LeadQuality,
        what: "How well a score tells leads that succeed from leads that don't: .5 is a coin, 1 is perfect, below .5 the wrong way round.",
        nulls: "A row with a NULL is left out and counted. No successes, or no failures: `no_data`.",
        source: "Bamber (1975) J Math Psychol 12:387; scikit-learn's `roc_auc_score`.",
        example: "SELECT auc(score, won) AS a FROM (VALUES (0.9, true), (0.8, true), (0.7, false), (0.6, true), (0.4, false), (0.2, false)) AS t (score, won)",
    },
};

const AUC_CI: Definition = Definition {
    name: "auc_ci",
    arguments: &[
        SCORE,
        LABEL,
        CONF,
        optional(
            "method",
            Kind::Choice(&["delong", "logit"]),
            "how the interval is drawn, `delong` by default; `logit` never leaves 0 to 1",
        )
        .constant(),
    ],
    returns: Returns::Record(&[VALUE, SE, LO, HI, POSITIVES, NEGATIVES, ROWS, STATUS]),
    body: Body::Aggregate(|rows, out| {
        let method = rows.word(3, AucMethod::DeLong)?;
        let scored = Scored::new(rows.numbers(0), rows.truths(1))?;
        let found = auc_ci(&scored, rows.number_or(2, 0.95), method)?;
        out.number(found.value)
            .number(found.se)
            .number(found.lo)
            .number(found.hi)
            .count(found.positives)
            .count(found.negatives)
            .count(scored.n())
            .status(found.status);
        Ok(())
    }),
    text: Text {
        chapter: Chapter::LeadQuality,
        what: "The same with its interval.",
        nulls: "As `auc`. A single success or failure, or a score that separates the two completely: `small_n`.",
        source: "delong: DeLong, DeLong & Clarke-Pearson (1988) Biometrics 44:837, R's `pROC::ci.auc`; logit: Pepe (2003), p. 107.",
        example: "SELECT auc_ci(score, won) AS a FROM (VALUES (0.9, true), (0.8, true), (0.7, false), (0.6, true), (0.4, false), (0.2, false)) AS t (score, won)",
    },
};

const AUC_DIFF: Definition = Definition {
    name: "auc_diff",
    arguments: &[
        needed("s1", Kind::Number, "the one score"),
        needed("s2", Kind::Number, "the other score of the same lead"),
        LABEL,
        CONF,
    ],
    returns: Returns::Record(&[
        number("diff", "area of the first score less that of the second"),
        SE,
        LO,
        HI,
        number("z", "`diff` over `se`"),
        number("p", "its two-sided p value"),
        number("first", "area of the first score"),
        number("second", "area of the second"),
        POSITIVES,
        NEGATIVES,
        ROWS,
        STATUS,
    ]),
    body: Body::Aggregate(|rows, out| {
        let found = auc_diff(
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
            .number(found.first)
            .number(found.second)
            .count(found.positives)
            .count(found.negatives)
            .count(found.positives + found.negatives)
            .status(found.status);
        Ok(())
    }),
    text: Text {
        chapter: Chapter::LeadQuality,
        what: "Which of two scores of the same leads tells successes better, champion against challenger.",
        nulls: "As `auc`. A single success or failure, or scores that order the leads alike: `small_n`.",
        source: "DeLong, DeLong & Clarke-Pearson (1988) Biometrics 44:837; R's `pROC::roc.test(paired = TRUE)`.",
        example: "SELECT auc_diff(old, new, won) AS d FROM (VALUES (0.9, 0.8, true), (0.8, 0.9, true), (0.3, 0.7, true), (0.6, 0.4, false), (0.5, 0.75, false), (0.4, 0.1, false), (0.2, 0.3, false)) AS t (old, new, won)",
    },
};
