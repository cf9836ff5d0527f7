//! `compare()` and `scorecard()`: any period beside another, in one call. The numbers are those of `tests/verify/s1_compare.json`,
//! which DuckDB computed over a zero-filled spine.

use std::fmt::Write;

use arrow::array::{Array, AsArray};
use arrow::datatypes::Float64Type;
use serde_json::Value;

use crate::support::{World, cells, root};

/// The revenue of the published case, as a manufacturer has it.
pub async fn world() -> World {
    let world = World::empty().await;
    let distributors =
        "distributor_id,name,region\nA,Alpha,north\nB,Beta,north\nC,Gamma,south\nD,Delta,south\n";
    world
        .csv("distributors", distributors)
        .await
        .expect("distributors");
    let file = root().join("tests/verify/compare_revenue.csv");
    let given = std::fs::read_to_string(file).expect("the published case");
    let mut rows =
        "revenue_id,distributor_id,product_id,booked_at,amount,quantity,kind\n".to_owned();
    for (number, line) in given.lines().skip(1).enumerate() {
        let [distributor, day, amount] = line.split(',').collect::<Vec<_>>()[..] else {
            panic!("a row of three fields: {line}");
        };
        let _ = writeln!(
            rows,
            "R{number},{distributor},P1,{day}T12:00:00Z,{amount},1,repeat"
        );
    }
    world.csv("revenue", &rows).await.expect("revenue");
    world
}

fn published() -> Value {
    let file = root().join("tests/verify/s1_compare.json");
    serde_json::from_slice(&std::fs::read(file).expect("file")).expect("JSON")
}

/// The rows of an answer as text.
async fn rows(world: &World, sql: &str) -> Vec<Vec<String>> {
    let batches = world
        .query(sql)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    batches.iter().flat_map(cells).collect()
}

