//! Business hours against a loop over all minutes.

use tributary_engine_stats::calendar::{BusinessCalendar, Hours, SpecialDay};

use crate::calendar::day;
use crate::published::Rng;

const MINUTE_US: i64 = 60_000_000;

fn hours(opens_minute: u16, closes_minute: u16) -> Option<Hours> {
    Some(Hours {
        opens_minute,
        closes_minute,
    })
}

fn nine_to_five() -> [Option<Hours>; 7] {
    let open = hours(9 * 60, 17 * 60);
    [open, open, open, open, open, None, None]
}

fn holiday(text: &str) -> SpecialDay {
    SpecialDay {
        day: day(text),
        hours: None,
    }
}

/// Microseconds of "2024-03-05 09:30" UTC.
fn at(text: &str) -> i64 {
    let (date, time) = text.split_once(' ').unwrap();
    let (hour, minute) = time.split_once(':').unwrap();
    let minutes: i64 = hour.parse::<i64>().unwrap() * 60 + minute.parse::<i64>().unwrap();
    (i64::from(day(date)) * 1440 + minutes) * MINUTE_US
}

#[test]
fn a_lead_of_friday_evening_waits_until_monday() {
    let calendar = BusinessCalendar::new(nine_to_five(), &[holiday("2024-04-01")], 0).unwrap();
    for (from, to, minutes) in [
        ("2024-03-08 16:00", "2024-03-11 10:00", 120.0),
        ("2024-03-08 18:00", "2024-03-11 08:59", 0.0),
        ("2024-03-09 12:00", "2024-03-12 09:30", 510.0),
        ("2024-03-11 10:00", "2024-03-08 16:00", -120.0),
        ("2024-03-11 10:00", "2024-03-11 10:00", 0.0),
        // Easter Monday is closed.
        ("2024-03-28 16:30", "2024-04-02 09:30", 540.0),
        ("2023-01-01 00:00", "2024-01-01 00:00", 260.0 * 480.0),
        ("1969-12-29 00:00", "1969-12-30 00:00", 480.0),
    ] {
        let actual = calendar.business_minutes_between(at(from), at(to));
        assert_eq!(actual, minutes, "{from} to {to}");
    }
    assert!(calendar.is_open(at("2024-03-08 09:00")) && !calendar.is_open(at("2024-03-08 17:00")));
    assert!(!calendar.is_open(at("2024-04-01 10:00")));
    // Half a minute counts half.
    let start = at("2024-03-08 16:00");
    assert_eq!(
        calendar.business_minutes_between(start, start + MINUTE_US / 2),
        0.5
    );
}

#[test]
fn every_span_is_its_open_minutes() {
    let mut rng = Rng::new(9);
    for _ in 0..60 {
        let mut below = |n: u64| (rng.unit() * n as f64) as i64;
        let mut any_hours = |closed: i64| {
            if below(10) < closed {
                return None;
            }
            let opens = below(1440) as u16;
            hours(opens, opens + 1 + below(1440 - u64::from(opens)) as u16)
        };
        let week = [(); 7].map(|()| any_hours(2));
        let special: Vec<SpecialDay> = (-20..20)
            .step_by(3)
            .rev()
            .map(|day| SpecialDay {
                day,
                hours: any_hours(6),
            })
            .collect();
        let offset = below(2881) as i32 - 1440;
        let calendar = BusinessCalendar::new(week, &special, offset).unwrap();
        let first = -30 * 1440;
        let last = 30 * 1440;
        // Open minutes before each minute, counted one by one.
        let mut open_before = vec![0_i64];
        for minute in first..last {
            let so_far = open_before[open_before.len() - 1];
            open_before.push(so_far + i64::from(calendar.is_open(minute * MINUTE_US)));
        }
        for minute in first..last {
            // Open means inside the hours of the local day, said again.
            let local = minute + i64::from(offset);
            let day = local.div_euclid(1440);
            let own = special.iter().find(|special| i64::from(special.day) == day);
            // 1970-01-01 was a Thursday.
            let weekly = week[(day + 3).rem_euclid(7) as usize];
            let open = own
                .map_or(weekly, |special| special.hours)
                .is_some_and(|hours| {
                    let range = i64::from(hours.opens_minute)..i64::from(hours.closes_minute);
                    range.contains(&local.rem_euclid(1440))
                });
            assert_eq!(calendar.is_open(minute * MINUTE_US), open);
        }
        for _ in 0..500 {
            let (from, to) = (below(60 * 1440), below(60 * 1440));
            let counted = open_before[to as usize] - open_before[from as usize];
            let actual = calendar
                .business_minutes_between((from + first) * MINUTE_US, (to + first) * MINUTE_US);
            assert_eq!(actual, counted as f64);
        }
    }
}

#[test]
fn a_distant_span_is_no_loop_and_no_overflow() {
    let always = [hours(0, 1440); 7];
    let calendar = BusinessCalendar::new(always, &[], -1440).unwrap();
    let all = calendar.business_minutes_between(i64::MIN, i64::MAX);
    assert_eq!(all, u64::MAX as f64 / MINUTE_US as f64);
    let never = BusinessCalendar::new([None; 7], &[], 0).unwrap();
    assert_eq!(never.business_minutes_between(i64::MIN, i64::MAX), 0.0);
}

#[test]
fn nonsense_is_invalid() {
    for bad in [hours(600, 600), hours(700, 600), hours(0, 1441)] {
        assert!(BusinessCalendar::new([bad; 7], &[], 0).is_err());
        let special = SpecialDay { day: 0, hours: bad };
        assert!(BusinessCalendar::new([None; 7], &[special], 0).is_err());
    }
    let twice = [holiday("2024-01-01"), holiday("2024-01-01")];
    let error = BusinessCalendar::new([None; 7], &twice, 0).unwrap_err();
    assert_eq!(error.argument, "special");
    assert!(BusinessCalendar::new([None; 7], &[], 1441).is_err());
}
