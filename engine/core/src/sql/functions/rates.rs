//! Rates, counts and samples: how sure are we, and how many would it take.

use tributary_engine_stats::better::p_better;
use tributary_engine_stats::count::{self, count_ci, rate_ratio_ci};
use tributary_engine_stats::difference::rate_difference_test;
use tributary_engine_stats::power::{mde, sample_size};
use tributary_engine_stats::rate::{self, rate_interval};
use tributary_engine_stats::special::{beta_cdf, beta_quantile, chi2_sf, norm_quantile};
use tributary_engine_stats::table::{Weights, fisher_p, kappa, kappa_weighted};

use super::argument::{CONF, Kind, needed, optional};
use super::definition::{
    Body, Chapter, Definition, Field, Returns, STATUS, Shape, Text, number, whole,
};
use super::estimate;

pub const ALL: &[Definition] = &[
    RATE,
    RATE_CI,
    RATE_DIFF_CI,
    COUNT_CI,
    RATE_RATIO_CI,
    P_BETTER,
    MDE,
    SAMPLE_SIZE,
    FISHER_P,
    KAPPA,
    KAPPA_WEIGHTED,
    CHI2_SF,
    NORM_QUANTILE,
    BETA_CDF,
    BETA_QUANTILE,
];

const METHODS: &[&str] = &[
    "wilson",
    "wilson_cc",
    "jeffreys",
    "clopper_pearson",
    "agresti_coull",
];

/// What the reference says of one of these.
const fn text(
    what: &'static str,
    nulls: &'static str,
    source: &'static str,
    example: &'static str,
) -> Text {
    Text {
        chapter: Chapter::Rates,
        what,
        nulls,
        source,
        example,
    }
}

const RATE: Definition = Definition {
    name: "rate",
    arguments: &[
        needed("event", Kind::Truth, "whether it happened"),
        CONF,
        optional(
            "method",
            Kind::Choice(METHODS),
            "how the interval is drawn, `wilson` by default",
        )
        .constant(),
    ],
    returns: Returns::Record(RATE_FIELDS),
    body: Body::Aggregate(|rows, out| {
        let (n, x) = (
            rows.len as u64,
            rows.truths(0).iter().filter(|event| **event).count() as u64,
        );
        let method = rows.word(2, rate::Method::Wilson)?;
        let estimate = rate_interval(x, n, rows.number_or(1, 0.95), method)?;
        out.number(estimate.value)
            .count(n)
            .count(x)
            .number(estimate.lo)
            .number(estimate.hi)
            .status(estimate.status);
        Ok(())
    }),
    text: text(
        "The share of rows in which something happened, with its interval.",
        "A row with NULL is left out and counted in `n_null`. No rows: `value` NULL, `no_data`.",
        "Wilson (1927); the other methods as in `rate_ci`.",
        "SELECT distributor_id, rate(outcome = 'won')['value'] AS won, rate(outcome = 'won')['hi'] AS at_most FROM leads GROUP BY 1 ORDER BY 1",
    ),
};

const RATE_FIELDS: &[Field] = &[
    number("value", "the share"),
    whole("n", "rows"),
    whole("x", "rows in which it happened"),
    number("lo", "lower end of the interval"),
    number("hi", "upper end of the interval"),
    STATUS,
];

const RATE_CI: Definition = Definition {
    name: "rate_ci",
    arguments: &[
        needed("x", Kind::Count, "successes"),
        needed("n", Kind::Count, "trials"),
        optional(
            "conf",
            Kind::Inside,
            "confidence of the interval, .95 by default",
        ),
        optional(
            "method",
            Kind::Choice(METHODS),
            "how the interval is drawn, `wilson` by default",
        ),
    ],
    returns: Returns::Record(estimate::FIELDS),
    body: Body::Scalar(|row, out| {
        let method = row.word(3, rate::Method::Wilson)?;
        let (x, n) = row.count(0)?.zip(row.count(1)?).unwrap_or_default();
        out.estimate(&rate_interval(x, n, row.number_or(2, 0.95), method)?);
        Ok(())
    }),
    text: text(
        "A rate of `x` successes in `n` trials with its interval.",
        "A NULL count or no trials: `no_data`. More successes than trials: an error as literals, `infeasible` in a row.",
        "wilson: Wilson (1927), Newcombe (1998) Stat Med 17:857, method 3; wilson_cc: the same, method 4; jeffreys: Brown, Cai & DasGupta (2001) Stat Sci 16:101, eq. 6-8; clopper_pearson: Clopper & Pearson (1934); agresti_coull: Agresti & Coull (1998) Am Stat 52:119.",
        "SELECT rate_ci(81, 263) AS wilson, rate_ci(81, 263, 0.95, 'clopper_pearson') AS exact",
    ),
};

