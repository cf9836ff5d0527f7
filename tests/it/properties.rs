//! What holds for every function of ours, through SQL: no order of rows, no number of threads and no way of grouping changes
//! a bit of an answer, rows with a NULL are left out and counted, and neither NaN nor infinity comes out. And what holds for
//! some of them by their meaning.
//!
//! The list of functions is the reference's: a new one without a call here fails the first test.

use std::collections::BTreeSet;
use std::fmt::Write;

use tributary_engine_core::engine::{Principal, Query};
use tributary_engine_core::metric::SHIPPED;
use tributary_engine_core::{Database, Engine, Error, Fault, FunctionEntry, function_reference};

use crate::support::{World, text, tiny};

/// How a function is called.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Over {
    /// row by row
    Row,
    /// over a group
    Group,
    /// over a partition in any order
    Partition,
    /// over a partition in order
    Ordered,
    /// in FROM
    Table,
}
use Over::{Group, Ordered, Partition, Row, Table};

/// Every function, over the columns of [`SAMPLE`].
const CALLS: [(Over, &str); 102] = [
    (Table, "compare('revenue', grain => 'quarter')"),
    (
        Table,
        "compare('win_rate', by => ['distributor', 'rep'], vs => ['network', 'previous_year'])",
    ),
    (
        Table,
        "scorecard('2024-Q1', metrics => ['revenue', 'win_rate'])",
    ),
    (Row, "business_minutes(at, at + INTERVAL '5 days 3 hours')"),
    (Row, "period_at(n, 'month')"),
    (Row, "period_end(day, 'half')"),
    (Row, "period_index(day, 'week')"),
    (Row, "period_label(day, 'week')"),
    (Row, "period_shift(day, 'month', n)"),
    (Row, "period_start(day, 'quarter')"),
    (Row, "period_year_shift(day, 'week', -1)"),
    (Row, "beta_cdf(p, x, se)"),
    (Row, "beta_quantile(p, x, se)"),
    (Row, "chi2_sf(x, n)"),
    (
        Row,
        "comparison('rate', n, y, 0, 0, 0, 0, n, y + 1, 0, 0, 0, 0, NULL, 0.95)",
    ),
    (Row, "count_ci(y, x)"),
    (Row, "fisher_p(y, n, 3, 9)"),
    (Row, "kappa(y, 3, 4, n)"),
    (Row, "kappa_weighted(make_array(y, 1, 2, n))"),
    (Row, "mde(n, p)"),
    (Row, "norm_quantile(p)"),
    (Row, "p_better(y, n, 12, 40)"),
    (Row, "rate_ci(y, n)"),
    (Row, "rate_diff_ci(y, n, 12, 40)"),
    (Row, "rate_ratio_ci(y, x, 12, 40)"),
    (Row, "sample_size(p, q)"),
    (Row, "oe_ci(y, x)"),
    (Row, "cagr(base, now, 3)"),
    (Row, "growth(base, now)"),
    (Row, "pace(base, now, p)"),
    (Row, "psi(make_array(y, n), make_array(n, y), 0.5)"),
    (Group, "rate(won)"),
    (Group, "rate(won, 0.9, 'jeffreys')"),
    (Group, "cuminc(dur, cause)"),
    (Group, "cuminc_at(dur, cause, 1, 3)"),
    (Group, "km(dur, ended)"),
    (Group, "km(dur, ended, 0.9, 'log_log')"),
    (Group, "km_at(dur, ended, 3)"),
    (Group, "km_median(dur, ended)"),
    (Group, "logrank(dur, ended, unit)"),
    (Group, "rmst(dur, ended, 5)"),
    (Group, "sla(dur, ended, 2)"),
    (Group, "adjusted_rate(y, x, n, x + n)"),
    (Group, "kendall_w(unit, month, x)"),
    (Group, "mh_or(won, arm, stratum)"),
    (Group, "mix_rate(won, arm, stratum)"),
    (Group, "spearman(x, se)"),
    (Group, "spearman(dur, n)"),
    (Group, "changepoints(period, x)"),
    (Group, "changepoints(period, y, 'poisson')"),
    (Group, "changepoints_rate(period, y, n)"),
    (Group, "mann_kendall(period, x)"),
    (Group, "since_when(period, y, n)"),
    (Group, "since_when(period, y, n, q)"),
    (Group, "stl(period, x, 4)"),
    (Group, "stl(period, x, 4, 7, true)"),
    (Group, "theil_sen(x, se)"),
    (Group, "effective_n(x)"),
    (Group, "gini(x)"),
    (Group, "gini_unbiased(x)"),
    (Group, "hhi(x)"),
    (Group, "top_share(x, 0.1)"),
    (Group, "grr(base, now)"),
    (Group, "nrr(base, now)"),
    (Group, "like_for_like(base, now)"),
    (Group, "auc(p, won)"),
    (Group, "auc_ci(p, won)"),
    (Group, "auc_diff(p, q, won)"),
    (Group, "brier(p, won)"),
    (Group, "brier_diff(p, q, won)"),
    (Group, "calibration(p, won)"),
    (Group, "calibration(p, won, 4, 'quantile')"),
    (Group, "calibration(p, won, 4, 'ntile')"),
    (Group, "ece(p, won)"),
    (Group, "hosmer_lemeshow(p, won)"),
    (Group, "isotonic(p, won)"),
    (Group, "isotonic(dur, won)"),
    (Group, "ks_stat(p, won)"),
    (Group, "lift_at(p, won, 0.1)"),
    (Group, "lift_at(dur, won, 0.1)"),
    (Group, "lift_at_count(p, won, 10)"),
    (Group, "log_loss(p, won)"),
    (Group, "recalibration(p, won)"),
    (Partition, "eb_count(y, x)"),
    (Partition, "eb_mean(x, se)"),
    (Partition, "eb_mean(x, se, 'reml')"),
    (Partition, "eb_rate(y, n)"),
    (Partition, "eb_rate(y, n, 'moments')"),
    (Partition, "expected_count(y, n, stratum)"),
    (Partition, "expected_rate(won, stratum)"),
    (Partition, "expected_rate(won, stratum, 20)"),
    (Partition, "funnel_limits(y, n)"),
    (Partition, "funnel_limits(y, x, 'oe')"),
    (Partition, "funnel_limits(y, n, 'ratio')"),
    (Partition, "p_adjust(p)"),
    (Partition, "p_adjust(p, 'holm')"),
    (Partition, "pareto(x)"),
    (Partition, "rank_posterior(y, n)"),
    (Ordered, "cusum(x, 30, 1, 20)"),
    (Ordered, "ewma(x, 0.2)"),
    (Ordered, "ra_cusum(won, p, 2)"),
    (Ordered, "xmr(x)"),
];

