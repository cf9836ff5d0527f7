//! What the text of a value means in the dialect of its file: exact, or refused with the option that may be missing.

use std::sync::Arc;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Timelike};

use super::rejects::{Reason, quote};
use crate::model::Kind;
use crate::reading::{Dates, DecimalMark, Reading};

/// Days from the first day of the common era to 1970-01-01.
pub const EPOCH_DAYS: i32 = 719_163;

/// What says in an error that a comma is the decimal mark.
const DECIMAL_COMMA: &str = "decimal=, where a comma stands before the decimals";

/// How texts of one file are read.
#[derive(Clone, Debug)]
pub struct Dialect {
    decimal: DecimalMark,
    dates: Dates,
    null: Arc<[String]>,
}

impl Default for Dialect {
    fn default() -> Self {
        Self::of(&Reading::default())
    }
}

impl Dialect {
    pub fn of(reading: &Reading) -> Self {
        Self {
            decimal: reading.decimal.unwrap_or(DecimalMark::Point),
            dates: reading.dates.unwrap_or(Dates::Iso),
            null: reading.null.as_slice().into(),
        }
    }

    /// Whether a text was declared to mean NULL.
    pub fn is_null(&self, text: &str) -> bool {
        self.null.iter().any(|null| null == text)
    }

    /// A day, in days since 1970-01-01.
    pub fn date(&self, text: &str) -> Result<i32, Reason> {
        if let Some(day) = iso_date(text) {
            return Ok(day);
        }
        let bad = || not_a(Kind::Date, text);
        let Some((parts, "")) = Parts::of(text) else {
            return Err(bad());
        };
        parts.in_order(self.dates).and_then(days).ok_or_else(|| {
            if self.dates == Dates::Iso {
                parts.which(text).unwrap_or_else(bad)
            } else {
                bad()
            }
        })
    }

    /// An instant, in microseconds since 1970.
    pub fn timestamp(&self, text: &str) -> Result<i64, Reason> {
        if let Some(instant) = iso_timestamp(text) {
            return Ok(instant);
        }
        let bad = || not_a(Kind::Timestamp, text);
        let Some((parts, rest)) = Parts::of(text) else {
            return Err(bad());
        };
        if self.dates == Dates::Iso {
            return Err(parts.which(text).unwrap_or_else(bad));
        }
        let date = parts.in_order(self.dates).ok_or_else(bad)?;
        let (year, month, day) = (date.year(), date.month(), date.day());
        // Clocks beside such dates often leave the seconds out.
        let seconds = if rest.len() == "T09:30".len() {
            ":00"
        } else {
            ""
        };
        iso_timestamp(&format!("{year:04}-{month:02}-{day:02}{rest}{seconds}")).ok_or_else(bad)
    }

    /// A decimal number in units of its last decimal.
    pub fn decimal(
        &self,
        text: &str,
        kind: Kind,
        (precision, scale): (u8, i8),
        excess: Excess,
    ) -> Result<i128, Reason> {
        let plain = self.plain(text, kind)?;
        match decimal(plain.as_ref(), precision, scale, excess) {
            Ok(Some(units)) => Ok(units),
            Ok(None) => Err(not_a(kind, text)),
            Err(what) => Err(format!("{} {what}", quote(text)).into()),
        }
    }

    /// A finite number.
    pub fn number(&self, text: &str) -> Result<f64, Reason> {
        let plain = self.plain(text, Kind::Number)?;
        let number = plain.parse().ok().filter(|number: &f64| number.is_finite());
        number.ok_or_else(|| not_a(Kind::Number, text))
    }

    /// The number with a point before its decimals; refuses what looks like the other dialect.
    fn plain<'a>(&self, text: &'a str, kind: Kind) -> Result<std::borrow::Cow<'a, str>, Reason> {
        match self.decimal {
            DecimalMark::Point if is_comma_number(text) => Err(Reason::or_send(
                format!("{} is not {}", quote(text), kind.noun()),
                DECIMAL_COMMA,
            )),
            DecimalMark::Comma if text.contains('.') => Err(format!(
                "{} has a point, which stands neither between thousands nor before decimals here",
                quote(text)
            )
            .into()),
            DecimalMark::Point if is_grouped(text, ',') => Err(grouped(text)),
            DecimalMark::Comma if is_grouped(text, ' ') => Err(grouped(text)),
            DecimalMark::Point => Ok(text.into()),
            DecimalMark::Comma => Ok(text.replacen(',', ".", 1).into()),
        }
    }
}

