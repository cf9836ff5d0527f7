//! Tests of the data set as a reader of its CSV sees it: shapes, keys, references, enumerations, determinism.

use std::collections::{HashMap, HashSet};

use crate::{Dataset, Truths, questions};

const SEED: u64 = 7;
const LAST: &str = "2025-12-31T23:59:59Z";

fn dataset(scale: f64) -> Dataset {
    Dataset::new(SEED, scale).expect("a valid scale")
}

fn bytes(dataset: &Dataset, manufacturer: &str, table: &str) -> Vec<u8> {
    dataset
        .csv(manufacturer, table)
        .expect("a listed table")
        .flatten()
        .collect()
}

/// A table as text columns; quoted fields only occur in columns that no test looks into.
struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn read(dataset: &Dataset, manufacturer: &str, table: &str) -> Self {
        let text = String::from_utf8(bytes(dataset, manufacturer, table)).unwrap();
        let mut lines = text.lines().map(fields);
        let columns = lines.next().unwrap();
        Self {
            columns,
            rows: lines.collect(),
        }
    }

    fn column(&self, name: &str) -> impl Iterator<Item = &str> {
        let index = self
            .columns
            .iter()
            .position(|column| column == name)
            .unwrap();
        self.rows.iter().map(move |row| row[index].as_str())
    }

    fn pair(&self, left: &str, right: &str) -> impl Iterator<Item = (&str, &str)> {
        self.column(left).zip(self.column(right))
    }
}

fn fields(line: &str) -> Vec<String> {
    let mut quoted = false;
    let mut fields = vec![String::new()];
    for letter in line.chars() {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            _ => fields.last_mut().unwrap().push(letter),
        }
    }
    fields
}

/// Seconds since 1970 of `2024-05-01T10:22:31Z`.
fn seconds(text: &str) -> i64 {
    chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%SZ")
        .unwrap()
        .and_utc()
        .timestamp()
}

#[test]
fn same_seed_gives_same_bytes() {
    let (left, right) = (dataset(0.02), dataset(0.02));
    for manufacturer in left.manufacturers() {
        for table in Dataset::tables() {
            assert_eq!(
                bytes(&left, manufacturer, table),
                bytes(&right, manufacturer, table),
                "{table}"
            );
        }
    }
    assert_eq!(left.truths(), right.truths());
}

#[test]
fn another_seed_moves_the_truths() {
    let truths: Vec<String> = (0..5)
        .map(|seed| {
            serde_json::to_string(&Dataset::new(seed, 0.02).unwrap().truths().manufacturers)
                .unwrap()
        })
        .collect();
    assert_eq!(truths.iter().collect::<HashSet<_>>().len(), truths.len());
}

#[test]
fn truths_read_back_from_json() {
    let dataset = dataset(0.1);
    let read: Truths = serde_json::from_str(&dataset.truths().json()).unwrap();
    assert_eq!(&read, dataset.truths());
    assert_eq!(read.manufacturers.len(), 2);
    assert_ne!(
        read.manufacturers[0].paying_resource.kind,
        read.manufacturers[1].paying_resource.kind
    );
    for truths in read.manufacturers {
        let mut who: Vec<String> = truths
            .underperformers
            .into_iter()
            .map(|one| one.distributor_id)
            .collect();
        who.extend([
            truths.worse_leads.distributor_id,
            truths.rejection_reason.distributor_id,
        ]);
        assert_eq!(who.iter().collect::<HashSet<_>>().len(), 4);
        assert!((0.5..0.75).contains(&truths.worse_leads.mix_factor));
    }
}

#[test]
fn refuses_a_scale_out_of_range() {
    for scale in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e9] {
        assert!(Dataset::new(1, scale).is_err(), "{scale}");
    }
}

#[test]
fn chunks_hold_whole_rows_under_one_header() {
    let dataset = dataset(0.1);
    let chunks: Vec<Vec<u8>> = dataset.csv("acme", "revenue").unwrap().collect();
    assert!(chunks.len() > 5);
    for chunk in &chunks {
        assert_eq!(chunk.last(), Some(&b'\n'));
        assert!(chunk.len() < 280 * 1024);
    }
    assert!(chunks[0].starts_with(b"revenue_id,"));
    assert!(!chunks[1].starts_with(b"revenue_id,"));
    assert!(dataset.csv("acme", "decisions").is_none());
    assert!(dataset.csv("nobody", "leads").is_none());
}

