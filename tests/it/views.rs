//! The views over data that `tests/data/tiny` does not have: nothing at all, two rules that decide, leads that come late.

use serde_json::json;
use tributary_engine_core::Engine;
use tributary_engine_core::engine::{Activate, Applies, DecisionKind, Principal, Setup};

use crate::support::{World, shipped, tiny};

/// Both rules' arguments as columns of the leads.
const ANSWERS: [(&str, &str); 8] = [
    ("challenges", "integer"),
    ("authority", "integer"),
    ("money", "integer"),
    ("priority", "integer"),
    ("country", "text"),
    ("product", "text"),
    ("p", "number"),
    ("value", "number"),
];

async fn decides(world: &World, name: &str, kind: DecisionKind, function: &str, settings: Setup) {
    let activate = Activate {
        principal: Principal::Operator,
        manufacturer: tiny(),
        name: name.to_owned(),
        version: "1.0.0".to_owned(),
        setup: Setup {
            applies: Some(Applies::from([(kind, function.to_owned())])),
            ..settings
        },
    };
    world.database.activate(activate).await.expect("in force");
}

/// The questionnaire decides what an MQL is, and the router, with one distributor that takes pumps in Germany, what a DQL is.
async fn two_rules() -> World {
    let world = World::tiny().await;
    world.install(shipped("ev_router")).await;
    for (name, kind) in ANSWERS {
        world.declare("leads", name, kind).await;
    }
    let takes_pumps = json!({"distributors": [{
        "id": "D1", "territory": ["DE"], "lines": ["pump"], "capacity": 10, "open_leads": 0,
        "skill": 1, "margin": 1, "handling": 0
    }]});
    let settings = Setup {
        settings: takes_pumps.as_object().cloned(),
        ..Setup::default()
    };
    decides(
        &world,
        "champ",
        DecisionKind::Mql,
        "qualify",
        Setup::default(),
    )
    .await;
    decides(&world, "ev_router", DecisionKind::Dql, "route", settings).await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gap_between_two_rules_is_measured() {
    let world = two_rules().await;
    let answers = "lead_id,challenges,authority,money,priority,country,product,p,value\n";
    // L6 is turned down first and accepted later: the latest verdict counts. L7 belongs to nobody.
    let earlier = format!("{answers}L6,1,1,1,1,FR,pump,0.5,1000\n");
    world.csv("leads", &earlier).await.expect("stored");
    let later = format!(
        "{answers}L1,3,2,2,1,DE,pump,0.5,1000\nL2,3,0,3,3,DE,pump,0.5,1000\nL3,3,2,2,1,FR,pump,0.5,1000\n\
         L4,3,2,2,1,DE,pump,0.1,1000\nL5,1,1,1,1,FR,pump,0.5,1000\nL6,3,2,2,1,DE,pump,0.5,1000\n"
    );
    world.csv("leads", &later).await.expect("stored");
    let counts = "SELECT distributor_id, first_definition, second_definition, gap_n, tp, fp, fn, tn, round(agreement, 4),
                  agreement_status, round(kappa, 4), kappa_status, round(bias_index, 4) FROM v_definition_gap ORDER BY 1";
    assert_eq!(
        world.rows(counts).await,
        [
            "D1|rule|rule|2|1|0|1|0|0.5|ok|0.0|ok|-0.5",
            "D2|rule|rule|3|0|2|0|1|0.3333|ok|0.0|ok|0.6667",
            "D3|rule|rule|1|1|0|0|0|1.0|ok|NULL|infeasible|NULL",
        ]
    );
    // L4 has no value. Of D2's two reasons neither stands out more: the alphabet decides.
    let reasons = "SELECT distributor_id, value_disagreed, disagreed_no_value, top_reason, top_reason_n, top_reason_share,
                   top_reason_network_share FROM v_definition_gap ORDER BY 1";
    assert_eq!(
        world.rows(reasons).await,
        [
            "D1|50.0000|0|NO_AUTHORITY|1|1.0|0.0",
            "D2|2000.0000|1|EV_BELOW_250|1|0.5|0.0",
            "D3|0.0000|0|NULL|NULL|NULL|NULL",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_is_a_distributors_own_where_that_is_sure() {
    let world = World::tiny().await;
    let mut leads =
        "lead_id,distributor_id,created_at,rejected_at,reject_reason,outcome\n".to_owned();
    let mut lead = 100;
    let mut reject = |who: &str, reason: &str, count: usize| {
        for _ in 0..count {
            lead += 1;
            let at = "2024-03-01T00:00:00Z";
            leads.push_str(&format!("L{lead},{who},{at},{at},{reason},rejected\n"));
        }
    };
    // D1 alone says "too_far"; D2 says "no_time" five times as often as D1, and D3 more often too, but three leads say little.
    reject("D1", "too_far", 12);
    reject("D1", "no_time", 4);
    reject("D1", "no_budget", 24);
    reject("D2", "no_time", 20);
    reject("D2", "no_budget", 20);
    reject("D3", "no_time", 2);
    reject("D3", "no_budget", 1);
    world.csv("leads", &leads).await.expect("stored");
    let own = "SELECT distributor_id, reject_reason, n, oe_status FROM v_rejection_reasons
               WHERE is_over_represented ORDER BY 1, 2";
    assert_eq!(
        world.rows(own).await,
        ["D1|too_far|12|zero_base", "D2|no_time|20|ok"]
    );
    // Of the others' 44 rejections, L2 among them, six say so; D2 rejects 41, L5 among them.
    let expected = "SELECT rejections, round(network_share * 44), round(expected, 6), round(oe * expected), share_n
                    FROM v_rejection_reasons WHERE distributor_id = 'D2' AND reject_reason = 'no_time'";
    assert_eq!(world.value(expected).await, "41|6.0|5.590909|20.0|41");
}

#[tokio::test(flavor = "multi_thread")]
async fn concentration_meets_the_same_quarter_of_the_year_before() {
    let world = World::empty().await;
    let two = "distributor_id,name\nD1,Alder\nD2,Birch\n";
    world.csv("distributors", two).await.expect("stored");
    // Half each, then all to one, nothing for two quarters, and all to one again; the last quarter has not ended.
    let bookings = "revenue_id,distributor_id,booked_at,amount,quantity,kind\n\
                    V1,D1,2023-01-15T00:00:00Z,50,1,new\nV2,D2,2023-02-15T00:00:00Z,50,1,new\n\
                    V3,D1,2023-04-15T00:00:00Z,50,1,new\nV4,D1,2024-02-15T00:00:00Z,70,1,new\n\
                    V5,D2,2024-04-15T00:00:00Z,30,1,new\n";
    world.csv("revenue", bookings).await.expect("stored");
    let change = "SELECT period_start, status, hhi, gini, largest_distributor_id, hhi_change, hhi_change_status
                  FROM v_concentration ORDER BY 1";
    assert_eq!(
        world.rows(change).await,
        [
            "2023-01-01|ok|5000.0|0.0|D1|NULL|no_data",
            "2023-04-01|ok|10000.0|1.0|D1|NULL|no_data",
            "2023-07-01|no_data|NULL|NULL|NULL|NULL|no_data",
            "2023-10-01|no_data|NULL|NULL|NULL|NULL|no_data",
            "2024-01-01|ok|10000.0|1.0|D1|5000.0|ok",
            "2024-04-01|partial|10000.0|1.0|D2|0.0|partial",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_is_late_where_newer_ones_were_known() {
    let world = World::tiny().await;
    let late = "SELECT source, late_n, round(late * late_n) FROM v_data_trust
                WHERE table_name = 'leads' AND source = 'web'";
    assert_eq!(world.value(late).await, "web|4|0.0");
    // The newest lead so far is of 15 June: a week before that is in time, a day more is not.
    let leads = "lead_id,campaign_id,created_at,outcome\nL90,C2,2024-01-01T00:00:00Z,open\n\
                 L91,C2,2024-06-08T00:00:00Z,open\nL92,C2,2024-09-01T00:00:00Z,open\nL93,C2,2024-06-07T00:00:00Z,open\n";
    world.csv("leads", leads).await.expect("stored");
    assert_eq!(world.value(late).await, "web|8|2.0");
    // What is said of a known lead later makes it no later.
    world
        .csv("leads", "lead_id,region\nL1,south\nL91,south\n")
        .await
        .expect("stored");
    assert_eq!(world.value(late).await, "web|8|2.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn words_that_say_nothing_are_missing() {
    let world = World::tiny().await;
    // A filter that no other table can pass leaves none of their rows.
    let complete = "SELECT round(complete * rows), most_missing, missing_n FROM v_data_trust WHERE source = 'tradeshow'";
    assert_eq!(world.value(complete).await, "2.0|NULL|0");
    world
        .csv("leads", "lead_id,industry\nL1, N/A\n")
        .await
        .expect("stored");
    assert_eq!(world.value(complete).await, "1.0|industry|1");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_an_answer_too() {
    let world = World::empty().await;
    world
        .csv("distributors", "distributor_id,name\nD1,Alder\n")
        .await
        .expect("stored");
    for view in ["v_funnel_cohort", "v_rejection_reasons", "v_concentration"] {
        let rows = world.rows(&format!("SELECT * FROM {view}")).await;
        assert_eq!(rows, [""; 0], "{view}");
    }
    let aging = "SELECT distributor_id, open_leads, open_value, oldest_days, days_to_touch, days_to_touch_status,
                 touched_48h_n, touched_48h_status FROM v_lead_aging";
    assert_eq!(
        world.rows(aging).await,
        ["D1|0|0.0000|NULL|NULL|no_data|0|no_data"]
    );
    let gap = "SELECT distributor_id, gap_n, agreement, agreement_status, kappa_status, value_disagreed, top_reason
               FROM v_definition_gap";
    assert_eq!(
        world.rows(gap).await,
        ["D1|0|NULL|no_data|no_data|0.0000|NULL"]
    );
    let trust =
        "SELECT table_name, rows, complete_status, late_status FROM v_data_trust WHERE rows > 0";
    assert_eq!(world.rows(trust).await, ["distributors|1|ok|no_data"]);
    assert_eq!(world.value("SELECT count(*) FROM v_data_trust").await, "10");
}
