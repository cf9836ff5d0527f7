//! The tables whose size does not depend on `scale`: distributors, reps, products, campaigns, stages, calendars,
//! content, targets, training. Each is one function that writes all of its rows.

use std::sync::Arc;

use chrono::Weekday;

use crate::csv::{Id, Rows, Writer};
use crate::market::{COURSES, LINES, REGIONS, SOURCES, STAGES};
use crate::names;
use crate::rng::Purpose;
use crate::time::{DAY_SECONDS, DAYS, END, MONTHS, month_start, month_text};
use crate::world::World;

/// Reps of the manufacturer itself; their ids follow those of the distributors' reps.
pub(crate) const OWN_REPS: usize = 10;
pub(crate) const CONTENT: usize = 36;
pub(crate) const CALENDARS: [(&str, Weekday); 2] =
    [("mon_fri", Weekday::Fri), ("mon_sat", Weekday::Sat)];
const CONTENT_KINDS: [&str; 4] = ["datasheet", "case study", "video", "price list"];

/// Writes every row of one small table.
pub(crate) type Write = fn(&World, &mut Writer);

/// A small table as `Rows`: one step.
pub(crate) struct Small {
    pub(crate) world: Arc<World>,
    pub(crate) write: Write,
}

impl Rows for Small {
    fn step(&mut self, out: &mut Writer) -> bool {
        (self.write)(&self.world, out);
        false
    }
}

/// How a small table is written; None for the others.
pub(crate) fn write(table: &str) -> Option<Write> {
    Some(match table {
        "distributors" => distributors,
        "reps" => reps,
        "products" => products,
        "campaigns" => campaigns,
        "stages" => stages,
        "calendars" => calendars,
        "content" => content,
        "targets" => targets,
        "training" => training,
        _ => return None,
    })
}

fn distributors(world: &World, out: &mut Writer) {
    for (index, who) in world.distributors.iter().enumerate() {
        out.id(Id::Distributor, index as u64 + 1)
            .text(&who.name)
            .text(REGIONS[who.region])
            .text(&territory(who.region, who.territory))
            .text(who.tier)
            .date(who.joined_on)
            .id(Id::Distributor, who.parent as u64 + 1)
            .text(if who.active.1 == MONTHS {
                "active"
            } else {
                "ended"
            })
            .end();
    }
}

fn territory(region: usize, number: usize) -> String {
    format!("{}-{}", REGIONS[region], number + 1)
}

fn reps(world: &World, out: &mut Writer) {
    let streams = world.streams(Purpose::Reps);
    let own = (world.reps(), world.reps() + OWN_REPS);
    let teams = world
        .distributors
        .iter()
        .map(|who| (Some(who), who.reps))
        .chain([(None, own)]);
    for (index, (who, (from, to))) in teams.enumerate() {
        for rep in from..to {
            let mut stream = streams.at(rep as u64);
            let employer = who.map(|_| index as u64 + 1);
            let manager = (rep > from).then_some(from as u64 + 1);
            out.id(Id::Rep, rep as u64 + 1)
                .optional_id(Id::Distributor, employer)
                .optional_id(Id::Rep, manager);
            out.text(&names::person(&mut stream));
            match who {
                Some(who) if stream.chance(0.85) => out.text(&territory(who.region, who.territory)),
                _ => out.null(),
            };
            let since = who.map_or(-3000, |who| who.joined_on);
            out.date(since + stream.between(0.0, 0.5 * -since.min(0) as f64) as i64)
                .end();
        }
    }
}

fn products(world: &World, out: &mut Writer) {
    for (index, product) in world.products.iter().enumerate() {
        out.id(Id::Product, index as u64 + 1)
            .text(&product.name)
            .text(product.line)
            .money(product.price_cents)
            .end();
    }
}

/// One campaign per quarter and source.
fn campaigns(world: &World, out: &mut Writer) {
    let streams = world.streams(Purpose::Campaigns);
    for campaign in 0..MONTHS / 3 * SOURCES.len() {
        let (quarter, source) = (
            campaign / SOURCES.len(),
            SOURCES[campaign % SOURCES.len()].0,
        );
        let cost = streams.at(campaign as u64).lognormal(1_800_000.0, 0.6) as i64;
        out.id(Id::Campaign, campaign as u64 + 1)
            .text(&format!(
                "{source} {} q{}",
                2023 + quarter / 4,
                quarter % 4 + 1
            ))
            .text(source)
            .money(cost)
            .date(month_start(quarter as i64 * 3))
            .end();
    }
}