/// Rows of the sample, which come to the store in pieces.
const ROWS: usize = 480;
const PIECES: usize = 4;

/// Columns made of the number of a row, so that the store has to keep nothing else. No sum of them is exact.
const SAMPLE: &str = "(SELECT i, concat('G', i % 3) AS grp, concat('U', i % 8) AS unit,
    CASE WHEN w < 0.5 THEN 'a' ELSE 'b' END AS arm, concat('S', i % 5) AS stratum,
    u < 0.2 + 0.3 * v AS won, n, CAST(n * (0.1 + 0.3 * v) AS BIGINT) AS y, 100 * u * u + 0.1 AS x, 1 + 10 * w AS se,
    0.001 + 0.9 * v AS p, 0.05 + 0.9 * w AS q, 50 * v AS base, CASE WHEN w < 0.1 THEN 0 ELSE 55 * u END AS now,
    floor(30 * u) / 4 + 0.1 AS dur, v < 0.7 AS ended, CAST(floor(3 * v) AS BIGINT) AS cause,
    i % 40 AS period, (i / 8) % 6 AS month, DATE '2020-01-01' + CAST(i AS INT) AS day,
    to_timestamp_seconds(1700000000 + i * 7001) AS at
    FROM (SELECT i, CAST(i * 7919 % 10007 AS DOUBLE) / 10007 AS u, CAST(i * 6101 % 9973 AS DOUBLE) / 9973 AS v,
        CAST(i * 3571 % 9929 AS DOUBLE) / 9929 AS w, 20 + (i * 17) % 60 AS n
        FROM (SELECT CAST(seq AS BIGINT) AS i FROM leads WHERE seq IS NOT NULL) AS numbers) AS parts) AS sample";

/// Columns of the sample that may be NULL in a row.
const COLUMNS: [&str; 20] = [
    "unit", "arm", "stratum", "won", "n", "y", "x", "se", "p", "q", "base", "now", "dur", "ended",
    "cause", "period", "month", "day", "at", "i",
];