/// What becomes of more decimals than a column has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Excess {
    /// An error, unless they are zeros.
    Refused,
    /// Half away from zero.
    Rounded,
}

/// The reason for a text that is no value of its kind.
pub fn not_a(kind: Kind, text: &str) -> Reason {
    format!("{} is not {}", quote(text), kind.noun()).into()
}

/// `12,5` or `1.234,50`: digits and one comma, points between thousands before it.
fn is_comma_number(text: &str) -> bool {
    let digits = text.trim_start_matches(['-', '+']);
    let Some((whole, decimals)) = digits.split_once(',') else {
        return false;
    };
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let groups: Vec<&str> = whole.split('.').collect();
    let grouped = groups[1..].iter().all(|group| group.len() == 3);
    !whole.is_empty()
        && !decimals.is_empty()
        && all_digits(decimals)
        && groups.iter().all(|group| all_digits(group))
        && grouped
}

/// A number but for what stands between its thousands: this separator, a blank or an apostrophe.
fn is_grouped(text: &str, separator: char) -> bool {
    let between = [separator, ' ', '\u{a0}', '\u{202f}', '\'', '’'];
    let digits = text.trim_start_matches(['-', '+']);
    digits.contains(between)
        && digits.starts_with(|first: char| first.is_ascii_digit())
        && digits.ends_with(|last: char| last.is_ascii_digit())
        && digits
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '.' | ',') || between.contains(&c))
}

fn grouped(text: &str) -> Reason {
    format!(
        "{} has thousands separators, which are not read",
        quote(text)
    )
    .into()
}

/// Three numbers with one separator between them, the year last.
struct Parts {
    first: u32,
    second: u32,
    year: u32,
}

impl Parts {
    /// The parts at the start of a text, and the rest of it.
    fn of(text: &str) -> Option<(Self, &str)> {
        let number = |text: &str, longest: usize| {
            let length = text.bytes().take_while(u8::is_ascii_digit).count();
            let digits = (1..=longest).contains(&length).then(|| &text[..length])?;
            Some((digits.parse::<u32>().ok()?, length))
        };
        let (first, length) = number(text, 2)?;
        let separator = text[length..]
            .chars()
            .next()
            .filter(|c| matches!(c, '.' | '/' | '-'))?;
        let rest = &text[length + 1..];
        let (second, length) = number(rest, 2)?;
        let rest = rest[length..].strip_prefix(separator)?;
        let (year, length) = number(rest, 4).filter(|(_, length)| *length == 4)?;
        let parts = Self {
            first,
            second,
            year,
        };
        Some((parts, &rest[length..]))
    }

    fn in_order(&self, dates: Dates) -> Option<NaiveDate> {
        let (month, day) = match dates {
            Dates::Iso => return None,
            Dates::Dmy => (self.second, self.first),
            Dates::Mdy => (self.first, self.second),
        };
        NaiveDate::from_ymd_opt(i32::try_from(self.year).ok()?, month, day)
    }

    /// Which orders would make it a date.
    fn which(&self, text: &str) -> Option<Reason> {
        let shown = quote(text);
        Some(
            match (self.in_order(Dates::Dmy), self.in_order(Dates::Mdy)) {
                (Some(dmy), Some(mdy)) if dmy != mdy => Reason::or_send(
                    format!("{shown} could be {} or {}", spoken(dmy), spoken(mdy)),
                    "dates=dmy or dates=mdy",
                ),
                (Some(_), Some(_)) => Reason::or_send(
                    format!("{shown} does not begin with the year"),
                    "dates=dmy or dates=mdy",
                ),
                (Some(_), None) => {
                    Reason::or_send(format!("{shown} begins with the day"), "dates=dmy")
                }
                (None, Some(_)) => {
                    Reason::or_send(format!("{shown} begins with the month"), "dates=mdy")
                }
                (None, None) => return None,
            },
        )
    }
}

fn spoken(date: NaiveDate) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    format!("{} {}", date.day(), MONTHS[date.month0() as usize])
}