#[test]
fn row_counts_are_near_the_target() {
    let dataset = dataset(0.1);
    let mut counts = HashMap::new();
    for manufacturer in dataset.manufacturers() {
        for table in Dataset::tables() {
            let rows = Table::read(&dataset, manufacturer, table).rows.len() as u64;
            let estimate = dataset.rows_estimate(manufacturer, table);
            assert!(
                rows.abs_diff(estimate) * 8 <= estimate.max(8),
                "{manufacturer}.{table}: {rows}, not {estimate}"
            );
            *counts.entry(*table).or_insert(0) += rows;
        }
    }
    assert_eq!(counts["leads"], 20_000);
    assert!(
        counts["revenue"].abs_diff(100_000) < 1_000,
        "{}",
        counts["revenue"]
    );
    assert_eq!(counts["distributors"], 120);
}

#[test]
fn keys_are_unique_and_increasing() {
    unique_and_increasing(&dataset(0.02), "borealis");
    unique_and_increasing(&wide(), "acme");
}

fn unique_and_increasing(dataset: &Dataset, manufacturer: &str) {
    let keyed = [
        "leads",
        "revenue",
        "resources",
        "feedback",
        "content_events",
        "training",
        "reps",
        "distributors",
        "campaigns",
    ];
    for table in keyed {
        let read = Table::read(dataset, manufacturer, table);
        let keys: Vec<&str> = read.column(&read.columns[0]).collect();
        assert!(keys.windows(2).all(|pair| pair[0] < pair[1]), "{table}");
    }
    for (table, width) in [("calendars", 2), ("targets", 5)] {
        let read = Table::read(dataset, manufacturer, table);
        let keys: HashSet<&[String]> = read.rows.iter().map(|row| &row[..width]).collect();
        assert_eq!(keys.len(), read.rows.len(), "{table}");
    }
}

/// (table, column, referred table): every non-empty value is a key there.
const REFERENCES: [(&str, &str, &str); 20] = [
    ("distributors", "parent_id", "distributors"),
    ("reps", "distributor_id", "distributors"),
    ("reps", "manager_id", "reps"),
    ("leads", "distributor_id", "distributors"),
    ("leads", "rep_id", "reps"),
    ("leads", "product_id", "products"),
    ("leads", "campaign_id", "campaigns"),
    ("revenue", "distributor_id", "distributors"),
    ("revenue", "rep_id", "reps"),
    ("revenue", "lead_id", "leads"),
    ("revenue", "product_id", "products"),
    ("resources", "distributor_id", "distributors"),
    ("resources", "lead_id", "leads"),
    ("feedback", "distributor_id", "distributors"),
    ("feedback", "rep_id", "reps"),
    ("content", "product_id", "products"),
    ("content", "stage", "stages"),
    ("content_events", "content_id", "content"),
    ("content_events", "lead_id", "leads"),
    ("training", "rep_id", "reps"),
];

#[test]
fn references_lead_somewhere() {
    for dataset in [dataset(0.02), wide()] {
        lead_somewhere(&dataset);
    }
}

/// More distributors than the demo's manufacturers have together.
fn wide() -> Dataset {
    Dataset::network(1, 0.02, 500).expect("a valid size")
}

#[test]
fn a_network_has_the_distributors_that_it_should() {
    let dataset = wide();
    assert_eq!(dataset.manufacturers(), ["acme"]);
    let read = |table| Table::read(&dataset, "acme", table);
    let leads = read("leads");
    assert_eq!(
        (read("distributors").rows.len(), leads.rows.len()),
        (500, 4_000)
    );
    let to: HashSet<&str> = leads.column("distributor_id").collect();
    assert!(to.len() > 300, "{}", to.len());
    for wrong in [0, 39, 1_000] {
        assert!(Dataset::network(1, 0.02, wrong).is_err(), "{wrong}");
    }
}

