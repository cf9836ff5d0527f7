//! Pareto classes: the few that make most of a total, the next, and the rest.

use tributary_engine_stats::estimate::Status;
use tributary_engine_stats::pareto::pareto_classes;

use super::argument::{Kind, needed, optional};
use super::definition::{
    Body, Chapter, Definition, Field, Returns, STATUS, Shape, Text, field, number, whole,
};

pub const ALL: &[Definition] = &[PARETO];

const FIELDS: &[Field] = &[
    number("share", "its share of the total"),
    number(
        "cumulative_share",
        "share of it, all larger and all equal ones",
    ),
    whole("rank", "1 plus the number of larger ones"),
    field(
        "class",
        Shape::Text,
        "`A` where all larger ones have less than `a` of the total, `B` where they have less than `b`, else `C`; what is 0 is `C`",
    ),
    STATUS,
];

const PARETO: Definition = Definition {
    name: "pareto",
    arguments: &[
        needed("x", Kind::Number, "amounts of at least 0"),
        optional("a", Kind::Probability, "the first cut, .8 by default").constant(),
        optional("b", Kind::Probability, "the second, .95 by default").constant(),
    ],
    returns: Returns::Record(FIELDS),
    body: Body::Window {
        ordered: false,
        body: |rows, out| {
            let a = rows.number_or(1, 0.8);
            let b = rows.number_or(2, a.max(0.95));
            match pareto_classes(rows.numbers(0), a, b)? {
                Some(parts) => parts.iter().for_each(|part| {
                    out.number(part.share)
                        .number(part.cumulative_share)
                        .count(part.rank)
                        .text(part.class.as_str())
                        .status(Status::Ok);
                }),
                None => (0..rows.len).for_each(|_| out.nothing(FIELDS, Status::ZeroBase)),
            }
            Ok(())
        },
    },
    text: Text {
        chapter: Chapter::Shares,
        what: "Which few make most of a total: the share of each, what it and all larger ones have together, and its class.",
        nulls: "A row with NULL is `no_data` and not part of the total. A total of 0: `zero_base`. A negative amount leaves no total to share: all rows of the partition are `infeasible`; net returns first.",
        source: "Pareto (1896); Juran (1951); Dickie (1951), \"ABC Inventory Analysis\". What crosses a cut still belongs to the class before.",
        example: "SELECT unit, pareto(amount) OVER () AS p FROM (VALUES ('A', 700.0), ('B', 150.0), ('C', 90.0), ('D', 40.0), ('E', 20.0)) AS t (unit, amount) ORDER BY unit",
    },
};
