//! Partial periods: how much of a period is over, and what to compare it with.

use super::civil::check_day;
use super::grain::Grain;
use super::period::Calendar;
use crate::invalid::Invalid;

/// Days from `start` up to but not including `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    /// First day.
    pub start: i32,
    /// First day after; at least `start`.
    pub end: i32,
}

impl Window {
    /// Days in it.
    pub fn days(self) -> i32 {
        self.end - self.start
    }

    /// Whether a day is in it.
    pub fn contains(self, day: i32) -> bool {
        self.start <= day && day < self.end
    }
}

/// How much of a period is over at the end of a day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Elapsed {
    /// Days over, 0 to `length`.
    pub days: i32,
    /// Days of the period.
    pub length: i32,
    /// `days` / `length`, 0 to 1.
    pub fraction: f64,
    /// Whether some of it is still to come.
    pub is_partial: bool,
}

/// Which earlier (or later) period to compare with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shift {
    /// So many periods on, as [`Calendar::period_shift`]; -1 is the previous period.
    Periods(i32),
    /// So many years on, as [`Calendar::year_shift`]; -1 is the same period of the previous year.
    Years(i32),
}

/// A period up to a day, and its counterpart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ToDate {
    /// The period as far as it is over.
    pub current: Window,
    /// As many days of the counterpart, from its start; all of it where the period is over.
    pub base: Window,
    /// The whole counterpart.
    pub base_full: Window,
    /// Whether some of the period is still to come.
    pub is_partial: bool,
}

impl Calendar {
    /// The period that `day` is in.
    pub fn period(&self, day: i32, grain: Grain) -> Result<Window, Invalid> {
        Ok(Window {
            start: self.period_start(day, grain)?,
            end: self.period_end(day, grain)?,
        })
    }

    /// How much of the period of `day` is over at the end of the day `as_of`, which itself counts as over.
    pub fn elapsed(&self, day: i32, grain: Grain, as_of: i32) -> Result<Elapsed, Invalid> {
        let period = self.period(day, grain)?;
        let as_of = check_day("as_of", i64::from(as_of))?;
        let (days, length) = (
            (as_of + 1 - period.start).clamp(0, period.days()),
            period.days(),
        );
        Ok(Elapsed {
            days,
            length,
            fraction: f64::from(days) / f64::from(length),
            is_partial: days < length,
        })
    }

    /// The period of `day` up to and including the day `as_of`, with the same number of days of its counterpart.
    ///
    /// A partial period is compared with start + min(days over, length of the counterpart), so that like is compared
    /// with like; 29 days of a leap February meet all 28 of another, and 167 days of a leap year end on 16 June of a
    /// common one. A period that is over is compared with its whole counterpart, however long. Before its start, both
    /// windows are empty.
    pub fn to_date(
        &self,
        day: i32,
        grain: Grain,
        as_of: i32,
        shift: Shift,
    ) -> Result<ToDate, Invalid> {
        let elapsed = self.elapsed(day, grain, as_of)?;
        let start = self.period_start(day, grain)?;
        let base_start = match shift {
            Shift::Periods(periods) => self.period_shift(day, grain, periods)?,
            Shift::Years(years) => self.year_shift(day, grain, years)?,
        };
        let base_full = self.period(base_start, grain)?;
        let days = if elapsed.is_partial {
            elapsed.days.min(base_full.days())
        } else {
            base_full.days()
        };
        Ok(ToDate {
            current: Window {
                start,
                end: start + elapsed.days,
            },
            base: Window {
                start: base_start,
                end: base_start + days,
            },
            base_full,
            is_partial: elapsed.is_partial,
        })
    }
}
