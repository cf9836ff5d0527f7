//! Shrinkage: what a unit's rate, count or mean probably is, given how much all units differ.

use tributary_engine_stats::estimate::Status;
use tributary_engine_stats::shrink::{
    CountMethod, MeanMethod, RateMethod, Shrunk, eb_count, eb_mean, eb_rate,
};

use super::argument::{Argument, CONF, Kind, needed, optional};
use super::definition::{Body, Chapter, Definition, Field, Returns, STATUS, Text, number, whole};
use super::out::Out;
use super::sound::{counts_of, each, of};

pub const ALL: &[Definition] = &[EB_RATE, EB_COUNT, EB_MEAN];

/// A drop by a quarter is what `funnel_limits` calls material, too.
const TARGET_FRAC: f64 = 0.75;

const TARGET: Argument = optional(
    "target_frac",
    Kind::Positive,
    "the part of the common mean that `p_below` is about, .75 by default",
)
.constant();

const EST: Field = number("est", "the unit's estimate, drawn towards the common mean");
const LO: Field = number("lo", "lower end of its interval");
const HI: Field = number("hi", "upper end of its interval");
const WEIGHT: Field = number(
    "weight",
    "what the unit's own data weigh in it, from 0 to 1",
);
const P_BELOW: Field = number(
    "p_below",
    "probability that the unit is below `target_frac` times the common mean",
);
const MEAN: Field = number("mean", "the common mean that estimates are drawn towards");

const NULLS: &str = "A row with a NULL is `no_data` and counts for nothing. A row that makes no sense is `infeasible`, and the others are estimated without it. Fewer than five units: `small_n`, without an estimate.";

const EB_RATE: Definition = Definition {
    name: "eb_rate",
    arguments: &[
        needed("y", Kind::Count, "successes of the unit"),
        needed("n", Kind::Count, "its trials"),
        optional(
            "method",
            Kind::Choice(&["mle", "moments", "simple_moments"]),
            "how the prior is fitted, `mle` by default",
        )
        .constant(),
        TARGET,
        CONF,
    ],
    returns: RATE,
    body: Body::Window {
        ordered: false,
        body: |rows, out| {
            let method = rows.word(2, RateMethod::Mle)?;
            let (target, conf) = (rows.number_or(3, TARGET_FRAC), rows.number_or(4, 0.95));
            let (y, n) = (rows.wholes(0), rows.wholes(1));
            let compute = |asked: &[usize]| {
                let (y, n) = (counts_of("y", y, asked)?, counts_of("n", n, asked)?);
                let found = eb_rate(&y, &n, method, conf, target)?;
                let units = found.units.into_iter();
                Ok(units.map(|unit| (unit, found.prior)).collect())
            };
            each(rows, out, RATE, compute, |row, (unit, prior), out| {
                estimate(unit, out)
                    .number(prior.a)
                    .number(prior.b)
                    .number(prior.rho)
                    .number(unit.p_below)
                    .number(prior.mean)
                    .whole(n[row])
                    .status(status(unit, prior.status));
            })
        },
    },
    text: Text {
        chapter: Chapter::FairComparison,
        what: "What a unit's rate probably is, its own data weighed against what all units are like. Few leads draw it far towards the common mean.",
        nulls: NULLS,
        source: "Beta-binomial. mle: Griffiths (1973) Biometrics 29:637; moments: Kleinman (1973) JASA 68:46; simple_moments: Gelman et al. (2013), Bayesian Data Analysis, 5.1. Units that differ no more than chance would have it get the pooled rate at weight 0, and `a` and `b` are NULL.",
        example: "SELECT unit, eb_rate(y, n) OVER () AS e FROM (VALUES ('A', 1, 4), ('B', 30, 100), ('C', 5, 90), ('D', 0, 5), ('E', 22, 60), ('F', 40, 210)) AS t (unit, y, n) ORDER BY unit",
    },
};

const RATE: Returns = Returns::Record(&[
    EST,
    LO,
    HI,
    WEIGHT,
    number("a", "first shape of the prior, Beta(a, b)"),
    number("b", "second shape"),
    number(
        "rho",
        "1/(a+b+1): what part of a single trial's variance is between units",
    ),
    P_BELOW,
    MEAN,
    whole("n", "the unit's trials"),
    STATUS,
]);

