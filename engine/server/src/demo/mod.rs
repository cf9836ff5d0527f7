//! The guided tour: generated data through the whole product, and at the end what was found of what was planted.
//!
//! Uses nothing that a user has not: the engine's trait, the shipped plugins, and the questions that the tests run.

mod ask;
mod findings;
mod folder;
mod load;
mod plugins;
mod questions;
mod scoring;
mod verdict;

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use tributary_datasets::Dataset;
use tributary_engine_core::engine::PluginVersion;
use tributary_engine_core::manufacturer::ManufacturerId;

use crate::cli::Result;
use crate::cli::data::{self, Opened, TOKEN_FILE};
use crate::cli::grid::thousands;

/// Asked through the command line and through HTTP alike.
const NEXT_SQL: &str = "SELECT distributor_id, sum(mql) AS leads, sum(won) AS won \
     FROM v_funnel WHERE is_mature GROUP BY 1 ORDER BY won DESC LIMIT 5";

/// Runs the tour in a folder of its own.
pub(crate) async fn run(dataset: Dataset, data: &Path) -> Result<()> {
    let started = Instant::now();
    let dataset = Arc::new(dataset);
    let manufacturers: Vec<ManufacturerId> = dataset
        .manufacturers()
        .into_iter()
        .map(ManufacturerId::try_from)
        .collect::<Result<_, _>>()?;
    folder::fresh(data)?;
    let opened = data::open(data, None).await?;
    folder::mark(data)?;
    greet(data, &opened, &dataset)?;

    chapter("Load: every table through the ingest that HTTP uses")?;
    let rows = load::all(&opened.engine, &dataset, &manufacturers).await?;
    let seconds = started.elapsed().as_secs_f64();
    let per_second = thousands((rows as f64 / seconds) as u64);
    say(&format!(
        "{} rows stored in {seconds:.1} s ({per_second} rows/s)",
        thousands(rows)
    ))?;

    chapter("Plugins: upload, activate")?;
    let engine = opened.engine.as_ref();
    for manufacturer in &manufacturers {
        for plugin in plugins::install(engine, manufacturer).await? {
            say(&format!("{manufacturer}: {}", described(&plugin)))?;
        }
    }
    for manufacturer in &manufacturers {
        chapter(&format!("{manufacturer}: the comparisons"))?;
        questions::show(engine, manufacturer).await?;
        scoring::show(engine, manufacturer).await?;
    }
    chapter("Planted in the data, and found by the comparisons")?;
    verdict::show(engine, dataset.truths()).await?;
    next_steps(data, &manufacturers, started)
}

/// Name, version and functions; what they take and give is for `tributary plugin list`.
fn described(plugin: &PluginVersion) -> String {
    let functions: Vec<&str> = plugin
        .functions
        .iter()
        .filter_map(|function| function.split('(').next())
        .collect();
    format!(
        "{} {} is active: {}",
        plugin.name,
        plugin.version,
        functions.join(", ")
    )
}

fn greet(data: &Path, opened: &Opened, dataset: &Dataset) -> Result<()> {
    let truths = dataset.truths();
    say(&format!(
        "Tributary demo (seed {}, scale {})",
        truths.seed, truths.scale
    ))?;
    say(&format!("data folder: {}", data.display()))?;
    if let Some(token) = &opened.first_token {
        let file = data.join(TOKEN_FILE);
        say(&format!(
            "operator token: {token} (shown once; kept in {})",
            file.display()
        ))?;
    }
    Ok(())
}

fn next_steps(data: &Path, manufacturers: &[ManufacturerId], started: Instant) -> Result<()> {
    let folder = data.display();
    let first = manufacturers.first().map_or("acme", ManufacturerId::as_str);
    chapter("What to try next")?;
    say(&format!(
        "  ask something else
    tributary sql --data {folder} -m {first} -c '{NEXT_SQL}'

  serve it
    tributary serve --data {folder}

  and ask over HTTP
    curl -H \"Authorization: Bearer $(cat {folder}/{TOKEN_FILE})\" \\
         -H 'Content-Type: text/plain' -H 'Accept: text/csv' \\
         --data '{NEXT_SQL}' http://127.0.0.1:7070/v1/{first}/query

With cargo, write \"cargo run --\" for \"tributary\". The demo took {:.1} s.",
        started.elapsed().as_secs_f64()
    ))
}

fn chapter(title: &str) -> Result<()> {
    say(&format!("\n━━ {title}"))
}

fn say(line: &str) -> Result<()> {
    Ok(writeln!(io::stdout(), "{line}")?)
}
