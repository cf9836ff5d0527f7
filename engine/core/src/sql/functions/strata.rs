//! Two groups compared stratum by stratum: does the difference survive when like is set against like?

use tributary_engine_stats::estimate::Status;
use tributary_engine_stats::strata::{Stratum, mh_or, mix_rate};

use super::argument::{Argument, CONF, Kind, needed};
use super::definition::{
    Body, Chapter, Definition, Field, Returns, STATUS, Shape, Text, field, number, whole,
};
use super::rows::Rows;

pub const ALL: &[Definition] = &[MH_OR, MIX_RATE];

const SUCCESS: Argument = needed("success", Kind::Truth, "whether it succeeded");
const GROUP: Argument = needed(
    "grp",
    Kind::Text,
    "which of two groups; the first by name is the first group",
);
const STRATUM: Argument = needed(
    "stratum",
    Kind::Text,
    "what has to be alike to be compared, such as source and product",
);

const FIRST: Field = field("first", Shape::Text, "the first group");
const SECOND: Field = field("second", Shape::Text, "the second group");
const CASES: Field = whole("n", "cases of both groups");

const NULLS: &str = "A row with a NULL is left out and counted. No rows: `no_data`; any number of groups but two: `infeasible`.";

const MH_FIELDS: &[Field] = &[
    number(
        "or_crude",
        "odds of success of the first group over those of the second, all together",
    ),
    number("or_adj", "the same within strata"),
    number("lo", "lower end of the interval of `or_adj`"),
    number("hi", "upper end"),
    number(
        "chi2",
        "of Cochran, Mantel and Haenszel, without continuity correction",
    ),
    number("p", "its p value"),
    number("chi2_corrected", "with continuity correction"),
    number("p_corrected", "its p value"),
    field(
        "simpson",
        Shape::Truth,
        "whether crude and adjusted odds ratio lie on different sides of 1",
    ),
    FIRST,
    SECOND,
    CASES,
    STATUS,
];

const MH_OR: Definition = Definition {
    name: "mh_or",
    arguments: &[SUCCESS, GROUP, STRATUM, CONF],
    returns: Returns::Record(MH_FIELDS),
    body: Body::Aggregate(|rows, out| {
        let tables = Tables::of(rows);
        let found = mh_or(&tables.strata, rows.number_or(3, 0.95))?;
        let Some([first, second]) = tables.groups else {
            out.nothing(MH_FIELDS, tables.status());
            return Ok(());
        };
        out.number(found.or_crude)
            .number(found.or_adj)
            .number(found.lo)
            .number(found.hi)
            .number(found.chi2)
            .number(found.p)
            .number(found.chi2_corrected)
            .number(found.p_corrected)
            .truth(found.simpson)
            .text(first)
            .text(second)
            .count(found.n)
            .status(found.status);
        Ok(())
    }),
    text: Text {
        chapter: Chapter::FairComparison,
        what: "Whether one group does better than another when only like is compared with like, and whether the plain comparison would have said the opposite (Simpson's paradox).",
        nulls: "A row with a NULL is left out and counted. No rows: `no_data`; any number of groups but two, or no stratum with both groups and both outcomes: `infeasible`; no odds to divide by: `zero_base`.",
        source: "Mantel & Haenszel (1959); interval of Robins, Breslow & Greenland (1986) Biometrics 42:311, eq. 1; R's `mantelhaen.test`.",
        example: "SELECT mh_or(won, grp, source) AS m FROM (VALUES ('A', 'web', true, 8), ('A', 'web', false, 32), ('A', 'fair', true, 9), ('A', 'fair', false, 3), ('B', 'web', true, 2), ('B', 'web', false, 12), ('B', 'fair', true, 26), ('B', 'fair', false, 14)) AS t (grp, source, won, leads) CROSS JOIN generate_series(1, 40) AS g (i) WHERE i <= leads",
    },
};

const MIX_FIELDS: &[Field] = &[
    number(
        "diff",
        "rate of the first group less that of the second: the sum of the two effects",
    ),
    number(
        "rate_effect",
        "what different rates within the strata make of it",
    ),
    number(
        "mix_effect",
        "what different shares of the strata make of it",
    ),
    FIRST,
    SECOND,
    CASES,
    STATUS,
];

const MIX_RATE: Definition = Definition {
    name: "mix_rate",
    arguments: &[SUCCESS, GROUP, STRATUM],
    returns: Returns::Record(MIX_FIELDS),
    body: Body::Aggregate(|rows, out| {
        let tables = Tables::of(rows);
        let Some([first, second]) = tables.groups else {
            out.nothing(MIX_FIELDS, tables.status());
            return Ok(());
        };
        let found = mix_rate(&tables.strata);
        out.number(found.diff)
            .number(found.rate_effect)
            .number(found.mix_effect)
            .text(first)
            .text(second)
            .count(found.n)
            .status(found.status);
        Ok(())
    }),
    text: Text {
        chapter: Chapter::FairComparison,
        what: "Why two groups' rates differ: because they do better with the same leads, or because they get better leads.",
        nulls: NULLS,
        source: "Kitagawa (1955) JASA 50:1168. A stratum that only one group has counts as mix alone.",
        example: "SELECT mix_rate(won, grp, source) AS m FROM (VALUES ('A', 'web', true, 8), ('A', 'web', false, 32), ('A', 'fair', true, 9), ('A', 'fair', false, 3), ('B', 'web', true, 2), ('B', 'web', false, 12), ('B', 'fair', true, 26), ('B', 'fair', false, 14)) AS t (grp, source, won, leads) CROSS JOIN generate_series(1, 40) AS g (i) WHERE i <= leads",
    },
};

/// The rows counted by stratum, where there are two groups.
struct Tables<'a> {
    strata: Vec<Stratum>,
    groups: Option<[&'a str; 2]>,
    rows: usize,
}

impl<'a> Tables<'a> {
    fn of(rows: &'a Rows<'_>) -> Self {
        let (group, groups) = rows.groups(1);
        let (stratum, strata) = rows.groups(2);
        let groups = <[&str; 2]>::try_from(groups).ok();
        let none = Stratum {
            success1: 0,
            failure1: 0,
            success2: 0,
            failure2: 0,
        };
        let mut tables = vec![none; strata.len()];
        if groups.is_some() {
            let cases = group.iter().zip(&stratum).zip(rows.truths(0));
            for ((group, stratum), success) in cases {
                let table = &mut tables[*stratum as usize];
                let cell = match (group, success) {
                    (0, true) => &mut table.success1,
                    (0, false) => &mut table.failure1,
                    (_, true) => &mut table.success2,
                    (_, false) => &mut table.failure2,
                };
                *cell += 1;
            }
        }
        Self {
            strata: tables,
            groups,
            rows: rows.len,
        }
    }

    /// Why there are not two groups.
    fn status(&self) -> Status {
        match self.rows {
            0 => Status::NoData,
            _ => Status::Infeasible,
        }
    }
}
