//! Business hours: how long a distributor had, not how long it took.
//!
//! A moment is microseconds since 1970-01-01 00:00 UTC. Local time is a fixed offset from that; where clocks change
//! during the year, an hour is off for part of it.

use super::civil::{week_index, weekday};
use crate::invalid::Invalid;

const MINUTE_US: i128 = 60_000_000;
const DAY_MINUTES: u16 = 1440;
const DAY_US: i128 = DAY_MINUTES as i128 * MINUTE_US;
/// Beyond the offsets of the world's time zones.
const OFFSET_MINUTES_MAX: i32 = 1440;

/// When a day opens and closes, in minutes since local midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hours {
    /// First open minute, 0 to 1439.
    pub opens_minute: u16,
    /// First closed minute after, up to 1440 for midnight.
    pub closes_minute: u16,
}

impl Hours {
    fn length_us(self) -> i128 {
        i128::from(self.closes_minute - self.opens_minute) * MINUTE_US
    }

    /// Open time before a moment of the day.
    fn before_us(self, moment_us: i128) -> i128 {
        (moment_us - i128::from(self.opens_minute) * MINUTE_US).clamp(0, self.length_us())
    }
}

/// A day with hours of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpecialDay {
    /// Days since 1970-01-01, local.
    pub day: i32,
    /// Its hours; `None` for a holiday.
    pub hours: Option<Hours>,
}

/// Weekly opening hours, with holidays and other special days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusinessCalendar {
    /// Monday first.
    week: [Option<Hours>; 7],
    offset_us: i128,
    /// Ascending.
    special: Vec<Special>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Special {
    day: i32,
    hours: Option<Hours>,
    /// Open time that special days up to and including this one add to the weekly hours.
    added_us: i128,
}

impl BusinessCalendar {
    /// Hours for Monday to Sunday (`None` for closed), days that differ, and local minutes ahead of UTC.
    ///
    /// [`Invalid`] when a day doesn't open before it closes or closes after 1440, a special day is named twice, or
    /// the offset exceeds a day. Hours over midnight are two days' hours.
    pub fn new(
        week: [Option<Hours>; 7],
        special: &[SpecialDay],
        offset_minutes: i32,
    ) -> Result<Self, Invalid> {
        let all = week.iter().chain(special.iter().map(|day| &day.hours));
        for hours in all.flatten() {
            if hours.opens_minute >= hours.closes_minute || hours.closes_minute > DAY_MINUTES {
                return Err(Invalid::new(
                    "hours",
                    "an opening before the closing, both within 0 to 1440 minutes",
                    format_args!("{} to {}", hours.opens_minute, hours.closes_minute),
                ));
            }
        }
        if !(-OFFSET_MINUTES_MAX..=OFFSET_MINUTES_MAX).contains(&offset_minutes) {
            return Err(Invalid::new(
                "offset_minutes",
                "minutes from -1440 to 1440",
                offset_minutes,
            ));
        }
        let mut calendar = Self {
            week,
            offset_us: i128::from(offset_minutes) * MINUTE_US,
            special: Vec::with_capacity(special.len()),
        };
        let mut ascending = special.to_vec();
        ascending.sort_unstable_by_key(|special| special.day);
        let mut added_us = 0;
        for SpecialDay { day, hours } in ascending {
            if calendar.special.last().is_some_and(|last| last.day == day) {
                return Err(Invalid::new("special", "every day at most once", day));
            }
            added_us += length_us(hours) - length_us(calendar.weekly_hours(i64::from(day)));
            calendar.special.push(Special {
                day,
                hours,
                added_us,
            });
        }
        Ok(calendar)
    }

    /// Open minutes from one moment to another, negative if the second is earlier. O(log special days), however far
    /// apart they are.
    pub fn business_minutes_between(&self, start_us: i64, end_us: i64) -> f64 {
        (self.open_before(end_us) - self.open_before(start_us)) as f64 / MINUTE_US as f64
    }

    /// Whether a moment is within business hours.
    pub fn is_open(&self, moment_us: i64) -> bool {
        let (day, within) = self.local(moment_us);
        let opens = |hours: Hours| i128::from(hours.opens_minute) * MINUTE_US;
        let closes = |hours: Hours| i128::from(hours.closes_minute) * MINUTE_US;
        self.hours(day)
            .is_some_and(|hours| opens(hours) <= within && within < closes(hours))
    }

    /// Open time from the Monday of 1970-01-01 to a moment; earlier moments are negative.
    fn open_before(&self, moment_us: i64) -> i128 {
        let (day, within) = self.local(moment_us);
        let week = week_index(day);
        let of_week: i128 = self.week.iter().copied().map(length_us).sum();
        let days_before = &self.week[..weekday(day)];
        let of_days: i128 = days_before.iter().copied().map(length_us).sum();
        let special_before = self.special_before(day);
        let added = special_before.last().map_or(0, |special| special.added_us);
        let of_day = self.hours(day).map_or(0, |hours| hours.before_us(within));
        i128::from(week) * of_week + of_days + added + of_day
    }

    /// The local day of a moment, and the time since its midnight.
    fn local(&self, moment_us: i64) -> (i64, i128) {
        let local = i128::from(moment_us) + self.offset_us;
        (local.div_euclid(DAY_US) as i64, local.rem_euclid(DAY_US))
    }

    fn special_before(&self, day: i64) -> &[Special] {
        let before = self
            .special
            .partition_point(|special| i64::from(special.day) < day);
        &self.special[..before]
    }

    fn hours(&self, day: i64) -> Option<Hours> {
        match self.special.get(self.special_before(day).len()) {
            Some(special) if i64::from(special.day) == day => special.hours,
            _ => self.weekly_hours(day),
        }
    }

    fn weekly_hours(&self, day: i64) -> Option<Hours> {
        self.week[weekday(day)]
    }
}

fn length_us(hours: Option<Hours>) -> i128 {
    hours.map_or(0, Hours::length_us)
}
