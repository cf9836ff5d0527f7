//! Ranks: how sure a league table is.

use tributary_engine_stats::rank::{rank_posterior, rank_posterior_eb};

use super::argument::{CONF, Kind, needed, optional};
use super::definition::{Body, Chapter, Definition, Returns, STATUS, Text, number, whole};
use super::sound::{counts_of, each};

pub const ALL: &[Definition] = &[RANK_POSTERIOR];

const RETURNS: Returns = Returns::Record(&[
    number("rank_mean", "expected rank; 1 is the highest rate"),
    whole("rank_lo", "lower end of the interval of the rank"),
    whole("rank_hi", "upper end"),
    number("p_best", "probability that no rate is higher"),
    number("p_worst", "probability that no rate is lower"),
    whole("n", "the unit's trials"),
    STATUS,
]);

const RANK_POSTERIOR: Definition = Definition {
    name: "rank_posterior",
    arguments: &[
        needed("y", Kind::Count, "successes of the unit"),
        needed("n", Kind::Count, "its trials"),
        CONF,
        optional(
            "a",
            Kind::Positive,
            "prior Beta(a, b); by default the one that `eb_rate` fits",
        )
        .constant(),
        optional("b", Kind::Positive, "the second shape, 1 by default").constant(),
    ],
    returns: RETURNS,
    body: Body::Window {
        ordered: false,
        body: |rows, out| {
            let conf = rows.number_or(2, 0.95);
            let (y, n) = (rows.wholes(0), rows.wholes(1));
            let compute = |asked: &[usize]| {
                let (y, n) = (counts_of("y", y, asked)?, counts_of("n", n, asked)?);
                match rows.number(3) {
                    Some(a) => rank_posterior(&y, &n, a, rows.number_or(4, 1.0), conf),
                    None => rank_posterior_eb(&y, &n, conf),
                }
            };
            let whole = |rank: Option<u64>| rank.and_then(|it| i64::try_from(it).ok());
            each(rows, out, RETURNS, compute, |row, unit, out| {
                out.number(unit.rank_mean)
                    .whole(whole(unit.rank_lo))
                    .whole(whole(unit.rank_hi))
                    .number(unit.p_best)
                    .number(unit.p_worst)
                    .whole(n[row])
                    .status(unit.status);
            })
        },
    },
    text: Text {
        chapter: Chapter::FairComparison,
        what: "How sure a rank is: in a league table of few leads each, most ranks could be most others.",
        nulls: "A row with a NULL, or without trials, is `no_data` and not ranked. A row that makes no sense is `infeasible`, and the others are ranked without it. Fewer than five units without a prior given: `small_n`. Above 1000 units `rank_lo` and `rank_hi` are NULL.",
        source: "Expected ranks: Laird & Louis (1989) J Educ Stat 14:29; probabilities by quadrature over independent beta posteriors.",
        example: "SELECT unit, rank_posterior(y, n) OVER () AS r FROM (VALUES ('A', 1, 4), ('B', 30, 100), ('C', 5, 90), ('D', 0, 5), ('E', 22, 60), ('F', 40, 210)) AS t (unit, y, n) ORDER BY unit",
    },
};
