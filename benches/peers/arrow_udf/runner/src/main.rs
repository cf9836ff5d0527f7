//! Tributary's boundary against that of arrow-udf: the same formulas over the same rows in one process,
//! every contender in every round, and a native loop to subtract. Arguments: the guest as arrow-udf says to
//! build it, the guest with the flags of Tributary's SDK, the folder to build Tributary's guest in.

#[expect(dead_code, reason = "the other bench has more kinds of batches")]
#[path = "../../../../boundary/batches.rs"]
mod batches;
#[expect(dead_code, reason = "the other bench races more of them")]
#[path = "../../../../boundary/native.rs"]
mod native;
mod peer;
#[expect(dead_code, reason = "here the order says who is who")]
#[path = "../../../../boundary/race.rs"]
mod race;

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use batches::{Batches, KERNELS, Turn};
use peer::{Peer, converted};
use race::{Contender, Finish, Outcome, race};
use tributary_plugins_host::{Argument, Host, InProcess, Limits, Plugin, Pool};

const ROWS: [usize; 3] = [1_024, 8_192, 65_536];
const ROUNDS: usize = 60;
const OURS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../kernels");

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [plain, flagged, target] = arguments.as_slice() else {
        return Err("usage: runner PLAIN.wasm FLAGGED.wasm FOLDER".into());
    };
    let guests = [std::fs::read(plain)?, std::fs::read(flagged)?];
    let plugin = ours(Path::new(target))?;
    let pool = plugin.pool(&plugin.settings(&Default::default())?, None);
    println!(
        "ns a row, medians of {ROUNDS} rounds with quartiles; overhead is what is beyond the native loop; guests of {} and {} KB",
        guests[0].len() / 1000,
        guests[1].len() / 1000
    );
    println!(
        "\n| kernel | rows | native | Tributary | arrow-udf | with our flags | overhead | of arrow-udf | ours in theirs | ours in theirs with our flags |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for (number, kernel) in KERNELS.iter().enumerate() {
        for rows in ROWS {
            let finishes = compare(&pool, &guests, (number, kernel), rows)?;
            tell(kernel, rows, &finishes);
        }
    }
    Ok(())
}

fn ours(target: &Path) -> Outcome<Arc<Plugin>> {
    let component = tributary_sdk_build::build(Path::new(OURS), target)?;
    let limits = Limits::default();
    let compiler = InProcess::new(&limits)?;
    Ok(Host::new(limits)?.install(std::fs::read(component)?, &compiler)?)
}

/// Native, Tributary, arrow-udf plain and with flags.
fn compare(
    pool: &Pool,
    guests: &[Vec<u8>; 2],
    (number, kernel): (usize, &str),
    rows: usize,
) -> Outcome<Vec<Finish>> {
    let batches = Batches::new(kernel, rows);
    let theirs = batches.all().iter().map(|batch| converted(batch));
    let theirs = theirs.collect::<Outcome<Vec<RecordBatch>>>()?;
    let mut turn = Turn::new(batches.all());
    // Arrays of decisions are Tributary's own work: arrow-udf makes none, so neither is spared them.
    let native = match kernel {
        "qualify" => native::loop_alone("native", &batches),
        _ => native::contender("native", native::baseline(kernel), &batches),
    };
    let mut contenders = vec![
        native,
        Contender::new("Tributary", move || {
            let batch = turn.next();
            let arguments: Vec<Argument<'_>> = batch.iter().map(Argument::Array).collect();
            black_box(pool.call(number, &arguments, rows)?);
            Ok(())
        }),
    ];
    for guest in guests {
        let peer = Peer::new(guest, kernel)?;
        peer.agree(kernel, &theirs[0])?;
        let mut turn = Turn::new(&theirs);
        contenders.push(Contender::new("arrow-udf", move || {
            black_box(peer.call(turn.next())?);
            Ok(())
        }));
    }
    race(contenders, ROUNDS)
}

fn tell(kernel: &str, rows: usize, finishes: &[Finish]) {
    let ns: Vec<f64> = finishes
        .iter()
        .map(|finish| finish.median * 1e9 / rows as f64)
        .collect();
    let [native, ours, plain, flagged] = ns[..] else {
        return;
    };
    let spread: Vec<String> = finishes.iter().map(|finish| spread(finish, rows)).collect();
    println!(
        "| {kernel} | {rows} | {} | {:.2} | {:.2} | {} | {} |",
        spread.join(" | "),
        ours - native,
        plain - native,
        share(ours - native, plain - native),
        share(ours - native, flagged - native)
    );
}

/// What part of their overhead ours is. Where ours is within the noise of nothing there is no such number.
fn share(ours: f64, theirs: f64) -> String {
    if ours < 0.05 * theirs {
        return "below 1/20".to_owned();
    }
    format!("1/{:.1}", theirs / ours)
}

fn spread(finish: &Finish, rows: usize) -> String {
    let [low, median, high] = [finish.low, finish.median, finish.high];
    let [low, median, high] = [low, median, high].map(|seconds| seconds * 1e9 / rows as f64);
    format!("{median:.2} ({low:.2}–{high:.2})")
}
