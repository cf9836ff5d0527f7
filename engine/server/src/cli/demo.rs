//! `tributary demo`: the arguments of the guided tour; the tour is in `demo/`.

use std::path::PathBuf;

use clap::Args;

use super::generate::Recipe;
use super::stop::Result;
use crate::demo;

/// See the whole product on generated data: ingest, comparisons, scoring, and what was found of what was planted.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tributary demo
  tributary demo --scale 0.1 --seed 7
  tributary demo --data /tmp/demo

A second demo replaces the folder of the first; a folder that no demo made is left alone.")]
pub(super) struct Demo {
    #[command(flatten)]
    recipe: Recipe,

    /// Folder for the data
    #[arg(long, value_name = "DIR", default_value = "tributary-demo")]
    data: PathBuf,
}

impl Demo {
    pub(super) async fn run(self) -> Result<()> {
        demo::run(self.recipe.dataset()?, &self.data).await
    }
}
