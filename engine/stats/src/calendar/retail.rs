//! The retail calendar: years of 52 or 53 whole weeks, whose quarters are 4-4-5 weeks or an order of these.
//!
//! A year ends on the given weekday nearest to the end of a month, as the National Retail Federation's (4-5-4,
//! Saturday nearest to 31 January) does. A 53rd week belongs to the last period.

use std::str::FromStr;

use super::civil::{check_day, civil_of, day_number, weekday};
use crate::invalid::Invalid;

/// Weeks of the three periods of a quarter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WeekPattern {
    /// 4, 4 and 5 weeks.
    FourFourFive,
    /// 4, 5 and 4 weeks.
    FourFiveFour,
    /// 5, 4 and 4 weeks.
    FiveFourFour,
}

impl WeekPattern {
    /// The period 0 to 2 of a week 0 to 12 of a quarter; a week 13 belongs to the last one.
    fn period(self, week: i64) -> i64 {
        let (second, third) = match self {
            Self::FourFourFive => (4, 8),
            Self::FourFiveFour => (4, 9),
            Self::FiveFourFour => (5, 9),
        };
        i64::from(week >= second) + i64::from(week >= third)
    }

    fn first_week(self, period: i64) -> i64 {
        (0..13)
            .find(|week| self.period(*week) == period)
            .unwrap_or(0)
    }
}

impl FromStr for WeekPattern {
    type Err = Invalid;

    /// The pattern by its SQL name.
    fn from_str(name: &str) -> Result<Self, Invalid> {
        match name {
            "4-4-5" => Ok(Self::FourFourFive),
            "4-5-4" => Ok(Self::FourFiveFour),
            "5-4-4" => Ok(Self::FiveFourFour),
            _ => Err(Invalid::new(
                "pattern",
                "4-4-5, 4-5-4 or 5-4-4",
                format_args!("\"{name}\""),
            )),
        }
    }
}

/// The length of a retail period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RetailGrain {
    /// Seven days.
    Week,
    /// Four or five weeks; six for the last one of a 53-week year that ends on five.
    Period,
    /// Three periods.
    Quarter,
    /// Four quarters.
    Year,
}

/// Where a day lies in the retail year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RetailDate {
    /// The year, named for the calendar year that holds most of it.
    pub year: i32,
    /// 1 to 4.
    pub quarter: u8,
    /// 1 to 12.
    pub period: u8,
    /// Week of the year, 1 to 53.
    pub week: u8,
}

/// A retail calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RetailCalendar {
    pattern: WeekPattern,
    last_month: i64,
    last_weekday: i64,
}

impl RetailCalendar {
    /// Years end on `last_weekday` (1 for Monday to 7 for Sunday) nearest to the end of `last_month`; the federation's
    /// is `new(WeekPattern::FourFiveFour, 1, 6)`. [`Invalid`] for another month or weekday.
    pub fn new(pattern: WeekPattern, last_month: u8, last_weekday: u8) -> Result<Self, Invalid> {
        if !(1..=12).contains(&last_month) {
            return Err(Invalid::new(
                "last_month",
                "a month from 1 to 12",
                last_month,
            ));
        }
        if !(1..=7).contains(&last_weekday) {
            return Err(Invalid::new(
                "last_weekday",
                "a weekday from 1 to 7",
                last_weekday,
            ));
        }
        Ok(Self {
            pattern,
            last_month: i64::from(last_month),
            last_weekday: i64::from(last_weekday) - 1,
        })
    }

    /// Where a day lies. [`Invalid`] for a day outside 0001-01-01 to 9999-12-31, as everywhere below.
    pub fn date(&self, day: i32) -> Result<RetailDate, Invalid> {
        let (year, week) = self.week(day)?;
        let (quarter, period) = self.place(week);
        Ok(RetailDate {
            year: year as i32,
            quarter: quarter as u8 + 1,
            period: period as u8 + 1,
            week: week as u8 + 1,
        })
    }

    /// The first day of the period that `day` is in.
    pub fn period_start(&self, day: i32, grain: RetailGrain) -> Result<i32, Invalid> {
        let index = i64::from(self.period_index(day, grain)?);
        Ok(self.start(index, grain) as i32)
    }

    /// The first day after the period that `day` is in.
    pub fn period_end(&self, day: i32, grain: RetailGrain) -> Result<i32, Invalid> {
        let index = i64::from(self.period_index(day, grain)?);
        Ok(self.start(index + 1, grain) as i32)
    }

    /// Consecutive whole numbers over the periods of a grain; 0 is the first of the retail year 1970.
    pub fn period_index(&self, day: i32, grain: RetailGrain) -> Result<i32, Invalid> {
        let (year, week) = self.week(day)?;
        let (quarter, period) = self.place(week);
        let years = year - 1970;
        let index = match grain {
            RetailGrain::Week => (self.year_start(year) - self.year_start(1970)) / 7 + week,
            RetailGrain::Period => 12 * years + period,
            RetailGrain::Quarter => 4 * years + quarter,
            RetailGrain::Year => years,
        };
        Ok(index as i32)
    }

    /// The first day of the period `periods` later (earlier if negative) than the one that `day` is in. [`Invalid`]
    /// when it is outside 0001-01-01 to 9999-12-31.
    pub fn period_shift(&self, day: i32, grain: RetailGrain, periods: i32) -> Result<i32, Invalid> {
        let index = i64::from(self.period_index(day, grain)?) + i64::from(periods);
        check_day("periods", self.start(index, grain))
    }

    fn start(&self, index: i64, grain: RetailGrain) -> i64 {
        let in_year = |parts: i64, first_week: i64| {
            self.year_start(1970 + index.div_euclid(parts)) + 7 * first_week
        };
        match grain {
            RetailGrain::Week => self.year_start(1970) + 7 * index,
            RetailGrain::Period => {
                let period = index.rem_euclid(12);
                let first = 13 * (period / 3) + self.pattern.first_week(period % 3);
                in_year(12, first)
            }
            RetailGrain::Quarter => in_year(4, 13 * index.rem_euclid(4)),
            RetailGrain::Year => in_year(1, 0),
        }
    }

    /// The retail year of a day, and its week counted from 0.
    fn week(&self, day: i32) -> Result<(i64, i64), Invalid> {
        let day = i64::from(check_day("day", i64::from(day))?);
        let guess = i64::from(civil_of(day).year);
        let year = (guess - 1..=guess + 1)
            .rev()
            .find(|year| self.year_start(*year) <= day)
            .unwrap_or(guess - 1);
        Ok((year, (day - self.year_start(year)) / 7))
    }

    /// Quarter and period, both from 0, of a week of the year.
    fn place(&self, week: i64) -> (i64, i64) {
        let quarter = (week / 13).min(3);
        (
            quarter,
            3 * quarter + self.pattern.period(week - 13 * quarter),
        )
    }

    fn year_start(&self, year: i64) -> i64 {
        // A year that ends in January to May holds most of the calendar year before.
        let ends_in = if self.last_month <= 5 { year } else { year - 1 };
        let (next_year, next_month) = if self.last_month == 12 {
            (ends_in + 1, 1)
        } else {
            (ends_in, self.last_month + 1)
        };
        let month_end = day_number(next_year, next_month, 1) - 1;
        // The last weekday within three days on either side.
        let ahead = (self.last_weekday - weekday(month_end - 3) as i64).rem_euclid(7);
        month_end - 3 + ahead + 1
    }
}
