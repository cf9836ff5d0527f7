//! Days and instants: what they count, and how text spells them. There is no clock here and no
//! time zone other than an offset that the text itself gives.

use std::fmt;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// A day, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(
    /// days since 1970-01-01
    pub i32,
);

/// An instant, UTC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(
    /// microseconds since 1970-01-01T00:00:00Z
    pub i64,
);

impl Date {
    /// Reads `2024-06-15`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = Digits(text.as_bytes());
        let date = rest.date()?;
        rest.0.is_empty().then_some(date)
    }

    /// Its first instant, UTC.
    pub const fn start(self) -> Timestamp {
        Timestamp(self.0 as i64 * MICROS_PER_DAY)
    }
}

impl Timestamp {
    /// Reads `2024-06-15T12:00:00`, with a space for the `T`, without seconds, with a fraction of
    /// a second, with `Z` or an offset such as `+02:00`; or a day, which is its first instant.
    /// Without an offset it is UTC. Digits behind the sixth of a fraction are dropped.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = Digits(text.as_bytes());
        let day = rest.date()?.start();
        if rest.0.is_empty() {
            return Some(day);
        }
        if !rest.skip(b'T') && !rest.skip(b' ') {
            return None;
        }
        let micros = rest.time()? - rest.offset()?;
        rest.0.is_empty().then_some(())?;
        day.0.checked_add(micros).map(Self)
    }

    /// The day it falls on, UTC.
    pub const fn date(self) -> Date {
        Date(self.0.div_euclid(MICROS_PER_DAY) as i32)
    }

    /// Days, with their fraction, from an earlier instant to this one; negative if it is later.
    pub fn days_since(self, earlier: Self) -> f64 {
        (self.0 - earlier.0) as f64 / MICROS_PER_DAY as f64
    }
}

impl fmt::Display for Date {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(i64::from(self.0));
        write!(out, "{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.rem_euclid(MICROS_PER_DAY);
        let (seconds, fraction) = (micros / MICROS_PER_SECOND, micros % MICROS_PER_SECOND);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(out, "{}T{hour:02}:{minute:02}:{second:02}", self.date())?;
        match fraction {
            0 => {}
            whole if whole % 1_000 == 0 => write!(out, ".{:03}", whole / 1_000)?,
            _ => write!(out, ".{fraction:06}")?,
        }
        out.write_str("Z")
    }
}

/// Reads a time from the text that it is in a document.
#[cfg(feature = "json")]
macro_rules! in_documents {
    ($($ty:ty, $what:literal);* $(;)?) => {
        $(impl<'de> serde::Deserialize<'de> for $ty {
            fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
                struct Spelled;
                impl serde::de::Visitor<'_> for Spelled {
                    type Value = $ty;

                    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                        out.write_str($what)
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$ty, E> {
                        let other = || E::invalid_value(serde::de::Unexpected::Str(text), &self);
                        <$ty>::parse(text).ok_or_else(other)
                    }
                }
                source.deserialize_str(Spelled)
            }
        })*
    };
}

#[cfg(feature = "json")]
in_documents! {
    Date, "a day like 2024-06-15";
    Timestamp, "a time like 2024-06-15T12:00:00";
}

/// What is left of a text.
struct Digits<'t>(&'t [u8]);