const RATE_DIFF_CI: Definition = Definition {
    name: "rate_diff_ci",
    arguments: &[
        needed("x1", Kind::Count, "successes of the first"),
        needed("n1", Kind::Count, "trials of the first"),
        needed("x2", Kind::Count, "successes of the second"),
        needed("n2", Kind::Count, "trials of the second"),
        optional(
            "conf",
            Kind::Inside,
            "confidence of the interval, .95 by default",
        ),
    ],
    returns: Returns::Record(&[
        number("diff", "the first rate minus the second"),
        number("lo", "lower end of the interval"),
        number("hi", "upper end of the interval"),
        number("p", "two-sided, of the pooled z test"),
        whole("n", "trials of both"),
        STATUS,
    ]),
    body: Body::Scalar(|row, out| {
        let (x1, n1) = row.count(0)?.zip(row.count(1)?).unwrap_or_default();
        let (x2, n2) = row.count(2)?.zip(row.count(3)?).unwrap_or_default();
        let found = rate_difference_test(x1, n1, x2, n2, row.number_or(4, 0.95))?;
        out.number(found.diff)
            .number(found.lo)
            .number(found.hi)
            .number(found.p)
            .count(found.n)
            .status(found.status);
        Ok(())
    }),
    text: text(
        "The difference of two rates with its interval.",
        "A NULL count, or no trials on either side: `no_data`.",
        "Newcombe (1998) Stat Med 17:873, method 10.",
        "SELECT rate_diff_ci(56, 70, 48, 80) AS d",
    ),
};

const COUNT_METHODS: &[&str] = &["garwood", "byar", "log"];

const COUNT_CI: Definition = Definition {
    name: "count_ci",
    arguments: &[
        needed("events", Kind::Count, "events"),
        needed(
            "exposure",
            Kind::Amount,
            "what they are counted over, or the events expected",
        ),
        optional(
            "conf",
            Kind::Inside,
            "confidence of the interval, .95 by default",
        ),
        optional(
            "method",
            Kind::Choice(COUNT_METHODS),
            "how the interval is drawn, `garwood` (exact) by default",
        ),
    ],
    returns: Returns::Record(estimate::FIELDS),
    body: Body::Scalar(|row, out| {
        let method = row.word(3, count::Method::Garwood)?;
        let exposure = row.number_or(1, 0.0);
        let events = row.count(0)?.unwrap_or_default();
        let (events, exposure) = match row.number(1).is_some() && row.whole(0).is_some() {
            true => (events, exposure),
            false => (0, 0.0),
        };
        out.estimate(&count_ci(events, exposure, row.number_or(2, 0.95), method)?);
        Ok(())
    }),
    text: text(
        "Events per unit of exposure with its interval; with expected events as the exposure, observed over expected.",
        "A NULL or no exposure: `no_data`.",
        "garwood: Garwood (1936); byar: Breslow & Day (1987) vol. II, eq. 2.13.",
        "SELECT count_ci(12, 8.4) AS exact, count_ci(12, 8.4, 0.95, 'byar') AS byar",
    ),
};

