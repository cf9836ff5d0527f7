//! Reading the published numbers, and a generator for made-up rows.
//!
//! A number passes when it is within the file's tolerance both absolutely and relatively; a relative check
//! against an expected 0 is the absolute one.

use serde_json::Value;

pub struct File {
    name: &'static str,
    tolerance: f64,
    pub cases: Vec<Value>,
    worst: f64,
}

impl File {
    pub fn open(name: &'static str) -> Self {
        let file = json(&format!("../../tests/verify/{name}.json"));
        Self {
            name,
            tolerance: file["tolerance"].as_f64().unwrap(),
            cases: file["cases"].as_array().unwrap().clone(),
            worst: 0.0,
        }
    }

    pub fn check(&mut self, what: &str, actual: f64, expected: f64) {
        let what = format!("{} {what}", self.name);
        let error = assert_close(&what, actual, expected, self.tolerance);
        self.worst = self.worst.max(error);
    }

    pub fn report(self) {
        println!(
            "{}: largest error {:.1e} of {:.0e} allowed",
            self.name, self.worst, self.tolerance
        );
    }
}

pub fn assert_close(what: &str, actual: f64, expected: f64, tolerance: f64) -> f64 {
    let absolute = (actual - expected).abs();
    let error = if expected == 0.0 {
        absolute
    } else {
        absolute.max(absolute / expected.abs())
    };
    assert!(
        error <= tolerance,
        "{what}: {actual} for {expected}, off by {error:e}"
    );
    error
}

/// A JSON file by its path from this crate.
pub fn json(path: &str) -> Value {
    let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The rows of a CSV file beside the published numbers, without its header.
pub fn csv(name: &str) -> Vec<Vec<String>> {
    let path = format!("{}/../../tests/verify/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let rows = text.lines().skip(1);
    rows.map(|row| row.split(',').map(str::to_owned).collect())
        .collect()
}

pub fn numbers(v: &Value) -> Vec<f64> {
    let numbers = v.as_array().unwrap().iter();
    numbers.map(|v| v.as_f64().unwrap()).collect()
}

/// The same rows every time: SplitMix64 (Steele, Lea & Flood 2014).
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform on [0, 1).
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}
