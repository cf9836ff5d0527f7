//! Non-interference: two databases that differ only in what a distributor may not see give it the same answers, byte for
//! byte; and it gets what the operator gets of a database that has nothing but the distributor's rows.
//!
//! `INTERFERENCE_PAIRS=100000` asks more, `INTERFERENCE_SEED=7` asks others.

mod data;
mod questions;
mod served;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use data::Rows;
use questions::{Kind, Question, Questions};
use served::{Answer, Door};

/// Question and principal pairs, unless another number is asked for.
const PAIRS: usize = 2_000;
/// Two distributors, and one of which there is nothing.
const PRINCIPALS: [&str; 3] = ["D1", "D3", "D77"];
/// Stands in values that no distributor here may see.
const CANARY: &str = "Heron";
/// The seed that is always asked.
const SEED: u64 = 18;
/// The one beside it, unless `INTERFERENCE_SEED` names another.
const SECOND_SEED: u64 = 4711;

#[tokio::test(flavor = "multi_thread")]
async fn what_others_do_changes_nothing_for_a_distributor() {
    let (one, other) = data::two_worlds(CANARY).await;
    let (one, other) = (Door::open(one).await, Door::open(other).await);
    let mut asked = Asked::default();
    let started = Instant::now();
    for seed in seeds() {
        println!("seed {seed}");
        let mut questions = Questions::new(seed);
        for number in 0..pairs() / 2 {
            let principal = PRINCIPALS[number % PRINCIPALS.len()];
            let question = questions.next();
            let began = Instant::now();
            let (here, there) = tokio::join!(
                one.ask(principal, &question),
                other.ask(principal, &question)
            );
            assert!(
                here == there,
                "seed {seed}, {principal} asks {question:?}:\n{here:?}\n{there:?}"
            );
            assert!(!there.has(CANARY), "{question:?}: {there:?}");
            asked.count(&question, &here, began.elapsed());
        }
    }
    println!("{:?}, {asked:?}", started.elapsed());
    asked.check();
    assert!(
        other
            .ask_operator(&Question::of_all_leads())
            .await
            .has(CANARY),
        "the worlds differ"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_distributor_gets_what_the_operator_gets_of_its_rows_alone() {
    let (one, _) = data::two_worlds(CANARY).await;
    let shared = Door::open(one).await;
    let alone = Door::open(data::alone(&Rows::shared(), "D1").await).await;
    let mut questions = Questions::new(SEED);
    let (mut compared, mut rows) = (0, 0);
    while compared < 300 {
        let question = questions.next();
        if !question.same_alone {
            continue;
        }
        let own = shared.ask("D1", &question).await;
        let all = alone.ask_operator(&question).await;
        assert_eq!(own.status, all.status, "{question:?}: {own:?} {all:?}");
        if own.status == 200 {
            assert_eq!(own.rows(), all.rows(), "{question:?}");
            rows += own.rows().len();
        }
        compared += 1;
    }
    assert!(rows > compared, "{rows} rows in {compared} answers");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_a_distributors_is_not_there() {
    let (_, other) = data::two_worlds(CANARY).await;
    let door = Door::open(other).await;
    let nothing = door
        .ask("D1", &Question::sql("SELECT * FROM nothing"))
        .await;
    assert_eq!(nothing.status, 404, "{nothing:?}");
    for hidden in [
        "quarantine",
        "imports",
        "audit",
        "plugin_calls",
        "plugin_log",
        "plugin_activations",
        "saved_views",
        "named_queries",
        "metrics",
        "v_data_trust",
    ] {
        let sql = format!("SELECT * FROM {hidden}");
        let answer = door.ask("D1", &Question::sql(&sql)).await;
        let told = answer.text().replace(hidden, "nothing");
        assert_eq!((answer.status, told), (404, nothing.text()), "{hidden}");
        let operators = door.ask_operator(&Question::sql(&sql)).await;
        assert_eq!(operators.status, 200, "{hidden}: {operators:?}");
    }
    for (sql, expected) in [
        (
            "SELECT count(*) AS n FROM leads WHERE distributor_id <> 'D1'",
            "0",
        ),
        ("SELECT count(*) AS n FROM leads WHERE lead_id = 'L1'", "0"),
        ("SELECT count(*) AS n FROM distributors", "1"),
        ("SELECT count(cost) AS n FROM revenue", "0"),
        ("SELECT count(cost) AS n FROM campaigns", "0"),
        ("SELECT count(margin) AS n FROM leads", "0"),
        (
            "SELECT count(reasons) + count(error) + count(data_version) + count(decision_id) + count(config_hash) AS n FROM decisions",
            "0",
        ),
        (
            "SELECT count(*) AS n FROM lead_events WHERE field IN ('margin', 'distributor_id')",
            "0",
        ),
        (
            "SELECT count(*) AS n FROM targets WHERE subject_kind <> 'distributor'",
            "0",
        ),
        (
            "SELECT count(*) AS n FROM information_schema.views WHERE definition IS NOT NULL",
            "0",
        ),
        (
            "SELECT count(*) AS n FROM information_schema.tables WHERE table_name IN ('quarantine', 'audit', 'v_data_trust')",
            "0",
        ),
        ("SELECT least(count(*), 1) AS n FROM lead_events", "1"),
        (
            "SELECT least(count(*), 1) AS n FROM decisions WHERE verdict IS NOT NULL",
            "1",
        ),
        ("SELECT least(count(*), 1) AS n FROM training", "1"),
        ("SELECT least(count(*), 1) AS n FROM content_events", "1"),
        ("SELECT least(count(*), 1) AS n FROM targets", "1"),
    ] {
        let answer = door.ask("D1", &Question::sql(sql)).await;
        assert_eq!(
            answer.rows(),
            [format!("n={expected}")],
            "{sql}: {answer:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_distributor_neither_explains_nor_travels() {
    let (one, _) = data::two_worlds(CANARY).await;
    let door = Door::open(one).await;
    for sql in [
        "EXPLAIN SELECT * FROM leads",
        "EXPLAIN ANALYZE SELECT * FROM leads",
        "SELECT * FROM leads VERSION AS OF 1",
        "SELECT * FROM leads VERSION AS OF 999999",
        "SELECT * FROM v_funnel TIMESTAMP AS OF '2024-05-31'",
        "SELECT * FROM first_leads",
    ] {
        let answer = door.ask("D1", &Question::sql(sql)).await;
        assert_eq!(answer.status, 403, "{sql}: {answer:?}");
    }
}

/// The fixed seed, and another one where it is asked for.
fn seeds() -> [u64; 2] {
    let asked = std::env::var("INTERFERENCE_SEED").ok();
    let asked = asked.map(|seed| seed.parse().expect("INTERFERENCE_SEED is a number"));
    [SEED, asked.unwrap_or(SECOND_SEED)]
}

fn pairs() -> usize {
    let asked = std::env::var("INTERFERENCE_PAIRS").ok();
    asked.map_or(PAIRS, |pairs| {
        pairs.parse().expect("INTERFERENCE_PAIRS is a number")
    })
}

/// What was asked, and how it ended: questions of each kind, those that were answered, and how long
/// they took.
#[derive(Debug, Default)]
struct Asked {
    kinds: BTreeMap<Kind, (usize, usize, Duration)>,
}

impl Asked {
    fn count(&mut self, question: &Question, answer: &Answer, took: Duration) {
        let (asked, answered, taken) = self.kinds.entry(question.kind).or_default();
        *asked += 1;
        *taken += took;
        *answered += usize::from(answer.status == 200);
    }

    fn check(&self) {
        for kind in Kind::ALL {
            assert!(self.kinds.contains_key(&kind), "{kind:?} was not asked");
        }
        let asked: usize = self.kinds.values().map(|(asked, _, _)| asked).sum();
        let answered: usize = self.kinds.values().map(|(_, answered, _)| answered).sum();
        assert!(answered * 2 > asked, "{answered} of {asked} were answered");
    }
}
