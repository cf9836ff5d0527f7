//! The calendar against another implementation, against its own rules over all days, and the published cases.

use tributary_engine_stats::calendar::{
    Calendar, Grain, RetailCalendar, RetailGrain, Shift, WeekPattern, Window, civil, day_of,
    iso_week,
};

use crate::published::{File, Rng, csv};

const FIRST: i32 = -719_162;
const LAST: i32 = 2_932_896;

/// A day written as ISO 8601.
pub fn day(text: &str) -> i32 {
    let parts: Vec<i32> = text.split('-').map(|part| part.parse().unwrap()).collect();
    day_of(parts[0], parts[1] as u8, parts[2] as u8).unwrap()
}

fn label(day: i32, grain: Grain) -> String {
    Calendar::GREGORIAN.period_label(day, grain).unwrap()
}

pub fn written(day: i32) -> String {
    label(day, Grain::Day)
}

fn fiscal(month: u8) -> Calendar {
    Calendar::new(month).unwrap()
}

#[test]
fn every_day_agrees_with_python() {
    // Sums over datetime.date.fromordinal(o) for o = 1 to 3652059, and over its isocalendar().
    let (mut weeks, mut dates) = (0_i64, 0_i64);
    for day in FIRST..=LAST {
        let ordinal = i64::from(day) + 719_163;
        let (year, week) = iso_week(day).unwrap();
        weeks += (i64::from(year) * 60 + i64::from(week)) * (ordinal % 11);
        let date = civil(day).unwrap();
        dates += (i64::from(date.year) * 400 + i64::from(date.month) * 32 + i64::from(date.day))
            * (ordinal % 13);
        assert_eq!(day_of(date.year, date.month, date.day), Ok(day));
    }
    assert_eq!((weeks, dates), (5_478_571_037_165, 43_829_610_577_549));
}

#[test]
fn periods_tile_the_calendar() {
    for calendar in [1, 2, 4, 7, 10, 12].map(fiscal) {
        for grain in Grain::ALL {
            let mut last: Option<(i32, i32, String)> = None;
            for day in (day("1968-01-01")..day("2033-01-01")).step_by(1) {
                let start = calendar.period_start(day, grain).unwrap();
                let end = calendar.period_end(day, grain).unwrap();
                let index = calendar.period_index(day, grain).unwrap();
                let label = calendar.period_label(day, grain).unwrap();
                assert!(start <= day && day < end);
                assert_eq!(calendar.period_at(index, grain), Ok(start));
                assert_eq!(calendar.period_at(index + 1, grain), Ok(end));
                if let Some((last_index, last_start, last_label)) = last {
                    if index == last_index {
                        assert_eq!((start, &label), (last_start, &last_label));
                    } else {
                        assert_eq!((index, start), (last_index + 1, day));
                        assert!(label > last_label, "{label} after {last_label}");
                    }
                }
                last = Some((index, start, label));
            }
        }
    }
}

#[test]
fn shifts_add_up() {
    let mut rng = Rng::new(8);
    let mut between = |lo: i32, hi: i32| lo + (rng.unit() * f64::from(hi - lo)) as i32;
    for _ in 0..20_000 {
        let calendar = fiscal(between(1, 13) as u8);
        let grain = Grain::ALL[between(0, 8) as usize];
        let day = between(day("1500-01-01"), day("2600-01-01"));
        let (a, b) = (between(-400, 400), between(-400, 400));
        let shift = |day, k| calendar.period_shift(day, grain, k).unwrap();
        assert_eq!(shift(shift(day, a), b), shift(day, a + b));
        assert_eq!(shift(day, 0), calendar.period_start(day, grain).unwrap());
        assert_eq!(
            calendar.period_index(shift(day, a), grain).unwrap(),
            calendar.period_index(day, grain).unwrap() + a
        );
        if !matches!(grain, Grain::Day | Grain::Week) {
            let years = calendar.year_shift(day, grain, a).unwrap();
            let label = |day| calendar.period_label(day, grain).unwrap();
            let year =
                |label: String| -> i32 { label.trim_start_matches("FY")[..4].parse().unwrap() };
            assert_eq!(year(label(years)), year(label(day)) + a);
        }
    }
}

