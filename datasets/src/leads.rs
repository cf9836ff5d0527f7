//! The life of each lead, drawn from its own stream in the order of `created_at`.
//! Nothing later than the end of the data is told: such a lead is still open.

use std::sync::Arc;

use crate::csv::{Id, Rows, Writer};
use crate::market::{self, DEAL_CENTS, EMPLOYEES, INDUSTRIES, REGIONS, SOURCES};
use crate::rng::{Purpose, Stream, Streams};
use crate::time::{DAY_SECONDS, DAYS, END};
use crate::truths::REASONS;
use crate::world::{Distributor, World};

const DAY: f64 = DAY_SECONDS as f64;
/// Days from MQL to the end of a lead's life: median by how it ends, spread, and bound.
const WON_DAYS: f64 = 14.0;
const LOST_DAYS: f64 = 30.0;
const REJECTED_DAYS: f64 = 6.0;
const DAYS_SIGMA: f64 = 1.0;
const DAYS_MAX: f64 = 600.0;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    Won,
    Lost,
    Rejected,
    Open,
}

impl Outcome {
    const fn name(self) -> &'static str {
        match self {
            Self::Won => "won",
            Self::Lost => "lost",
            Self::Rejected => "rejected",
            Self::Open => "open",
        }
    }
}

/// One lead as it stands at the end of the data.
pub(crate) struct Lead {
    pub(crate) number: u64,
    pub(crate) distributor: usize,
    pub(crate) rep: u64,
    pub(crate) product: usize,
    pub(crate) campaign: u64,
    pub(crate) source: usize,
    industry: &'static str,
    region: &'static str,
    employees: i64,
    est_cents: i64,
    created_at: i64,
    stages: Stages,
    pub(crate) reason: Option<usize>,
    pub(crate) outcome: Outcome,
    pub(crate) amount_cents: Option<i64>,
}

/// When a lead reached each stage, in seconds; None = not (yet).
#[derive(Default)]
pub(crate) struct Stages {
    mql_at: Option<i64>,
    pub(crate) sent_at: Option<i64>,
    pub(crate) first_touch_at: Option<i64>,
    pub(crate) dql_at: Option<i64>,
    pub(crate) rejected_at: Option<i64>,
    opportunity_at: Option<i64>,
    pub(crate) closed_at: Option<i64>,
}

impl Lead {
    pub(crate) const fn stages(&self) -> &Stages {
        &self.stages
    }
}

/// All leads of a manufacturer, one by one.
pub(crate) struct Leads {
    world: Arc<World>,
    streams: Streams,
    next: u64,
    day: usize,
}

impl Leads {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        Self {
            world: Arc::clone(world),
            streams: world.streams(Purpose::Leads),
            next: 0,
            day: 0,
        }
    }

    /// The next lead, if it is created on `day` or before.
    pub(crate) fn until(&mut self, day: usize) -> Option<Lead> {
        let due = &self.world.leads_due;
        while self.day < DAYS && due[self.day] <= self.next {
            self.day += 1;
        }
        if self.day > day || self.day == DAYS {
            return None;
        }
        let before = self.day.checked_sub(1).map_or(0, |day| due[day]);
        let of_day = (self.next - before, due[self.day] - before);
        let mut stream = self.streams.at(self.next);
        let created_at = office_time(self.day as i64, of_day, &mut stream);
        let lead = lead(&self.world, self.next, created_at, &mut stream);
        self.next += 1;
        Some(lead)
    }
}

impl Iterator for Leads {
    type Item = Lead;

    fn next(&mut self) -> Option<Lead> {
        self.until(DAYS)
    }
}

/// A time between 06:00 and 20:00 that grows with the position in the day.
fn office_time(day: i64, (position, count): (u64, u64), stream: &mut Stream) -> i64 {
    let part = (position as f64 + stream.unit()) / count as f64;
    day * DAY_SECONDS + ((6.0 + 14.0 * part) * 3600.0) as i64
}

