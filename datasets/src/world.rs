//! One manufacturer's world: who exists, how big they are, what was planted, and how business spreads over
//! distributors and months. Everything here is small and independent of `scale`, except the totals.

use std::sync::Arc;

use crate::grants::{self, Grant};
use crate::market::{
    self, BAD_INDUSTRIES, BAD_SOURCES, INDUSTRIES, LINES, REGIONS, SEASON, SOURCES,
};
use crate::names;
use crate::rng::{Choice, Purpose, Stream, Streams};
use crate::time::{Calendar, MONTHS, month_start};
use crate::truths::{Planted, REASON_FACTOR, REASONS};

/// How large a manufacturer is.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) id: &'static str,
    pub(crate) distributors: usize,
    /// Share of the leads and revenue rows.
    pub(crate) share: f64,
}

pub(crate) const MANUFACTURERS: [Size; 2] = [
    Size {
        id: "acme",
        distributors: 62,
        share: 0.55,
    },
    Size {
        id: "borealis",
        distributors: 58,
        share: 0.45,
    },
];
/// Fewer have no room for what is planted.
pub(crate) const DISTRIBUTORS_MIN: usize = 40;
/// Keeps their ids at three digits.
pub(crate) const DISTRIBUTORS_MAX: usize = 999;
const LEADS_AT_SCALE_1: f64 = 200_000.0;
/// Repeat business and returns; the won leads come on top and fill up to a million.
const ORDERS_AT_SCALE_1: f64 = 986_000.0;
const WIN_RATE: f64 = 0.10;
pub(crate) const PRODUCTS: usize = 40;
/// Spread of distributor size (log scale) that gives revenue a Gini of about 0.65.
const SIZE_SIGMA: f64 = 1.36;
const SKILL_SIGMA: f64 = 0.07;
const MIX_SIGMA: f64 = 0.15;
/// Ranks by size below this one may join late or leave; none of them carries a truth.
const MOVING_RANK: usize = 35;

pub(crate) struct Distributor {
    pub(crate) name: String,
    pub(crate) region: usize,
    pub(crate) territory: usize,
    pub(crate) tier: &'static str,
    pub(crate) joined_on: i64,
    pub(crate) parent: usize,
    /// Months in business: from..to.
    pub(crate) active: (usize, usize),
    pub(crate) reps: (usize, usize),
    /// Revenue when nothing special happens, relative to the others.
    pub(crate) size: f64,
    pub(crate) lead_share: f64,
    pub(crate) growth_a_year: f64,
    /// Factor on the amount of an order.
    pub(crate) order_size: f64,
    /// Factor on the win rate that is neither planted nor in the mix.
    pub(crate) skill: f64,
    /// Factor on every duration.
    pub(crate) slowness: f64,
    pub(crate) reject_factor: f64,
    pub(crate) sources: Choice,
    pub(crate) industries: Choice,
    pub(crate) reasons: Choice,
    /// Expected win factor of its mix.
    pub(crate) quality: f64,
}

pub(crate) struct Product {
    pub(crate) name: String,
    pub(crate) line: &'static str,
    pub(crate) price_cents: i64,
}

pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) index: usize,
    pub(crate) id: &'static str,
    pub(crate) calendar: Arc<Calendar>,
    pub(crate) planted: Planted,
    pub(crate) distributors: Vec<Distributor>,
    pub(crate) products: Vec<Product>,
    pub(crate) popularity: Choice,
    pub(crate) grants: Vec<Grant>,
    /// Leads due up to and including each day, and who gets them by month.
    pub(crate) leads_due: Vec<u64>,
    pub(crate) leads_to: Vec<Choice>,
    /// The same for orders (repeat business and returns).
    pub(crate) orders_due: Vec<u64>,
    pub(crate) orders_to: Vec<Choice>,
    /// Planned revenue in cents by distributor and month, before noise, grants and won leads.
    pub(crate) baseline: Vec<[f64; MONTHS]>,
    pub(crate) win_base: f64,
}

