//! The 36 months that the data covers. Days and seconds count from 2023-01-01; months from 0 to 35.
//! Nothing here reads a clock: the data ends at the last second of 2025.

use chrono::{Datelike, Days, NaiveDate, Weekday};

pub(crate) const DAYS: usize = 1096;
pub(crate) const MONTHS: usize = 36;
pub(crate) const DAY_SECONDS: i64 = 86_400;
/// First second after the data; whatever would happen later has not happened yet.
pub(crate) const END: i64 = DAYS as i64 * DAY_SECONDS;

const FIRST: NaiveDate = NaiveDate::from_ymd_opt(2023, 1, 1).expect("a valid date");

/// Per day: its text, its month and how much business it sees.
pub(crate) struct Calendar {
    texts: Vec<[u8; 10]>,
    months: Vec<u8>,
    weekdays: Vec<Weekday>,
}

impl Calendar {
    pub(crate) fn new() -> Self {
        let dates: Vec<NaiveDate> = (0..DAYS as i64).map(date).collect();
        Self {
            texts: dates.iter().map(|date| text(*date)).collect(),
            months: dates.iter().map(|date| month_of(*date) as u8).collect(),
            weekdays: dates.iter().map(Datelike::weekday).collect(),
        }
    }

    /// `2024-05-01`.
    pub(crate) fn text(&self, day: i64) -> [u8; 10] {
        match usize::try_from(day)
            .ok()
            .and_then(|day| self.texts.get(day))
        {
            Some(text) => *text,
            None => text(date(day)),
        }
    }

    /// `day` must lie within the data.
    pub(crate) fn month(&self, day: i64) -> usize {
        usize::from(self.months[day as usize])
    }

    /// Relative amount of business on a day.
    pub(crate) fn weight(&self, day: usize) -> f64 {
        match self.weekdays[day] {
            Weekday::Sat => 0.20,
            Weekday::Sun => 0.08,
            Weekday::Fri => 0.90,
            _ => 1.0,
        }
    }

    /// Open days: Monday to Friday, with Saturday when `last` says so, without the four fixed holidays.
    pub(crate) fn is_open(&self, day: usize, last: Weekday) -> bool {
        let date = date(day as i64);
        let holiday = matches!(
            (date.month(), date.day()),
            (1, 1) | (5, 1) | (12, 25) | (12, 26)
        );
        !holiday && self.weekdays[day].num_days_from_monday() <= last.num_days_from_monday()
    }

    /// Rows due up to and including each day, for `rows` in all spread by `month_weights` and weekday.
    pub(crate) fn quotas(&self, rows: f64, month_weights: &[f64]) -> Vec<u64> {
        let mut in_month = [0.0; MONTHS];
        for day in 0..DAYS {
            in_month[self.month(day as i64)] += self.weight(day);
        }
        let total: f64 = month_weights.iter().sum();
        let mut due = 0.0;
        (0..DAYS)
            .map(|day| {
                let month = self.month(day as i64);
                due += rows * month_weights[month] / total * self.weight(day) / in_month[month];
                due.round() as u64
            })
            .collect()
    }
}

/// First day of a month; months before 0 and after 35 are fine.
pub(crate) fn month_start(month: i64) -> i64 {
    let (year, month) = (2023 + month.div_euclid(12), month.rem_euclid(12) + 1);
    let date = NaiveDate::from_ymd_opt(year as i32, month as u32, 1).expect("a month near 2023");
    (date - FIRST).num_days()
}

/// `2024-05-01` of a month.
pub(crate) fn month_text(month: usize) -> String {
    date(month_start(month as i64)).to_string()
}

fn date(day: i64) -> NaiveDate {
    let step = Days::new(day.unsigned_abs());
    let date = if day < 0 {
        FIRST.checked_sub_days(step)
    } else {
        FIRST.checked_add_days(step)
    };
    date.expect("a day near 2023")
}

fn month_of(date: NaiveDate) -> usize {
    (date.year() - 2023) as usize * 12 + date.month0() as usize
}

fn text(date: NaiveDate) -> [u8; 10] {
    let text = date.to_string();
    text.as_bytes()
        .try_into()
        .expect("years near 2023 have four digits")
}
