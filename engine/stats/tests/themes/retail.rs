//! The retail calendar: published years, and its rules over all days.

use tributary_engine_stats::calendar::{RetailCalendar, RetailDate, RetailGrain, WeekPattern};

use crate::calendar::{day, written};

/// Years of the National Retail Federation's 4-5-4 calendar, as published.
#[test]
fn retail_years_start_where_they_are_published() {
    let retail = RetailCalendar::new("4-5-4".parse().unwrap(), 1, 6).unwrap();
    for (year, start, weeks) in [
        (2012, "2012-01-29", 53),
        (2013, "2013-02-03", 52),
        (2017, "2017-01-29", 53),
        (2018, "2018-02-04", 52),
        (2022, "2022-01-30", 52),
        (2023, "2023-01-29", 53),
        (2024, "2024-02-04", 52),
        (2025, "2025-02-02", 52),
    ] {
        let start = day(start);
        let end = retail.period_end(start, RetailGrain::Year).unwrap();
        assert_eq!(
            (retail.period_start(start, RetailGrain::Year), end - start),
            (Ok(start), 7 * weeks)
        );
        let first = RetailDate {
            year,
            quarter: 1,
            period: 1,
            week: 1,
        };
        assert_eq!(retail.date(start), Ok(first));
        let last = RetailDate {
            year,
            quarter: 4,
            period: 12,
            week: weeks as u8,
        };
        assert_eq!(retail.date(end - 1), Ok(last));
    }
    // The second period of 2024 has five weeks, the first and third four.
    let periods = [0, 1, 2, 3].map(|k| {
        written(
            retail
                .period_shift(day("2024-02-04"), RetailGrain::Period, k)
                .unwrap(),
        )
    });
    assert_eq!(
        periods,
        ["2024-02-04", "2024-03-03", "2024-04-07", "2024-05-05"]
    );
}

#[test]
fn retail_periods_tile_the_calendar() {
    for pattern in [
        WeekPattern::FourFourFive,
        WeekPattern::FourFiveFour,
        WeekPattern::FiveFourFour,
    ] {
        for (month, weekday) in [(1, 6), (9, 6), (12, 7), (6, 3)] {
            let retail = RetailCalendar::new(pattern, month, weekday).unwrap();
            for grain in [
                RetailGrain::Week,
                RetailGrain::Period,
                RetailGrain::Quarter,
                RetailGrain::Year,
            ] {
                let mut last: Option<(i32, i32)> = None;
                for day in day("1968-01-01")..day("2033-01-01") {
                    let start = retail.period_start(day, grain).unwrap();
                    let end = retail.period_end(day, grain).unwrap();
                    let index = retail.period_index(day, grain).unwrap();
                    assert!(start <= day && day < end && (end - start) % 7 == 0);
                    if let Some((last_index, last_start)) = last {
                        let same = index == last_index && start == last_start;
                        assert!(
                            same || (index == last_index + 1 && start == day),
                            "{day} {grain:?}"
                        );
                    }
                    last = Some((index, start));
                }
            }
        }
    }
}