fn lead(world: &World, number: u64, created_at: i64, stream: &mut Stream) -> Lead {
    let month = world.calendar.month(created_at / DAY_SECONDS);
    let distributor = world.leads_to[month].pick(stream);
    let who = &world.distributors[distributor];
    let source = who.sources.pick(stream);
    let industry = who.industries.pick(stream);
    let employees = (stream.lognormal(EMPLOYEES, 1.1).min(60_000.0) as i64).max(1);
    let est_value = stream.lognormal(DEAL_CENTS, 0.8) * (employees as f64 / EMPLOYEES).powf(0.15);
    let mut lead = Lead {
        number,
        distributor,
        rep: world.rep(distributor, stream),
        product: world.popularity.pick(stream),
        campaign: campaign(month, source, stream),
        source,
        industry: spelling(industry, stream),
        region: region(who, stream),
        employees: if stream.chance(0.03) { 0 } else { employees },
        est_cents: (est_value / 5_000.0).round() as i64 * 5_000 + 5_000,
        created_at,
        stages: Stages::default(),
        reason: None,
        outcome: Outcome::Open,
        amount_cents: None,
    };
    let fit = (employees as f64 / EMPLOYEES).powf(0.08) * (est_value / DEAL_CENTS).powf(-0.06);
    live(
        world,
        who,
        market::quality(source, industry) * fit,
        &mut lead,
        stream,
    );
    censor(&mut lead);
    lead
}

/// A campaign of this quarter, or of the one before: campaigns are numbered by quarter and source.
fn campaign(month: usize, source: usize, stream: &mut Stream) -> u64 {
    let quarter = month / 3;
    let late = quarter > 0 && stream.chance(0.2);
    ((quarter - usize::from(late)) * SOURCES.len() + source) as u64
}

/// Mostly the right word; a few percent as people type it.
fn spelling(industry: usize, stream: &mut Stream) -> &'static str {
    let (name, _, _, wrong) = INDUSTRIES[industry];
    match stream.below(1000) {
        0..12 => "n/a",
        12..62 => wrong[stream.below(wrong.len())],
        _ => name,
    }
}

fn region(who: &Distributor, stream: &mut Stream) -> &'static str {
    match stream.below(1000) {
        0..10 => "n/a",
        10..20 => "North ",
        20..70 => REGIONS[stream.below(REGIONS.len())],
        _ => REGIONS[who.region],
    }
}

/// Walks the lead through its stages; times past the end of the data are cut off afterwards.
fn live(world: &World, who: &Distributor, quality: f64, lead: &mut Lead, stream: &mut Stream) {
    let relative = quality * world.win_base / 0.10;
    let after = |from: i64, days: f64| from + (days * DAY) as i64;
    let ends_after =
        |median: f64, stream: &mut Stream| stream.lognormal(median, DAYS_SIGMA).min(DAYS_MAX);
    let is_mql = stream.chance((0.7 * relative.powf(0.15)).min(0.95));
    let mql_at = after(lead.created_at, stream.lognormal(0.8, 1.0).min(20.0));
    let stuck = stream.chance(0.03);
    if !is_mql {
        lose(
            lead,
            after(lead.created_at, ends_after(LOST_DAYS, stream)),
            stuck,
        );
        return;
    }
    lead.stages.mql_at = Some(mql_at);
    let drop = match mql_at < END {
        true => world
            .planted
            .win_factor(lead.distributor, world.calendar.month(mql_at / DAY_SECONDS)),
        false => 1.0,
    };
    let p_sent = 0.97;
    let p_touch = 0.93;
    let p_dql = 1.0 - (0.26 * relative.powf(-0.2) * who.reject_factor).clamp(0.05, 0.6);
    let p_opportunity = (0.55 * relative.powf(0.3) * drop.powf(0.4)).clamp(0.05, 0.95);
    let p_won = (world.win_base * quality * who.skill * drop
        / (p_sent * p_touch * p_dql * p_opportunity))
        .min(0.95);

    let reached = [p_sent, p_touch, p_dql, p_opportunity, p_won]
        .iter()
        .take_while(|chance| stream.chance(**chance))
        .count();
    let median = match reached {
        5 => WON_DAYS,
        2 => REJECTED_DAYS,
        _ => LOST_DAYS,
    };
    let days = ends_after(median, stream) * who.slowness;
    let mut fractions = [
        stream.unit() * 0.2,
        0.1 + stream.unit() * 0.3,
        0.3 + stream.unit() * 0.3,
        0.6 + stream.unit() * 0.35,
    ];
    fractions.sort_by(f64::total_cmp);
    let at = |stage: usize| (reached > stage).then(|| after(mql_at, days * fractions[stage]));
    lead.stages.sent_at = at(0);
    lead.stages.first_touch_at = at(1);
    lead.stages.dql_at = at(2);
    lead.stages.opportunity_at = at(3);
    let end = after(mql_at, days);
    match reached {
        5 => win(lead, end, stream),
        2 => reject(lead, end, who.reasons.pick(stream)),
        _ => lose(lead, end, stuck),
    }
}

