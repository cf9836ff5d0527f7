//! A series taken apart into season, trend and remainder.

use tributary_engine_stats::estimate::Status;
use tributary_engine_stats::invalid::Invalid;
use tributary_engine_stats::season::{Fit, SeasonWindow, stl};

use super::argument::{Kind, needed, optional};
use super::definition::{Body, Chapter, Definition, Returns, Shape, Text, field, number};
use super::rows::Rows;

pub const ALL: &[Definition] = &[STL];

fn window(rows: &Rows<'_>, place: usize) -> SeasonWindow {
    rows.count(place).map_or(SeasonWindow::Periodic, |cycles| {
        SeasonWindow::Cycles(usize::try_from(cycles).unwrap_or(usize::MAX))
    })
}

/// The numerics call the window of the season `window`.
fn named(error: Invalid) -> Invalid {
    match error.argument {
        "window" => Invalid {
            argument: "s_window",
            ..error
        },
        _ => error,
    }
}

const STL: Definition = Definition {
    name: "stl",
    arguments: &[
        needed("ord", Kind::Order, "the period"),
        needed("y", Kind::Number, "its value"),
        needed(
            "period",
            Kind::Count,
            "periods of a cycle, from 2: 12 for months",
        )
        .constant(),
        optional(
            "s_window",
            Kind::Count,
            "over how many cycles the season may change, from 3, 7 or more as a rule; by default it is the same in all",
        )
        .constant(),
        optional(
            "robust",
            Kind::Truth,
            "whether periods far off count little, false by default",
        )
        .constant(),
    ],
    returns: Returns::Records(&[
        field("ord", Shape::Order, "the period"),
        number("seasonal", "what recurs with every cycle"),
        number("trend", "the level without the season"),
        number("remainder", "what neither explains"),
        number("weight", "weight of the period in the fit, 0 to 1"),
    ]),
    body: Body::Aggregate(|rows, out| {
        let cycle = usize::try_from(rows.needed_count(2)?).unwrap_or(usize::MAX);
        let fit = match rows.truth(4) {
            Some(true) => Fit::Robust,
            _ => Fit::Plain,
        };
        let series = rows.series(0);
        let y = series.summed(rows.numbers(1));
        let parts = stl(&y, cycle, window(rows, 3), fit).map_err(named)?;
        if !matches!(parts.status, Status::Ok | Status::NoData) {
            return Err(Invalid {
                argument: "ord",
                needs: "at least two whole cycles",
                got: format!("{} periods", parts.n),
            });
        }
        for (ord, point) in series.order.iter().zip(&parts.points) {
            out.order(*ord)
                .number(point.seasonal)
                .number(point.trend)
                .number(point.remainder)
                .number(point.weight);
        }
        Ok(())
    }),
    text: Text {
        chapter: Chapter::SinceWhen,
        what: "A series taken apart into season, trend and remainder, one entry for each period. Trend and remainder together are the series without its season.",
        nulls: "A row with a NULL is left out. Rows of one period are added up; a period without rows is none and shifts the season, so fill gaps first. An empty list without rows; NULL with fewer than two whole cycles, or where a value is not finite.",
        source: "Cleveland, Cleveland, McRae & Terpenning (1990) J Off Stat 6:3, with the spans that R's `stl` chooses.",
        example: "SELECT p['ord'] AS quarter, round(p['seasonal'], 2) AS seasonal, round(p['trend'], 2) AS trend FROM (SELECT unnest(stl(q, y, 4)) AS p FROM (VALUES (1, 10), (2, 14), (3, 8), (4, 12), (5, 12), (6, 16), (7, 10), (8, 14), (9, 14), (10, 18), (11, 12), (12, 16)) AS t (q, y)) ORDER BY 1",
    },
};