#[test]
fn labels_say_what_people_say() {
    let d = day("2024-03-05");
    let expected = [
        "2024-03-05",
        "2024-W10",
        "2024-03",
        "2024-Q1",
        "2024-H1",
        "2024",
        "FY2024-Q2",
        "FY2024",
    ];
    for (grain, expected) in Grain::ALL.into_iter().zip(expected) {
        assert_eq!(fiscal(10).period_label(d, grain).unwrap(), expected);
        assert_eq!(grain.as_str().parse(), Ok(grain));
    }
    // A fiscal year from October is named for the year it ends in, one from January is the calendar year.
    let october = day("2024-10-01");
    assert_eq!(
        fiscal(10)
            .period_label(october, Grain::FiscalQuarter)
            .unwrap(),
        "FY2025-Q1"
    );
    assert_eq!(
        fiscal(10)
            .period_label(october - 1, Grain::FiscalQuarter)
            .unwrap(),
        "FY2024-Q4"
    );
    assert_eq!(label(october, Grain::FiscalQuarter), "FY2024-Q4");
    assert_eq!(label(day("2024-02-29"), Grain::Week), "2024-W09");
    assert_eq!(label(day("2021-01-03"), Grain::Week), "2020-W53");
    assert_eq!(label(FIRST, Grain::Week), "0001-W01");
    assert_eq!(label(LAST, Grain::Half), "9999-H2");
}

#[test]
fn month_ends_do_not_drift() {
    let calendar = Calendar::GREGORIAN;
    for (from, periods, to) in [
        ("2024-03-31", -1, "2024-02-01"),
        ("2024-02-29", -1, "2024-01-01"),
        ("2024-01-31", 1, "2024-02-01"),
        ("2024-02-29", -12, "2023-02-01"),
        ("2024-12-31", 1, "2025-01-01"),
        ("1970-01-01", -1, "1969-12-01"),
    ] {
        let shifted = calendar
            .period_shift(day(from), Grain::Month, periods)
            .unwrap();
        assert_eq!(written(shifted), to, "{from} {periods:+}");
    }
}

#[test]
fn weeks_shift_by_years_of_52_and_53_weeks() {
    let year_ago = |text: &str| {
        let ago = Calendar::GREGORIAN
            .year_shift(day(text), Grain::Week, -1)
            .unwrap();
        (written(ago), label(ago, Grain::Week))
    };
    let is = |date: &str, week: &str| (date.to_owned(), week.to_owned());
    assert_eq!(year_ago("2024-12-30"), is("2024-01-01", "2024-W01"));
    // 2020 has a week 53 and 2019 hasn't: both of its last weeks meet 2019-W52.
    assert_eq!(year_ago("2020-12-31"), is("2019-12-23", "2019-W52"));
    assert_eq!(year_ago("2020-12-21"), is("2019-12-23", "2019-W52"));
    assert_eq!(year_ago("2021-12-31"), is("2020-12-21", "2020-W52"));
    assert_eq!(year_ago("2021-01-04"), is("2019-12-30", "2020-W01"));
    // Five years back from one week 53 to another.
    let ago = Calendar::GREGORIAN
        .year_shift(day("2020-12-31"), Grain::Week, -5)
        .unwrap();
    assert_eq!(label(ago, Grain::Week), "2015-W53");
}