/// The sample with NULL in every seventh row, and without those rows.
fn nulled() -> [String; 2] {
    let column = |name: &&str| match *name {
        "i" => "i".to_owned(),
        name => format!("CASE WHEN i % 7 > 0 THEN {name} END AS {name}"),
    };
    let columns: Vec<String> = COLUMNS.iter().map(column).collect();
    [
        format!(
            "(SELECT grp, {} FROM {SAMPLE}) AS nulled",
            columns.join(", ")
        ),
        format!("(SELECT * FROM {SAMPLE} WHERE i % 7 > 0) AS kept"),
    ]
}

fn name(call: &str) -> &str {
    call.split('(').next().unwrap_or_default()
}

/// The small data set and the numbers of the sample, in the order of their ids.
async fn world(order: impl Fn(usize) -> usize) -> World {
    let world = World::tiny().await;
    world.declare("leads", "seq", "integer").await;
    for piece in 0..PIECES {
        let mut csv = "lead_id,created_at,outcome,seq\n".to_owned();
        for at in (piece..ROWS).step_by(PIECES) {
            let _ = writeln!(csv, "S{at:05},2020-01-01T00:00:00Z,open,{}", order(at) + 1);
        }
        world.csv("leads", &csv).await.expect("numbers");
    }
    world
}

async fn asked(database: &Database, sql: &str) -> Result<Vec<String>, Error> {
    let query = Query {
        principal: Principal::Operator,
        manufacturer: tiny(),
        sql: sql.to_owned(),
        parameters: Default::default(),
        deadline: None,
    };
    let text = text(database.query(query).await?).await?;
    Ok(text.lines().map(str::to_owned).collect())
}

async fn rows(database: &Database, sql: &str) -> Vec<String> {
    let rows = asked(database, sql).await;
    rows.unwrap_or_else(|error| panic!("{}: {error:?}", &sql[..sql.len().min(2000)]))
}

/// A statement that calls it for every row, group or partition of a table.
fn every(over: Over, call: &str, from: &str) -> String {
    match over {
        Row => format!("SELECT i, {call} FROM {from} ORDER BY i"),
        Group => format!(
            "SELECT grp, {call} FROM {from} GROUP BY grp UNION ALL SELECT 'all', {call} FROM {from} ORDER BY 1"
        ),
        Partition => format!("SELECT i, {call} OVER (PARTITION BY grp) FROM {from} ORDER BY i"),
        Ordered => {
            format!("SELECT i, {call} OVER (PARTITION BY grp ORDER BY i) FROM {from} ORDER BY i")
        }
        Table => format!("SELECT * FROM {call}"),
    }
}

