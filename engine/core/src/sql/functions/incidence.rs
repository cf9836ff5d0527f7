//! Several ways to end, of which each excludes the others: the share that has ended for each cause, as a function of time.

use tributary_engine_stats::invalid::Invalid;
use tributary_engine_stats::survival::incidence::{cuminc, cuminc_at};
use tributary_engine_stats::survival::limits::Limits;
use tributary_engine_stats::survival::timeline::Timeline;

use super::argument::{Argument, CONF, Kind, needed};
use super::definition::{Body, Definition, Returns, STATUS, number, whole};
use super::rows::Rows;
use super::survival::{DURATION, METHOD, N_NEGATIVE, text};

pub const ALL: &[Definition] = &[CUMINC, CUMINC_AT];

const CAUSE: Argument = needed(
    "cause",
    Kind::Count,
    "what ended it, from 1; 0 where it is still open",
);

/// The durations of a group with their causes, sorted.
fn timeline(rows: &Rows<'_>) -> Result<Timeline, Invalid> {
    let causes = rows.wholes(1).iter().map(|cause| as_cause("cause", *cause));
    let causes = causes.collect::<Result<Vec<u32>, Invalid>>()?;
    Timeline::of_causes(rows.numbers(0), &causes)
}

fn as_cause(argument: &'static str, cause: i64) -> Result<u32, Invalid> {
    u32::try_from(cause).map_err(|_| Invalid {
        argument,
        needs: "a whole number from 0 to 4294967295",
        got: cause.to_string(),
    })
}

const CUMINC: Definition = Definition {
    name: "cuminc",
    arguments: &[DURATION, CAUSE, CONF, METHOD],
    returns: Returns::Records(&[
        number("t", "the duration, in days where it came as an interval"),
        whole("cause", "the cause"),
        number(
            "cif",
            "probability of having ended for it up to and including the duration",
        ),
        number("se", "its standard error"),
        number("lo", "lower limit"),
        number("hi", "upper limit"),
        whole("n_risk", "rows that lasted at least so long"),
        whole("n_event", "rows that ended for the cause at the duration"),
    ]),
    body: Body::Aggregate(|rows, out| {
        let limits = rows.word(3, Limits::Log)?;
        let curves = cuminc(&timeline(rows)?, rows.number_or(2, 0.95), limits)?;
        for (place, t) in curves.t.iter().enumerate() {
            for curve in &curves.causes {
                out.number(*t)
                    .whole(i64::from(curve.cause))
                    .number(curve.cif[place])
                    .number(curve.se[place])
                    .number(curve.lo[place])
                    .number(curve.hi[place])
                    .count(curves.n_risk[place])
                    .count(curve.n_event[place]);
            }
        }
        Ok(())
    }),
    text: text(
        "Cumulative incidence: the share that has ended for each cause as a function of time, such as won (1) and lost (2). One entry for each duration and cause that occur, ascending. The shares of all causes add up to those that have ended at all.",
        "A row with a NULL or a negative duration is left out. An empty list where nothing ended; NULL where a duration is not finite, a cause is negative, or there are more than 32 causes.",
        "Aalen & Johansen (1978) Scand J Stat 5:141; standard errors by the infinitesimal jackknife, as R's `survfit` for several states.",
        "SELECT c['t'] AS days, c['cause'] AS cause, round(c['cif'], 3) AS share FROM (SELECT unnest(cuminc(t, cause)) AS c FROM (VALUES (1, 1), (2, 2), (3, 0), (4, 1)) AS v (t, cause)) ORDER BY 1, 2",
    ),
};

const CUMINC_AT: Definition = Definition {
    name: "cuminc_at",
    arguments: &[
        DURATION,
        CAUSE,
        needed("k", Kind::Count, "the cause to look at, from 1").constant(),
        needed("t", Kind::Duration, "the duration to look at").constant(),
        CONF,
        METHOD,
    ],
    returns: Returns::Record(&[
        number(
            "cif",
            "probability of having ended for the cause up to and including the duration",
        ),
        number("se", "its standard error"),
        number("lo", "lower limit"),
        number("hi", "upper limit"),
        whole("n_risk", "rows that lasted at least so long"),
        whole("n", "rows"),
        N_NEGATIVE,
        STATUS,
    ]),
    body: Body::Aggregate(|rows, out| {
        let limits = rows.word(5, Limits::Log)?;
        let cause = i64::try_from(rows.needed_count(2)?).unwrap_or(i64::MAX);
        let cause = as_cause("k", cause)?;
        let (t, conf) = (rows.needed_number(3)?, rows.number_or(4, 0.95));
        let timeline = timeline(rows)?;
        let at = cuminc_at(&timeline, cause, t, conf, limits).map_err(|error| Invalid {
            argument: if error.argument == "cause" {
                "k"
            } else {
                error.argument
            },
            ..error
        })?;
        out.number(at.cif)
            .number(at.se)
            .number(at.lo)
            .number(at.hi)
            .count(at.n_risk)
            .count(at.n)
            .count(timeline.excluded())
            .status(at.status);
        Ok(())
    }),
    text: text(
        "Cumulative incidence of one cause at one duration: the share that has ended for it by then.",
        "A row with a NULL is left out and counted in `n_null`, one with a negative duration in `n_negative`. `no_data` without rows; `immature` past the last duration where some are open; `infeasible` where a duration is not finite or a cause is negative. A cause that never occurred has 0.",
        "As `cuminc`.",
        "SELECT c['cif'] AS won_within_30_days, c['n'] AS n FROM (SELECT cuminc_at(coalesce(closed_at, rejected_at, as_of) - sent_at, CASE outcome WHEN 'won' THEN 1 WHEN 'open' THEN 0 ELSE 2 END, 1, INTERVAL '30 days') AS c FROM v_lead)",
    ),
};