const EB_COUNT: Definition = Definition {
    name: "eb_count",
    arguments: &[
        needed("y", Kind::Count, "events of the unit"),
        needed(
            "exposure",
            Kind::Amount,
            "what they are counted over, or the events expected",
        ),
        optional(
            "method",
            Kind::Choice(&["mle", "moments"]),
            "how the prior is fitted, `mle` by default",
        )
        .constant(),
        TARGET,
        CONF,
    ],
    returns: COUNT,
    body: Body::Window {
        ordered: false,
        body: |rows, out| {
            let method = rows.word(2, CountMethod::Mle)?;
            let (target, conf) = (rows.number_or(3, TARGET_FRAC), rows.number_or(4, 0.95));
            let (y, exposure) = (rows.wholes(0), rows.numbers(1));
            let compute = |asked: &[usize]| {
                let counts = counts_of("y", y, asked)?;
                let found = eb_count(&counts, &of(exposure, asked), method, conf, target)?;
                let units = found.units.into_iter();
                Ok(units.map(|unit| (unit, found.prior)).collect())
            };
            each(rows, out, COUNT, compute, |row, (unit, prior), out| {
                estimate(unit, out)
                    .number(prior.shape)
                    .number(prior.rate)
                    .number(unit.p_below)
                    .number(prior.mean)
                    .whole(y[row])
                    .status(status(unit, prior.status));
            })
        },
    },
    text: Text {
        chapter: Chapter::FairComparison,
        what: "The same for events per unit of exposure; with expected events as the exposure, observed over expected.",
        nulls: NULLS,
        source: "Gamma-Poisson: Clayton & Kaldor (1987) Biometrics 43:671; moments: Marshall (1991) Appl Stat 40:283, R's `spdep::EBest`. Units that differ no more than chance would have it get the pooled rate at weight 0, and `shape` and `rate` are NULL.",
        example: "SELECT unit, eb_count(y, e) OVER () AS o FROM (VALUES ('A', 3, 8.5), ('B', 30, 21.0), ('C', 5, 14.2), ('D', 0, 1.1), ('E', 22, 19.4), ('F', 40, 35.8)) AS t (unit, y, e) ORDER BY unit",
    },
};

const COUNT: Returns = Returns::Record(&[
    EST,
    LO,
    HI,
    WEIGHT,
    number("shape", "shape of the prior, Gamma(shape, rate)"),
    number("rate", "its rate: the exposure that it is worth"),
    P_BELOW,
    MEAN,
    whole("n", "the unit's events"),
    STATUS,
]);

const EB_MEAN: Definition = Definition {
    name: "eb_mean",
    arguments: &[
        needed("x", Kind::Number, "the unit's value"),
        needed("se", Kind::Positive, "its standard error"),
        optional(
            "method",
            Kind::Choice(&["auto", "james_stein", "dl", "reml"]),
            "how the variance between units is found; `auto`, the default, is `james_stein` where all standard errors are equal, else `dl`",
        )
        .constant(),
        TARGET,
        CONF,
    ],
    returns: MEANS,
    body: Body::Window {
        ordered: false,
        body: |rows, out| {
            let method = rows.word(2, MeanMethod::Auto)?;
            let (target, conf) = (rows.number_or(3, TARGET_FRAC), rows.number_or(4, 0.95));
            let (x, se) = (rows.numbers(0), rows.numbers(1));
            let compute = |asked: &[usize]| {
                let found = eb_mean(&of(x, asked), &of(se, asked), method, conf, target)?;
                let units = found.units.into_iter();
                Ok(units.map(|unit| (unit, found.prior)).collect())
            };
            each(rows, out, MEANS, compute, |_, (unit, prior), out| {
                estimate(unit, out)
                    .number(prior.tau2)
                    .number(prior.q)
                    .number(unit.p_below)
                    .number(prior.mean)
                    .status(status(unit, prior.status));
            })
        },
    },
    text: Text {
        chapter: Chapter::FairComparison,
        what: "The same for any value that has a standard error, such as a mean order or a ratio.",
        nulls: "As `eb_rate`. `p_below` is NULL where the common mean is not positive. `james_stein` with unequal standard errors: `infeasible`.",
        source: "james_stein: Efron & Morris (1975) JASA 70:311, eq. 1.12; dl: DerSimonian & Laird (1986), R's `metafor::rma(method = \"DL\")`; reml: Harville (1977), `metafor::rma`. Limits as R's `metafor::blup`.",
        example: "SELECT unit, eb_mean(x, se) OVER () AS e FROM (VALUES ('A', 120.0, 40.0), ('B', 95.0, 10.0), ('C', 60.0, 12.0), ('D', 180.0, 75.0), ('E', 110.0, 8.0)) AS t (unit, x, se) ORDER BY unit",
    },
};

const MEANS: Returns = Returns::Record(&[
    EST,
    LO,
    HI,
    WEIGHT,
    number("tau2", "variance of the true values between units"),
    number(
        "q",
        "Cochran's Q: χ² with one degree of freedom less than units where they do not differ",
    ),
    P_BELOW,
    MEAN,
    STATUS,
]);

/// The four fields that all three begin with.
fn estimate<'o>(unit: &Shrunk, out: &'o mut Out) -> &'o mut Out {
    out.number(unit.est)
        .number(unit.lo)
        .number(unit.hi)
        .number(unit.weight)
}

/// A unit under a prior that was not found is not found either.
fn status(unit: &Shrunk, prior: Status) -> Status {
    match (unit.status, prior) {
        (Status::Ok, Status::NotConverged) => Status::NotConverged,
        (status, _) => status,
    }
}
