//! Durations and how they ended: collected in any order, then sorted once for every estimate.
//!
//! Knows no estimate. Counts are whole numbers, so what is computed from a timeline cannot depend on the
//! order in which its rows arrived.

use crate::invalid::Invalid;

/// Beyond this a squared area is no longer finite.
const DURATION_MAX: f64 = 1e100;

/// Durations being collected. Parts collected apart are joined by [`Durations::append`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Durations {
    rows: Vec<Exit>,
    excluded: u64,
}

/// How one duration ended: with a cause, or open (cause 0).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Exit {
    pub(crate) t: f64,
    pub(crate) cause: u32,
}

impl Durations {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a duration that ended with an event, or is still open. Negative: counted, not kept. [`Invalid`]
    /// when it is not finite or beyond 1e100.
    pub fn push(&mut self, duration: f64, event: bool) -> Result<(), Invalid> {
        self.push_cause(duration, u32::from(event))
    }

    /// Adds a duration that ended for `cause`, where 0 is still open. As [`Durations::push`].
    pub fn push_cause(&mut self, duration: f64, cause: u32) -> Result<(), Invalid> {
        match checked_duration(duration)? {
            Some(t) => self.rows.push(Exit { t, cause }),
            None => self.excluded += 1,
        }
        Ok(())
    }

    /// Takes the rows of another part.
    pub fn append(&mut self, other: Self) {
        self.rows.extend(other.rows);
        self.excluded += other.excluded;
    }

    /// Sorts what was collected.
    pub fn into_timeline(self) -> Timeline {
        let Self { mut rows, excluded } = self;
        rows.sort_unstable_by(|a, b| a.t.total_cmp(&b.t).then(a.cause.cmp(&b.cause)));
        Timeline { rows, excluded }
    }
}

/// The duration with one zero only; `None` if it is negative.
pub(crate) fn checked_duration(duration: f64) -> Result<Option<f64>, Invalid> {
    if duration.is_nan() || duration.abs() > DURATION_MAX {
        return Err(Invalid::new(
            "durations",
            "finite numbers up to 1e100",
            duration,
        ));
    }
    // -0 + 0 is 0.
    Ok((duration >= 0.0).then_some(duration + 0.0))
}

/// Durations in ascending order.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    rows: Vec<Exit>,
    excluded: u64,
}

impl Timeline {
    /// From a duration and an outcome per row: `true` is an event, `false` still open. [`Invalid`] as
    /// [`Durations::push`], or when lengths differ.
    pub fn of_events(durations: &[f64], events: &[bool]) -> Result<Self, Invalid> {
        check_lengths("events", events.len(), durations.len())?;
        let mut all = Durations::new();
        for (duration, event) in durations.iter().zip(events) {
            all.push(*duration, *event)?;
        }
        Ok(all.into_timeline())
    }

    /// From a duration and a cause per row, where 0 is still open. [`Invalid`] as [`Timeline::of_events`].
    pub fn of_causes(durations: &[f64], causes: &[u32]) -> Result<Self, Invalid> {
        check_lengths("causes", causes.len(), durations.len())?;
        let mut all = Durations::new();
        for (duration, cause) in durations.iter().zip(causes) {
            all.push_cause(*duration, *cause)?;
        }
        Ok(all.into_timeline())
    }

    /// How many durations count.
    pub fn n(&self) -> u64 {
        self.rows.len() as u64
    }

    /// How many were negative and left out.
    pub fn excluded(&self) -> u64 {
        self.excluded
    }

    /// The longest duration.
    pub(crate) fn last(&self) -> Option<f64> {
        self.rows.last().map(|exit| exit.t)
    }

    /// How many last at least until `t`.
    pub(crate) fn at_risk(&self, t: f64) -> u64 {
        (self.rows.len() - self.rows.partition_point(|exit| exit.t < t)) as u64
    }

    /// The distinct durations, ascending.
    pub(crate) fn moments(&self) -> impl Iterator<Item = Moment<'_>> {
        let mut n_risk = self.n();
        self.rows.chunk_by(|a, b| a.t == b.t).map(move |exits| {
            // Sorted by cause within a moment, so the open ones come first.
            let n_censor = exits.partition_point(|exit| exit.cause == 0);
            let moment = Moment {
                t: exits[0].t,
                n_risk,
                n_event: (exits.len() - n_censor) as u64,
                n_censor: n_censor as u64,
                events: &exits[n_censor..],
            };
            n_risk -= exits.len() as u64;
            moment
        })
    }
}

pub(crate) fn check_lengths(
    argument: &'static str,
    len: usize,
    expected: usize,
) -> Result<(), Invalid> {
    if len == expected {
        Ok(())
    } else {
        Err(Invalid::new(argument, "one entry per duration", len))
    }
}

/// Everything that happened at one duration.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment<'a> {
    pub(crate) t: f64,
    /// Durations of at least `t`.
    pub(crate) n_risk: u64,
    pub(crate) n_event: u64,
    pub(crate) n_censor: u64,
    events: &'a [Exit],
}

impl Moment<'_> {
    /// Events of one cause.
    pub(crate) fn n_of(&self, cause: u32) -> u64 {
        let from = self.events.partition_point(|exit| exit.cause < cause);
        let to = self.events.partition_point(|exit| exit.cause <= cause);
        (to - from) as u64
    }

    /// The causes that occurred, ascending, with repetitions.
    pub(crate) fn causes(&self) -> impl Iterator<Item = u32> {
        self.events.iter().map(|exit| exit.cause)
    }
}
