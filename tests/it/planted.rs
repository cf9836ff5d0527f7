//! `v_underperformers` and `v_rejection_reasons` against what was planted: who, since when, why, and nobody else, whatever the
//! seed.

use std::fmt::Debug;

use futures::StreamExt;
use tributary_datasets::{Dataset, Finding, ManufacturerTruths, Tally};

use crate::support::{World, cells};
use tributary_engine_core::Engine;
use tributary_engine_core::engine::{Format, Ingest, OnError, Principal, Reading};

const SEEDS: u64 = 20;
/// The first seed, unless `PLANTED_SEED` names another.
const FIRST: u64 = 101;
const MANUFACTURER: &str = "borealis";
/// Reasons that nobody planted, over all seeds.
const INVENTED_MAX: usize = 1;
const OVER_REPRESENTED: &str =
    "SELECT distributor_id, reject_reason FROM v_rejection_reasons WHERE is_over_represented";
const TABLES: [&str; 3] = ["distributors", "campaigns", "leads"];

#[tokio::test(flavor = "multi_thread")]
async fn what_was_planted_is_found_and_nothing_else() {
    let first = std::env::var("PLANTED_SEED").map_or(FIRST, |seed| seed.parse().expect("a seed"));
    println!("seeds from {first}; PLANTED_SEED={first} repeats them");
    let mut tally = Tally::default();
    let (mut missed, mut invented) = (0, 0);
    for seed in first..first + SEEDS {
        let dataset = Dataset::new(seed, 1.0).expect("a valid scale");
        let world = loaded(&dataset).await;
        let findings = found(&world).await;
        let mut all = dataset.truths().manufacturers.iter();
        let truths = all.find(|it| it.manufacturer == MANUFACTURER);
        let truths = truths.expect("planted");
        tally.add(truths, &findings);
        let reasons = world.rows(OVER_REPRESENTED).await;
        let planted = &truths.rejection_reason;
        let planted = format!("{}|{}", planted.distributor_id, planted.reason);
        missed += u64::from(!reasons.contains(&planted));
        invented += reasons.iter().filter(|reason| **reason != planted).count();
    }
    println!("{}", tally.markdown());
    let broken = tally.broken();
    assert!(broken.is_empty(), "seeds from {first}: {broken:#?}");
    println!("of {SEEDS} planted reasons {missed} were missed, and {invented} others named");
    assert_eq!(missed, 0, "seeds from {first}: planted reasons not found");
    assert!(
        invented <= INVENTED_MAX,
        "seeds from {first}: {invented} reasons that nobody planted"
    );
}

/// One data set, of which only the tables are loaded that the views read.
async fn loaded(dataset: &Dataset) -> World {
    let world = World::empty().await;
    for table in TABLES {
        let chunks = dataset.csv(MANUFACTURER, table).expect("a listed table");
        let ingest = Ingest {
            principal: Principal::Operator,
            manufacturer: crate::support::tiny(),
            table: table.to_owned(),
            reading: Reading::of(Format::Csv),
            on_error: OnError::Refuse,
        };
        let body = futures::stream::iter(chunks.map(|chunk| Ok(chunk.into()))).boxed();
        ok(world.database.ingest(ingest, body).await);
    }
    world
}

/// What `v_underperformers` says of a data set.
async fn found(world: &World) -> Vec<Finding> {
    let sql = "SELECT distributor_id, standing, since_month, mde_pct FROM v_underperformers";
    let rows = ok(world.query(sql).await);
    let known = |cell: &String| (cell != "NULL").then(|| cell.clone());
    let finding = |row: Vec<String>| Finding {
        distributor_id: row[0].clone(),
        standing: row[1].clone(),
        since_month: known(&row[2]),
        mde_pct: known(&row[3]).map(|mde| mde.parse().expect("a number")),
    };
    rows.iter().flat_map(cells).map(finding).collect()
}

fn ok<T, E: Debug>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{error:?}"))
}

/// A method that calls everybody `below`, and one that calls nobody so, both break the promises.
#[test]
fn neither_silence_nor_alarm_keeps_the_promises() {
    for standing in ["below", "in_line"] {
        let mut tally = Tally::default();
        for seed in 1..4 {
            let dataset = Dataset::new(seed, 0.02).expect("a valid scale");
            for truths in &dataset.truths().manufacturers {
                tally.add(truths, &all_stand(truths, standing));
            }
        }
        assert!(!tally.broken().is_empty(), "{standing}: {tally:?}");
    }
}

fn all_stand(truths: &ManufacturerTruths, standing: &str) -> Vec<Finding> {
    let finding = |number: usize| {
        let distributor_id = format!("D{number:03}");
        let mut planted = truths.underperformers.iter();
        let planted = planted.find(|one| one.distributor_id == distributor_id);
        Finding {
            since_month: planted.map(|one| one.since_month.clone()),
            distributor_id,
            standing: standing.to_owned(),
            mde_pct: Some(30.0),
        }
    };
    (1..63).map(finding).collect()
}
