//! Time to an event, where for some it has not happened yet: the share that is still without it, its median, its mean, and
//! the share that had it in time. Durations come as they are; whose clock they count is the caller's.

use tributary_engine_stats::invalid::Invalid;
use tributary_engine_stats::survival::curve::{km, km_at, km_median};
use tributary_engine_stats::survival::limits::Limits;
use tributary_engine_stats::survival::mean::rmst;
use tributary_engine_stats::survival::timeline::Timeline;

use super::argument::{Argument, CONF, Kind, needed, optional};
use super::definition::{Body, Chapter, Definition, Field, Returns, STATUS, Text, number, whole};
use super::rows::Rows;

pub const ALL: &[Definition] = &[KM, KM_AT, KM_MEDIAN, RMST, SLA];

pub const DURATION: Argument = needed(
    "duration",
    Kind::Duration,
    "how long it took, or has taken so far; an interval counts in days",
);

pub const EVENT: Argument = needed(
    "event",
    Kind::Truth,
    "whether the event ended it; false where it is still open",
);

pub const METHOD: Argument = optional(
    "method",
    Kind::Choice(&["log", "log_log", "plain"]),
    "on which scale the limits are symmetric, `log` by default",
)
.constant();

/// Durations that make no sense.
pub const N_NEGATIVE: Field = whole(
    "n_negative",
    "rows left out because the duration was below 0",
);

const NULLS: &str = "A row with a NULL is left out and counted in `n_null`, one with a negative duration in `n_negative`. `no_data` without rows; `immature` where the data do not reach that far yet; `infeasible` where a duration is not finite.";

/// What the reference says of one of these.
pub const fn text(
    what: &'static str,
    nulls: &'static str,
    source: &'static str,
    example: &'static str,
) -> Text {
    Text {
        chapter: Chapter::Time,
        what,
        nulls,
        source,
        example,
    }
}

/// The durations of a group, sorted.
fn timeline(rows: &Rows<'_>) -> Result<Timeline, Invalid> {
    Timeline::of_events(rows.numbers(0), rows.truths(1))
}

const KM: Definition = Definition {
    name: "km",
    arguments: &[DURATION, EVENT, CONF, METHOD],
    returns: Returns::Records(&[
        number("t", "the duration, in days where it came as an interval"),
        whole("n_risk", "rows that lasted at least so long"),
        whole("n_event", "events at it"),
        whole("n_censor", "rows still open at it"),
        number(
            "surv",
            "probability of no event up to and including the duration",
        ),
        number("se", "its standard error; NULL once it is 0"),
        number("lo", "lower limit"),
        number("hi", "upper limit"),
    ]),
    body: Body::Aggregate(|rows, out| {
        let limits = rows.word(3, Limits::Log)?;
        for point in km(&timeline(rows)?, rows.number_or(2, 0.95), limits)?.points {
            out.number(point.t)
                .count(point.n_risk)
                .count(point.n_event)
                .count(point.n_censor)
                .number(point.surv)
                .number(point.se)
                .number(point.lo)
                .number(point.hi);
        }
        Ok(())
    }),
    text: text(
        "The Kaplan-Meier curve: the share without the event yet as a function of time, one entry for each duration that occurs, ascending. Open rows count for as long as they lasted.",
        "A row with a NULL or a negative duration is left out. An empty list without rows; NULL where a duration is not finite.",
        "Kaplan & Meier (1958) JASA 53:457, eq. 2b; Greenwood (1926); limits as R's `survfit` with `conf.type` log, log-log and plain.",
        "SELECT k['t'] AS days, k['n_risk'] AS n_risk, k['n_event'] AS closed, k['n_censor'] AS still_open, round(k['surv'], 3) AS share_open FROM (SELECT unnest(km(coalesce(closed_at, as_of) - sent_at, closed_at IS NOT NULL)) AS k FROM v_lead WHERE outcome <> 'rejected') ORDER BY 1",
    ),
};

const KM_AT: Definition = Definition {
    name: "km_at",
    arguments: &[
        DURATION,
        EVENT,
        needed("t", Kind::Duration, "the duration to look at").constant(),
        CONF,
        METHOD,
    ],
    returns: Returns::Record(&[
        number(
            "surv",
            "probability of no event up to and including the duration",
        ),
        number("lo", "lower limit"),
        number("hi", "upper limit"),
        whole("n_risk", "rows that lasted at least so long"),
        number("se", "standard error"),
        whole("n", "rows"),
        N_NEGATIVE,
        STATUS,
    ]),
    body: Body::Aggregate(|rows, out| {
        let limits = rows.word(4, Limits::Log)?;
        let timeline = timeline(rows)?;
        let at = km_at(
            &timeline,
            rows.needed_number(2)?,
            rows.number_or(3, 0.95),
            limits,
        )?;
        out.number(at.surv)
            .number(at.lo)
            .number(at.hi)
            .count(at.n_risk)
            .number(at.se)
            .count(at.n)
            .count(timeline.excluded())
            .status(at.status);
        Ok(())
    }),
    text: text(
        "The Kaplan-Meier curve at one duration: the share that is still without the event then.",
        NULLS,
        "As `km`. Past the last duration the curve is unknown unless it has reached 0.",
        "SELECT distributor_id, round(k['surv'], 3) AS untouched_after_2_days, k['n'] AS n, k['status'] AS status FROM (SELECT distributor_id, km_at(coalesce(first_touch_at, as_of) - sent_at, first_touch_at IS NOT NULL, INTERVAL '2 days') AS k FROM v_lead WHERE sent_at IS NOT NULL GROUP BY 1) ORDER BY 1",
    ),
};

