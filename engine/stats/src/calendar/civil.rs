//! Days as year, month and day of month, and as ISO weeks.

use crate::invalid::Invalid;

/// 0001-01-01 and 9999-12-31.
const DAY_MIN: i32 = -719_162;
const DAY_MAX: i32 = 2_932_896;
/// 1969-12-29, the Monday of the week of 1970-01-01.
const MONDAY: i64 = -3;

/// A date of the proleptic Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Civil {
    /// Year, 1 to 9999.
    pub year: i32,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, 1 to 31.
    pub day: u8,
}

/// The date of a day. [`Invalid`] outside 0001-01-01 to 9999-12-31.
pub fn civil(day: i32) -> Result<Civil, Invalid> {
    check_day("day", i64::from(day))?;
    Ok(civil_of(i64::from(day)))
}

/// The day of a date. [`Invalid`] when there is no such date, or its year is outside 1 to 9999.
pub fn day_of(year: i32, month: u8, day: u8) -> Result<i32, Invalid> {
    if !(1..=9999).contains(&year) {
        return Err(Invalid::new("year", "a year from 1 to 9999", year));
    }
    if !(1..=12).contains(&month) {
        return Err(Invalid::new("month", "a month from 1 to 12", month));
    }
    if day < 1 || i64::from(day) > days_in_month(i64::from(year), i64::from(month)) {
        return Err(Invalid::new("day", "a day of that month", day));
    }
    let number = day_number(i64::from(year), i64::from(month), i64::from(day));
    check_day("year", number)
}

/// The ISO 8601 week of a day: the year it counts to, and its number 1 to 53. [`Invalid`] as in [`civil`].
pub fn iso_week(day: i32) -> Result<(i32, u8), Invalid> {
    check_day("day", i64::from(day))?;
    let (year, week) = iso_week_of(week_index(i64::from(day)));
    Ok((year as i32, week as u8))
}

/// The day as a number that is known to be in range.
pub(super) fn check_day(argument: &'static str, day: i64) -> Result<i32, Invalid> {
    match i32::try_from(day) {
        Ok(day) if (DAY_MIN..=DAY_MAX).contains(&day) => Ok(day),
        _ => Err(Invalid::new(
            argument,
            "a day from 0001-01-01 to 9999-12-31",
            format_args!("day {day}"),
        )),
    }
}

/// Days from 1970-01-01 to a date of any year; months and days must be real.
///
/// Years begin in March, so that the leap day is the last, and 400 of them repeat (Hinnant 2013,
/// "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`).
pub(super) fn day_number(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`day_number`] (Hinnant 2013, `civil_from_days`).
pub(super) fn civil_of(day: i64) -> Civil {
    let shifted = day + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let month = (march_month + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    Civil {
        year: year as i32,
        month: month as u8,
        day: (day_of_year - (153 * march_month + 2) / 5 + 1) as u8,
    }
}

pub(super) fn days_in_month(year: i64, month: i64) -> i64 {
    let (next_year, next) = if month == 12 {
        (year + 1, 1)
    } else {
        (year, month + 1)
    };
    day_number(next_year, next, 1) - day_number(year, month, 1)
}

/// Weeks from the one of 1970-01-01 to the one of `day`.
pub(super) fn week_index(day: i64) -> i64 {
    (day - MONDAY).div_euclid(7)
}

/// The Monday of a week.
pub(super) fn week_start(index: i64) -> i64 {
    7 * index + MONDAY
}

/// Monday is 0.
pub(super) fn weekday(day: i64) -> usize {
    (day - MONDAY).rem_euclid(7) as usize
}

/// Year and number of a week: a week counts to the year of its Thursday.
pub(super) fn iso_week_of(index: i64) -> (i64, i64) {
    let year = i64::from(civil_of(week_start(index) + 3).year);
    (year, index - first_week(year) + 1)
}

/// The index of week 1, which is the one of 4 January.
pub(super) fn first_week(iso_year: i64) -> i64 {
    week_index(day_number(iso_year, 1, 4))
}
