//! P values of many tests at once.

use tributary_engine_stats::adjust::{Method, p_adjust};

use super::argument::{Kind, needed, optional};
use super::definition::{Body, Chapter, Definition, Returns, Shape, Text};
use super::sound::each;

pub const ALL: &[Definition] = &[P_ADJUST];

const RETURNS: Returns = Returns::Value(Shape::Number);

const P_ADJUST: Definition = Definition {
    name: "p_adjust",
    arguments: &[
        needed("p", Kind::Probability, "the p value of a test"),
        optional(
            "method",
            Kind::Choice(&["bh", "by", "holm", "hochberg", "bonferroni", "none"]),
            "`bh`, the false discovery rate, by default",
        )
        .constant(),
    ],
    returns: RETURNS,
    body: Body::Window {
        ordered: false,
        body: |rows, out| {
            let method = rows.word(1, Method::Bh)?;
            let p = rows.numbers(0);
            let compute = |asked: &[usize]| {
                let p: Vec<Option<f64>> = asked.iter().map(|row| Some(p[*row])).collect();
                p_adjust(&p, method)
            };
            each(rows, out, RETURNS, compute, |_, adjusted, out| {
                out.number(*adjusted);
            })
        },
    },
    text: Text {
        chapter: Chapter::FairComparison,
        what: "P values that allow for how many tests there are: of twenty units on target one is below .05 by chance.",
        nulls: "A test that did not happen is NULL, stays NULL and does not count. A number outside 0 to 1 is treated the same.",
        source: "bh: Benjamini & Hochberg (1995) JRSS B 57:289; by: Benjamini & Yekutieli (2001); holm: Holm (1979); hochberg: Hochberg (1988). R's `p.adjust`.",
        example: "SELECT p, p_adjust(p) OVER () AS q, p_adjust(p, 'holm') OVER () AS holm FROM (VALUES (0.0001), (0.0095), (0.0201), (0.3240), (1.0)) AS t (p) ORDER BY p",
    },
};
