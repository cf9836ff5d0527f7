//! `tributary import`: another system's export into the tables, by a mapping.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use tokio::sync::mpsc;
use tributary_engine_core::engine::OnError;
use tributary_engine_core::engine::{
    self, ImportProgress, Imported, ImportedTable, Principal, Reject, Unread,
};
use tributary_engine_core::manufacturer::ManufacturerId;

use super::data::{Data, id, open};
use super::grid::{self, thousands};
use super::progress::{Progress, Unit, note};
use super::stop::{Result, file_error};

/// Import another system's export: a mapping says which file is which table.
///
/// Every table of the import is published at once, or nothing is.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tributary import --dry-run crm.toml exports/      counts, bad rows and columns that nothing reads; stores nothing
  tributary import crm.toml exports/
  tributary import datasets/mappings/adventureworks.toml adventureworks/

docs/importing.md explains mappings; datasets/mappings has four that work.")]
pub(super) struct Import {
    #[command(flatten)]
    data: Data,

    /// Whose rows they are, in place of the manufacturer that the mapping names
    #[arg(short, long, value_name = "ID", value_parser = id)]
    manufacturer: Option<ManufacturerId>,

    /// Try it against empty tables and store nothing
    #[arg(long)]
    dry_run: bool,

    /// What becomes of bad rows: refuse the import, or set them aside in the table quarantine
    #[arg(long, value_name = "HOW", default_value = "refuse", value_parser = ["refuse", "quarantine"])]
    on_error: String,

    /// The mapping, a TOML file
    mapping: PathBuf,

    /// Folder with the export's files
    folder: PathBuf,
}

impl Import {
    pub(super) async fn run(self) -> Result<()> {
        let mapping = fs::read_to_string(&self.mapping)
            .map_err(|error| file_error("read", &self.mapping, &error))?;
        if let Err(error) = fs::read_dir(&self.folder) {
            return Err(file_error("open", &self.folder, &error).into());
        }
        let scratch = tempfile::tempdir()?;
        let opened = match self.dry_run && !self.data.data.is_dir() {
            // A dry run leaves nothing behind, no data folder either.
            true => open(&scratch.path().join("data"), self.data.threads).await?,
            false => self.data.created().await?,
        };
        if opened.first_token.is_some() && !self.dry_run {
            note(&format!("created {}", self.data.data.display()));
        }
        let import = engine::Import {
            principal: Principal::Operator,
            name: name(&self.mapping),
            mapping,
            folder: self.folder,
            manufacturer: self.manufacturer,
            // A dry run tells of every bad row, not of the first few.
            on_error: match self.dry_run || self.on_error == "quarantine" {
                true => OnError::Quarantine,
                false => OnError::Refuse,
            },
            dry_run: self.dry_run,
        };
        let started = Instant::now();
        let (sender, receiver) = mpsc::unbounded_channel();
        let watched = tokio::spawn(watch(receiver));
        let imported = opened.engine.import(import, sender).await;
        // It ends with the import, which holds the sender.
        let _ = watched.await;
        show(&imported?, started)
    }
}

fn name(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or(path.as_os_str());
    stem.to_string_lossy().into_owned()
}

/// Shows how far each table has come.
async fn watch(mut told: mpsc::UnboundedReceiver<ImportProgress>) {
    let progress = Progress::new();
    let mut current: Option<(String, u64, super::progress::Step)> = None;
    while let Some(ImportProgress { table, rows }) = told.recv().await {
        match &mut current {
            Some((label, seen, step)) if *label == table => {
                step.advance(rows.saturating_sub(*seen));
                *seen = rows;
            }
            _ => {
                if let Some((_, _, step)) = current.take() {
                    step.done("written");
                }
                let step = progress.step(table.clone(), Unit::Rows, 0);
                step.advance(rows);
                current = Some((table, rows, step));
            }
        }
    }
    if let Some((_, _, step)) = current {
        step.done("written");
    }
}

fn show(imported: &Imported, started: Instant) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", tables(&imported.tables))?;
    rejects(&mut out, imported)?;
    for Unread {
        source, columns, ..
    } in &imported.unread
    {
        writeln!(
            out,
            "not read: {source}.{}",
            columns.join(&format!(", {source}."))
        )?;
    }
    let rows: u64 = imported.tables.iter().map(|table| table.rows_in).sum();
    let seconds = started.elapsed().as_secs_f64();
    match &imported.import_id {
        Some(id) => writeln!(
            out,
            "{} rows published in {seconds:.1} s as import {id}",
            thousands(rows)
        )?,
        None => writeln!(
            out,
            "{} rows in {seconds:.1} s; a dry run, nothing was stored",
            thousands(rows)
        )?,
    }
    Ok(())
}

/// Manufacturers that are shown one by one.
const MANUFACTURERS_SHOWN: usize = 3;

/// What each table got; where there are many manufacturers, all of them in one row for each table.
fn tables(tables: &[ImportedTable]) -> comfy_table::Table {
    let manufacturers: BTreeSet<&ManufacturerId> =
        tables.iter().map(|table| &table.manufacturer).collect();
    let together = manufacturers.len() > MANUFACTURERS_SHOWN;
    let mut shown: Vec<(String, ImportedTable)> = Vec::new();
    for table in tables {
        let known = shown
            .iter_mut()
            .find(|(_, known)| together && known.table == table.table);
        match known {
            Some((_, sum)) => {
                sum.rows_in += table.rows_in;
                sum.inserted += table.inserted;
                sum.updated += table.updated;
                sum.unchanged += table.unchanged;
                sum.rejected += table.rejected;
            }
            None if together => {
                shown.push((format!("{} of them", manufacturers.len()), table.clone()));
            }
            None => shown.push((table.manufacturer.to_string(), table.clone())),
        }
    }
    let rows = shown.into_iter().map(|(manufacturer, table)| {
        [
            manufacturer,
            table.table.clone(),
            thousands(table.rows_in),
            thousands(table.inserted),
            thousands(table.updated),
            thousands(table.unchanged),
            thousands(table.rejected),
        ]
    });
    let header = [
        "manufacturer",
        "table",
        "rows",
        "inserted",
        "updated",
        "unchanged",
        "rejected",
    ];
    grid::plain(header, rows)
}

fn rejects(out: &mut impl Write, imported: &Imported) -> Result<()> {
    for Reject {
        table,
        row,
        column,
        reason,
    } in &imported.rejects
    {
        match column {
            Some(column) => writeln!(
                out,
                "rejected: {table}, row {row}, column \"{column}\": {reason}"
            )?,
            None => writeln!(out, "rejected: {table}, row {row}: {reason}")?,
        }
    }
    let all: u64 = imported.tables.iter().map(|table| table.rejected).sum();
    let shown = imported.rejects.len() as u64;
    if all > shown {
        writeln!(out, "rejected: {} more", thousands(all - shown))?;
    }
    Ok(())
}
