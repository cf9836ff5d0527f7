//! What does the boundary to a plugin cost, and what makes it cost more? A few kernels through the host,
//! against the same functions in a native loop: by rows of a batch, by what stops a guest that runs for too
//! long, by flags of the compiler; and an instance made and dropped.
//!
//! `--pairs` is the number of rounds. Every contender runs in every round.

mod boundary {
    pub mod allocations;
    pub mod batches;
    pub mod direct;
    pub mod guests;
    pub mod native;
    pub mod race;
}

use std::hint::black_box;
use std::sync::Arc;

use arrow::array::ArrayRef;
use boundary::allocations;
use boundary::batches::{Batches, KERNELS, Turn};
use boundary::direct::{Stop, Template};
use boundary::race::{Contender, Finish, race};
use boundary::{guests, native};
use tributary_benches::{Outcome, Settings};
use tributary_plugins_host::{Argument, Host, InProcess, Limits, Plugin, Pool};

#[global_allocator]
static ALLOCATOR: boundary::allocations::Counted = boundary::allocations::Counted;

/// Rows of a batch, from a call that is nothing but its price to one that is all copies.
const ROWS: [usize; 5] = [1, 64, 1_024, 8_192, 65_536];
/// Rows of one batch of a query.
const BATCH_ROWS: usize = 8_192;

fn main() -> Outcome<()> {
    let rounds = Settings::from_args(100)?.pairs;
    let wasm = guests::as_shipped()?;
    let limits = Limits::default();
    let plugin = Host::new(limits.clone())?.install(wasm.clone(), &InProcess::new(&limits)?)?;
    agree(&plugin)?;
    println!("boundary: medians of {rounds} rounds, quartiles in brackets, one thread");
    by_column(&plugin, rounds)?;
    by_rows(&plugin, rounds)?;
    by_stop_and_flags(rounds)?;
    instances(&plugin, &wasm, rounds)
}

/// Fails unless the plugin and the native loops say the same.
fn agree(plugin: &Arc<Plugin>) -> Outcome<()> {
    let pool = unconfigured(plugin)?;
    for (number, kernel) in KERNELS.iter().enumerate() {
        let batches = Batches::new(kernel, 1_000);
        for batch in batches.all().iter().take(3) {
            let ours = called(&pool, number, batch)?;
            let baseline = native::baseline(kernel)(batch)?;
            let wide = native::wide(kernel).map(|wide| wide(batch)).transpose()?;
            if *ours != *baseline || wide.is_some_and(|wide| *ours != *wide) {
                return Err(format!("{kernel}: the plugin and Rust differ").into());
            }
        }
    }
    Ok(())
}

/// The instances of one query, without settings.
fn unconfigured(plugin: &Arc<Plugin>) -> Outcome<Pool> {
    Ok(plugin.pool(&plugin.settings(&serde_json::Map::new())?, None))
}

fn called(pool: &Pool, number: usize, batch: &[ArrayRef]) -> Outcome<ArrayRef> {
    let arguments: Vec<Argument<'_>> = batch.iter().map(Argument::Array).collect();
    Ok(pool.call(number, &arguments, batch[0].len())?)
}

/// What a function that returns its argument costs, by what the argument is made of.
fn by_column(plugin: &Arc<Plugin>, rounds: usize) -> Outcome<()> {
    println!(
        "\n| identity of | rows | µs a batch | ns a row | bytes in | bytes out | allocations of the host |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|");
    let columns = [
        ("a number", 0, "identity"),
        ("text", 1, "same_text"),
        ("a dictionary of 8 texts", 1, "same_text, dictionary"),
    ];
    for (name, number, arguments) in columns {
        for rows in ROWS {
            let batches = Batches::new(arguments, rows);
            let pool = unconfigured(plugin)?;
            called(&pool, number, &batches.all()[0])?;
            let before = (pool.receipts(number), allocations::so_far());
            called(&pool, number, &batches.all()[0])?;
            let allocations = allocations::so_far() - before.1;
            let (bytes_in, bytes_out) = {
                let after = pool.receipts(number);
                (
                    after.bytes_in - before.0.bytes_in,
                    after.bytes_out - before.0.bytes_out,
                )
            };
            let finishes = race(vec![through_the_pool(&pool, number, &batches)], rounds)?;
            let seconds = finishes[0].median;
            println!(
                "| {name} | {rows} | {:.2} | {:.2} | {bytes_in} | {bytes_out} | {allocations} |",
                seconds * 1e6,
                seconds * 1e9 / rows as f64
            );
        }
    }
    Ok(())
}

