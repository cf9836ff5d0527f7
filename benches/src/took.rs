//! What a piece of work took: time on the wall, and time on the processors over all threads of this process.

use std::ops::AddAssign;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::Outcome;

/// Two times of the same work. On a machine that does other things too, the second says more.
#[derive(Clone, Copy, Debug, Default)]
pub struct Took {
    /// From start to end.
    pub wall: Duration,
    /// On all processors together; zero where the system does not tell.
    pub cpu: Duration,
}

impl Took {
    /// Does some work in this process.
    pub fn of<T>(work: impl FnOnce() -> Outcome<T>) -> Outcome<(Self, T)> {
        let (began, cpu) = (Instant::now(), cpu()?);
        let done = work()?;
        let took = Self {
            wall: began.elapsed(),
            cpu: self::cpu()?.saturating_sub(cpu),
        };
        Ok((took, done))
    }
}

impl AddAssign for Took {
    fn add_assign(&mut self, other: Self) {
        self.wall += other.wall;
        self.cpu += other.cpu;
    }
}

/// Time on processors so far, of the threads that there are: Linux tells it for each in nanoseconds.
fn cpu() -> Outcome<Duration> {
    let threads = Path::new("/proc/self/task");
    if !threads.exists() {
        return Ok(Duration::ZERO);
    }
    let mut nanoseconds = 0;
    for thread in std::fs::read_dir(threads)? {
        // A thread may end between the listing and the reading.
        let Ok(text) = std::fs::read_to_string(thread?.path().join("schedstat")) else {
            continue;
        };
        nanoseconds += text.split(' ').next().unwrap_or_default().parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleeping_takes_time_and_no_processor() {
        let nap = Duration::from_millis(20);
        let sleep = || {
            std::thread::sleep(nap);
            Ok(())
        };
        let (slept, ()) = Took::of(sleep).expect("sleeps");
        assert!(slept.wall >= nap && slept.cpu < slept.wall, "{slept:?}");
    }
}