const RATE_RATIO_CI: Definition = Definition {
    name: "rate_ratio_ci",
    arguments: &[
        needed("c1", Kind::Count, "events of the first"),
        needed("e1", Kind::Amount, "exposure of the first"),
        needed("c2", Kind::Count, "events of the second"),
        needed("e2", Kind::Amount, "exposure of the second"),
        optional(
            "conf",
            Kind::Inside,
            "confidence of the interval, .95 by default",
        ),
    ],
    returns: Returns::Record(&[
        number("ratio", "the first rate over the second"),
        number("lo", "lower end of the interval"),
        number("hi", "upper end of the interval"),
        number("p", "two-sided, exact given the sum of both"),
        whole("n", "events of both"),
        STATUS,
    ]),
    body: Body::Scalar(|row, out| {
        let given = row
            .count(0)?
            .zip(row.number(1))
            .zip(row.count(2)?.zip(row.number(3)));
        let ((c1, e1), (c2, e2)) = given.unwrap_or_default();
        let found = rate_ratio_ci(c1, e1, c2, e2, row.number_or(4, 0.95))?;
        out.number(found.ratio)
            .number(found.lo)
            .number(found.hi)
            .number(found.p)
            .count(found.n)
            .status(found.status);
        Ok(())
    }),
    text: text(
        "The ratio of two rates of events with its interval.",
        "A NULL, or no exposure: `no_data`. No events of the second: `zero_base`, with the lower end only.",
        "Conditional on the sum: Przyborowski & Wilenski (1940); R's `poisson.test`.",
        "SELECT rate_ratio_ci(11, 800, 23, 3000) AS r",
    ),
};

const P_BETTER: Definition = Definition {
    name: "p_better",
    arguments: &[
        needed("y1", Kind::Count, "successes of the first"),
        needed("n1", Kind::Count, "trials of the first"),
        needed("y2", Kind::Count, "successes of the second"),
        needed("n2", Kind::Count, "trials of the second"),
        optional("a", Kind::Positive, "prior Beta(a, b), 1 by default"),
        optional("b", Kind::Positive, "1 by default"),
    ],
    returns: Returns::Value(Shape::Number),
    body: Body::Scalar(|row, out| {
        let given = row
            .count(0)?
            .zip(row.count(1)?)
            .zip(row.count(2)?.zip(row.count(3)?));
        let p = match given {
            Some(((y1, n1), (y2, n2))) => {
                p_better(y1, n1, y2, n2, row.number_or(4, 1.0), row.number_or(5, 1.0))?
            }
            None => None,
        };
        out.number(p);
        Ok(())
    }),
    text: text(
        "The probability that the second rate is above the first.",
        "A NULL count: NULL.",
        "Exact for two independent beta posteriors (Cook 2005).",
        "SELECT p_better(20, 100, 30, 100) AS p",
    ),
};

const MDE: Definition = Definition {
    name: "mde",
    arguments: &[
        needed("n", Kind::Count, "trials of each of two equal groups"),
        needed("p0", Kind::Probability, "the rate to compare with"),
        optional("power", Kind::Inside, "chance to find it, .8 by default"),
        optional(
            "alpha",
            Kind::Inside,
            "two-sided chance of a false alarm, .05 by default",
        ),
    ],
    returns: Returns::Value(Shape::Number),
    body: Body::Scalar(|row, out| {
        let found = match row.count(0)?.zip(row.number(1)) {
            Some((n, p0)) => mde(n, p0, row.number_or(2, 0.8), row.number_or(3, 0.05))?.drop,
            None => None,
        };
        out.number(found);
        Ok(())
    }),
    text: text(
        "The smallest drop below a rate that so many trials would show: the minimum detectable effect.",
        "NULL where an argument is, and where even a rate of 0 would not show.",
        "Normal approximation as R's `power.prop.test`; Fleiss, Levin & Paik (2003) eq. 4.14 without correction.",
        "SELECT mde(36, 0.25) AS of_36, mde(400, 0.25) AS of_400",
    ),
};

const SAMPLE_SIZE: Definition = Definition {
    name: "sample_size",
    arguments: &[
        needed("p1", Kind::Probability, "the one rate"),
        needed("p2", Kind::Probability, "the other"),
        optional(
            "power",
            Kind::Inside,
            "chance to find the difference, .8 by default",
        ),
        optional(
            "alpha",
            Kind::Inside,
            "two-sided chance of a false alarm, .05 by default",
        ),
    ],
    returns: Returns::Value(Shape::Number),
    body: Body::Scalar(|row, out| {
        let n = match row.number(0).zip(row.number(1)) {
            Some((p1, p2)) => sample_size(p1, p2, row.number_or(2, 0.8), row.number_or(3, 0.05))?,
            None => None,
        };
        out.number(n);
        Ok(())
    }),
    text: text(
        "How many trials each of two groups needs to tell two rates apart. Not rounded.",
        "NULL where an argument is, and where the two are equal.",
        "As `mde`.",
        "SELECT ceil(sample_size(0.25, 0.15)) AS leads",
    ),
};

