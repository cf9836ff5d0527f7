//! `tributary generate`: the demo's data as files, with the truths that were planted in it.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use tributary_datasets::Dataset;
use tributary_engine_core::{Error, Fault};

use super::grid::thousands;
use super::progress::{Progress, Unit};
use super::stop::{Result, file_error};

/// Which data is made.
#[derive(Args, Clone, Copy)]
pub(super) struct Recipe {
    /// The same seed makes the same data
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,

    /// Size: 1 is about 200,000 leads and a million revenue rows
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    pub(super) scale: f64,
}

impl Recipe {
    /// The data of this recipe; refuses a scale that makes none.
    pub(super) fn dataset(self) -> Result<Dataset, Error> {
        Dataset::new(self.seed, self.scale).map_err(|message| {
            Error::new(Fault::Invalid, message)
                .with_hint("Try --scale 0.02 for a quick look, --scale 1 for the full size.")
        })
    }
}

/// Write made-up data of several manufacturers as CSV files.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tributary generate --scale 0.1 --out generated
  tributary ingest -m acme distributors generated/acme/distributors.csv

What was planted in the data, and should be found in it, is in truths.json.")]
pub(super) struct Generate {
    #[command(flatten)]
    recipe: Recipe,

    /// Folder for <manufacturer>/<table>.csv and truths.json
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl Generate {
    pub(super) fn run(self) -> Result<()> {
        let dataset = self.recipe.dataset()?;
        let progress = Progress::new();
        let tables = Dataset::tables();
        for manufacturer in dataset.manufacturers() {
            let folder = self.out.join(manufacturer);
            fs::create_dir_all(&folder)
                .map_err(|error| file_error("make folder", &folder, &error))?;
            let step = progress.step(manufacturer, Unit::Steps, tables.len() as u64);
            let mut bytes = 0;
            for table in tables {
                step.doing(table);
                let path = folder.join(format!("{table}.csv"));
                bytes += table_file(&dataset, manufacturer, table, &path)
                    .map_err(|error| file_error("write", &path, &error))?;
                step.advance(1);
            }
            step.done(&format!(
                "{} tables, {} bytes",
                tables.len(),
                thousands(bytes)
            ));
        }
        let path = self.out.join("truths.json");
        truths(&dataset, &path).map_err(|error| file_error("write", &path, &error))?;
        writeln!(io::stdout(), "{}", self.out.display())?;
        Ok(())
    }
}

/// Writes one table as it is made, and says how long it became.
fn table_file(dataset: &Dataset, manufacturer: &str, table: &str, path: &Path) -> io::Result<u64> {
    let Some(chunks) = dataset.csv(manufacturer, table) else {
        return Ok(0);
    };
    let mut file = File::create(path)?;
    let mut bytes = 0;
    for chunk in chunks {
        file.write_all(&chunk)?;
        bytes += chunk.len() as u64;
    }
    Ok(bytes)
}

fn truths(dataset: &Dataset, path: &Path) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    serde_json::to_writer_pretty(&mut file, dataset.truths())?;
    file.write_all(b"\n")?;
    file.flush()
}
