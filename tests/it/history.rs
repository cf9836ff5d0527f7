//! The history of leads, and what becomes of it when the write beside it does not end.

use crate::support::World;

const EVENTS: &str =
    "SELECT lead_id, field, value FROM lead_events WHERE lead_id = 'L90' ORDER BY at, field";

#[tokio::test(flavor = "multi_thread")]
async fn every_change_of_a_lead_is_an_event() {
    let world = World::tiny().await;
    let send = async |csv: &str| world.csv("leads", csv).await.expect("stored");
    send("lead_id,created_at,outcome,amount\nL90,2024-09-01T00:00:00Z,open,\n").await;
    assert_eq!(
        world.rows(EVENTS).await,
        [
            "L90|created_at|2024-09-01T00:00:00.000000Z",
            "L90|outcome|open"
        ],
        "NULL says nothing of a new lead"
    );
    // The same again changes nothing, and so says nothing.
    send("lead_id,outcome\nL90,open\n").await;
    assert_eq!(world.rows(EVENTS).await.len(), 2);
    send("lead_id,outcome,amount,region\nL90,won,12.5,north\n").await;
    send("lead_id,amount\nL90,\n").await;
    assert_eq!(
        world.rows(EVENTS).await[2..],
        [
            "L90|amount|12.5000",
            "L90|outcome|won",
            "L90|region|north",
            "L90|amount|NULL"
        ],
        "an erased value is an event with a NULL"
    );
    // The lead as it was after its first event, from the events alone.
    let then = "SELECT value FROM lead_events WHERE lead_id = 'L90' AND field = 'outcome'
                AND at <= (SELECT min(at) FROM lead_events WHERE lead_id = 'L90') ORDER BY at DESC LIMIT 1";
    assert_eq!(world.value(then).await, "open");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_without_their_commit_are_not_seen() {
    let world = World::tiny().await;
    world
        .csv(
            "leads",
            "lead_id,created_at,outcome\nL90,2024-09-01T00:00:00Z,open\n",
        )
        .await
        .expect("stored");
    let all = "SELECT count(*) FROM lead_events";
    let events: u64 = world.value(all).await.parse().expect("a count");
    // As after a crash between the two commits: the main table's last entry was never written.
    let log = world.data().join("tiny/leads/_delta_log");
    std::fs::remove_file(log.join(format!("{:020}.json", 2))).expect("the last commit");
    let survivor = World {
        database: world.reopened(2).await,
        folder: tempfile::tempdir().expect("folder"),
    };
    assert_eq!(survivor.value("SELECT count(*) FROM leads").await, "7");
    assert_eq!(survivor.rows(EVENTS).await, [""; 0]);
    assert_eq!(survivor.value(all).await, (events - 2).to_string());
    // Another request takes the same version: the orphans stay out of sight, its own events are seen.
    survivor
        .csv(
            "leads",
            "lead_id,created_at,outcome\nL91,2024-09-01T00:00:00Z,open\n",
        )
        .await
        .expect("stored");
    assert_eq!(survivor.value("SELECT count(*) FROM leads").await, "8");
    assert_eq!(survivor.rows(EVENTS).await, [""; 0]);
    assert_eq!(survivor.value(all).await, events.to_string());
}