#[test]
fn a_partial_period_meets_as_many_days() {
    let to_date = |grain, as_of: &str, shift| {
        let both = Calendar::GREGORIAN
            .to_date(day(as_of), grain, day(as_of), shift)
            .unwrap();
        let days = |w: Window| format!("{}..{}", written(w.start), written(w.end));
        (days(both.current), days(both.base), both.is_partial)
    };
    let is = |current: &str, base: &str, partial| (current.to_owned(), base.to_owned(), partial);
    let (year, month) = (Shift::Years(-1), Shift::Periods(-1));
    for (grain, as_of, shift, expected) in [
        (
            Grain::Month,
            "2024-06-15",
            year,
            is("2024-06-01..2024-06-16", "2023-06-01..2023-06-16", true),
        ),
        (
            Grain::Month,
            "2024-03-30",
            month,
            is("2024-03-01..2024-03-31", "2024-02-01..2024-03-01", true),
        ),
        // Over: all of 28 days meets all of 31.
        (
            Grain::Month,
            "2023-02-28",
            month,
            is("2023-02-01..2023-03-01", "2023-01-01..2023-02-01", false),
        ),
        // 28 days of 29 meet all 28 of them.
        (
            Grain::Month,
            "2024-02-28",
            year,
            is("2024-02-01..2024-02-29", "2023-02-01..2023-03-01", true),
        ),
        (
            Grain::Year,
            "2024-06-15",
            year,
            is("2024-01-01..2024-06-16", "2023-01-01..2023-06-17", true),
        ),
        (
            Grain::Week,
            "2024-12-31",
            year,
            is("2024-12-30..2025-01-01", "2024-01-01..2024-01-03", true),
        ),
        (
            Grain::Day,
            "2024-02-29",
            year,
            is("2024-02-29..2024-03-01", "2023-02-28..2023-03-01", false),
        ),
    ] {
        assert_eq!(to_date(grain, as_of, shift), expected, "{grain} {as_of}");
    }
    let calendar = Calendar::GREGORIAN;
    let early = calendar
        .to_date(day("2024-06-15"), Grain::Month, day("2024-05-31"), year)
        .unwrap();
    assert_eq!(
        (
            early.current.days(),
            early.base.days(),
            early.base_full.days()
        ),
        (0, 0, 30)
    );
    assert!(
        early.base_full.contains(day("2023-06-30")) && !early.base_full.contains(day("2023-07-01"))
    );
    let elapsed = calendar
        .elapsed(day("2024-02-10"), Grain::Month, day("2024-02-29"))
        .unwrap();
    assert_eq!(
        (elapsed.days, elapsed.fraction, elapsed.is_partial),
        (29, 1.0, false)
    );
    let elapsed = calendar
        .elapsed(day("2024-04-10"), Grain::Month, day("2024-04-15"))
        .unwrap();
    assert_eq!(
        (
            elapsed.days,
            elapsed.length,
            elapsed.fraction,
            elapsed.is_partial
        ),
        (15, 30, 0.5, true)
    );
}

