//! Table `revenue` in the order of arrival: won leads when they close, repeat business and returns every day.
//! A few orders are reported weeks late, so `booked_at` is not sorted. Holds only the wins that are still to come.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::csv::{Id, Rows, Writer};
use crate::leads::{Lead, Leads, Outcome};
use crate::market::{DISCOUNT_MAX, QUANTITY_TAIL, RETURN_RATE, RETURN_SHARE};
use crate::rng::{Purpose, Stream, Streams};
use crate::time::{DAY_SECONDS, DAYS};
use crate::world::World;

/// Bound on the quantity of one order.
const QUANTITY_MAX: i64 = 200;

pub(crate) struct Revenue {
    world: Arc<World>,
    streams: Streams,
    leads: Leads,
    /// Won leads by the second they close, then by number.
    wins: BTreeMap<(i64, u64), Win>,
    day: usize,
    orders: u64,
    rows: u64,
}

/// What is needed of a won lead to book it.
struct Win {
    distributor: usize,
    rep: u64,
    product: usize,
    cents: i64,
}

impl Revenue {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        Self {
            world: Arc::clone(world),
            streams: world.streams(Purpose::Revenue),
            leads: Leads::new(world),
            wins: BTreeMap::new(),
            day: 0,
            orders: 0,
            rows: 0,
        }
    }

    fn remember(&mut self, lead: &Lead) {
        if lead.outcome != Outcome::Won {
            return;
        }
        let closed_at = lead.stages().closed_at.expect("a won lead is closed");
        let cents = lead.amount_cents.expect("a won lead has an amount");
        let win = Win {
            distributor: lead.distributor,
            rep: lead.rep,
            product: lead.product,
            cents,
        };
        self.wins.insert((closed_at, lead.number), win);
    }

    fn write_win(&mut self, (booked_at, lead): (i64, u64), win: &Win, out: &mut Writer) {
        self.rows += 1;
        let price = self.world.products[win.product].price_cents;
        out.id(Id::Revenue, self.rows)
            .id(Id::Distributor, win.distributor as u64 + 1)
            .id(Id::Rep, win.rep + 1)
            .id(Id::Lead, lead + 1)
            .id(Id::Product, win.product as u64 + 1)
            .time(booked_at)
            .money(win.cents)
            .money(win.cents * 2 / 3)
            .int((win.cents / price).max(1))
            .text("new")
            .end();
    }

    fn write_order(&mut self, out: &mut Writer) {
        let mut stream = self.streams.at(self.orders);
        let stream = &mut stream;
        self.orders += 1;
        self.rows += 1;
        let world = &self.world;
        let booked_on = (self.day as i64 - delay(stream)).max(0);
        let distributor = world.orders_to[world.calendar.month(booked_on)].pick(stream);
        let product = world.popularity.pick(stream);
        let quantity = quantity(stream);
        let price =
            world.products[product].price_cents as f64 * world.distributors[distributor].order_size;
        let amount = price * quantity as f64 * (1.0 - DISCOUNT_MAX * stream.unit());
        let returned = stream.chance(RETURN_RATE);
        let sent_back = 2.0 * RETURN_SHARE * stream.unit();
        let sign = if returned {
            -sent_back.clamp(0.05, 1.0)
        } else {
            1.0
        };
        let quantity = if returned {
            -((quantity as f64 * -sign).ceil() as i64)
        } else {
            quantity
        };
        let cents = (amount * sign) as i64;
        let cost =
            (!stream.chance(0.12)).then(|| (amount * sign * stream.between(0.62, 0.74)) as i64);
        out.id(Id::Revenue, self.rows)
            .id(Id::Distributor, distributor as u64 + 1)
            .id(Id::Rep, world.rep(distributor, stream) + 1)
            .null()
            .id(Id::Product, product as u64 + 1)
            .time(booked_on * DAY_SECONDS + (stream.between(6.0, 20.0) * 3600.0) as i64)
            .money(cents);
        match cost {
            Some(cents) => out.money(cents),
            None => out.null(),
        };
        out.int(quantity)
            .text(if returned { "return" } else { "repeat" })
            .end();
    }
}

/// Days between booking and report: mostly none, sometimes weeks.
fn delay(stream: &mut Stream) -> i64 {
    match stream.below(100) {
        0..80 => stream.below(2) as i64,
        80..95 => stream.below(10) as i64,
        _ => stream.below(45) as i64,
    }
}

fn quantity(stream: &mut Stream) -> i64 {
    // A geometric tail by inversion; 1 - unit is in (0, 1].
    let tail = (1.0 - stream.unit()).ln() / (QUANTITY_TAIL / (1.0 + QUANTITY_TAIL)).ln();
    (1 + tail as i64).min(QUANTITY_MAX)
}

impl Rows for Revenue {
    fn step(&mut self, out: &mut Writer) -> bool {
        if self.day == DAYS {
            return false;
        }
        if let Some(lead) = self.leads.until(self.day) {
            self.remember(&lead);
            return true;
        }
        let tomorrow = (self.day as i64 + 1) * DAY_SECONDS;
        if self
            .wins
            .first_key_value()
            .is_some_and(|((at, _), _)| *at < tomorrow)
        {
            let (key, win) = self.wins.pop_first().expect("the first win was just seen");
            self.write_win(key, &win, out);
        } else if self.orders < self.world.orders_due[self.day] {
            self.write_order(out);
        } else {
            self.day += 1;
        }
        true
    }
}