fn stages(_: &World, out: &mut Writer) {
    for (index, (stage, exit_criteria)) in STAGES.iter().enumerate() {
        out.text(stage)
            .int(index as i64 + 1)
            .text(exit_criteria)
            .end();
    }
}

fn calendars(world: &World, out: &mut Writer) {
    for (calendar, last) in CALENDARS {
        for day in 0..DAYS {
            let is_open = world.calendar.is_open(day, last);
            let (opens, closes) = if is_open {
                ("08:00", "17:00")
            } else {
                ("", "")
            };
            out.text(calendar)
                .date(day as i64)
                .boolean(is_open)
                .text(opens)
                .text(closes)
                .end();
        }
    }
}

/// Material by product and stage; about a third has run out before the end.
fn content(world: &World, out: &mut Writer) {
    let streams = world.streams(Purpose::Content);
    for index in 0..CONTENT {
        let mut stream = streams.at(index as u64);
        let product = stream.below(world.products.len());
        let kind = CONTENT_KINDS[stream.below(CONTENT_KINDS.len())];
        let valid_from = month_start(-12) + stream.below(500) as i64;
        let valid_to = if stream.chance(0.35) {
            valid_from + 540
        } else {
            month_start(60)
        };
        out.id(Id::Content, index as u64 + 1)
            .text(&format!("{kind}: {}", world.products[product].name))
            .text(kind)
            .id(Id::Product, product as u64 + 1)
            .text(STAGES[stream.below(STAGES.len() - 1)].0)
            .date(valid_from)
            .date(valid_to)
            .end();
    }
}

/// Revenue targets: distributors by quarter, territories' regions and the manufacturer by year.
fn targets(world: &World, out: &mut Writer) {
    let streams = world.streams(Purpose::Targets);
    for quarter in 0..MONTHS / 3 {
        let months = quarter * 3..quarter * 3 + 3;
        for (index, baseline) in world.baseline.iter().enumerate() {
            let planned: f64 = baseline[months.clone()].iter().sum();
            if planned > 0.0 {
                let ambition = streams
                    .at((quarter * 1000 + index) as u64)
                    .lognormal(1.12, 0.08);
                out.text("distributor")
                    .id(Id::Distributor, index as u64 + 1);
                target(months.start, "quarter", planned * ambition, out);
            }
        }
    }
    for year in 0..MONTHS / 12 {
        let planned =
            |baseline: &[f64; MONTHS]| -> f64 { baseline[year * 12..year * 12 + 12].iter().sum() };
        let mut territories = std::collections::BTreeMap::<String, f64>::new();
        for (who, baseline) in world.distributors.iter().zip(&world.baseline) {
            *territories
                .entry(territory(who.region, who.territory))
                .or_default() += planned(baseline);
        }
        for (name, value) in territories {
            out.text("territory").text(&name);
            target(year * 12, "year", value * 1.1, out);
        }
        out.text("manufacturer").text(world.id);
        target(
            year * 12,
            "year",
            world.baseline.iter().map(planned).sum::<f64>() * 1.1,
            out,
        );
    }
}

fn target(month: usize, grain: &str, cents: f64, out: &mut Writer) {
    out.text(&month_text(month))
        .text(grain)
        .text("revenue")
        .money((cents / 10_000.0).ceil() as i64 * 10_000)
        .end();
}

/// A few courses per rep, spread over the three years; numbered in the order of reps.
fn training(world: &World, out: &mut Writer) {
    let streams = world.streams(Purpose::Training);
    let mut rows = 0;
    for rep in 0..world.reps() {
        let mut stream = streams.at(rep as u64);
        for _ in 0..1 + stream.below(4) {
            rows += 1;
            let at = (stream.unit() * (END - DAY_SECONDS) as f64) as i64;
            let course = COURSES[stream.below(COURSES.len())];
            let line = LINES[stream.below(LINES.len())];
            out.id(Id::Training, rows)
                .id(Id::Rep, rep as u64 + 1)
                .text(&format!("{line} {course}"))
                .time(at)
                .boolean(stream.chance(0.86))
                .end();
        }
    }
}