fn lead_somewhere(dataset: &Dataset) {
    for (table, column, target) in REFERENCES {
        let read = Table::read(dataset, "acme", table);
        let target = Table::read(dataset, "acme", target);
        let keys: HashSet<&str> = target.column(&target.columns[0]).collect();
        let lost = read
            .column(column)
            .find(|value| !value.is_empty() && !keys.contains(value));
        assert_eq!(lost, None, "{table}.{column}");
    }
}

/// (table, column, allowed values); an empty value is allowed only where it is listed.
const ENUMERATIONS: [(&str, &str, &[&str]); 9] = [
    ("leads", "outcome", &["won", "lost", "rejected", "open"]),
    ("revenue", "kind", &["new", "repeat", "return"]),
    (
        "resources",
        "kind",
        &[
            "mdf",
            "training",
            "samples",
            "support",
            "rebate",
            "lead_cost",
        ],
    ),
    (
        "targets",
        "subject_kind",
        &["distributor", "rep", "territory", "manufacturer"],
    ),
    ("targets", "grain", &["month", "quarter", "year"]),
    (
        "feedback",
        "subject",
        &["lead", "material", "product", "promotion"],
    ),
    ("feedback", "decision", &["accept", "reject", ""]),
    ("feedback", "rating", &["1", "2", "3", "4", "5", ""]),
    ("content_events", "kind", &["shown", "opened", "sent"]),
];

#[test]
fn enumerations_are_valid() {
    let dataset = dataset(0.02);
    for (table, column, allowed) in ENUMERATIONS {
        let read = Table::read(&dataset, "acme", table);
        let wrong = read.column(column).find(|value| !allowed.contains(value));
        assert_eq!(wrong, None, "{table}.{column}");
    }
}

/// The only columns that may be NULL; every other one is always filled.
const NULLABLE: [(&str, &[&str]); 5] = [
    ("reps", &["distributor_id", "manager_id", "territory"]),
    ("calendars", &["opens", "closes"]),
    (
        "leads",
        &[
            "mql_at",
            "sent_at",
            "first_touch_at",
            "dql_at",
            "rejected_at",
            "reject_reason",
            "opportunity_at",
            "closed_at",
            "amount",
        ],
    ),
    ("revenue", &["lead_id", "cost"]),
    ("resources", &["lead_id"]),
];

#[test]
fn columns_that_must_be_filled_are_filled() {
    let dataset = dataset(0.02);
    for table in Dataset::tables()
        .iter()
        .filter(|table| **table != "feedback")
    {
        let read = Table::read(&dataset, "acme", table);
        let nullable = NULLABLE
            .iter()
            .find(|(name, _)| name == table)
            .map_or(&[][..], |(_, columns)| columns);
        for column in &read.columns {
            let has_null = read.column(column).any(str::is_empty);
            assert_eq!(
                has_null,
                nullable.contains(&column.as_str()),
                "{table}.{column}"
            );
        }
    }
}

#[test]
fn leads_tell_a_story_in_order() {
    let leads = Table::read(&dataset(0.1), "acme", "leads");
    let order = [
        "created_at",
        "mql_at",
        "sent_at",
        "first_touch_at",
        "dql_at",
        "opportunity_at",
        "closed_at",
    ];
    for row in &leads.rows {
        let at = |name: &str| {
            row[leads
                .columns
                .iter()
                .position(|column| column == name)
                .unwrap()]
            .as_str()
        };
        let told: Vec<&str> = order
            .iter()
            .map(|name| at(name))
            .filter(|at| !at.is_empty())
            .collect();
        assert!(told.is_sorted() && told.last() <= Some(&LAST), "{row:?}");
        assert_eq!(
            at("outcome") == "rejected",
            !at("rejected_at").is_empty(),
            "{row:?}"
        );
        assert_eq!(
            at("rejected_at").is_empty(),
            at("reject_reason").is_empty(),
            "{row:?}"
        );
        assert_eq!(
            at("outcome") == "open",
            at("closed_at").is_empty(),
            "{row:?}"
        );
        assert_eq!(at("outcome") == "won", !at("amount").is_empty(), "{row:?}");
    }
}

