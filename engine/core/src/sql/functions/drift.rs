//! Drift: has the distribution of a score moved, by more than chance moves it?

use tributary_engine_stats::quality::{Drift, psi};

use super::argument::{Kind, needed, optional};
use super::definition::{Body, Chapter, Definition, Returns, STATUS, Shape, Text, field, number};

pub const ALL: &[Definition] = &[PSI];

const PSI: Definition = Definition {
    name: "psi",
    arguments: &[
        needed(
            "expected",
            Kind::Numbers,
            "rows of the reference by bin, or shares",
        ),
        needed(
            "actual",
            Kind::Numbers,
            "rows to compare in the same bins, or shares",
        ),
        optional(
            "smoothing",
            Kind::Amount,
            "what is added to every bin, 0 by default; .5 where one may be empty",
        ),
        optional(
            "alpha",
            Kind::Inside,
            "chance to exceed `critical` without drift, .05 by default",
        ),
    ],
    returns: Returns::Record(&[
        number("psi", "the index: 0 for the same shares"),
        number("critical", "what chance exceeds with probability `alpha`"),
        field(
            "verdict",
            Shape::Text,
            "`drifted` where `psi` exceeds `critical`, else `stable`",
        ),
        number("p", "chance of an index at least as large without drift"),
        STATUS,
    ]),
    body: Body::Scalar(|row, out| {
        let (expected, actual) = row.numbers(0).zip(row.numbers(1)).unwrap_or_default();
        let (smoothing, alpha) = (row.number_or(2, 0.0), row.number_or(3, 0.05));
        let found = psi(&expected, &actual, smoothing, alpha)?;
        out.number(found.value)
            .number(found.critical)
            .text(found.verdict.map(Drift::as_str))
            .number(found.p)
            .status(found.status);
        Ok(())
    }),
    text: Text {
        chapter: Chapter::LeadQuality,
        what: "Population stability index: whether scores, or any shares, are still distributed as they were. The folk limit of .1 is exceeded by chance with a few hundred leads; `critical` is not.",
        nulls: "A NULL list, a NULL in a list, or a side without rows: `no_data`. A bin that is empty on one side only: `infeasible` unless smoothed. Shares in place of counts: no `critical`, no verdict.",
        source: "Siddiqi (2006), \"Credit Risk Scorecards\"; critical value of Yurdakul (2018), Western Michigan University diss. 3208, ch. 3.",
        example: "SELECT psi([50, 30, 20, 0], [40, 30, 25, 5], 0.5) AS p",
    },
};