#[test]
fn s1_compare_dates() {
    let file = File::open("s1_compare");
    let calendar = Calendar::GREGORIAN;
    let mut seen = 0;
    for case in &file.cases {
        let (input, expected) = (&case["input"], &case["expected"]);
        if let Some(date) = input["date"].as_str() {
            assert_eq!(input["minus"], "1 year");
            let ago = calendar.year_shift(day(date), Grain::Day, -1).unwrap();
            assert_eq!(written(ago), expected.as_str().unwrap());
            seen += 1;
        }
        if let Some(date) = input["iso_week"].as_str() {
            let (year, week) = iso_week(day(date)).unwrap();
            assert_eq!(
                (expected["iso_year"].as_i64(), expected["iso_week"].as_i64()),
                (Some(year.into()), Some(week.into()))
            );
            let ago = calendar.year_shift(day(date), Grain::Week, -1).unwrap();
            assert_eq!(
                written(ago),
                expected["previous_year_same_iso_week"].as_str().unwrap()
            );
            seen += 1;
        }
        if let Some(as_of) = input["as_of"].as_str() {
            let windows = calendar
                .to_date(day(as_of), Grain::Month, day(as_of), Shift::Years(-1))
                .unwrap();
            for row in expected.as_array().unwrap() {
                let amount = |window: Window| -> f64 {
                    let rows = csv("compare_revenue.csv").into_iter();
                    let rows = rows.filter(|r| {
                        r[0] == row["distributor"].as_str().unwrap() && window.contains(day(&r[1]))
                    });
                    rows.map(|r| r[2].parse::<f64>().unwrap()).sum()
                };
                let actual = [windows.current, windows.base, windows.base_full].map(amount);
                assert_eq!(
                    actual,
                    ["cur", "prev", "prev_full"].map(|key| row[key].as_f64().unwrap())
                );
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 6);
}

/// Zero-filled months, their predecessors and running sums, by index and shift alone.
#[test]
fn s1_compare_months() {
    let calendar = Calendar::GREGORIAN;
    let revenue = csv("compare_revenue.csv");
    let index = |text: &str| calendar.period_index(day(text), Grain::Month).unwrap();
    let first = revenue.iter().map(|row| index(&row[1])).min().unwrap();
    for row in csv("compare_monthly_expected.csv") {
        let of_month = |month: i32| -> f64 {
            let rows = revenue
                .iter()
                .filter(|r| r[0] == row[0] && index(&r[1]) == month);
            rows.map(|r| r[2].parse::<f64>().unwrap()).sum()
        };
        let month = day(&row[1]);
        let at = |shifted: i32| calendar.period_index(shifted, Grain::Month).unwrap();
        let known = |month: i32| (month >= first).then(|| of_month(month));
        let now = at(month);
        let year = at(calendar.period_start(month, Grain::Year).unwrap());
        let expected: Vec<Option<f64>> = row[2..].iter().map(|cell| cell.parse().ok()).collect();
        let actual = [
            known(now),
            known(at(calendar.period_shift(month, Grain::Month, -1).unwrap())),
            known(at(calendar.year_shift(month, Grain::Month, -1).unwrap())),
            Some((now - 2..=now).filter_map(known).sum()),
            Some((year..=now).filter_map(known).sum()),
        ];
        assert_eq!(actual.to_vec(), expected, "{row:?}");
    }
}

#[test]
fn the_ends_of_the_calendar_are_errors_not_panics() {
    let extremes = [i32::MIN, FIRST - 1, FIRST, 0, LAST, LAST + 1, i32::MAX];
    let retail = RetailCalendar::new(WeekPattern::FourFourFive, 1, 6).unwrap();
    for day in extremes {
        let inside = (FIRST..=LAST).contains(&day);
        for grain in Grain::ALL {
            let calendar = fiscal(10);
            assert_eq!(calendar.period_start(day, grain).is_ok(), inside);
            assert_eq!(calendar.period_end(day, grain).is_ok(), inside);
            assert_eq!(calendar.period_label(day, grain).is_ok(), inside);
            assert_eq!(calendar.elapsed(0, grain, day).is_ok(), inside);
            for k in extremes {
                let far = i64::from(k).abs() > 4_000_000;
                assert!(!far || calendar.period_shift(day, grain, k).is_err());
                assert!(!far || calendar.year_shift(day, grain, k).is_err());
                assert!(!far || calendar.period_at(k, grain).is_err());
                assert!(!far || calendar.to_date(day, grain, k, Shift::Years(k)).is_err());
            }
        }
        for grain in [
            RetailGrain::Week,
            RetailGrain::Period,
            RetailGrain::Quarter,
            RetailGrain::Year,
        ] {
            assert_eq!(retail.period_start(day, grain).is_ok(), inside);
            assert!(retail.period_shift(day, grain, i32::MAX).is_err());
        }
    }
    for (year, month, day) in [
        (2023, 2, 29),
        (2024, 13, 1),
        (2024, 0, 1),
        (2024, 4, 31),
        (0, 1, 1),
        (10_000, 1, 1),
        (2024, 1, 0),
    ] {
        assert!(day_of(year, month, day).is_err());
    }
    assert!(Calendar::new(0).is_err() && Calendar::new(13).is_err());
    assert!(RetailCalendar::new(WeekPattern::FourFourFive, 1, 0).is_err());
    assert!("fortnight".parse::<Grain>().is_err() && "4-4-4".parse::<WeekPattern>().is_err());
}