impl World {
    /// `index` tells the random numbers of one manufacturer from those of another.
    pub(crate) fn new(
        seed: u64,
        scale: f64,
        (index, size): (usize, Size),
        calendar: Arc<Calendar>,
    ) -> Self {
        let Size { id, share, .. } = size;
        let streams = |purpose| Streams::new(seed, index as u64, purpose);
        let mut distributors = distributors(&streams(Purpose::Distributors), size.distributors);
        let ranked = by_leads(&distributors);
        let planted = Planted::choose(seed, index, &ranked);
        plant(&mut distributors, &planted);
        let products = products(&streams(Purpose::Products));
        let popularity = Choice::new((0..PRODUCTS).map(|rank| 1.0 / (rank as f64 + 4.0)));

        let plan: Vec<[f64; MONTHS]> = distributors.iter().map(|who| plan(who, who.size)).collect();
        let grants = grants::grants(&streams(Purpose::Grants), &plan);
        let actual = actual(
            &streams(Purpose::Months),
            &plan,
            &grants::response(&grants, planted.kind, &plan),
        );
        let orders = per_order(&actual, &distributors);
        let leads: Vec<[f64; MONTHS]> = distributors.iter().map(plan_leads).collect();

        let order_rows = ORDERS_AT_SCALE_1 * share * scale;
        let cents_per_plan = order_rows / total(&orders) * order_cents(&products);
        let baseline = plan
            .iter()
            .map(|months| months.map(|value| value * cents_per_plan))
            .collect();
        Self {
            seed,
            index,
            id,
            leads_due: calendar.quotas(LEADS_AT_SCALE_1 * share * scale, &by_month(&leads)),
            leads_to: (0..MONTHS)
                .map(|month| Choice::new(leads.iter().map(|who| who[month])))
                .collect(),
            orders_due: calendar.quotas(order_rows, &by_month(&orders)),
            orders_to: (0..MONTHS)
                .map(|month| Choice::new(orders.iter().map(|who| who[month])))
                .collect(),
            win_base: WIN_RATE / network_quality(&distributors, &leads, &planted),
            calendar,
            planted,
            distributors,
            products,
            popularity,
            grants,
            baseline,
        }
    }

    pub(crate) fn streams(&self, purpose: Purpose) -> Streams {
        Streams::new(self.seed, self.index as u64, purpose)
    }

    pub(crate) fn leads(&self) -> u64 {
        self.leads_due.last().copied().unwrap_or(0)
    }

    pub(crate) fn orders(&self) -> u64 {
        self.orders_due.last().copied().unwrap_or(0)
    }

    pub(crate) fn reps(&self) -> usize {
        self.distributors.last().map_or(0, |who| who.reps.1)
    }

    /// One of a distributor's reps.
    pub(crate) fn rep(&self, distributor: usize, stream: &mut Stream) -> u64 {
        let (from, to) = self.distributors[distributor].reps;
        (from + stream.below(to - from)) as u64
    }

    /// The planted mix of worse leads, relative to the network.
    pub(crate) fn mix_factor(&self) -> f64 {
        let shares = || self.distributors.iter().map(|who| who.lead_share);
        let mean: f64 = self
            .distributors
            .iter()
            .map(|who| who.lead_share * who.quality)
            .sum();
        self.distributors[self.planted.worse].quality / (mean / shares().sum::<f64>())
    }
}

fn distributors(streams: &Streams, count: usize) -> Vec<Distributor> {
    let mut stream = streams.at(0);
    let mut order: Vec<usize> = (0..count).collect();
    stream.shuffle(&mut order);
    let mut first_rep = 0;
    let mut made: Vec<Distributor> = Vec::with_capacity(count);
    for (index, rank) in order.into_iter().enumerate() {
        let mut stream = streams.at(index as u64 + 1);
        let mut who = distributor(&mut stream, rank, count, index);
        let reps = 3 + (who.size.sqrt() * 3.0) as usize;
        who.reps = (first_rep, first_rep + reps.min(14));
        first_rep = who.reps.1;
        if index > 0 && stream.chance(0.12) {
            who.parent = made[stream.below(index)].parent;
        }
        made.push(who);
    }
    made
}

