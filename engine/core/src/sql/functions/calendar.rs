//! Periods: where a day belongs, and where it would a year before.

use tributary_engine_stats::calendar::Grain;
use tributary_engine_stats::invalid::Invalid;

use super::argument::{Argument, Kind, needed};
use super::definition::{Body, Chapter, Definition, OfRow, Returns, Shape, Text};
use super::row::Row;

const GRAINS: &[&str] = &[
    "day",
    "week",
    "month",
    "quarter",
    "half",
    "year",
    "fiscal_quarter",
    "fiscal_year",
];
const AT: Argument = needed(
    "at",
    Kind::Instant,
    "a day, or an instant, of which the UTC day counts",
);
const GRAIN: Argument = needed(
    "grain",
    Kind::Choice(GRAINS),
    "day, week (ISO, from Monday), month, quarter, half, year, fiscal_quarter or fiscal_year",
);
const NULLS: &str = "NULL where an argument is. Days outside the years 1 to 9999 are an error as literals, NULL in a row.";
const SOURCE: &str = "Proleptic Gregorian calendar; weeks as ISO 8601; the fiscal year begins with the month that the manufacturer's settings name.";

pub const ALL: &[Definition] = &[
    period(
        "period_start",
        &[AT, GRAIN],
        Shape::Day,
        |row, out| {
            let start = row
                .day(0)
                .zip(grain(row, 1)?)
                .map(|(day, grain)| row.local.calendar.period_start(day, grain));
            out.day(start.transpose()?);
            Ok(())
        },
        "The first day of the period that a day is in.",
        "SELECT period_start(DATE '2024-02-29', 'quarter') AS q, period_start(DATE '2024-12-30', 'week') AS w",
    ),
    period(
        "period_end",
        &[AT, GRAIN],
        Shape::Day,
        |row, out| {
            let end = row
                .day(0)
                .zip(grain(row, 1)?)
                .map(|(day, grain)| row.local.calendar.period_end(day, grain));
            out.day(end.transpose()?.map(|end| end - 1));
            Ok(())
        },
        "The last day of the period that a day is in.",
        "SELECT period_end(DATE '2024-02-01', 'month') AS last",
    ),
    period(
        "period_shift",
        &[
            AT,
            GRAIN,
            needed(
                "k",
                Kind::Whole,
                "how many periods later; negative is earlier",
            ),
        ],
        Shape::Day,
        |row, out| {
            let given = row.day(0).zip(grain(row, 1)?).zip(row.whole(2));
            let shifted = given.map(|((day, grain), k)| {
                row.local.calendar.period_shift(day, grain, narrow("k", k)?)
            });
            out.day(shifted.transpose()?);
            Ok(())
        },
        "The first day of the period so many periods later: shifts periods, not days, so that month ends do not matter.",
        "SELECT period_shift(DATE '2024-03-31', 'month', -1) AS february",
    ),
    period(
        "period_year_shift",
        &[
            AT,
            GRAIN,
            needed(
                "years",
                Kind::Whole,
                "how many years later; negative is earlier",
            ),
        ],
        Shape::Day,
        |row, out| {
            let given = row.day(0).zip(grain(row, 1)?).zip(row.whole(2));
            let shifted = given.map(|((day, grain), years)| {
                let years = narrow("years", years)?;
                row.local.calendar.year_shift(day, grain, years)
            });
            out.day(shifted.transpose()?);
            Ok(())
        },
        "The first day of the same period of another year: the same ISO week, the same quarter; 29 February meets 28 February, week 53 week 52.",
        "SELECT period_year_shift(DATE '2024-12-30', 'week', -1) AS w, period_year_shift(DATE '2024-02-29', 'day', -1) AS d",
    ),
    period(
        "period_index",
        &[AT, GRAIN],
        Shape::Whole,
        |row, out| {
            let index = row
                .day(0)
                .zip(grain(row, 1)?)
                .map(|(day, grain)| row.local.calendar.period_index(day, grain));
            out.whole(index.transpose()?.map(i64::from));
            Ok(())
        },
        "The number of the period that a day is in: neighbours differ by 1, whatever their length.",
        "SELECT period_index(DATE '2024-03-01', 'month') - period_index(DATE '2023-12-31', 'month') AS months",
    ),
    period(
        "period_at",
        &[
            needed("index", Kind::Whole, "the number of a period"),
            GRAIN,
        ],
        Shape::Day,
        |row, out| {
            let start = row
                .whole(0)
                .zip(grain(row, 1)?)
                .map(|(index, grain)| row.local.calendar.period_at(narrow("index", index)?, grain));
            out.day(start.transpose()?);
            Ok(())
        },
        "The first day of the period with a number: the inverse of period_index.",
        "SELECT period_at(period_index(DATE '2024-05-17', 'month'), 'month') AS may",
    ),
    period(
        "period_label",
        &[AT, GRAIN],
        Shape::Text,
        |row, out| {
            let label = row
                .day(0)
                .zip(grain(row, 1)?)
                .map(|(day, grain)| row.local.calendar.period_label(day, grain));
            out.text(label.transpose()?.as_deref());
            Ok(())
        },
        "The name of the period that a day is in.",
        "SELECT period_label(DATE '2024-08-15', 'quarter') AS q, period_label(DATE '2024-12-30', 'week') AS w",
    ),
];

const fn period(
    name: &'static str,
    arguments: &'static [Argument],
    shape: Shape,
    body: OfRow,
    what: &'static str,
    example: &'static str,
) -> Definition {
    Definition {
        name,
        arguments,
        returns: Returns::Value(shape),
        body: Body::Scalar(body),
        text: Text {
            chapter: Chapter::Calendar,
            what,
            nulls: NULLS,
            source: SOURCE,
            example,
        },
    }
}

fn grain(row: &Row<'_>, place: usize) -> Result<Option<Grain>, Invalid> {
    row.text(place).map(str::parse).transpose()
}

fn narrow(argument: &'static str, value: i64) -> Result<i32, Invalid> {
    i32::try_from(value).map_err(|_| Invalid {
        argument,
        needs: "a number of periods within 32 bits",
        got: value.to_string(),
    })
}