const CELLS: [super::argument::Argument; 4] = [
    needed("a", Kind::Count, "first row, first column"),
    needed("b", Kind::Count, "first row, second column"),
    needed("c", Kind::Count, "second row, first column"),
    needed("d", Kind::Count, "second row, second column"),
];

const FISHER_P: Definition = Definition {
    name: "fisher_p",
    arguments: &CELLS,
    returns: Returns::Value(Shape::Number),
    body: Body::Scalar(|row, out| {
        let cells = (row.count(0)?, row.count(1)?, row.count(2)?, row.count(3)?);
        let p = match cells {
            (Some(a), Some(b), Some(c), Some(d)) => fisher_p(a, b, c, d),
            _ => None,
        };
        out.number(p);
        Ok(())
    }),
    text: text(
        "Whether the rows of a table of two by two differ: the two-sided p of Fisher's exact test.",
        "A NULL cell: NULL.",
        "Fisher (1935); two-sided as R's `fisher.test`, the tables no more probable than this one.",
        "SELECT fisher_p(3, 1, 1, 3) AS p",
    ),
};

const KAPPA_FIELDS: &[Field] = &[
    number("po", "observed agreement"),
    number("kappa", "Cohen's kappa: agreement beyond chance"),
    number("lo", "lower end of its interval"),
    number("hi", "upper end of its interval"),
    number("pabak", "prevalence- and bias-adjusted kappa, 2 po - 1"),
    number("ac1", "Gwet's AC1"),
    number("p_pos", "agreement on yes"),
    number("p_neg", "agreement on no"),
    number("bias_index", "(fp - fn) / n"),
    number("prevalence_index", "(tp - tn) / n"),
    number("mcnemar_p", "whether the two say yes equally often"),
    whole("n", "cases"),
    STATUS,
];

const KAPPA: Definition = Definition {
    name: "kappa",
    arguments: &[
        needed("tp", Kind::Count, "both say yes"),
        needed("fp", Kind::Count, "only the first says yes"),
        needed("fn", Kind::Count, "only the second says yes"),
        needed("tn", Kind::Count, "both say no"),
        optional(
            "conf",
            Kind::Inside,
            "confidence of the interval, .95 by default",
        ),
    ],
    returns: Returns::Record(KAPPA_FIELDS),
    body: Body::Scalar(|row, out| {
        let cell = |place| row.count(place).map(Option::unwrap_or_default);
        let complete = (0..4).all(|place| row.whole(place).is_some());
        let [tp, fp, missed, tn] = match complete {
            true => [cell(0)?, cell(1)?, cell(2)?, cell(3)?],
            false => [0; 4],
        };
        let found = kappa(tp, fp, missed, tn, row.number_or(4, 0.95))?;
        out.number(found.po)
            .number(found.kappa)
            .number(found.lo)
            .number(found.hi)
            .number(found.pabak)
            .number(found.ac1)
            .number(found.p_pos)
            .number(found.p_neg)
            .number(found.bias_index)
            .number(found.prevalence_index)
            .number(found.mcnemar_p)
            .count(found.n)
            .status(found.status);
        Ok(())
    }),
    text: text(
        "How well two definitions agree, beyond chance and beside the prevalence that misleads kappa.",
        "A NULL cell or no cases: `no_data`. Cases that only the first selected: `verification_bias`, without a kappa.",
        "Cohen (1960); Byrt, Bishop & Carlin (1993); Gwet (2008); variance of Fleiss, Cohen & Everitt (1969).",
        "SELECT kappa(40, 9, 6, 45) AS k",
    ),
};

