//! How long somebody had, not how long it took: time within opening hours. The hours are those of every week, the
//! holidays those of the manufacturer's settings.

use tributary_engine_stats::calendar::{BusinessCalendar, Hours};
use tributary_engine_stats::invalid::Invalid;

use super::argument::{Kind, needed, optional};
use super::definition::{Body, Chapter, Definition, Returns, Shape, Text};
use super::row::Row;

pub const ALL: &[Definition] = &[BUSINESS_MINUTES];

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// 9:00 and 17:00.
const OPENS_MINUTE: u64 = 540;
const CLOSES_MINUTE: u64 = 1_020;

const BUSINESS_MINUTES: Definition = Definition {
    name: "business_minutes",
    arguments: &[
        needed("start_at", Kind::Moment, "from when"),
        needed("end_at", Kind::Moment, "until when"),
        optional(
            "opens_minute",
            Kind::Count,
            "local minute of the day at which it opens, 540 (9:00) by default",
        ),
        optional(
            "closes_minute",
            Kind::Count,
            "at which it closes, up to 1440, 1020 (17:00) by default",
        ),
        optional(
            "weekdays",
            Kind::Text,
            "the open days, days and ranges with commas between, `mon-fri` by default; `sun-thu` goes over the end of the week",
        ),
        optional(
            "offset_minutes",
            Kind::Whole,
            "minutes that local time is ahead of UTC, 0 by default; clocks that change during the year are an hour off for part of it",
        ),
    ],
    returns: Returns::Value(Shape::Number),
    body: Body::Scalar(|row, out| {
        let calendar = calendar(row)?;
        let ends = row.whole(0).zip(row.whole(1));
        out.number(ends.map(|(start, end)| calendar.business_minutes_between(start, end)));
        Ok(())
    }),
    text: Text {
        chapter: Chapter::Calendar,
        what: "Minutes of opening time from one moment to another, negative where the second is earlier. Durations for `km` and `sla` that count no nights, no weekends and none of the holidays in the manufacturer's settings.",
        nulls: "NULL where a moment is NULL. Hours that do not open before they close, and unknown days, are errors as literals and NULL in a row.",
        source: "Arithmetic on weekly hours; a TIMESTAMP without a zone is UTC.",
        example: "SELECT lead_id, business_minutes(sent_at, first_touch_at) AS nine_to_five, business_minutes(sent_at, first_touch_at, 480, 1200, 'mon-sat', 60) AS longer_hours FROM leads WHERE first_touch_at IS NOT NULL ORDER BY 1",
    },
};

/// The calendar that the arguments after the moments tell.
fn calendar(row: &Row<'_>) -> Result<BusinessCalendar, Invalid> {
    let hours = Hours {
        opens_minute: minute(row, 2, OPENS_MINUTE)?,
        closes_minute: minute(row, 3, CLOSES_MINUTE)?,
    };
    let open = open_days(row.text(4).unwrap_or("mon-fri"))?;
    let offset = row.whole(5).unwrap_or(0);
    let offset = i32::try_from(offset).unwrap_or(i32::MAX);
    BusinessCalendar::new(
        open.map(|open| open.then_some(hours)),
        &row.local.holidays(),
        offset,
    )
}

fn minute(row: &Row<'_>, place: usize, default: u64) -> Result<u16, Invalid> {
    let minute = row.count(place)?.unwrap_or(default);
    u16::try_from(minute).map_err(|_| Invalid {
        argument: row.arguments[place].name,
        needs: "a minute of the day, 0 to 1440",
        got: minute.to_string(),
    })
}

/// Which days of the week are open, Monday first.
fn open_days(text: &str) -> Result<[bool; 7], Invalid> {
    let mut open = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (mut day, last) = (weekday(first, text)?, weekday(last, text)?);
        open[day] = true;
        while day != last {
            day = (day + 1) % 7;
            open[day] = true;
        }
    }
    Ok(open)
}

fn weekday(name: &str, text: &str) -> Result<usize, Invalid> {
    let name = name.trim();
    let known = WEEKDAYS
        .iter()
        .position(|day| day.eq_ignore_ascii_case(name));
    known.ok_or_else(|| Invalid {
        argument: "weekdays",
        needs: "days and ranges such as mon-fri or mon-wed,sat",
        got: format!("\"{text}\""),
    })
}