fn by_rows(plugin: &Arc<Plugin>, rounds: usize) -> Outcome<()> {
    let pool = unconfigured(plugin)?;
    println!(
        "\n| kernel | rows | plugin, µs a batch | ns a row | SSE2 | AVX-512 | ratio to SSE2 | to AVX-512 |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|");
    for (number, kernel) in KERNELS.iter().enumerate() {
        let fresh = ROWS.map(|rows| (kernel.to_string(), Batches::new(kernel, rows)));
        let repeated = Batches::repeated(kernel, BATCH_ROWS);
        let repeated = (format!("{kernel}, one batch repeated"), repeated);
        for (name, batches) in fresh.into_iter().chain([repeated]) {
            let mut contenders = vec![
                through_the_pool(&pool, number, &batches),
                native::contender("SSE2", native::baseline(kernel), &batches),
            ];
            let wide = native::wide(kernel);
            contenders.extend(wide.map(|wide| native::contender("AVX-512", wide, &batches)));
            if *kernel == "qualify" {
                contenders.push(native::loop_alone("loop alone", &batches));
            }
            tell(&name, batches.rows(), &race(contenders, rounds)?);
        }
    }
    Ok(())
}

fn tell(kernel: &str, rows: usize, finishes: &[Finish]) {
    let named = |name: &str| finishes.iter().find(|finish| finish.name == name);
    let ns = |finish: &Finish| finish.median * 1e9 / rows as f64;
    let told =
        |finish: Option<&Finish>| finish.map_or("–".to_owned(), |it| format!("{:.2}", ns(it)));
    let Some(ours) = named("plugin") else { return };
    let ratio = |finish: Option<&Finish>| {
        finish.map_or("–".to_owned(), |it| {
            format!("{:.2}", ours.median / it.median)
        })
    };
    let [low, median, high] = [ours.low, ours.median, ours.high].map(|seconds| seconds * 1e6);
    let (sse2, wide) = (named("SSE2"), named("AVX-512"));
    println!(
        "| {kernel} | {rows} | {median:.2} ({low:.2}–{high:.2}) | {:.2} | {} | {} | {} | {} |",
        ns(ours),
        told(sse2),
        told(wide),
        ratio(sse2),
        ratio(wide)
    );
    if let Some(alone) = named("loop alone") {
        let (alone, ratio) = (told(Some(alone)), ratio(Some(alone)));
        println!(
            "| {kernel}, against a loop that makes no arrays | {rows} | | | {alone} | | {ratio} | |"
        );
    }
}

fn through_the_pool<'b>(pool: &'b Pool, number: usize, batches: &'b Batches) -> Contender<'b> {
    let mut turn = Turn::new(batches.all());
    Contender::new("plugin", move || {
        black_box(called(pool, number, turn.next())?);
        Ok(())
    })
}

fn by_stop_and_flags(rounds: usize) -> Outcome<()> {
    let stops = [Stop::Nothing, Stop::Epoch, Stop::Fuel];
    println!("\nns a row at {BATCH_ROWS} rows, by flags of the guest and by what stops it\n");
    println!("| kernel | flags | nothing | epoch | fuel | SSE2 |\n|---|---|--:|--:|--:|--:|");
    let built =
        guests::FLAGS.map(|(name, flags)| guests::with_flags(flags).map(|wasm| (name, wasm)));
    let built = built.into_iter().collect::<Outcome<Vec<_>>>()?;
    for (number, kernel) in (0..).zip(KERNELS) {
        let batches = Batches::new(kernel, BATCH_ROWS);
        let mut contenders = vec![native::contender(
            "SSE2",
            native::baseline(kernel),
            &batches,
        )];
        for (_, wasm) in &built {
            for stop in stops {
                let template = Template::new(wasm, stop)?;
                contenders.push(template.contender(
                    format!("{stop:?}"),
                    (number, kernel),
                    &batches,
                )?);
            }
        }
        let finishes = race(contenders, rounds)?;
        let ns = |finish: &Finish| format!("{:.2}", finish.median * 1e9 / BATCH_ROWS as f64);
        let (native, guests) = finishes.split_at(1);
        for ((name, _), finishes) in built.iter().zip(guests.chunks(stops.len())) {
            let told: Vec<String> = finishes.iter().chain(native).map(ns).collect();
            println!("| {kernel} | {name} | {} |", told.join(" | "));
        }
    }
    Ok(())
}

fn instances(plugin: &Arc<Plugin>, wasm: &[u8], rounds: usize) -> Outcome<()> {
    let template = Template::new(wasm, Stop::Fuel)?;
    let batches = Batches::new("identity", 1);
    let pool = unconfigured(plugin)?;
    let mut turn = Turn::new(batches.all());
    let finishes = race(
        vec![
            through_the_pool(&pool, 0, &batches),
            Contender::new("first", || {
                black_box(called(&unconfigured(plugin)?, 0, turn.next())?);
                Ok(())
            }),
            Contender::new("instance", || {
                black_box(template.instantiate()?);
                Ok(())
            }),
        ],
        rounds,
    )?;
    let [call, first, instance] = [0, 1, 2].map(|at: usize| finishes[at].median * 1e6);
    println!(
        "\nan instance made and dropped: {instance:.1} µs; with its pool, its start and one call {first:.1} µs, where a later call takes {call:.2} µs"
    );
    Ok(())
}