const KAPPA_WEIGHTED: Definition = Definition {
    name: "kappa_weighted",
    arguments: &[
        needed(
            "cells",
            Kind::Numbers,
            "the counts of a square table, row by row",
        ),
        optional(
            "weights",
            Kind::Choice(&["unweighted", "linear", "quadratic"]),
            "what a disagreement weighs, `linear` by default",
        ),
        optional(
            "conf",
            Kind::Inside,
            "confidence of the interval, .95 by default",
        ),
    ],
    returns: Returns::Record(estimate::FIELDS),
    body: Body::Scalar(|row, out| {
        let cells = row.numbers(0).unwrap_or_default();
        let side = (cells.len() as f64).sqrt().round() as usize;
        let weights = row.word(1, Weights::Linear)?;
        if side * side != cells.len() {
            return Err(tributary_engine_stats::invalid::Invalid {
                argument: "cells",
                needs: "as many counts as a square table has",
                got: cells.len().to_string(),
            });
        }
        let table: Vec<Vec<f64>> = cells.chunks(side.max(1)).map(<[f64]>::to_vec).collect();
        let found = kappa_weighted(&table, weights, row.number_or(2, 0.95))?;
        out.number(found.kappa)
            .count(found.n as u64)
            .number(found.lo)
            .number(found.hi)
            .status(found.status);
        Ok(())
    }),
    text: text(
        "How well two graders agree on ordered grades.",
        "A NULL cell or no cases: `no_data`.",
        "Cohen (1968); variance of Fleiss, Cohen & Everitt (1969).",
        "SELECT kappa_weighted([20, 5, 1, 4, 30, 6, 0, 3, 12], 'quadratic') AS k",
    ),
};

const CHI2_SF: Definition = Definition {
    name: "chi2_sf",
    arguments: &[
        needed("x", Kind::Number, "the statistic"),
        needed("df", Kind::Positive, "degrees of freedom"),
    ],
    returns: Returns::Value(Shape::Number),
    body: Body::Scalar(|row, out| {
        let p = row
            .number(0)
            .zip(row.number(1))
            .map(|(x, df)| chi2_sf(x, df));
        out.number(p.transpose()?);
        Ok(())
    }),
    text: text(
        "The chance of a χ² statistic of at least `x`.",
        "NULL where an argument is.",
        "Abramowitz & Stegun (1964) 6.5.29 and 6.5.31; R's `pchisq(x, df, lower.tail = FALSE)`.",
        "SELECT chi2_sf(3.841459, 1) AS p",
    ),
};

const NORM_QUANTILE: Definition = Definition {
    name: "norm_quantile",
    arguments: &[needed("p", Kind::Inside, "a probability")],
    returns: Returns::Value(Shape::Number),
    body: Body::Scalar(|row, out| {
        let z = row.number(0).map(norm_quantile);
        out.number(z.transpose()?);
        Ok(())
    }),
    text: text(
        "The z with that share of the standard normal distribution below it.",
        "NULL in, NULL out.",
        "R's `qnorm`.",
        "SELECT norm_quantile(0.975) AS z",
    ),
};

const BETA_CDF: Definition = Definition {
    name: "beta_cdf",
    arguments: &[
        needed("x", Kind::Probability, "a value"),
        needed("a", Kind::Positive, "first shape"),
        needed("b", Kind::Positive, "second shape"),
    ],
    returns: Returns::Value(Shape::Number),
    body: Body::Scalar(|row, out| {
        let given = row.number(0).zip(row.number(1)).zip(row.number(2));
        let p = given.map(|((x, a), b)| beta_cdf(x, a, b));
        out.number(p.transpose()?);
        Ok(())
    }),
    text: text(
        "The share of a beta distribution below `x`.",
        "NULL where an argument is.",
        "R's `pbeta`.",
        "SELECT beta_cdf(0.2, 21, 81) AS p",
    ),
};

const BETA_QUANTILE: Definition = Definition {
    name: "beta_quantile",
    arguments: &[
        needed("p", Kind::Probability, "a probability"),
        needed("a", Kind::Positive, "first shape"),
        needed("b", Kind::Positive, "second shape"),
    ],
    returns: Returns::Value(Shape::Number),
    body: Body::Scalar(|row, out| {
        let given = row.number(0).zip(row.number(1)).zip(row.number(2));
        let x = given.map(|((p, a), b)| beta_quantile(p, a, b));
        out.number(x.transpose()?);
        Ok(())
    }),
    text: text(
        "The value with that share of a beta distribution below it.",
        "NULL where an argument is.",
        "R's `qbeta`.",
        "SELECT beta_quantile(0.05, 21, 81) AS x",
    ),
};