#[test]
fn each_won_lead_is_booked_once() {
    let dataset = dataset(0.1);
    let leads = Table::read(&dataset, "acme", "leads");
    let revenue = Table::read(&dataset, "acme", "revenue");
    let amounts: HashMap<&str, &str> = leads
        .pair("lead_id", "amount")
        .filter(|(_, amount)| !amount.is_empty())
        .collect();
    let booked: Vec<(&str, &str)> = revenue
        .pair("lead_id", "amount")
        .filter(|(lead, _)| !lead.is_empty())
        .collect();
    assert_eq!(booked.len(), amounts.len());
    assert!(booked.iter().all(|(lead, amount)| amounts[lead] == *amount));
}

#[test]
fn shapes_are_those_of_a_trade() {
    let dataset = dataset(0.1);
    for manufacturer in dataset.manufacturers() {
        let gini = gini(&Table::read(&dataset, manufacturer, "revenue"));
        let (rate, median_days) = wins(&Table::read(&dataset, manufacturer, "leads"));
        println!("{manufacturer}: gini {gini:.3}, MQL to won {rate:.3} in {median_days:.1} days");
        assert!((0.55..0.75).contains(&gini), "{manufacturer}: {gini}");
        assert!((0.08..0.12).contains(&rate), "{manufacturer}: {rate}");
        assert!(
            (12.0..16.0).contains(&median_days),
            "{manufacturer}: {median_days}"
        );
    }
}

fn gini(revenue: &Table) -> f64 {
    let mut sums: HashMap<&str, f64> = HashMap::new();
    for (distributor, amount) in revenue.pair("distributor_id", "amount") {
        *sums.entry(distributor).or_default() += amount.parse::<f64>().unwrap();
    }
    let mut sums: Vec<f64> = sums.into_values().collect();
    sums.sort_by(f64::total_cmp);
    let count = sums.len() as f64;
    let weighted: f64 = sums
        .iter()
        .enumerate()
        .map(|(index, sum)| (index as f64 + 1.0) * sum)
        .sum();
    2.0 * weighted / (count * sums.iter().sum::<f64>()) - (count + 1.0) / count
}

/// Share of mature MQLs that were won, and the median days it took.
fn wins(leads: &Table) -> (f64, f64) {
    let closed = leads.column("outcome").zip(leads.column("closed_at"));
    let mature: Vec<(&str, &str, &str)> = leads
        .column("mql_at")
        .zip(closed)
        .filter(|(mql_at, _)| !mql_at.is_empty() && *mql_at < "2025-09-01")
        .map(|(mql_at, (outcome, closed_at))| (mql_at, outcome, closed_at))
        .collect();
    let won = mature.iter().filter(|(_, outcome, _)| *outcome == "won");
    let mut days: Vec<f64> = won
        .map(|(mql_at, _, closed_at)| (seconds(closed_at) - seconds(mql_at)) as f64 / 86_400.0)
        .collect();
    days.sort_by(f64::total_cmp);
    (
        days.len() as f64 / mature.len() as f64,
        days[days.len() / 2],
    )
}

#[test]
fn revenue_arrives_partly_out_of_order() {
    let revenue = Table::read(&dataset(0.02), "acme", "revenue");
    let times: Vec<&str> = revenue.column("booked_at").collect();
    let late = times
        .windows(2)
        .filter(|pair| pair[1][..10] < pair[0][..10])
        .count() as f64
        / times.len() as f64;
    assert!((0.02..0.5).contains(&late), "{late}");
}

#[test]
fn questions_are_one_select_with_a_header() {
    for question in questions() {
        assert!(
            question.sql.starts_with("-- Question: "),
            "{}",
            question.name
        );
        assert!(
            question.sql.contains("-- Grain: ") && question.sql.contains("NULL"),
            "{}",
            question.name
        );
        assert!(
            !question
                .sql
                .contains(';'.to_string().as_str().repeat(2).as_str()),
            "{}",
            question.name
        );
        let statements = question
            .sql
            .lines()
            .filter(|line| !line.trim_start().starts_with("--"));
        assert!(
            !statements.collect::<String>().contains(';'),
            "{}",
            question.name
        );
    }
}
