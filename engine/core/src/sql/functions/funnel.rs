//! Funnel limits: which units lie further from the target than chance and ordinary differences explain.

use tributary_engine_stats::estimate::Status;
use tributary_engine_stats::funnel::{self, Method, Options, Unit, funnel_limits};
use tributary_engine_stats::invalid::Invalid;

use super::argument::{Argument, Kind, needed, optional};
use super::definition::{
    Body, Chapter, Definition, Field, Returns, STATUS, Shape, Text, field, number, whole,
};
use super::out::Out;
use super::rows::Rows;
use super::sound::{each, of};

pub const ALL: &[Definition] = &[FUNNEL_LIMITS];

const FUNNEL_LIMITS: Definition = Definition {
    name: "funnel_limits",
    arguments: ARGUMENTS,
    returns: RETURNS,
    body: Body::Window {
        ordered: false,
        body: |rows, out| {
            let options = options(rows)?;
            let (y, n) = (rows.numbers(0), rows.numbers(1));
            let compute = |asked: &[usize]| {
                let mut found = funnel_limits(&of(y, asked), &of(n, asked), &options)?;
                let units = std::mem::take(&mut found.units);
                Ok(units.into_iter().map(|it| (it, found.clone())).collect())
            };
            each(rows, out, RETURNS, compute, |_, (unit, funnel), out| {
                put(unit, funnel, out);
            })
        },
    },
    text: Text {
        chapter: Chapter::FairComparison,
        what: "Who underperforms: each unit against the target, with limits as wide as its own few leads and the ordinary differences between units make them, the number of units allowed for, and the smallest drop that would have shown.",
        nulls: "A row with a NULL has `no_data` and no standing. A row without a denominator has `no_data` (`zero_base` with a numerator) and stands `cannot_tell`. A row that makes no sense, such as more successes than trials, is `infeasible` and left out of the funnel. Fewer than five units: `small_n`, with all values. A method that does not suit the kind is an error.",
        source: "Spiegelhalter (2005) Stat Med 24:1185; spread between units as Spiegelhalter et al. (2012) JRSS A 175:1; betabinomial: tails of the beta-binomial (`oe`: gamma-Poisson) distribution; anscombe: Anscombe (1948) Biometrika 35:246; cqc and shmi: R's `FunnelPlotR`; q: Benjamini & Hochberg (1995).",
        example: "SELECT unit, f['ratio'] AS rate, f['lo95'] AS lo95, f['q_low'] AS q_low, f['mde'] AS mde, f['standing'] AS standing FROM (SELECT unit, funnel_limits(y, n) OVER () AS f FROM (VALUES ('A', 9, 36), ('B', 95, 400), ('C', 30, 300), ('D', 3, 20), ('E', 70, 260), ('F', 52, 210), ('G', 26, 110)) AS t (unit, y, n)) ORDER BY unit",
    },
};

const ARGUMENTS: &[Argument] = &[
    needed("y", Kind::Amount, "successes, observed events or numerator"),
    needed("n", Kind::Amount, "trials, expected events or denominator"),
    optional(
        "kind",
        Kind::Choice(&["rate", "oe", "ratio"]),
        "`rate` (the default): successes of trials; `oe`: observed over expected events; `ratio`: of two counts",
    )
    .constant(),
    optional(
        "method",
        Kind::Choice(&["betabinomial", "anscombe", "cqc", "shmi"]),
        "`betabinomial` by default, `anscombe` for ratios; `shmi` for `oe` only",
    )
    .constant(),
    optional(
        "target",
        Kind::Positive,
        "what units are set against; by default that of all together, and 1 for `oe`",
    )
    .constant(),
    optional(
        "q_max",
        Kind::Probability,
        "the false discovery rate at which a unit is `below`, .1 by default",
    )
    .constant(),
    optional(
        "materiality",
        Kind::Probability,
        "the drop, as a share of the target, that has to be detectable before a unit is `in_line`, .25 by default",
    )
    .constant(),
    optional(
        "power",
        Kind::Inside,
        "at which a drop is detectable, .8 by default",
    )
    .constant(),
    optional(
        "alpha",
        Kind::Inside,
        "level of the two-sided test that detects it, .05 by default",
    )
    .constant(),
    optional(
        "trim",
        Kind::Probability,
        "share of the units at each end that do not count in full for the spread, .1 by default, below .5",
    )
    .constant(),
];

const RETURNS: Returns = Returns::Record(FIELDS);

const FIELDS: &[Field] = &[
    number("target", "what units are set against"),
    number("ratio", "the unit's own, `y` over `n`"),
    number(
        "z",
        "distance from the target in standard errors of chance alone",
    ),
    number(
        "z_od",
        "the same, with the spread between units (over-dispersion)",
    ),
    number("p_low", "probability of a unit on target to be as low"),
    number("q_low", "the same, allowing for the number of units"),
    number("lo95", "lower limit for 95 % of units on target"),
    number("hi95", "upper limit for 95 %"),
    number("lo998", "lower limit for 99.8 %"),
    number("hi998", "upper limit for 99.8 %"),
    number(
        "phi",
        "over-dispersion: about 1 where units differ by chance alone",
    ),
    number("tau2", "variance between units on the scale of the method"),
    field(
        "standing",
        Shape::Text,
        "`below`: `q_low` is at most `q_max`; `watch`: not so, but `z_od` < -1.96 or `p_low` < .025; `in_line`: neither, and a material drop would have shown; `cannot_tell`: it need not have",
    ),
    number(
        "mde",
        "the smallest drop below the target that would be detected",
    ),
    whole("units", "units behind `phi` and `tau2`"),
    STATUS,
];

fn options(rows: &Rows<'_>) -> Result<Options, Invalid> {
    let kind = rows.word(2, funnel::Kind::Rate)?;
    let default = Options::of(kind);
    Ok(Options {
        kind,
        method: rows.word(3, Method::default_for(kind))?,
        target: rows.number(4),
        q_max: rows.number_or(5, default.q_max),
        materiality: rows.number_or(6, default.materiality),
        power: rows.number_or(7, default.power),
        alpha: rows.number_or(8, default.alpha),
        trim: rows.number_or(9, default.trim),
    })
}

fn put(unit: &Unit, funnel: &funnel::Funnel, out: &mut Out) {
    let status = match (unit.status, funnel.status) {
        (Status::Ok, Status::SmallN) => Status::SmallN,
        (status, _) => status,
    };
    let limits = unit.limits;
    out.number(funnel.target)
        .number(unit.ratio)
        .number(unit.z)
        .number(unit.z_od)
        .number(unit.p_low)
        .number(unit.q_low)
        .number(limits.map(|it| it.lo95))
        .number(limits.map(|it| it.hi95))
        .number(limits.map(|it| it.lo998))
        .number(limits.map(|it| it.hi998))
        .number(funnel.phi)
        .number(funnel.tau2)
        .text(unit.standing.as_str())
        .number(unit.mde)
        .count(funnel.units_used)
        .status(status);
}