fn days(date: NaiveDate) -> Option<i32> {
    Some(date.num_days_from_ce() - EPOCH_DAYS)
}

/// `2024-05-31`, nothing else.
fn iso_date(text: &str) -> Option<i32> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let number = |range: std::ops::Range<usize>| {
        let digits = &bytes[range];
        digits.iter().all(u8::is_ascii_digit).then(|| {
            digits
                .iter()
                .fold(0_u32, |sum, digit| sum * 10 + u32::from(digit - b'0'))
        })
    };
    let year = i32::try_from(number(0..4)?).ok()?;
    days(NaiveDate::from_ymd_opt(
        year,
        number(5..7)?,
        number(8..10)?,
    )?)
}

/// RFC 3339, a blank allowed in place of the T; without an offset it is UTC. No leap seconds, nothing finer than a
/// microsecond, years 1 to 9999.
fn iso_timestamp(text: &str) -> Option<i64> {
    let instant = match DateTime::parse_from_rfc3339(text) {
        Ok(instant) => instant.naive_utc(),
        Err(_) => ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
            .iter()
            .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())?,
    };
    let exact = instant.nanosecond() < 1_000_000_000 && instant.nanosecond().is_multiple_of(1_000);
    (exact && (1..=9999).contains(&instant.year())).then(|| instant.and_utc().timestamp_micros())
}