async fn error(world: &World, sql: &str) -> String {
    match world.query(sql).await {
        Ok(_) => panic!("{sql} succeeds"),
        Err(error) => format!("{} ({:?})", error.message(), error.hint()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn months_are_those_of_a_zero_filled_spine() {
    let world = world().await;
    let sql = "SELECT distributor, period_start, value, base_value, pct_change, status FROM compare('revenue',
        from_date => DATE '2023-01-01', to_date => DATE '2024-06-30', as_of => DATE '2024-06-30',
        vs => ['previous_period']) ORDER BY 1, 2";
    let answer = world.query(sql).await.expect("compares");
    let mut ours = Vec::new();
    for batch in &answer {
        let values = batch.column(2).as_primitive::<Float64Type>();
        let bases = batch.column(3).as_primitive::<Float64Type>();
        for (row, texts) in cells(batch).into_iter().enumerate() {
            let base = bases.is_valid(row).then(|| bases.value(row));
            ours.push((texts[0].clone(), texts[1].clone(), values.value(row), base));
            // Never a percentage of nothing.
            if base == Some(0.0) {
                assert_eq!(
                    (texts[4].as_str(), texts[5].as_str()),
                    ("NULL", "zero_base"),
                    "{texts:?}"
                );
            }
        }
    }
    let expected = root().join("tests/verify/compare_monthly_expected.csv");
    let expected = std::fs::read_to_string(expected).expect("the published answer");
    let mut compared = 0;
    for line in expected.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let found = ours
            .iter()
            .find(|it| it.0 == fields[0] && it.1 == fields[1]);
        let found = found.unwrap_or_else(|| panic!("no row for {line}"));
        assert_eq!(found.2, fields[2].parse::<f64>().expect("v"), "{line}");
        if let Ok(previous) = fields[3].parse::<f64>() {
            assert_eq!(found.3, Some(previous), "{line}");
        }
        compared += 1;
    }
    assert_eq!((compared, ours.len()), (72, 72));
}

/// Once of all distributors in one row, and once of what nobody ever booked.
#[tokio::test(flavor = "multi_thread")]
async fn a_month_in_which_nothing_happened_is_there() {
    let world = world().await;
    let sql = "SELECT period_start, value, n_units, status FROM compare('revenue', by => [], from_date => DATE '2022-10-01',
        to_date => DATE '2023-01-31', as_of => DATE '2024-06-30') ORDER BY 1";
    let found = rows(&world, sql).await;
    let months: Vec<&str> = found.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(
        months,
        ["2022-10-01", "2022-11-01", "2022-12-01", "2023-01-01"]
    );
    for row in &found[..3] {
        assert_eq!(row[1..3], ["0.0", "0"], "{row:?}");
    }
    let total = "SELECT value, n FROM compare('revenue', by => [], grain => 'total', from_date => DATE '2020-01-01',
        to_date => DATE '2020-12-31', as_of => DATE '2024-06-30')";
    assert_eq!(rows(&world, total).await, [["0.0", "0"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn like_for_like_leaves_out_who_came_and_who_went() {
    let world = world().await;
    let case = &published()["cases"][1]["expected"];
    let of = |options: &str| {
        format!(
            "SELECT value, base_value, pct_change, n_units, new_units, lost_units FROM compare('revenue', by => [],
                grain => 'total', vs => 'previous_year', from_date => DATE '2024-01-01', to_date => DATE '2024-05-31',
                as_of => DATE '2024-06-30'{options})"
        )
    };
    for (options, key) in [
        ("", "total_growth"),
        (", like_for_like => true", "like_for_like_growth"),
    ] {
        let found = rows(&world, &of(options)).await;
        let growth: f64 = found[0][2].parse().expect("number");
        assert!(
            (growth - case[key].as_f64().expect("number")).abs() < 1e-9,
            "{key}: {growth}"
        );
        assert_eq!(found[0][3..], ["2", "1", "1"], "{key}");
    }
    let each = "SELECT distributor, base_value, value FROM compare('revenue', grain => 'total', vs => 'previous_year',
        from_date => DATE '2024-01-01', to_date => DATE '2024-05-31', as_of => DATE '2024-06-30') ORDER BY 1";
    for (row, expected) in rows(&world, each)
        .await
        .iter()
        .zip(case["per_distributor"].as_array().expect("list"))
    {
        let number = |at: usize| row[at].parse::<f64>().expect("number");
        assert_eq!(row[0], expected["distributor"].as_str().expect("text"));
        assert_eq!(
            (number(1), number(2)),
            (
                expected["h0"].as_f64().unwrap(),
                expected["h1"].as_f64().unwrap()
            )
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_month_meets_the_same_days() {
    let world = world().await;
    let case = &published()["cases"][2]["expected"];
    let of = |partial: &str| {
        format!(
            "SELECT distributor, value, base_value, is_partial, status FROM compare('revenue', vs => 'previous_year',
                from_date => DATE '2024-06-01', to_date => DATE '2024-06-30', as_of => DATE '2024-06-15',
                partial => '{partial}') ORDER BY 1"
        )
    };
    for (partial, key) in [("to_date", "prev"), ("include", "prev_full")] {
        let found = rows(&world, &of(partial)).await;
        assert_eq!(found.len(), 4);
        for (row, expected) in found.iter().zip(case.as_array().expect("list")) {
            assert_eq!(
                row[1].parse::<f64>().unwrap(),
                expected["cur"].as_f64().unwrap(),
                "{row:?}"
            );
            assert_eq!(
                row[2].parse::<f64>().unwrap(),
                expected[key].as_f64().unwrap(),
                "{row:?}"
            );
            assert_eq!((row[3].as_str(), row[4].as_str()), ("true", "partial"));
        }
    }
    assert_eq!(rows(&world, &of("exclude")).await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_bases_in_one_call() {
    let world = world().await;
    let sql = "SELECT vs, value, base_value, diff, share, rank FROM compare('revenue', grain => 'quarter',
        vs => ['previous_period', 'previous_year', 'network', 'peers', '2023-01-15'], from_date => DATE '2024-04-01',
        to_date => DATE '2024-06-30', as_of => DATE '2024-06-30') WHERE distributor = 'A' ORDER BY vs";
    let found = rows(&world, sql).await;
    let [value, network, first] = [4300.0, 5500.0, 4500.0];
    let of = |name: &str| {
        found
            .iter()
            .find(|row| row[0] == name)
            .unwrap_or_else(|| panic!("{name}: {found:?}"))
    };
    for (name, base) in [
        ("2023-01-15", first),
        ("network", network),
        ("peers", network - value),
        ("previous_year", 4500.0),
        ("previous_period", 3200.0),
    ] {
        let row = of(name);
        assert_eq!(row[1].parse::<f64>().unwrap(), value, "{row:?}");
        assert_eq!(row[2].parse::<f64>().unwrap(), base, "{row:?}");
        assert_eq!(row[3].parse::<f64>().unwrap(), value - base, "{row:?}");
        assert_eq!(row[5], "1");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn weeks_meet_the_same_iso_week() {
    let world = world().await;
    // Nothing was booked in the first week of ISO year 2025; what was a year before is still its base.
    let sql = "SELECT period_start, value, base_value, pct_change FROM compare('revenue', by => [], grain => 'week',
        vs => 'previous_year', from_date => DATE '2024-12-30', to_date => DATE '2024-12-31', as_of => DATE '2025-02-01')";
    let week = "SELECT CAST(sum(amount) AS DOUBLE) FROM revenue WHERE booked_at >= '2024-01-01' AND booked_at < '2024-01-08'";
    let base = rows(&world, week).await.remove(0).remove(0);
    assert_eq!(
        rows(&world, sql).await,
        [["2024-12-30", "0.0", &base, "-1.0"]]
    );
    let sql = "SELECT CAST(period_year_shift(DATE '2024-12-30', 'week', -1) AS VARCHAR), CAST(period_year_shift(DATE '2024-02-29', 'day', -1) AS VARCHAR)";
    assert_eq!(rows(&world, sql).await, [["2024-01-01", "2023-02-28"]]);
}

/// Two hundred leads of four distributors, of two sources whose win rates differ.
async fn leads() -> World {
    let world = world().await;
    world
        .csv(
            "campaigns",
            "campaign_id,name,source\nC1,One,web\nC2,Two,referral\n",
        )
        .await
        .expect("campaigns");
    let mut text =
        "lead_id,distributor_id,campaign_id,created_at,mql_at,closed_at,outcome\n".to_owned();
    for number in 0..400 {
        // A and B get web leads, of which a fifth is won; C and D referrals, of which a half is, but for D.
        let distributor = ["A", "B", "C", "D"][number % 4];
        let (campaign, won) = match distributor {
            "A" | "B" => ("C1", number / 4 % 5 == 0),
            "C" => ("C2", number / 4 % 2 == 0),
            _ => ("C2", number / 4 % 10 == 0),
        };
        let outcome = if won { "won" } else { "lost" };
        let _ = writeln!(
            text,
            "L{number},{distributor},{campaign},2024-01-05T00:00:00Z,2024-01-06T00:00:00Z,2024-02-01T00:00:00Z,{outcome}"
        );
    }
    world.csv("leads", &text).await.expect("leads");
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn rates_have_intervals_and_are_adjusted_for_the_mix() {
    let world = leads().await;
    let sql = "SELECT distributor, value, n, round(lo, 6), round(hi, 6), round(oe, 3), standing, status FROM compare('win_rate',
        grain => 'quarter', vs => 'network', adjust => ['source'], from_date => DATE '2024-01-01', to_date => DATE '2024-03-31',
        as_of => DATE '2024-12-31') ORDER BY 1";
    let found = rows(&world, sql).await;
    let of = |at: usize| found.iter().map(|row| row[at].as_str()).collect::<Vec<_>>();
    assert_eq!(of(1), ["0.2", "0.2", "0.5", "0.1"]);
    assert_eq!(of(2), ["100"; 4]);
    let wilson = "SELECT round(rate_ci(20, 100)['lo'], 6), round(rate_ci(20, 100)['hi'], 6)";
    assert_eq!(rows(&world, wilson).await[0], found[0][3..5]);
    // Of web leads the network wins 40 of 200, of referrals 60 of 200; 20 trials at the network's 25 % are added to each.
    let expected = |won: f64| 100.0 * (won + 20.0 * 0.25) / 220.0;
    for (row, (observed, won)) in
        found
            .iter()
            .zip([(20.0, 40.0), (20.0, 40.0), (50.0, 60.0), (10.0, 60.0)])
    {
        let oe: f64 = row[5].parse().expect("number");
        assert!((oe - observed / expected(won)).abs() < 1e-3, "{row:?}");
    }
    // Younger than 120 days, nothing is known for good.
    let young = sql.replace("2024-12-31", "2024-04-30");
    assert!(
        rows(&world, &young)
            .await
            .iter()
            .all(|row| row[7] == "immature")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_wrongly_is_told() {
    let world = world().await;
    for (sql, told) in [
        (
            "SELECT * FROM compare('revenu')",
            "argument \"metric\" needs a metric, got 'revenu'",
        ),
        ("SELECT * FROM compare()", "compare needs a metric"),
        (
            "SELECT * FROM compare('revenue', gran => 'month')",
            "has no argument \"gran\"",
        ),
        (
            "SELECT * FROM compare('revenue', grain => 'month', grain => 'week')",
            "has \"grain\" twice",
        ),
        (
            "SELECT * FROM compare('revenue', grain => 'decade')",
            "argument \"grain\" needs one of",
        ),
        (
            "SELECT * FROM compare('revenue', conf => 1.5)",
            "argument \"conf\" needs a number strictly between 0 and 1",
        ),
        (
            "SELECT * FROM compare('revenue', vs => 'yesterday')",
            "argument \"vs\" needs previous_period",
        ),
        (
            "SELECT * FROM compare('revenue', adjust => ['source'])",
            "argument \"adjust\" needs a metric that is a rate",
        ),
        (
            "SELECT * FROM compare('revenue', by => ['no_such_column'])",
            "no_such_column",
        ),
        (
            "SELECT * FROM compare('revenue', by => ['x\"; DROP'])",
            "argument \"by\" needs names of columns",
        ),
        (
            "SELECT * FROM compare('revenue', 'month')",
            "does not take 'month'",
        ),
        (
            "SELECT * FROM scorecard('Q3')",
            "argument \"period\" needs a year",
        ),
        (
            "SELECT * FROM scorecard('2024-Q3', metrics => ['revenu'])",
            "needs names of metrics, got 'revenu'",
        ),
    ] {
        let said = error(&world, sql).await;
        assert!(said.contains(told), "{sql}: {said}");
    }
    // And the next query is right.
    assert_eq!(rows(&world, "SELECT count(*) FROM revenue").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scorecard_lists_metrics_beside_prior_and_quota() {
    let world = world().await;
    let targets = "subject_kind,subject_id,period_start,grain,measure,value\n\
        distributor,A,2024-04-01,quarter,revenue,5000\ndistributor,B,2024-04-01,quarter,revenue,800\n";
    world.csv("targets", targets).await.expect("targets");
    let sql = "SELECT metric, distributor, vs, value, base_value FROM scorecard('2024-Q2', metrics => ['revenue', 'bookings'],
        as_of => DATE '2024-06-30') WHERE distributor = 'A' ORDER BY metric, vs";
    let found = rows(&world, sql).await;
    let revenue = |vs: &str| {
        let row = found.iter().find(|row| row[0] == "revenue" && row[2] == vs);
        row.map(|row| (row[3].clone(), row[4].clone()))
            .expect("row")
    };
    assert_eq!(revenue("target"), ("4300.0".into(), "5000.0".into()));
    assert_eq!(revenue("previous_year").1, "4500.0");
    assert_eq!(found.len(), 6);
    // A view may compare, and a plan of it is bounded.
    let explained = world
        .query("EXPLAIN SELECT * FROM scorecard('2024-Q2')")
        .await;
    assert!(explained.is_ok());
}
