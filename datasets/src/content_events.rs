//! Table `content_events`: which material was sent, shown or opened for a lead after it was sent out.

use std::sync::Arc;

use crate::csv::{Id, Rows, Writer};
use crate::leads::Leads;
use crate::rng::{Purpose, Streams};
use crate::small::CONTENT;
use crate::time::{DAY_SECONDS, DAYS, END};
use crate::world::World;

/// Chance that a sent lead sees another piece of material.
const ANOTHER: f64 = 0.35;
const KINDS: [&str; 3] = ["sent", "shown", "opened"];

pub(crate) struct ContentEvents {
    leads: Leads,
    streams: Streams,
    rows: u64,
}

impl ContentEvents {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        Self {
            leads: Leads::new(world),
            streams: world.streams(Purpose::ContentEvents),
            rows: 0,
        }
    }
}

impl Rows for ContentEvents {
    fn step(&mut self, out: &mut Writer) -> bool {
        let Some(lead) = self.leads.until(DAYS) else {
            return false;
        };
        let Some(mut at) = lead.stages().sent_at else {
            return true;
        };
        let mut stream = self.streams.at(lead.number);
        while stream.chance(ANOTHER) {
            at += (stream.lognormal(2.0, 1.0) * DAY_SECONDS as f64) as i64;
            if at >= END {
                break;
            }
            self.rows += 1;
            out.id(Id::ContentEvent, self.rows)
                .id(Id::Content, stream.below(CONTENT) as u64 + 1)
                .id(Id::Lead, lead.number + 1)
                .id(Id::Rep, lead.rep + 1)
                .time(at)
                .text(KINDS[stream.below(KINDS.len())])
                .end();
        }
        true
    }
}
