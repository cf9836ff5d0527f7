//! Table `feedback`: what distributors say about their leads, then about material, products and promotions.
//! A decision repeats what the lead itself says: the same time, the same reason.

use std::sync::Arc;

use crate::csv::{Id, Rows, Writer};
use crate::leads::{Lead, Leads};
use crate::rng::{Purpose, Stream, Streams};
use crate::small::CONTENT;
use crate::time::{DAY_SECONDS, DAYS, END};
use crate::truths::REASONS;
use crate::world::{PRODUCTS, World};

/// Share of accepted or rejected leads that come with feedback.
const COVERAGE: f64 = 0.6;
/// Reviews of material, products and promotions per distributor over the whole time.
pub(crate) const REVIEWS: u64 = 24;
const COMMENTS: [&str; 4] = [
    "thanks, good contact",
    "asked to call again, maybe next quarter",
    "wrong number",
    "\"not now\"",
];
const NEXT_ACTIONS: [&str; 3] = ["visit", "call", "send quotation"];

pub(crate) struct Feedback {
    world: Arc<World>,
    leads: Leads,
    streams: Streams,
    reviews: Streams,
    review: u64,
    rows: u64,
}

impl Feedback {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        Self {
            world: Arc::clone(world),
            leads: Leads::new(world),
            streams: world.streams(Purpose::Feedback),
            reviews: world.streams(Purpose::Reviews),
            review: 0,
            rows: 0,
        }
    }

    fn write_lead(&mut self, lead: &Lead, out: &mut Writer) {
        let stages = lead.stages();
        let Some(at) = stages.rejected_at.or(stages.dql_at) else {
            return;
        };
        let mut stream = self.streams.at(lead.number);
        if !stream.chance(COVERAGE) {
            return;
        }
        self.rows += 1;
        let rep = (!stream.chance(0.1)).then_some(lead.rep + 1);
        let rejected = stages.rejected_at.is_some();
        let reason = lead.reason.map_or("", |reason| REASONS[reason].0);
        out.id(Id::Feedback, self.rows)
            .id(Id::Distributor, lead.distributor as u64 + 1)
            .optional_id(Id::Rep, rep)
            .text("lead")
            .id(Id::Lead, lead.number + 1)
            .time(at);
        rating(if rejected { 2.0 } else { 3.8 }, &mut stream, out);
        out.text(if rejected { "reject" } else { "accept" })
            .text(if rejected { reason } else { "" });
        remarks(at, !rejected, &mut stream, out);
        out.end();
    }

    fn write_review(&mut self, out: &mut Writer) {
        let count = self.world.distributors.len() as u64;
        let mut stream = self.reviews.at(self.review);
        let part = (self.review as f64 + stream.unit()) / (count * REVIEWS) as f64;
        self.review += 1;
        self.rows += 1;
        let at = (part * END as f64) as i64;
        let distributor = stream.below(count as usize);
        let rep = self.world.rep(distributor, &mut stream);
        out.id(Id::Feedback, self.rows)
            .id(Id::Distributor, distributor as u64 + 1)
            .id(Id::Rep, rep + 1);
        match stream.below(3) {
            0 => out
                .text("material")
                .id(Id::Content, stream.below(CONTENT) as u64 + 1),
            1 => out
                .text("product")
                .id(Id::Product, stream.below(PRODUCTS) as u64 + 1),
            _ => out.text("promotion").id(
                Id::Campaign,
                stream.below(self.world.calendar.month(at / DAY_SECONDS) / 3 * 6 + 6) as u64 + 1,
            ),
        };
        out.time(at);
        rating(3.6, &mut stream, out);
        out.null().null();
        remarks(at, false, &mut stream, out);
        out.end();
    }
}

fn rating(mean: f64, stream: &mut Stream, out: &mut Writer) {
    match stream.chance(0.25) {
        true => out.null(),
        false => out.int(((mean + stream.normal()).round() as i64).clamp(1, 5)),
    };
}

/// comment, next_action, next_action_on, answered_at
fn remarks(at: i64, acts: bool, stream: &mut Stream, out: &mut Writer) {
    out.text(if stream.chance(0.2) {
        COMMENTS[stream.below(COMMENTS.len())]
    } else {
        ""
    });
    if acts && stream.chance(0.5) {
        let day = at / DAY_SECONDS + 1 + stream.below(21) as i64;
        out.text(NEXT_ACTIONS[stream.below(NEXT_ACTIONS.len())])
            .date(day);
    } else {
        out.null().null();
    }
    let answered_at = at + (stream.lognormal(2.0, 0.9) * DAY_SECONDS as f64) as i64;
    out.optional_time((stream.chance(0.55) && answered_at < END).then_some(answered_at));
}

impl Rows for Feedback {
    fn step(&mut self, out: &mut Writer) -> bool {
        if let Some(lead) = self.leads.until(DAYS) {
            self.write_lead(&lead, out);
            return true;
        }
        let more = self.review < self.world.distributors.len() as u64 * REVIEWS;
        if more {
            self.write_review(out);
        }
        more
    }
}