const KM_MEDIAN: Definition = Definition {
    name: "km_median",
    arguments: &[DURATION, EVENT, CONF, METHOD],
    returns: Returns::Record(&[
        number(
            "median",
            "duration at which half have had the event; NULL where the curve stays above a half",
        ),
        number("lo", "lower limit"),
        number("hi", "upper limit; often NULL though there is a median"),
        whole("n", "rows"),
        N_NEGATIVE,
        STATUS,
    ]),
    body: Body::Aggregate(|rows, out| {
        let limits = rows.word(3, Limits::Log)?;
        let timeline = timeline(rows)?;
        let median = km_median(&timeline, rows.number_or(2, 0.95), limits)?;
        out.number(median.median)
            .number(median.lo)
            .number(median.hi)
            .count(median.n)
            .count(timeline.excluded())
            .status(median.status);
        Ok(())
    }),
    text: text(
        "The median time to the event, of which open rows do not distort the answer.",
        NULLS,
        "As R's `print(survfit)`: Brookmeyer & Crowley (1982) Biometrics 38:29.",
        "SELECT distributor_id, k['median'] AS days, k['n'] AS n, k['status'] AS status FROM (SELECT distributor_id, km_median(coalesce(first_touch_at, as_of) - sent_at, first_touch_at IS NOT NULL) AS k FROM v_lead WHERE sent_at IS NOT NULL GROUP BY 1) ORDER BY 1",
    ),
};

const RMST: Definition = Definition {
    name: "rmst",
    arguments: &[
        DURATION,
        EVENT,
        needed("tau", Kind::Duration, "the end of the window, above 0").constant(),
    ],
    returns: Returns::Record(&[
        number("rmst", "mean time without the event within the window"),
        number("se", "its standard error"),
        whole("n", "rows"),
        N_NEGATIVE,
        STATUS,
    ]),
    body: Body::Aggregate(|rows, out| {
        let timeline = timeline(rows)?;
        let mean = rmst(&timeline, rows.needed_number(2)?)?;
        out.number(mean.rmst)
            .number(mean.se)
            .count(mean.n)
            .count(timeline.excluded())
            .status(mean.status);
        Ok(())
    }),
    text: text(
        "The mean time without the event during the first `tau`, the restricted mean survival time: a mean that open rows do not distort.",
        NULLS,
        "Irwin (1949); Klein & Moeschberger (2003), eq. 4.5.2; R's `print(survfit, rmean = tau)`.",
        "SELECT r['rmst'] AS days_untouched_of_3, r['se'] AS se, r['n'] AS n FROM (SELECT rmst(coalesce(first_touch_at, as_of) - sent_at, first_touch_at IS NOT NULL, INTERVAL '3 days') AS r FROM v_lead)",
    ),
};

const SLA: Definition = Definition {
    name: "sla",
    arguments: &[
        DURATION,
        EVENT,
        needed("h", Kind::Duration, "within how long").constant(),
        CONF,
    ],
    returns: Returns::Record(&[
        number("value", "the share that has the event within `h`"),
        whole("n", "rows"),
        number("lo", "lower limit; NULL where `value` is 0 or 1"),
        number("hi", "upper limit; NULL where `value` is 0 or 1"),
        N_NEGATIVE,
        STATUS,
    ]),
    body: Body::Aggregate(|rows, out| {
        let timeline = timeline(rows)?;
        let within = rows.needed_number(2)?;
        let conf = rows.number_or(3, 0.95);
        let at = km_at(&timeline, within, conf, Limits::LogLog).map_err(|error| Invalid {
            argument: if error.argument == "t" {
                "h"
            } else {
                error.argument
            },
            ..error
        })?;
        let share = |open: f64| 1.0 - open;
        out.number(at.surv.map(share))
            .count(at.n)
            .number(at.hi.map(share))
            .number(at.lo.map(share))
            .count(timeline.excluded())
            .status(at.status);
        Ok(())
    }),
    text: text(
        "The share for which something happens within `h`, such as leads touched within two days. Those still open count for as long as they have lasted, which touched over total gets wrong. For business time, make the durations with `business_minutes` and `h` a number of minutes.",
        NULLS,
        "1 less the Kaplan-Meier curve of `km_at`, limits on the log-log scale: Kalbfleisch & Prentice (1980), eq. 1.14.",
        "SELECT s['value'] AS touched_within_2_days, s['lo'] AS lo, s['hi'] AS hi, s['n'] AS n FROM (SELECT sla(coalesce(first_touch_at, as_of) - sent_at, first_touch_at IS NOT NULL, INTERVAL '2 days') AS s FROM v_lead)",
    ),
};
