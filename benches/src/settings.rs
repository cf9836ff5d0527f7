//! What the command line may change: `--scale`, `--pairs`, `--seed`.

use crate::Outcome;

/// Fewer pairs say nothing on a machine that does other things too.
const PAIRS_MIN: usize = 10;

/// How large the data is, and how often each question is asked.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Scale of the demo data; 1 is 200,000 leads and a million revenue rows over both manufacturers.
    pub scale: f64,
    /// Pairs of runs for each question.
    pub pairs: usize,
    /// Seed of the demo data.
    pub seed: u64,
}

impl Settings {
    /// Reads the command line; `pairs` is what this bench does if not told otherwise.
    pub fn from_args(pairs: usize) -> Outcome<Self> {
        let mut settings = Self {
            scale: 1.0,
            pairs,
            seed: 1,
        };
        let mut args = std::env::args().skip(1);
        while let Some(name) = args.next() {
            // Cargo says this to every bench.
            if name == "--bench" {
                continue;
            }
            let value = args.next().ok_or_else(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--scale" => settings.scale = value.parse()?,
                "--pairs" => settings.pairs = value.parse()?,
                "--seed" => settings.seed = value.parse()?,
                _ => return Err(format!("{name} is not one of --scale, --pairs, --seed").into()),
            }
        }
        if settings.pairs < PAIRS_MIN {
            return Err(format!("--pairs must be at least {PAIRS_MIN}").into());
        }
        Ok(settings)
    }
}