fn distributor(stream: &mut Stream, rank: usize, count: usize, index: usize) -> Distributor {
    let size =
        (SIZE_SIGMA * names::normal_quantile(1.0 - (rank as f64 + 0.5) / count as f64)).exp();
    let active = match rank.checked_sub(MOVING_RANK) {
        Some(0) => (4, MONTHS),
        Some(7) => (13, MONTHS),
        Some(12) => (0, 29),
        _ => (0, MONTHS),
    };
    let joined_on = match active.0 {
        0 => -(stream.between(40.0, 6000.0) as i64),
        month => month_start(month as i64),
    };
    let mixed = |stream: &mut Stream, share: f64| stream.lognormal(share, MIX_SIGMA);
    let sources: Vec<f64> = SOURCES
        .iter()
        .map(|source| mixed(stream, source.1))
        .collect();
    let industries: Vec<f64> = INDUSTRIES
        .iter()
        .map(|industry| mixed(stream, industry.1))
        .collect();
    let reasons: Vec<f64> = REASONS
        .iter()
        .map(|reason| stream.lognormal(reason.1, 0.12))
        .collect();
    Distributor {
        name: names::company(stream),
        region: stream.below(REGIONS.len()),
        territory: stream.below(4),
        tier: match rank {
            0..12 => "gold",
            12..34 => "silver",
            _ => "bronze",
        },
        joined_on,
        parent: index,
        active,
        reps: (0, 0),
        size,
        lead_share: size.powf(0.55) * stream.lognormal(1.0, 0.2),
        growth_a_year: 0.05 + 0.06 * stream.normal(),
        order_size: size.powf(0.2) * stream.lognormal(1.0, 0.1),
        skill: stream.lognormal(1.0, SKILL_SIGMA),
        slowness: stream.lognormal(1.0, 0.12),
        reject_factor: stream.lognormal(1.0, 0.12),
        quality: mix_quality(&sources, &industries),
        sources: Choice::new(sources),
        industries: Choice::new(industries),
        reasons: Choice::new(reasons),
    }
}

/// Gives the chosen distributors what was planted there; they keep the network's average otherwise.
fn plant(distributors: &mut [Distributor], planted: &Planted) {
    let worse = &mut distributors[planted.worse];
    let sources: Vec<f64> = SOURCES
        .iter()
        .zip(BAD_SOURCES)
        .map(|(source, factor)| source.1 * factor)
        .collect();
    let industries: Vec<f64> = INDUSTRIES
        .iter()
        .zip(BAD_INDUSTRIES)
        .map(|(one, factor)| one.1 * factor)
        .collect();
    worse.quality = mix_quality(&sources, &industries);
    worse.sources = Choice::new(sources);
    worse.industries = Choice::new(industries);

    let (who, reason) = planted.reason;
    let share = REASONS[reason].1;
    let lift = REASON_FACTOR * (1.0 - share) / (1.0 - REASON_FACTOR * share);
    let weights = REASONS
        .iter()
        .enumerate()
        .map(|(index, one)| if index == reason { one.1 * lift } else { one.1 });
    distributors[who].reasons = Choice::new(weights);

    let average = planted
        .drops
        .iter()
        .map(|(who, _)| *who)
        .chain([planted.worse]);
    average.for_each(|who| distributors[who].skill = 1.0);
}

