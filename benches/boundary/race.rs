//! A race: every contender runs once in each round, so that whatever slows the machine down slows all.
//! A sample is many runs, and what is told is medians.

use std::time::{Duration, Instant};

/// Time of one sample: long enough for the clock, short enough that many fit.
const SAMPLE: Duration = Duration::from_micros(700);
/// Samples that warm a contender, and say how many runs make one.
const WARM_UP: u32 = 20;

/// Whatever ends a race before its end.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// One contender.
pub struct Contender<'c> {
    name: String,
    run: Box<dyn FnMut() -> Outcome<()> + 'c>,
    runs: u32,
    seconds: Vec<f64>,
}

/// What a run of a contender took, in seconds: the median, and the quartiles around it.
pub struct Finish {
    /// whose
    pub name: String,
    /// a quarter of the samples is below
    pub low: f64,
    /// half of them
    pub median: f64,
    /// three quarters
    pub high: f64,
}

impl<'c> Contender<'c> {
    /// A contender and what it does in one run.
    pub fn new(name: impl Into<String>, run: impl FnMut() -> Outcome<()> + 'c) -> Self {
        Self {
            name: name.into(),
            run: Box::new(run),
            runs: 1,
            seconds: Vec::new(),
        }
    }

    fn warm(&mut self) -> Outcome<()> {
        let began = Instant::now();
        let mut runs = 0;
        while began.elapsed() < WARM_UP * SAMPLE {
            (self.run)()?;
            runs += 1;
        }
        self.runs = (runs / WARM_UP).max(1);
        Ok(())
    }

    fn sample(&mut self) -> Outcome<()> {
        let began = Instant::now();
        for _ in 0..self.runs {
            (self.run)()?;
        }
        let seconds = began.elapsed().as_secs_f64() / f64::from(self.runs);
        self.seconds.push(seconds);
        Ok(())
    }

    fn finish(mut self) -> Finish {
        self.seconds.sort_by(f64::total_cmp);
        let last = self.seconds.len() - 1;
        let at = |share: f64| self.seconds[(share * last as f64) as usize];
        Finish {
            low: at(0.25),
            median: at(0.5),
            high: at(0.75),
            name: self.name,
        }
    }
}

/// Runs so many rounds; the finishes are in the order of the contenders.
pub fn race(mut contenders: Vec<Contender<'_>>, rounds: usize) -> Outcome<Vec<Finish>> {
    contenders.iter_mut().try_for_each(Contender::warm)?;
    for _ in 0..rounds.max(1) {
        contenders.iter_mut().try_for_each(Contender::sample)?;
    }
    Ok(contenders.into_iter().map(Contender::finish).collect())
}