impl Digits<'_> {
    fn skip(&mut self, expected: u8) -> bool {
        match self.0.split_first() {
            Some((first, rest)) if *first == expected => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    /// A number of exactly this many digits.
    fn number(&mut self, digits: usize) -> Option<i64> {
        let (number, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        number.iter().try_fold(0, |sum, byte| {
            let digit = byte.is_ascii_digit().then(|| i64::from(byte - b'0'))?;
            Some(10 * sum + digit)
        })
    }

    fn bounded(&mut self, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        self.number(2).filter(|number| range.contains(number))
    }

    fn date(&mut self) -> Option<Date> {
        let year = self.number(4)?;
        let month = self.skip(b'-').then(|| self.bounded(1..=12))??;
        let day = self.skip(b'-').then(|| self.bounded(1..=31))??;
        (day <= days_in(year, month)).then(|| Date(days(year, month, day) as i32))
    }

    /// Microseconds since midnight.
    fn time(&mut self) -> Option<i64> {
        let hour = self.bounded(0..=23)?;
        let minute = self.skip(b':').then(|| self.bounded(0..=59))??;
        let minutes = 60 * hour + minute;
        if !self.skip(b':') {
            return Some(60 * minutes * MICROS_PER_SECOND);
        }
        let second = self.bounded(0..=59)?;
        let fraction = if self.skip(b'.') { self.fraction()? } else { 0 };
        Some((60 * minutes + second) * MICROS_PER_SECOND + fraction)
    }

    fn fraction(&mut self) -> Option<i64> {
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit());
        let digits = digits.count();
        let kept = digits.min(6);
        let number = self.number(kept).filter(|_| kept > 0)?;
        self.0 = &self.0[digits - kept..];
        Some(number * 10_i64.pow(6 - kept as u32))
    }

    /// Microseconds that its clock is ahead of UTC.
    fn offset(&mut self) -> Option<i64> {
        let ahead = match self.0.first() {
            None => return Some(0),
            Some(b'Z') => {
                self.skip(b'Z');
                return Some(0);
            }
            Some(b'+') => self.skip(b'+'),
            Some(b'-') => !self.skip(b'-'),
            Some(_) => return None,
        };
        let hours = self.bounded(0..=23)?;
        self.skip(b':');
        let minutes = 60 * hours + self.bounded(0..=59)?;
        let micros = 60 * minutes * MICROS_PER_SECOND;
        Some(if ahead { micros } else { -micros })
    }
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the Gregorian calendar, for years from 0. Counted in years that begin
/// in March, so that the leap day is the last of its year.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * year + leap_days + of_year - 719_468
}

/// The way back: year, month and day.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let march = (5 * of_year + 2) / 153;
    let month = if march < 10 { march + 3 } else { march - 9 };
    let year = 400 * era + year + i64::from(month < 3);
    (year, month, of_year - (153 * march + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::{Date, Timestamp};

    #[test]
    fn days_are_counted_from_1970() {
        for (text, days) in [
            ("1970-01-01", 0),
            ("1969-12-31", -1),
            ("2000-02-29", 11_016),
            ("2000-03-01", 11_017),
            ("2024-06-15", 19_889),
            ("0000-01-01", -719_528),
            ("9999-12-31", 2_932_896),
        ] {
            assert_eq!(Date::parse(text), Some(Date(days)), "{text}");
        }
    }

    #[test]
    fn instants_in_every_accepted_spelling() {
        let noon = 1_718_452_800_000_000;
        for (text, micros) in [
            ("2024-06-15T12:00:00Z", noon),
            ("2024-06-15T12:00:00", noon),
            ("2024-06-15 12:00", noon),
            ("2024-06-15T14:30:00+02:30", noon),
            ("2024-06-15T09:00:00-0300", noon),
            ("2024-06-15T12:00:00.25", noon + 250_000),
            ("2024-06-15T12:00:00.1234567Z", noon + 123_456),
            ("2024-06-15", noon - 12 * 3_600_000_000),
            ("1969-12-31T23:59:59.999999", -1),
        ] {
            assert_eq!(Timestamp::parse(text), Some(Timestamp(micros)), "{text}");
        }
    }

    #[test]
    fn other_text_is_no_time() {
        for text in [
            "",
            "2024",
            "2024-6-15",
            "2024-02-30",
            "2023-02-29",
            "1900-02-29",
            "2024-13-01",
            "2024-00-01",
            "2024-06-15T",
            "2024-06-15T24:00",
            "2024-06-15T12:60",
            "2024-06-15T12:00:00.",
            "2024-06-15T12:00:00+2",
            "2024-06-15T12:00:00 CET",
            "2024-06-15x",
            "+024-06-15",
            "２０２４-06-15",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
        assert_eq!(Date::parse("2024-06-15T12:00"), None);
    }

    #[test]
    fn times_are_written_as_they_are_read() {
        // Each day of 800 years, over every rule of leap years.
        for day in -290_000..=2_000 {
            let date = Date(day);
            assert_eq!(Date::parse(&date.to_string()), Some(date), "{date}");
        }
        assert_eq!(Date(19_889).to_string(), "2024-06-15");
        for text in [
            "2024-06-15T12:00:01Z",
            "2024-06-15T12:00:01.250Z",
            "1969-12-31T23:59:59.999999Z",
        ] {
            let at = Timestamp::parse(text).expect("an instant");
            assert_eq!(at.to_string(), text);
        }
    }

    #[test]
    fn an_instant_knows_its_day_and_its_distance() {
        let noon = Timestamp::parse("2024-06-15T12:00").expect("an instant");
        assert_eq!(noon.date(), Date(19_889));
        assert_eq!(Timestamp(-1).date(), Date(-1));
        assert_eq!(noon.days_since(Date(19_889).start()), 0.5);
        assert_eq!(Date(19_890).start().days_since(noon), 0.5);
        assert_eq!(noon.days_since(Date(19_890).start()), -0.5);
    }
}
