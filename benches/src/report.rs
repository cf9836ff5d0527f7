//! One line for each question as soon as it is answered, and all of them as a Markdown table at the end.

use std::fmt::Write;

use crate::pairs::{Pairs, Spread};

/// What one bench has found.
pub struct Report {
    title: &'static str,
    ours: &'static str,
    theirs: &'static str,
    rows: Vec<[String; 6]>,
}

impl Report {
    /// An empty report on two contenders.
    #[must_use]
    pub fn new(title: &'static str, ours: &'static str, theirs: &'static str) -> Self {
        println!("\n{title}");
        Self {
            title,
            ours,
            theirs,
            rows: Vec::new(),
        }
    }

    /// Times of one question.
    pub fn add(&mut self, question: &str, pairs: &Pairs) {
        self.line(question, pairs, &seconds);
    }

    /// Times of one question, told as rows per second.
    pub fn add_rates(&mut self, question: &str, pairs: &Pairs, rows: u64) {
        let of = rows as f64;
        self.line(question, pairs, &|spread| {
            format!("{}, {}", seconds(spread), rate(of / spread.median))
        });
    }

    fn line(&mut self, question: &str, pairs: &Pairs, told: &dyn Fn(Spread) -> String) {
        let (ours, theirs) = (told(pairs.ours()), told(pairs.theirs()));
        let Spread { low, median, high } = pairs.ratio();
        let cpu = format!("{:.2}", pairs.cpu_ratio());
        let ratio = format!("{median:.2} ({low:.2}–{high:.2})");
        println!(
            "  {question}: {} {ours}; {} {theirs}; ratio {ratio}, of CPU time {cpu}",
            self.ours, self.theirs
        );
        let pairs = pairs.count().to_string();
        self.rows
            .push([question.to_owned(), ours, theirs, ratio, cpu, pairs]);
    }

    /// The table, to be pasted into the README.
    pub fn print(&self) {
        let mut table = format!(
            "\n{}\n\n| question | {} | {} | ratio | of CPU time | pairs |\n|---|--:|--:|--:|--:|--:|\n",
            self.title, self.ours, self.theirs
        );
        for row in &self.rows {
            // Writing to a String cannot fail.
            let _ = writeln!(table, "| {} |", row.join(" | "));
        }
        println!("{table}");
    }
}

/// Median and quartiles in the unit that suits them.
fn seconds(spread: Spread) -> String {
    let (unit, factor) = if spread.median < 1.0 {
        ("ms", 1e3)
    } else {
        ("s", 1.0)
    };
    let digits = if spread.median * factor < 100.0 { 1 } else { 0 };
    let digits = if unit == "s" { 2 } else { digits };
    let [low, median, high] = [spread.low, spread.median, spread.high].map(|value| value * factor);
    format!("{median:.digits$} {unit} ({low:.digits$}–{high:.digits$})")
}

fn rate(rows_per_second: f64) -> String {
    if rows_per_second < 1e6 {
        return format!("{:.0} k rows/s", rows_per_second / 1e3);
    }
    format!("{:.2} M rows/s", rows_per_second / 1e6)
}