fn no_faults(faults: &[String]) {
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The first place at which two answers differ.
fn difference(one: &[String], other: &[String]) -> Option<String> {
    if one.len() != other.len() {
        return Some(format!("{} rows and {}", one.len(), other.len()));
    }
    let mut pairs = one.iter().zip(other);
    let (one, other) = pairs.find(|(one, other)| one != other)?;
    Some(format!("\n  {one}\n  {other}"))
}

#[test]
fn every_function_has_a_call() {
    let known: BTreeSet<&str> = function_reference()
        .iter()
        .map(|entry| entry.name)
        .collect();
    let called: BTreeSet<&str> = CALLS.iter().map(|(_, call)| name(call)).collect();
    assert_eq!(known, called);
    for entry in function_reference() {
        let signature = entry.text.lines().next().unwrap_or_default();
        let is_window = signature.contains(" OVER (");
        let mut overs = CALLS.iter().filter(|(_, call)| name(call) == entry.name);
        let as_said = |(over, _): &(Over, &str)| matches!(over, Partition | Ordered) == is_window;
        assert!(overs.all(as_said), "{}", entry.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_order_nor_threads_change_a_bit() {
    let world = world(|at| at).await;
    // 271 and 480 have no common factor.
    let shuffled = self::world(|at| (at * 271 + 100) % ROWS).await;
    let one = world.reopened(1).await;
    let eight = world.reopened(8).await;
    let others = [
        ("shuffled", &shuffled.database),
        ("1 thread", &one),
        ("8 threads", &eight),
    ];
    // They do differ: in the order in which rows come, and in how many are at work.
    let unordered = format!("SELECT i FROM {SAMPLE}");
    let first = |rows: Vec<String>| rows[..20].to_vec();
    assert_ne!(
        first(rows(&one, &unordered).await),
        first(rows(&shuffled.database, &unordered).await)
    );
    let plan = format!("EXPLAIN SELECT grp, rate(won) FROM {SAMPLE} GROUP BY grp");
    let partitions = |plan: Vec<String>| plan.join(" ").contains("RepartitionExec");
    assert!(!partitions(rows(&one, &plan).await) && partitions(rows(&eight, &plan).await));
    let mut faults = Vec::new();
    for (over, call) in CALLS {
        let sql = every(over, call, SAMPLE);
        let sorted = |mut rows: Vec<String>| {
            if over == Table {
                rows.sort();
            }
            rows
        };
        let expected = sorted(rows(&world.database, &sql).await);
        assert!(!expected.is_empty(), "{call}");
        for (how, database) in others {
            let found = sorted(rows(database, &sql).await);
            let differs = difference(&expected, &found);
            faults.extend(differs.map(|differs| format!("{call}, {how}: {differs}")));
        }
    }
    no_faults(&faults);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_the_rows_that_it_has() {
    let world = world(|at| at).await;
    let mut faults = Vec::new();
    for (over, call) in CALLS {
        if matches!(over, Row | Table) {
            continue;
        }
        let all = rows(&world.database, &every(over, call, SAMPLE)).await;
        for of in 0..3 {
            let together: Vec<String> = all
                .iter()
                .filter(|row| group(over, row) == Some(of))
                .cloned()
                .collect();
            for (how, sql) in alone(over, call, of) {
                let differs = difference(&together, &rows(&world.database, &sql).await);
                faults.extend(differs.map(|differs| format!("{call}, {how} {of}: {differs}")));
            }
        }
    }
    no_faults(&faults);
}

/// The group of a row of an answer; the row over all has none.
fn group(over: Over, row: &str) -> Option<usize> {
    let first = row.split('|').next().unwrap_or_default();
    match over {
        Group => first.strip_prefix('G')?.parse().ok(),
        _ => first.parse::<usize>().ok().map(|number| number % 3),
    }
}

/// Statements that call it for one group alone.
fn alone(over: Over, call: &str, of: usize) -> Vec<(&'static str, String)> {
    let from = format!("(SELECT * FROM {SAMPLE} WHERE grp = 'G{of}') AS one");
    let order = match over {
        Group => {
            let filtered =
                format!("SELECT 'G{of}', {call} FILTER (WHERE grp = 'G{of}') FROM {SAMPLE}");
            let alone = format!("SELECT 'G{of}', {call} FROM {from}");
            return vec![("alone", alone), ("filtered", filtered)];
        }
        Ordered => "ORDER BY i",
        _ => "",
    };
    let sql = format!("SELECT i, {call} OVER ({order}) FROM {from} ORDER BY i");
    vec![("alone", sql)]
}

/// A row of an answer, and how many rows it says were left out.
fn without_count(row: &str) -> (String, Option<usize>) {
    let Some((before, after)) = row.split_once(", n_null: ") else {
        return (row.to_owned(), None);
    };
    let (count, after) = after.split_at(after.find(['}', ',']).unwrap_or(after.len()));
    (
        format!("{before}{after}"),
        Some(count.parse().expect("a count")),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_with_a_null_are_left_out_and_counted() {
    let world = world(|at| at).await;
    let [with, without] = nulled();
    let mut faults = Vec::new();
    for (over, call) in CALLS {
        let with = every(over, call, &with);
        let without = every(over, call, &without);
        match over {
            Table => {}
            Group => {
                let found = rows(&world.database, &with).await;
                let (found, counts): (Vec<String>, Vec<Option<usize>>) =
                    found.iter().map(|row| without_count(row)).unzip();
                let expected = rows(&world.database, &without).await;
                let expected: Vec<String> =
                    expected.iter().map(|row| without_count(row).0).collect();
                let differs = difference(&expected, &found);
                faults.extend(differs.map(|differs| format!("{call}: {differs}")));
                // Of 480 rows, 68 are multiples of seven; 23, 23 and 22 of them in a group, of which `i % 3` is the name.
                if counts.iter().any(Option::is_some) {
                    let all = [22, 23, 23, 68].map(Some);
                    if counts != all {
                        faults.push(format!("{call}: {counts:?} left out"));
                    }
                }
            }
            Row | Partition | Ordered => {
                let found = rows(&world.database, &with).await;
                let number = |row: &String| -> usize {
                    let first = row.split('|').next().unwrap_or_default();
                    first.parse().expect("the number of a row")
                };
                let (nothing, found): (Vec<String>, Vec<String>) =
                    found.into_iter().partition(|row| number(row) % 7 == 0);
                let expected = rows(&world.database, &without).await;
                let differs = difference(&expected, &found);
                faults.extend(differs.map(|differs| format!("{call}: {differs}")));
                assert_eq!(nothing.len(), 68, "{call}");
                let is_nothing =
                    |row: &&String| row.ends_with("|NULL") || row.contains("status: no_data");
                let something = nothing.iter().find(|row| !is_nothing(row));
                faults.extend(something.map(|row| format!("{call}: {row}")));
            }
        }
    }
    no_faults(&faults);
}

// ---- what makes no sense

/// A small generator (Marsaglia's xorshift64*), so that a failure repeats.
struct Dice(u64);

impl Dice {
    fn share(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, n: usize) -> usize {
        (self.share() * n as f64) as usize
    }
}

/// An argument as the reference says it.
struct Argument {
    kind: String,
    optional: bool,
    literal: bool,
}

/// The arguments of a function, from its signature and the lines that describe them.
fn arguments(entry: &FunctionEntry) -> Vec<Argument> {
    let signature = entry.text.lines().next().unwrap_or_default();
    let before_over = signature.split(" OVER (").next().unwrap_or_default();
    let (_, inside) = before_over.split_once('(').expect("arguments");
    let inside = inside.replace(['[', ']', ')', '`'], "");
    let described = |name: &str| {
        let start = format!("- `{name}`");
        let mut lines = entry.text.lines();
        let line = lines.find(|line| line.starts_with(&start));
        let line = line.unwrap_or_else(|| panic!("{} of {}", name, entry.name));
        line.split(':').next().unwrap_or_default().to_owned()
    };
    let argument = |text: &str| {
        let (name, kind) = text.trim().split_once(' ').expect("a name and a type");
        let described = described(name);
        Argument {
            kind: kind.trim().to_owned(),
            optional: described.contains("optional"),
            literal: described.contains("a literal"),
        }
    };
    inside.split(',').map(argument).collect()
}

const NUMBERS: [&str; 16] = [
    "0",
    "1",
    "0.5",
    "0.3",
    "7",
    "12",
    "-1",
    "1e9",
    "1e308",
    "-1e308",
    "5e-324",
    "-0.0",
    "NaN",
    "Infinity",
    "-Infinity",
    "NULL",
];
const WHOLES: [&str; 10] = [
    "0",
    "1",
    "2",
    "3",
    "7",
    "40",
    "-1",
    "9223372036854775807",
    "-9223372036854775808",
    "NULL",
];
const TRUTHS: [&str; 3] = ["true", "false", "NULL"];
const TEXTS: [&str; 8] = ["a", "b", "month", "week", "rate", "sum", "", "NULL"];
const DAYS: [&str; 6] = [
    "2024-02-29",
    "2024-12-30",
    "1969-12-31",
    "0001-01-01",
    "9999-12-31",
    "NULL",
];
const LISTS: [&str; 7] = [
    "[1.0, 2.0, 3.0, 4.0]",
    "[4.0, 0.0, 1.0, 7.0]",
    "[0.0, 0.0, 0.0, 0.0]",
    "[-1.0, 1.0]",
    "[1e308, 1e308]",
    "[CAST('NaN' AS DOUBLE), 1.0]",
    "[NULL, 1.0]",
];

/// Values of a type that a function has to survive, plain ones first, and the name of the type.
fn nasty(kind: &str) -> (&'static [&'static str], &'static str) {
    match kind {
        "DOUBLE" | "DOUBLE | INTERVAL" => (&NUMBERS, "DOUBLE"),
        "BIGINT" | "DATE | TIMESTAMP | BIGINT" => (&WHOLES, "BIGINT"),
        "BOOLEAN" => (&TRUTHS, "BOOLEAN"),
        "VARCHAR" => (&TEXTS, "VARCHAR"),
        "DATE | TIMESTAMP" => (&DAYS, "DATE"),
        "LIST<DOUBLE>" => (&LISTS, "DOUBLE[]"),
        other => panic!("nothing nasty of type {other}"),
    }
}

/// The column `a0` or so, from the place of its value in the list of them. Rows that hold places keep the statement short.
fn column(at: usize, argument: &Argument) -> String {
    let (values, kind) = nasty(&argument.kind);
    let spelt = |value: &str| match (value, kind) {
        ("NULL", _) | (_, "DOUBLE[]") => value.to_owned(),
        _ => format!("'{value}'"),
    };
    let whens = values.iter().enumerate();
    let whens: Vec<String> = whens
        .map(|(place, value)| format!("WHEN {place} THEN {}", spelt(value)))
        .collect();
    format!(
        "CAST(CASE a{at} {} END AS {kind}) AS a{at}",
        whens.join(" ")
    )
}

/// Literals of a type, some of which a function may refuse.
fn literals(kind: &str) -> [&'static str; 4] {
    match kind {
        "BIGINT" => ["1", "2", "4", "9223372036854775807"],
        _ => ["0.5", "2.0", "1e308", "5e-324"],
    }
}

const GROUPS: usize = 60;
const GROUP_ROWS: usize = 6;

/// Rows of places of values, with the number of their group.
fn nasty_rows(arguments: &[Argument], dice: &mut Dice) -> Vec<(usize, String)> {
    let mut all = Vec::new();
    for i in 0..GROUPS * GROUP_ROWS {
        let group = i / GROUP_ROWS;
        // In the first groups only what is plain, so that something is computed at all.
        let tame = group < GROUPS / 4;
        let place = |argument: &Argument| {
            let values = nasty(&argument.kind).0.len();
            let few = if tame { values.min(6) } else { values };
            dice.below(few).to_string()
        };
        let places: Vec<String> = arguments.iter().map(place).collect();
        all.push((group, format!("({i}, {group}, {})", places.join(", "))));
    }
    all
}

/// The rows of one group, or of all, as a table.
fn nasty_table(arguments: &[Argument], rows: &[(usize, String)], of: Option<usize>) -> String {
    let some = rows
        .iter()
        .filter(|(group, _)| of.is_none_or(|of| of == *group));
    let some: Vec<&str> = some.map(|(_, row)| row.as_str()).collect();
    let names: Vec<String> = (0..arguments.len()).map(|at| format!("a{at}")).collect();
    let columns: Vec<String> = arguments
        .iter()
        .enumerate()
        .map(|(at, it)| column(at, it))
        .collect();
    format!(
        "(SELECT i, grp, {} FROM (VALUES {}) AS places (i, grp, {})) AS nasty",
        columns.join(", "),
        some.join(", "),
        names.join(", ")
    )
}

/// Calls of a function over the columns `a0`, `a1` and so on: with what it needs, and with all that it takes.
fn nasty_calls(entry: &FunctionEntry, arguments: &[Argument]) -> Vec<String> {
    let mut calls = Vec::new();
    for literal in 0..4 {
        let needed = arguments.iter().take_while(|it| !it.optional).count();
        for count in BTreeSet::from([needed, arguments.len()]) {
            let argument = |(at, argument): (usize, &Argument)| match argument {
                Argument {
                    optional: true,
                    kind,
                    ..
                } if kind == "VARCHAR" => "NULL".to_owned(),
                Argument {
                    optional: true,
                    literal: true,
                    ..
                } => "NULL".to_owned(),
                Argument {
                    literal: true,
                    kind,
                    ..
                } => literals(kind)[literal].to_owned(),
                _ => format!("a{at}"),
            };
            let values: Vec<String> = arguments
                .iter()
                .enumerate()
                .take(count)
                .map(argument)
                .collect();
            calls.push(format!("{}({})", entry.name, values.join(", ")));
        }
    }
    calls.sort();
    calls.dedup();
    calls
}

fn not_finite(row: &str) -> bool {
    let mut words = row.split(|letter: char| !letter.is_alphanumeric());
    words.any(|word| ["NaN", "nan", "inf", "Inf", "Infinity"].contains(&word))
}

/// The rows of an answer over nasty rows, and whether some of these spoilt it for the others.
async fn survived(
    world: &World,
    statement: impl Fn(Option<usize>) -> String,
) -> Result<(Vec<String>, bool), Error> {
    match asked(&world.database, &statement(None)).await {
        Ok(rows) => return Ok((rows, false)),
        Err(error) if error.fault() != Fault::Invalid => return Err(error),
        Err(_) => {}
    }
    // Some groups alone: all refuse literals that make no sense, and each its own rows.
    let mut rows = Vec::new();
    for group in (0..GROUPS).step_by(6) {
        match asked(&world.database, &statement(Some(group))).await {
            Ok(found) => rows.extend(found),
            Err(error) if error.fault() == Fault::Invalid => {}
            Err(error) => return Err(error),
        }
    }
    let spoilt = !rows.is_empty();
    Ok((rows, spoilt))
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_nan_nor_infinity_comes_out() {
    let world = World::tiny().await;
    let mut dice = Dice(7);
    let mut faults = Vec::new();
    for entry in function_reference() {
        let mut overs = CALLS.iter().filter(|(_, call)| name(call) == entry.name);
        let over = overs.next().expect("a call").0;
        if over == Table {
            continue;
        }
        let arguments = arguments(&entry);
        let values = nasty_rows(&arguments, &mut dice);
        let mut answered = 0;
        for call in nasty_calls(&entry, &arguments) {
            let statement = |of: Option<usize>| {
                let table = nasty_table(&arguments, &values, of);
                match over {
                    Group => format!("SELECT grp, {call} FROM {table} GROUP BY grp"),
                    over => every(over, &call, &table),
                }
            };
            let (rows, spoilt) = match survived(&world, statement).await {
                Ok(survived) => survived,
                Err(error) => {
                    faults.push(format!("{call}: {error:?}"));
                    continue;
                }
            };
            if spoilt && !entry.text.contains("is an error") {
                faults.push(format!(
                    "{call}: rows refuse the whole query, and the reference does not say so"
                ));
            }
            let nothing = ["|NULL", "status: infeasible}", "status: no_data}"];
            let says = |row: &&String| !nothing.iter().any(|end| row.ends_with(end));
            answered += rows.iter().filter(says).count();
            let bad = rows.iter().find(|row| not_finite(row));
            faults.extend(bad.map(|row| format!("{call}: {row}")));
        }
        if answered == 0 {
            faults.push(format!("{}: nothing is answered", entry.name));
        }
    }
    no_faults(&faults);
}

// ---- what some of them mean

/// Checks that a statement, which looks for what must not be, finds nothing among enough rows.
async fn holds_for(world: &World, at_least: usize, broken: &str, from: &str) {
    let sql = format!("SELECT count(*), count(*) FILTER (WHERE {broken}) FROM ({from}) AS checked");
    let row = world.value(&sql).await;
    let (all, broken) = row.split_once('|').expect("two counts");
    assert!(
        all.parse::<usize>().expect("a count") >= at_least,
        "{all} rows: {sql}"
    );
    assert_eq!(broken, "0", "{sql}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interval_of_more_confidence_holds_that_of_less() {
    let world = World::tiny().await;
    for method in [
        "wilson",
        "wilson_cc",
        "jeffreys",
        "clopper_pearson",
        "agresti_coull",
    ] {
        let from = format!(
            "SELECT x, n, conf, r['lo'] AS lo, r['hi'] AS hi, r['value'] AS value,
                lag(r['lo']) OVER (PARTITION BY x, n ORDER BY conf) AS lo_less,
                lag(r['hi']) OVER (PARTITION BY x, n ORDER BY conf) AS hi_less
             FROM (SELECT x, n, conf, rate_ci(x, n, conf, '{method}') AS r
                FROM generate_series(1, 25) AS a (n) CROSS JOIN generate_series(0, 25) AS b (x)
                CROSS JOIN (VALUES (0.01), (0.5), (0.8), (0.95), (0.99), (0.9999)) AS c (conf) WHERE x <= n) AS each"
        );
        let broken = "lo IS NULL OR hi IS NULL OR lo < 0 OR hi > 1 OR lo > hi OR lo > lo_less OR hi < hi_less";
        holds_for(&world, 2000, broken, &from).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn adjusted_p_values_keep_their_order_and_grow() {
    let world = world(|at| at).await;
    let from = format!(
        "SELECT p, bh, bb, holm, bon, lag(bh) OVER (ORDER BY p) AS bh_less, lag(holm) OVER (ORDER BY p) AS holm_less
         FROM (SELECT p, p_adjust(p, 'bh') OVER () AS bh, p_adjust(p, 'by') OVER () AS bb,
            p_adjust(p, 'holm') OVER () AS holm, p_adjust(p, 'bonferroni') OVER () AS bon
            FROM (SELECT power(p, 4) AS p FROM {SAMPLE}) AS some) AS adjusted"
    );
    let broken = "bh < p OR bb < bh OR bon < holm OR holm < bh OR bon > 1 OR bb > 1 OR bh < bh_less OR holm < holm_less";
    holds_for(&world, ROWS, broken, &from).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_open_rows_survival_is_the_share_that_lasted_longer() {
    let world = world(|at| at).await;
    let from = format!(
        "SELECT surv, longer FROM (SELECT k['t'] AS t, k['surv'] AS surv
            FROM (SELECT unnest(km(dur, true)) AS k FROM {SAMPLE}) AS curve) AS curve
         JOIN (SELECT dur, 1 - cume_dist() OVER (ORDER BY dur) AS longer FROM {SAMPLE}) AS share ON dur = t"
    );
    holds_for(&world, 30, "abs(surv - longer) > 1e-12", &from).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn incidences_add_up_to_all_that_ended() {
    let world = world(|at| at).await;
    let from = format!(
        "SELECT ended, 1 - surv AS gone FROM (SELECT c['t'] AS t, sum(c['cif']) AS ended
            FROM (SELECT unnest(cuminc(dur, cause)) AS c FROM {SAMPLE}) AS causes GROUP BY 1) AS causes
         JOIN (SELECT k['t'] AS t, k['surv'] AS surv
            FROM (SELECT unnest(km(dur, cause > 0)) AS k FROM {SAMPLE}) AS curve) AS curve ON curve.t = causes.t"
    );
    holds_for(&world, 30, "abs(ended - gone) > 1e-12", &from).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_beside_itself_is_no_change() {
    let world = World::tiny().await;
    let mut compared = 0;
    for metric in SHIPPED {
        let sql = format!(
            "SELECT count(*), count(*) FILTER (WHERE (value IS DISTINCT FROM base_value) OR (n IS DISTINCT FROM base_n)
                OR (value IS NOT NULL AND (diff IS NULL OR diff <> 0)) OR pct_change <> 0
                OR diff_lo > 0 OR diff_hi < 0 OR p_value < 0.999)
             FROM compare('{}', grain => 'quarter', vs => '2024-03-15', from_date => DATE '2024-03-15',
                to_date => DATE '2024-03-15', partial => 'include')",
            metric.name
        );
        let row = world.value(&sql).await;
        let (all, broken) = row.split_once('|').expect("two counts");
        assert_eq!(broken, "0", "{sql}");
        compared += all.parse::<usize>().expect("a count");
    }
    assert!(compared > 30, "{compared} rows compared");
}

/// Networks in which no unit differs from another, as a table.
fn networks(count: usize, units: usize, dice: &mut Dice) -> String {
    let mut rows = Vec::new();
    for network in 0..count {
        let leads: Vec<usize> = (0..units).map(|_| 20 + dice.below(60)).collect();
        let mut won = |n: &usize| (0..*n).filter(|_| dice.share() < 0.2).count();
        let wins: Vec<usize> = leads.iter().map(&mut won).collect();
        rows.push(format!("({network}, {wins:?}, {leads:?})"));
    }
    let values = rows.join(", ");
    format!(
        "(SELECT network, unnest(ys) AS y, unnest(ns) AS n FROM (VALUES {values}) AS t (network, ys, ns)) AS networks"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_is_bad_few_are_flagged() {
    const NETWORKS: usize = 100;
    const UNITS: usize = 40;
    let world = World::tiny().await;
    let from = networks(NETWORKS, UNITS, &mut Dice(11));
    let sql = format!(
        "SELECT count(DISTINCT network) FILTER (WHERE f['standing'] = 'below'), count(*) FILTER (WHERE f['p_low'] <= 0.025)
         FROM (SELECT network, funnel_limits(y, n) OVER (PARTITION BY network) AS f FROM {from}) AS funnels"
    );
    let row = world.value(&sql).await;
    let (flagged, low) = row.split_once('|').expect("two counts");
    // A tenth of the networks by q_max, a fortieth of the units; and three standard deviations of their number.
    let most = |nominal: f64| nominal + 3.0 * nominal.sqrt();
    let networks = most(0.1 * NETWORKS as f64);
    let units = most(0.025 * (NETWORKS * UNITS) as f64);
    assert!(
        flagged.parse::<f64>().expect("a count") <= networks,
        "{flagged} networks"
    );
    assert!(low.parse::<f64>().expect("a count") <= units, "{low} units");
}
