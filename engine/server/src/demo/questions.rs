//! The comparisons, as a channel manager reads them: a title, the first rows, how many more there are.

use std::io::{self, Write};

use tributary_datasets::questions;
use tributary_engine_core::Engine;
use tributary_engine_core::manufacturer::ManufacturerId;

use super::ask::ask;
use crate::cli::Result;
use crate::cli::grid::{Grid, thousands};

/// Rows shown of each answer.
const ROWS: usize = 8;

/// Asks and prints every question.
pub(super) async fn show(engine: &dyn Engine, manufacturer: &ManufacturerId) -> Result<()> {
    for question in questions() {
        let grid = Grid::gather(ask(engine, manufacturer, question.sql).await?, ROWS)
            .await?
            .in_words();
        let mut out = io::stdout().lock();
        writeln!(out, "\n{}", question.title)?;
        if grid.row_count() == 0 {
            writeln!(out, "  (nothing)")?;
            continue;
        }
        write!(out, "{}", grid.layout()?)?;
        match grid.left_out() {
            0 => {}
            more => writeln!(out, "  … and {} more", thousands(more))?,
        }
    }
    Ok(())
}
