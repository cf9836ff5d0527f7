//! What the kernels are called with: batches of Arrow columns, a new one at each call, because a query
//! never sees the same batch twice, and a processor learns the branches of a batch that it does.

use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Float64Array, Int32Array, Int64Array, StringArray};
use arrow::datatypes::Int32Type;
use tributary_benches_kernels::rows::Rows;

/// Rows of all batches together: more than a processor remembers.
const ROWS: usize = 1 << 18;
/// The most batches, where each has few rows.
const BATCHES_MAX: usize = 1 << 10;

/// The kernels, in the order of their manifest.
pub const KERNELS: [&str; 4] = ["identity", "same_text", "lead_score", "qualify"];

/// Batches of one kernel's arguments.
pub struct Batches {
    batches: Vec<Vec<ArrayRef>>,
    rows: usize,
}

impl Batches {
    /// As many batches of so many rows as it takes.
    pub fn new(kernel: &str, rows: usize) -> Self {
        let count = (ROWS / rows).clamp(1, BATCHES_MAX);
        let all = Rows::new(count * rows);
        let batch = |at: usize| arguments(kernel, &all, at * rows..(at + 1) * rows);
        Self {
            batches: (0..count).map(batch).collect(),
            rows,
        }
    }

    /// One batch, the same at every call: its branches are learned, which a query's never are.
    pub fn repeated(kernel: &str, rows: usize) -> Self {
        Self {
            batches: vec![arguments(kernel, &Rows::new(rows), 0..rows)],
            rows,
        }
    }

    /// Rows of each.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// All of them.
    pub fn all(&self) -> &[Vec<ArrayRef>] {
        &self.batches
    }
}

/// Gives the batches of a slice in turn, without end.
pub struct Turn<'b, B> {
    batches: &'b [B],
    next: usize,
}

impl<'b, B> Turn<'b, B> {
    /// From the first one on.
    pub fn new(batches: &'b [B]) -> Self {
        Self { batches, next: 0 }
    }

    /// The next one.
    pub fn next(&mut self) -> &'b B {
        let at = self.next;
        self.next = (at + 1) % self.batches.len();
        &self.batches[at]
    }
}

/// The arguments of a kernel for some rows, in buffers of their own.
fn arguments(kernel: &str, all: &Rows, rows: std::ops::Range<usize>) -> Vec<ArrayRef> {
    let industry =
        || -> ArrayRef { Arc::new(StringArray::from(all.industry[rows.clone()].to_vec())) };
    let revenue =
        || -> ArrayRef { Arc::new(Float64Array::from(all.revenue[rows.clone()].to_vec())) };
    let employees =
        || -> ArrayRef { Arc::new(Int64Array::from(all.employees[rows.clone()].to_vec())) };
    let contacts =
        || -> ArrayRef { Arc::new(Int32Array::from(all.contacts[rows.clone()].to_vec())) };
    let age_days =
        || -> ArrayRef { Arc::new(Int32Array::from(all.age_days[rows.clone()].to_vec())) };
    let budget = || -> ArrayRef { Arc::new(Float64Array::from(all.budget[rows.clone()].to_vec())) };
    match kernel {
        "identity" => vec![revenue()],
        "same_text" => vec![industry()],
        "same_text, dictionary" => vec![packed(&all.industry[rows.clone()])],
        "lead_score" => vec![revenue(), employees(), age_days()],
        _ => vec![industry(), revenue(), employees(), contacts(), budget()],
    }
}

fn packed(texts: &[impl AsRef<str>]) -> ArrayRef {
    let texts = texts.iter().map(AsRef::as_ref);
    Arc::new(texts.collect::<DictionaryArray<Int32Type>>())
}
