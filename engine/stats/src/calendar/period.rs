//! Periods: index, start, end, shift and label.

use super::civil::{
    Civil, check_day, civil_of, day_number, days_in_month, first_week, iso_week_of, week_index,
    week_start,
};
use super::grain::Grain;
use crate::invalid::Invalid;

/// When fiscal years start; weeks are ISO weeks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Calendar {
    /// 0 for January.
    fiscal_shift: i64,
}

impl Calendar {
    /// Fiscal years are calendar years.
    pub const GREGORIAN: Self = Self { fiscal_shift: 0 };

    /// Fiscal years start on the first day of `fiscal_start_month`. [`Invalid`] unless that is 1 to 12.
    pub fn new(fiscal_start_month: u8) -> Result<Self, Invalid> {
        if !(1..=12).contains(&fiscal_start_month) {
            return Err(Invalid::new(
                "fiscal_start_month",
                "a month from 1 to 12",
                fiscal_start_month,
            ));
        }
        Ok(Self {
            fiscal_shift: i64::from(fiscal_start_month) - 1,
        })
    }

    /// The first day of the period that `day` is in. [`Invalid`] for a day outside 0001-01-01 to 9999-12-31, as
    /// everywhere below; what is returned may lie a period beyond.
    pub fn period_start(&self, day: i32, grain: Grain) -> Result<i32, Invalid> {
        Ok(self.start(self.index(day, grain)?, grain) as i32)
    }

    /// The first day after the period that `day` is in.
    pub fn period_end(&self, day: i32, grain: Grain) -> Result<i32, Invalid> {
        Ok(self.start(self.index(day, grain)? + 1, grain) as i32)
    }

    /// Consecutive whole numbers over the periods of a grain. 0 is the period of 1970-01-01, except that fiscal
    /// periods count from the start of fiscal year 1970.
    pub fn period_index(&self, day: i32, grain: Grain) -> Result<i32, Invalid> {
        Ok(self.index(day, grain)? as i32)
    }

    /// The first day of the period with an index: the way back from [`Self::period_index`]. [`Invalid`] when that day
    /// is outside 0001-01-01 to 9999-12-31.
    pub fn period_at(&self, index: i32, grain: Grain) -> Result<i32, Invalid> {
        check_day("index", self.start(i64::from(index), grain))
    }

    /// The first day of the period `periods` later (earlier if negative) than the one that `day` is in.
    ///
    /// The day is moved to the start of its period before it is shifted, so the 31st never turns into the 28th and
    /// consecutive shifts add up. [`Invalid`] when the result is outside 0001-01-01 to 9999-12-31.
    pub fn period_shift(&self, day: i32, grain: Grain, periods: i32) -> Result<i32, Invalid> {
        let index = self.index(day, grain)? + i64::from(periods);
        check_day("periods", self.start(index, grain))
    }

    /// The first day of the period that corresponds to the one of `day`, `years` years later (earlier if negative).
    ///
    /// A day keeps its month and day, 29 February becoming the 28th in a common year; a week keeps its ISO number, week
    /// 53 becoming 52 in an ISO year without it; all others keep their place in the year. [`Invalid`] when the result
    /// is outside 0001-01-01 to 9999-12-31.
    pub fn year_shift(&self, day: i32, grain: Grain, years: i32) -> Result<i32, Invalid> {
        let index = self.index(day, grain)?;
        let years = i64::from(years);
        let shifted = match grain {
            Grain::Day => same_date(civil_of(index), years),
            Grain::Week => week_start(same_week(index, years)),
            _ => self.start(index + years * periods_per_year(grain), grain),
        };
        check_day("years", shifted)
    }

    /// What the period of `day` is called: "2024-03-05", "2024-W09", "2024-03", "2024-Q1", "2024-H1", "2024",
    /// "FY2025-Q1", "FY2025". Labels of one grain sort like their periods. A fiscal year is named for the calendar year
    /// it ends in.
    pub fn period_label(&self, day: i32, grain: Grain) -> Result<String, Invalid> {
        let index = self.index(day, grain)?;
        let part_of_year =
            |parts: i64| (1970 + index.div_euclid(parts), index.rem_euclid(parts) + 1);
        Ok(match grain {
            Grain::Day => {
                let Civil { year, month, day } = civil_of(index);
                format!("{year:04}-{month:02}-{day:02}")
            }
            Grain::Week => {
                let (year, week) = iso_week_of(index);
                format!("{year:04}-W{week:02}")
            }
            Grain::Month => {
                let (year, month) = part_of_year(12);
                format!("{year:04}-{month:02}")
            }
            Grain::Quarter => {
                let (year, quarter) = part_of_year(4);
                format!("{year:04}-Q{quarter}")
            }
            Grain::Half => {
                let (year, half) = part_of_year(2);
                format!("{year:04}-H{half}")
            }
            Grain::Year => format!("{:04}", 1970 + index),
            Grain::FiscalQuarter => {
                let (year, quarter) = part_of_year(4);
                format!("FY{year:04}-Q{quarter}")
            }
            Grain::FiscalYear => format!("FY{:04}", 1970 + index),
        })
    }

    /// The index of the period of a day, which must be in range.
    pub(super) fn index(&self, day: i32, grain: Grain) -> Result<i64, Invalid> {
        let day = i64::from(check_day("day", i64::from(day))?);
        let Civil { year, month, .. } = civil_of(day);
        let months = (i64::from(year) - 1970) * 12 + i64::from(month) - 1;
        Ok(match grain {
            Grain::Day => day,
            Grain::Week => week_index(day),
            Grain::Month => months,
            Grain::Quarter => months.div_euclid(3),
            Grain::Half => months.div_euclid(6),
            Grain::Year => months.div_euclid(12),
            Grain::FiscalQuarter => (months + self.lead()).div_euclid(3),
            Grain::FiscalYear => (months + self.lead()).div_euclid(12),
        })
    }

    /// The first day of the period with this index.
    pub(super) fn start(&self, index: i64, grain: Grain) -> i64 {
        let of_month =
            |months: i64| day_number(1970 + months.div_euclid(12), months.rem_euclid(12) + 1, 1);
        match grain {
            Grain::Day => index,
            Grain::Week => week_start(index),
            Grain::Month => of_month(index),
            Grain::Quarter => of_month(3 * index),
            Grain::Half => of_month(6 * index),
            Grain::Year => of_month(12 * index),
            Grain::FiscalQuarter => of_month(3 * index - self.lead()),
            Grain::FiscalYear => of_month(12 * index - self.lead()),
        }
    }

    /// Months by which a fiscal year starts before the calendar year it is named for.
    fn lead(&self) -> i64 {
        (12 - self.fiscal_shift) % 12
    }
}

fn periods_per_year(grain: Grain) -> i64 {
    match grain {
        Grain::Month => 12,
        Grain::Quarter | Grain::FiscalQuarter => 4,
        Grain::Half => 2,
        // Days and weeks have no fixed number.
        Grain::Day | Grain::Week | Grain::Year | Grain::FiscalYear => 1,
    }
}

fn same_date(date: Civil, years: i64) -> i64 {
    let (year, month) = (i64::from(date.year) + years, i64::from(date.month));
    day_number(
        year,
        month,
        i64::from(date.day).min(days_in_month(year, month)),
    )
}

fn same_week(index: i64, years: i64) -> i64 {
    let (year, week) = iso_week_of(index);
    let first = first_week(year + years);
    let weeks = first_week(year + years + 1) - first;
    first + week.min(weeks) - 1
}