fn win(lead: &mut Lead, at: i64, stream: &mut Stream) {
    lead.outcome = Outcome::Won;
    lead.stages.closed_at = Some(at);
    lead.amount_cents = Some((lead.est_cents as f64 * stream.lognormal(0.92, 0.25)) as i64);
}

fn reject(lead: &mut Lead, at: i64, reason: usize) {
    lead.outcome = Outcome::Rejected;
    lead.stages.rejected_at = Some(at);
    lead.stages.closed_at = Some(at);
    lead.reason = Some(reason);
}

fn lose(lead: &mut Lead, at: i64, stuck: bool) {
    if !stuck {
        lead.outcome = Outcome::Lost;
        lead.stages.closed_at = Some(at);
    }
}

/// Forgets what happens after the end of the data.
fn censor(lead: &mut Lead) {
    let stages = &mut lead.stages;
    let closed = stages.closed_at.is_some_and(|at| at < END);
    for at in [
        &mut stages.mql_at,
        &mut stages.sent_at,
        &mut stages.first_touch_at,
        &mut stages.dql_at,
        &mut stages.rejected_at,
        &mut stages.opportunity_at,
        &mut stages.closed_at,
    ] {
        *at = at.filter(|at| *at < END);
    }
    if !closed {
        lead.outcome = Outcome::Open;
        lead.reason = None;
        lead.amount_cents = None;
    }
}

/// Table `leads`.
impl Rows for Leads {
    fn step(&mut self, out: &mut Writer) -> bool {
        match self.next() {
            Some(lead) => write(&lead, out),
            None => return false,
        }
        true
    }
}

fn write(lead: &Lead, out: &mut Writer) {
    out.id(Id::Lead, lead.number + 1)
        .id(Id::Distributor, lead.distributor as u64 + 1)
        .id(Id::Rep, lead.rep + 1)
        .id(Id::Product, lead.product as u64 + 1)
        .id(Id::Campaign, lead.campaign + 1)
        .text(lead.region)
        .text(lead.industry)
        .int(lead.employees)
        .money(lead.est_cents)
        .time(lead.created_at)
        .optional_time(lead.stages.mql_at)
        .optional_time(lead.stages.sent_at)
        .optional_time(lead.stages.first_touch_at)
        .optional_time(lead.stages.dql_at)
        .optional_time(lead.stages.rejected_at)
        .text(lead.reason.map_or("", |reason| REASONS[reason].0))
        .optional_time(lead.stages.opportunity_at)
        .optional_time(lead.stages.closed_at)
        .text(lead.outcome.name());
    match lead.amount_cents {
        Some(cents) => out.money(cents),
        None => out.null(),
    };
    out.end();
}
