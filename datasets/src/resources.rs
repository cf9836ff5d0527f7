//! Table `resources`: grants of the month, and a lead cost for each lead that was sent.

use std::sync::Arc;

use crate::csv::{Id, Rows, Writer};
use crate::grants::{Grant, REBATE};
use crate::leads::{Lead, Leads};
use crate::market::SOURCES;
use crate::rng::{Purpose, Streams};
use crate::time::{DAY_SECONDS, DAYS};
use crate::truths::GRANTED_KINDS;
use crate::world::World;

pub(crate) struct Resources {
    world: Arc<World>,
    streams: Streams,
    leads: Leads,
    day: usize,
    grants: usize,
    rows: u64,
}

impl Resources {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        let streams = world.streams(Purpose::LeadCosts);
        Self {
            world: Arc::clone(world),
            streams,
            leads: Leads::new(world),
            day: 0,
            grants: 0,
            rows: 0,
        }
    }

    fn write_lead(&mut self, lead: &Lead, out: &mut Writer) {
        let Some(sent_at) = lead.stages().sent_at else {
            return;
        };
        self.rows += 1;
        let cents = SOURCES[lead.source].3 as f64 * self.streams.at(lead.number).between(0.7, 1.3);
        out.id(Id::Resource, self.rows)
            .id(Id::Distributor, lead.distributor as u64 + 1)
            .id(Id::Lead, lead.number + 1)
            .time(sent_at)
            .text("lead_cost")
            .money(cents as i64)
            .int(1)
            .end();
    }

    fn write_grant(&mut self, out: &mut Writer) {
        self.rows += 1;
        let Grant {
            distributor,
            month,
            granted_at,
            kind,
            share,
            quantity,
        } = self.world.grants[self.grants];
        self.grants += 1;
        let cents = share * self.world.baseline[distributor][month];
        out.id(Id::Resource, self.rows)
            .id(Id::Distributor, distributor as u64 + 1)
            .null()
            .time(granted_at)
            .text(if kind == REBATE {
                "rebate"
            } else {
                GRANTED_KINDS[kind]
            })
            .money(cents as i64 + 1)
            .int(quantity)
            .end();
    }
}

impl Rows for Resources {
    fn step(&mut self, out: &mut Writer) -> bool {
        if self.day == DAYS {
            return false;
        }
        let tomorrow = (self.day as i64 + 1) * DAY_SECONDS;
        if self
            .world
            .grants
            .get(self.grants)
            .is_some_and(|grant| grant.granted_at < tomorrow)
        {
            self.write_grant(out);
        } else if let Some(lead) = self.leads.until(self.day) {
            self.write_lead(&lead, out);
        } else {
            self.day += 1;
        }
        true
    }
}