/// A plain decimal number in units of its last decimal. `Ok(None)` is no number at all; the error is one that does
/// not fit.
fn decimal(text: &str, precision: u8, scale: i8, excess: Excess) -> Result<Option<i128>, String> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let point = digits
        .iter()
        .position(|b| *b == b'.')
        .unwrap_or(digits.len());
    let whole = &digits[..point];
    let decimals = digits.get(point + 1..).unwrap_or_default();
    let all_digits = whole.iter().chain(decimals).all(u8::is_ascii_digit);
    if !all_digits || (whole.is_empty() && decimals.is_empty()) {
        return Ok(None);
    }
    let scale = usize::from(scale.unsigned_abs());
    let whole_digits = usize::from(precision) - scale;
    let too_fine = decimals.get(scale..).unwrap_or_default();
    if excess == Excess::Refused && too_fine.iter().any(|digit| *digit != b'0') {
        return Err(format!("has more than {scale} decimals"));
    }
    let too_large = || format!("has more than {whole_digits} digits before the point");
    let significant = whole.iter().position(|b| *b != b'0').unwrap_or(whole.len());
    if whole.len() - significant > whole_digits {
        return Err(too_large());
    }
    let kept = decimals.iter().chain(std::iter::repeat(&b'0')).take(scale);
    let mut units = whole[significant..]
        .iter()
        .chain(kept)
        .fold(0_i128, |sum, digit| sum * 10 + i128::from(digit - b'0'));
    if too_fine.first().is_some_and(|digit| *digit >= b'5') {
        units += 1;
        if units >= 10_i128.pow(u32::from(precision)) {
            return Err(too_large());
        }
    }
    Ok(Some(if negative { -units } else { units }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{MONEY_PRECISION, MONEY_SCALE};

    fn dialect(options: &[(&str, &str)]) -> Dialect {
        let mut reading = Reading::default();
        for (option, value) in options {
            reading.set(option, value).expect("an option");
        }
        Dialect::of(&reading)
    }

    #[test]
    fn money_is_exact_or_refused() {
        let money = |text| decimal(text, MONEY_PRECISION, MONEY_SCALE, Excess::Refused);
        assert_eq!(money("1234.5"), Ok(Some(12_345_000)));
        assert_eq!(money("-0.0001"), Ok(Some(-1)));
        assert_eq!(money("+007"), Ok(Some(70_000)));
        assert_eq!(money("1.50000"), Ok(Some(15_000)));
        assert_eq!(
            money("999999999999999.9999"),
            Ok(Some(9_999_999_999_999_999_999))
        );
        assert!(money("1.00001").is_err());
        assert!(money("1000000000000000").is_err());
        for text in ["", ".", "-", "1,5", "1e3", "0x1", " 1", "1.2.3", "NaN"] {
            assert_eq!(money(text), Ok(None), "{text:?}");
        }
    }

    #[test]
    fn money_is_rounded_half_away_from_zero_where_asked() {
        let money = |text| decimal(text, MONEY_PRECISION, MONEY_SCALE, Excess::Rounded);
        assert_eq!(money("1.00005"), Ok(Some(10_001)));
        assert_eq!(money("-1.00005"), Ok(Some(-10_001)));
        assert_eq!(money("1.000049999"), Ok(Some(10_000)));
        assert!(
            money("999999999999999.99995").is_err(),
            "rounds out of range"
        );
    }

    #[test]
    fn dates_and_timestamps_are_strict() {
        assert_eq!(iso_date("1970-01-02"), Some(1));
        for text in [
            "2023-02-29",
            "2023-1-01",
            "01/02/2023",
            "2023-01-01T00:00:00Z",
            "20x3-01-01",
        ] {
            assert_eq!(iso_date(text), None, "{text}");
        }
        assert_eq!(iso_timestamp("1970-01-01T00:00:01.5Z"), Some(1_500_000));
        assert_eq!(iso_timestamp("1970-01-01T01:00:00+01:00"), Some(0));
        for text in [
            "yesterday",
            "2024-01-01",
            "2024-13-01T00:00:00Z",
            "01/02/2024 10:00",
            "2024-05-31T09:30:60Z",
            "2024-05-31T09:30:00 America/New_York",
            "2024-05-31T09:30:00.1234567Z",
            "0000-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-14:00",
        ] {
            assert_eq!(iso_timestamp(text), None, "{text}");
        }
    }

    #[test]
    fn days_and_months_are_taken_in_the_order_that_was_said() {
        let (dmy, mdy) = (dialect(&[("dates", "dmy")]), dialect(&[("dates", "mdy")]));
        for text in ["2.1.1970", "02/01/1970", "2-1-1970", "1970-01-02"] {
            assert_eq!(dmy.date(text), Ok(1), "{text}");
        }
        assert_eq!(mdy.date("1/2/1970"), Ok(1));
        assert_eq!(dmy.timestamp("01.01.1970 00:01"), Ok(60_000_000));
        assert_eq!(mdy.timestamp("1/1/1970 00:00:01.5Z"), Ok(1_500_000));
        for text in [
            "31.2.2024",
            "1.2/2024",
            "1.2.24",
            "1.2.2024x",
            "13/13/2024",
            "1.2.",
        ] {
            assert!(dmy.date(text).is_err(), "{text}");
            assert!(mdy.date(text).is_err(), "{text}");
        }
        assert!(mdy.date("31/12/2024").is_err());
        assert!(dmy.timestamp("01.01.1970").is_err(), "a day is no instant");
    }

    #[test]
    fn another_dialect_is_named_and_not_taken() {
        let iso = Dialect::default();
        let says = |reason: Reason, option: &str| {
            let shown = format!("{reason:?}");
            assert!(shown.contains(option), "{shown}");
        };
        says(
            iso.date("03/04/2024").expect_err("two dates"),
            "3 April or 4 March",
        );
        says(iso.date("31.12.2024").expect_err("no ISO"), "\"dates=dmy\"");
        says(
            iso.timestamp("12/31/2024 9:00").expect_err("no ISO"),
            "\"dates=mdy\"",
        );
        let cents = (MONEY_PRECISION, MONEY_SCALE);
        for text in ["12,5", "1.234,50", "-1.234.567,8"] {
            let reason = iso.decimal(text, Kind::Money, cents, Excess::Refused);
            says(reason.expect_err(text), "decimal=,");
        }
        for text in ["1,234.50", "1 234", "1'234.5"] {
            let reason = iso.decimal(text, Kind::Money, cents, Excess::Refused);
            says(reason.expect_err(text), "thousands separators");
        }
        let comma = dialect(&[("decimal", ",")]);
        let money = |text| comma.decimal(text, Kind::Money, cents, Excess::Refused);
        assert_eq!(money("12,5"), Ok(125_000));
        for text in ["1.234,50", "12.5", "1 234,5", "1'234,5", "1,2,3"] {
            assert!(money(text).is_err(), "{text}");
        }
        assert_eq!(comma.number("0,5"), Ok(0.5));
        for text in ["inf", "NaN", "-infinity", "1e999", "0x10", ""] {
            assert!(iso.number(text).is_err(), "{text}");
        }
    }
}
