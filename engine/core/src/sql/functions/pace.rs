//! Whether groups have their events at the same pace.

use tributary_engine_stats::survival::logrank::logrank;

use super::argument::{Kind, needed};
use super::definition::{Body, Definition, Returns, STATUS, Shape, field, number, whole};
use super::survival::{DURATION, EVENT, N_NEGATIVE, text};

pub const ALL: &[Definition] = &[LOGRANK];

const LOGRANK: Definition = Definition {
    name: "logrank",
    arguments: &[DURATION, EVENT, needed("grp", Kind::Text, "the group")],
    returns: Returns::Record(&[
        number(
            "chi2",
            "the statistic, χ² distributed where all groups are alike",
        ),
        whole("df", "its degrees of freedom"),
        number("p", "probability of so much or more by chance"),
        field("groups", Shape::Texts, "the groups, ascending"),
        field("obs", Shape::Numbers, "events of each group"),
        field(
            "exp",
            Shape::Numbers,
            "events each group would have at the pace of all",
        ),
        whole("n", "rows"),
        N_NEGATIVE,
        STATUS,
    ]),
    body: Body::Aggregate(|rows, out| {
        let (groups, names) = rows.groups(2);
        let test = logrank(rows.numbers(0), rows.truths(1), &groups)?;
        let names = names.iter().copied();
        out.number(test.chi2)
            .count(test.df)
            .number(test.p)
            .texts(names)
            .numbers(test.groups.iter().map(|group| group.observed as f64))
            .numbers(test.groups.iter().map(|group| group.expected))
            .count(test.n)
            .count(test.excluded)
            .status(test.status);
        Ok(())
    }),
    text: text(
        "The log-rank test: whether groups, such as distributors, have their events at the same pace. Where `obs` of a group is below its `exp`, it is slower than the rest.",
        "A row with a NULL is left out and counted in `n_null`, one with a negative duration in `n_negative`. `no_data` without rows; `infeasible` where fewer than two groups were ever at risk of an event, there are more than 500, or a duration is not finite.",
        "Mantel (1966); Kalbfleisch & Prentice (2002), eq. 1.24; R's `survdiff` with `rho = 0`.",
        "SELECT logrank(days, done, who) AS test FROM (VALUES (1, true, 'a'), (2, true, 'a'), (3, true, 'a'), (4, false, 'a'), (4, true, 'b'), (6, true, 'b'), (7, false, 'b'), (9, true, 'b')) AS t (days, done, who)",
    ),
};
