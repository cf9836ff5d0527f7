//! The door to the generator: a seed and a scale in, CSV out.

use std::sync::Arc;

use crate::content_events::ContentEvents;
use crate::csv::{Chunks, Rows};
use crate::feedback::{Feedback, REVIEWS};
use crate::leads::Leads;
use crate::resources::Resources;
use crate::revenue::Revenue;
use crate::schema;
use crate::small::{self, CALENDARS, CONTENT, OWN_REPS, Small};
use crate::time::{Calendar, DAYS, MONTHS};
use crate::truths::Truths;
use crate::world::{DISTRIBUTORS_MAX, DISTRIBUTORS_MIN, MANUFACTURERS, PRODUCTS, Size, World};

/// Keeps every id within its digits.
const SCALE_MAX: f64 = 1000.0;

/// The demo data of all manufacturers. Two with the same seed and scale give the same bytes.
pub struct Dataset {
    worlds: Vec<Arc<World>>,
    truths: Truths,
}

impl Dataset {
    /// Scale 1 is about 200,000 leads and a million revenue rows.
    pub fn new(seed: u64, scale: f64) -> Result<Self, String> {
        Self::of(seed, scale, &MANUFACTURERS)
    }

    /// One manufacturer, `acme`, that has all the leads and revenue rows, and 40 to 999 distributors.
    pub fn network(seed: u64, scale: f64, distributors: usize) -> Result<Self, String> {
        if !(DISTRIBUTORS_MIN..=DISTRIBUTORS_MAX).contains(&distributors) {
            return Err(format!(
                "a network has {DISTRIBUTORS_MIN} to {DISTRIBUTORS_MAX} distributors, not {distributors}"
            ));
        }
        let size = Size {
            distributors,
            share: 1.0,
            ..MANUFACTURERS[0]
        };
        Self::of(seed, scale, &[size])
    }

    fn of(seed: u64, scale: f64, sizes: &[Size]) -> Result<Self, String> {
        if !(scale > 0.0 && scale <= SCALE_MAX) {
            return Err(format!(
                "scale must be above 0 and at most {SCALE_MAX}, not {scale}"
            ));
        }
        let calendar = Arc::new(Calendar::new());
        let world = |sized| Arc::new(World::new(seed, scale, sized, Arc::clone(&calendar)));
        let worlds: Vec<Arc<World>> = sizes.iter().copied().enumerate().map(world).collect();
        let manufacturers = worlds
            .iter()
            .map(|world| world.planted.truths(world.id, world.mix_factor()))
            .collect();
        Ok(Self {
            worlds,
            truths: Truths {
                seed,
                scale,
                manufacturers,
            },
        })
    }

    /// Ids of the manufacturers: `acme`, `borealis`.
    pub fn manufacturers(&self) -> Vec<&str> {
        self.worlds.iter().map(|world| world.id).collect()
    }

    /// What was planted.
    pub const fn truths(&self) -> &Truths {
        &self.truths
    }

    /// Every table, in load order: a table comes after those it refers to.
    pub const fn tables() -> &'static [&'static str] {
        &schema::NAMES
    }

    /// A table as CSV in chunks of about 256 KiB, header first, whole rows only; None for an unknown name.
    pub fn csv(
        &self,
        manufacturer: &str,
        table: &str,
    ) -> Option<Box<dyn Iterator<Item = Vec<u8>> + Send>> {
        let world = self.world(manufacturer)?;
        let columns = schema::columns(table)?;
        let rows: Box<dyn Rows> = match small::write(table) {
            Some(write) => Box::new(Small {
                world: Arc::clone(world),
                write,
            }),
            None => large(world, table)?,
        };
        Some(Box::new(Chunks::new(
            columns,
            Arc::clone(&world.calendar),
            rows,
        )))
    }

    /// About how many rows a table has (for progress bars); 0 for an unknown name.
    pub fn rows_estimate(&self, manufacturer: &str, table: &str) -> u64 {
        let Some(world) = self.world(manufacturer) else {
            return 0;
        };
        let distributors = world.distributors.len() as u64;
        let share = |of: f64| (world.leads() as f64 * of) as u64;
        match table {
            "distributors" => distributors,
            "reps" => (world.reps() + OWN_REPS) as u64,
            "products" => PRODUCTS as u64,
            "campaigns" => (MONTHS / 3 * crate::market::SOURCES.len()) as u64,
            "stages" => crate::market::STAGES.len() as u64,
            "calendars" => (CALENDARS.len() * DAYS) as u64,
            "content" => CONTENT as u64,
            "targets" => distributors * MONTHS as u64 / 3 + 72,
            "training" => world.reps() as u64 * 5 / 2,
            "leads" => world.leads(),
            "revenue" => world.orders() + share(0.068),
            "resources" => world.grants.len() as u64 + share(0.66),
            "feedback" => distributors * REVIEWS + share(0.37),
            "content_events" => share(0.35),
            _ => 0,
        }
    }

    fn world(&self, manufacturer: &str) -> Option<&Arc<World>> {
        self.worlds.iter().find(|world| world.id == manufacturer)
    }
}

/// The tables whose size depends on `scale`.
fn large(world: &Arc<World>, table: &str) -> Option<Box<dyn Rows>> {
    Some(match table {
        "leads" => Box::new(Leads::new(world)),
        "revenue" => Box::new(Revenue::new(world)),
        "resources" => Box::new(Resources::new(world)),
        "feedback" => Box::new(Feedback::new(world)),
        "content_events" => Box::new(ContentEvents::new(world)),
        _ => return None,
    })
}