fn mix_quality(sources: &[f64], industries: &[f64]) -> f64 {
    let mut sum = 0.0;
    for (source, of_source) in sources.iter().enumerate() {
        for (industry, of_industry) in industries.iter().enumerate() {
            sum += of_source * of_industry * market::quality(source, industry);
        }
    }
    sum / sources.iter().sum::<f64>() / industries.iter().sum::<f64>()
}

fn by_leads(distributors: &[Distributor]) -> Vec<usize> {
    let mut ranked: Vec<usize> = (0..distributors.len())
        .filter(|who| distributors[*who].active == (0, MONTHS))
        .collect();
    ranked.sort_by(|left, right| {
        distributors[*right]
            .lead_share
            .total_cmp(&distributors[*left].lead_share)
    });
    ranked
}

/// The revenue of each month when nothing special happens.
fn plan(who: &Distributor, size: f64) -> [f64; MONTHS] {
    std::array::from_fn(|month| {
        let years = month as f64 / 12.0;
        let active = (who.active.0..who.active.1).contains(&month);
        f64::from(active) * size * (who.growth_a_year * years).exp() * SEASON[month % 12]
    })
}

fn plan_leads(who: &Distributor) -> [f64; MONTHS] {
    plan(who, who.lead_share)
}

/// Planned revenue with the noise of months and the response to grants.
fn actual(
    streams: &Streams,
    plan: &[[f64; MONTHS]],
    response: &[[f64; MONTHS]],
) -> Vec<[f64; MONTHS]> {
    let noisy = |(index, months): (usize, &[f64; MONTHS])| {
        let mut stream = streams.at(index as u64);
        std::array::from_fn(|month| {
            months[month] * stream.lognormal(1.0, 0.08) + response[index][month]
        })
    };
    plan.iter().enumerate().map(noisy).collect()
}

/// From revenue to orders: who places bigger orders places fewer.
fn per_order(revenue: &[[f64; MONTHS]], distributors: &[Distributor]) -> Vec<[f64; MONTHS]> {
    let rows = revenue.iter().zip(distributors);
    rows.map(|(months, who)| months.map(|value| value / who.order_size))
        .collect()
}

fn by_month(values: &[[f64; MONTHS]]) -> Vec<f64> {
    (0..MONTHS)
        .map(|month| values.iter().map(|who| who[month]).sum())
        .collect()
}

fn total(values: &[[f64; MONTHS]]) -> f64 {
    values.iter().flatten().sum()
}

/// Mean amount of an order, in cents, for an order size of one.
fn order_cents(products: &[Product]) -> f64 {
    let weight: f64 = (0..PRODUCTS).map(|rank| 1.0 / (rank as f64 + 4.0)).sum();
    let price: f64 = products
        .iter()
        .enumerate()
        .map(|(rank, one)| one.price_cents as f64 / (rank as f64 + 4.0))
        .sum::<f64>()
        / weight;
    let sold = 1.0 - market::RETURN_RATE * (1.0 + market::RETURN_SHARE);
    price * (1.0 + market::QUANTITY_TAIL) * (1.0 - market::DISCOUNT_MAX / 2.0) * sold
}

/// Mean win factor over all leads, so that the network wins what it should.
fn network_quality(
    distributors: &[Distributor],
    leads: &[[f64; MONTHS]],
    planted: &Planted,
) -> f64 {
    let mut sum = 0.0;
    for (index, who) in distributors.iter().enumerate() {
        for (month, weight) in leads[index].iter().enumerate() {
            sum += weight * who.quality * who.skill * planted.win_factor(index, month);
        }
    }
    sum / total(leads)
}

fn products(streams: &Streams) -> Vec<Product> {
    let product = |index: usize| {
        let mut stream = streams.at(index as u64);
        let line = LINES[index % LINES.len()];
        Product {
            name: names::product(&mut stream, line, index),
            line,
            price_cents: (stream.lognormal(26_000.0, 0.7) as i64).clamp(2_000, 200_000),
        }
    };
    (0..PRODUCTS).map(product).collect()
}
