//! Shares of a total: how unequal they are.

use tributary_engine_stats::invalid::Invalid;
use tributary_engine_stats::share::{effective_n, gini, gini_unbiased, hhi, top_share};

use super::argument::{Kind, needed};
use super::definition::{Body, Chapter, Definition, Returns, Shape, Text};
use super::rows::Rows;

pub const ALL: &[Definition] = &[
    measure(
        "gini",
        |rows, out| one(rows, out, gini),
        "How unequal amounts are: 0 where all are equal, towards 1 where one has everything.",
        "(2 Σ i x₍ᵢ₎) / (n Σ x) - (n+1)/n; Gini (1912).",
        "SELECT gini(amount) AS g FROM (SELECT distributor_id, sum(amount) AS amount FROM revenue WHERE kind <> 'return' GROUP BY 1)",
    ),
    measure(
        "gini_unbiased",
        |rows, out| one(rows, out, gini_unbiased),
        "The Gini coefficient times n/(n-1), which does not depend on how many there are.",
        "Deltas (2003).",
        "SELECT gini_unbiased(v) AS g FROM (VALUES (1.0), (2.0), (3.0)) AS t (v)",
    ),
    measure(
        "hhi",
        |rows, out| one(rows, out, hhi),
        "The Herfindahl-Hirschman index: 10,000 times the sum of squared shares.",
        "Hirschman (1945); Herfindahl (1950).",
        "SELECT hhi(v) AS h FROM (VALUES (50.0), (30.0), (20.0)) AS t (v)",
    ),
    measure(
        "effective_n",
        |rows, out| one(rows, out, effective_n),
        "How many equal ones would be as concentrated: 1 over the sum of squared shares.",
        "Laakso & Taagepera (1979).",
        "SELECT effective_n(v) AS n FROM (VALUES (50.0), (30.0), (20.0)) AS t (v)",
    ),
    Definition {
        name: "top_share",
        arguments: &[
            needed("x", Kind::Number, "amounts of at least 0"),
            needed("frac", Kind::Probability, "of how many").constant(),
        ],
        returns: Returns::Value(Shape::Number),
        body: Body::Aggregate(|rows, out| {
            let frac = rows.number_or(1, 0.2);
            one(rows, out, |x| top_share(x, frac))
        }),
        text: Text {
            chapter: Chapter::Shares,
            what: "The share of the total that the largest ones have, the first tenth with .1.",
            nulls: NULLS,
            source: "Pareto (1896); the last one counts in part where the number is not whole.",
            example: "SELECT top_share(v, 0.2) AS share FROM (VALUES (50.0), (30.0), (10.0), (5.0), (5.0)) AS t (v)",
        },
    },
];

const NULLS: &str = "NULL rows are left out; NULL where nothing is left or the total is 0. A negative amount is an error.";

const fn measure(
    name: &'static str,
    body: super::definition::OfRows,
    what: &'static str,
    source: &'static str,
    example: &'static str,
) -> Definition {
    Definition {
        name,
        arguments: const { &[needed("x", Kind::Number, "amounts of at least 0")] },
        returns: Returns::Value(Shape::Number),
        body: Body::Aggregate(body),
        text: Text {
            chapter: Chapter::Shares,
            what,
            nulls: NULLS,
            source,
            example,
        },
    }
}

/// A measure of the amounts, which are sorted so that the order of the rows does not matter.
fn one(
    rows: &Rows<'_>,
    out: &mut super::out::Out,
    measure: impl Fn(&[f64]) -> Result<Option<f64>, Invalid>,
) -> Result<(), Invalid> {
    let mut amounts = rows.numbers(0).to_vec();
    amounts.sort_by(f64::total_cmp);
    out.number(measure(&amounts)?);
    Ok(())
}
