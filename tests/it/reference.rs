//! `docs/sql-reference.md` is what the functions, metrics and views say of themselves, and what their examples answer.
//!
//! `UPDATE_DOCS=1` writes the file; without it the file has to be as it would be written.

use std::fmt::Write;
use std::path::PathBuf;

use tributary_engine_core::metric::SHIPPED;
use tributary_engine_core::{function_reference, shipped_views};

use crate::support::{World, cells, root};

const INTRODUCTION: &str = "\
# SQL reference

What Tributary adds to the SQL of [DataFusion](https://datafusion.apache.org/user-guide/sql/). Generated from the definitions
of the functions; every example is run by a test, over the small data set in `tests/data/tiny` where it reads tables.

**Estimates** are structs with a `value`, an interval `lo` to `hi`, how many observations `n` stand behind them, and a `status`:

| `status` | read it as |
|---|---|
| `ok` | as it is |
| `no_data` | nothing was observed: the value is NULL, never 0 |
| `zero_base` | the base of a ratio or a change is 0: no percentage, never infinity |
| `partial` | the period is not over |
| `immature` | the youngest rows are not known for good yet |
| `small_n` | fewer observations than asked for; the value is kept |
| `verification_bias` | the label exists only for what was selected |
| `infeasible` | the arguments make no sense together, or the data cannot answer |
| `not_converged` | an iteration ended at its bound |

A field of a struct is `f(…)['field']`; the rows of a list come out with `unnest`. Arguments go by place or by name:
`rate_ci(x => 81, n => 263)`; optional ones come last, and NULL stands for their default. Values that make no sense are an error
before the query runs where they are literals, and a status, or NULL, where they are in rows. `OVER` marks functions that look at
all rows of a partition and return one value for each. No function returns NaN or infinity, and none depends on the order of rows
unless it says so.
";

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_says_what_the_functions_say() {
    let world = World::tiny().await;
    let mut text = INTRODUCTION.to_owned();
    let mut chapter = "";
    for entry in function_reference() {
        if entry.chapter != chapter {
            chapter = entry.chapter;
            let _ = write!(text, "\n## {chapter}\n");
        }
        let answer = answered(&world, entry.example).await;
        let _ = write!(
            text,
            "\n### {}\n\n{}\n\n```sql\n{}\n```\n\n{answer}\n",
            entry.name, entry.text, entry.example
        );
    }
    text.push_str("\n## Metrics\n\nWhat `compare()` and `scorecard()` take by name; a manufacturer adds its own.\n\n");
    text.push_str(
        "| metric | kind | good is | mature after | what it is |\n|---|---|---|---|---|\n",
    );
    for metric in SHIPPED {
        let measure = metric.measure;
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} days | {} |",
            metric.name,
            measure.kind.name(),
            measure.direction.name(),
            measure.maturity_days,
            metric.description()
        );
    }
    text.push_str("\n## Views\n");
    for (name, sql) in shipped_views() {
        let comment = sql.lines().take_while(|line| line.starts_with("--"));
        let lines: Vec<&str> = comment
            .map(|line| line.trim_start_matches("--").trim())
            .collect();
        let said = lines.join(" ");
        let said = said.strip_prefix(&format!("{name}: ")).unwrap_or(&said);
        let _ = write!(text, "\n### {name}\n\n{said}\n");
        answered(&world, &format!("SELECT * FROM {name}")).await;
    }
    let path = root().join("docs/sql-reference.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &text).expect("write the reference");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == text,
        "docs/sql-reference.md is not what the functions say; UPDATE_DOCS=1 writes it to {}",
        PathBuf::from("docs/sql-reference.md").display()
    );
}

/// The answer as a table of Markdown, at most a few rows of it.
async fn answered(world: &World, sql: &str) -> String {
    const ROWS: usize = 8;
    let batches = world.query(sql).await;
    let batches = batches.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let names: Vec<String> = batches[0]
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    let rows: Vec<Vec<String>> = batches.iter().flat_map(cells).collect();
    let line = |cells: &[String]| format!("| {} |", cells.join(" | ").replace('\n', " "));
    let mut lines = vec![line(&names), format!("|{}", "---|".repeat(names.len()))];
    lines.extend(rows.iter().take(ROWS).map(|row| line(row)));
    if rows.len() > ROWS {
        lines.push(format!("\n… and {} more rows", rows.len() - ROWS));
    }
    lines.join("\n")
}
