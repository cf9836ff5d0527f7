//! Two databases that differ only in what the distributors D1 and D3 may not see, and one that has D1's rows alone.
//!
//! The second is a copy of the first, so that what the engine records of their rows, instants included, is the same.

use std::fs;
use std::path::Path;

use serde_json::json;
use tempfile::TempDir;
use tributary_engine_core::engine::{
    Activate, Applies, DecisionKind, Format, Principal, Setup, Upload,
};
use tributary_engine_core::saved::{Definition, Save, SavedKind};
use tributary_engine_core::{Database, Engine, Options};

use crate::support::{World, shipped, tiny};

/// Columns of the manufacturer's own: the answers that CHAMP asks for, and one that nobody outside should read.
const ATTRIBUTES: [(&str, &str); 5] = [
    ("challenges", "integer"),
    ("authority", "integer"),
    ("money", "integer"),
    ("priority", "integer"),
    ("margin", "money"),
];
/// Distributors that are there in both.
const DISTRIBUTORS: usize = 6;
const LEADS: usize = 240;

/// Rows of CSV by their table, each with the distributor whose they are; those without one are everybody's.
pub struct Rows {
    tables: Vec<Table>,
}

struct Table {
    name: &'static str,
    header: &'static str,
    rows: Vec<(Option<String>, String)>,
}

impl Table {
    fn of(
        name: &'static str,
        header: &'static str,
        rows: impl IntoIterator<Item = (Option<String>, String)>,
    ) -> Self {
        Self {
            name,
            header,
            rows: rows.into_iter().collect(),
        }
    }
}

impl Rows {
    /// What both databases have.
    pub fn shared() -> Self {
        let id = |number: usize| format!("D{}", owner(number));
        let each =
            |number: usize, row: String| (Some(format!("D{}", number % DISTRIBUTORS + 1)), row);
        let own = |number: usize, row: String| (Some(id(number)), row);
        let all = |row: String| (None, row);
        let region = |number: usize| ["north", "south", "west"][number % 3];
        let month = |number: usize| number / 7 % 9 + 1;
        let outcome = |number: usize| ["won", "lost", "open", "rejected", "won"][number / 6 % 5];
        let leads = (1..=LEADS).map(|n| {
            let (m, day) = (month(n), n % 27 + 1);
            let amount = if outcome(n) == "won" { (n * 37 % 400).to_string() } else { String::new() };
            let closed = if matches!(outcome(n), "won" | "lost") { format!("2024-{:02}-{day:02}T10:00:00Z", m + 2) } else { String::new() };
            let (rejected, why) = match outcome(n) {
                "rejected" => (format!("2024-{:02}-{day:02}T12:00:00Z", m + 1), "no_budget"),
                _ => (String::new(), ""),
            };
            own(n, format!(
                "L{n},{},R{},P{},C{},{},{},{},{},2024-{m:02}-{day:02}T08:00:00Z,2024-{m:02}-{day:02}T09:00:00Z,2024-{m:02}-{day:02}T10:00:00Z,2024-{m:02}-{day:02}T15:30:00Z,,{rejected},{why},,{closed},{},{amount},{},{},{},{},{}",
                id(n), owner(n), n % 4 + 1, n % 3 + 1, region(n), ["metal", "food", "7"][n / 6 % 3],
                n * 13 % 50, n * 11 % 900, outcome(n), n / 6 % 4, n / 7 % 4, n / 5 % 4, n / 9 % 4, n % 17,
            ))
        });
        let revenue = (1..=LEADS).map(|n| {
            own(
                n,
                format!(
                    "V{n},{},R{},{},P{},2024-{:02}-{:02}T09:00:00Z,{}.{:02},{},{},{}",
                    id(n),
                    owner(n),
                    if n % 2 == 0 {
                        format!("L{n}")
                    } else {
                        String::new()
                    },
                    n % 4 + 1,
                    n / 5 % 12 + 1,
                    n % 28 + 1,
                    n * 31 % 900 + 1,
                    n % 100,
                    n * 7 % 90,
                    n / 6 % 6,
                    ["new", "repeat", "return"][n / 6 % 3],
                ),
            )
        });
        let resources = (1..=60).map(|n| {
            own(
                n,
                format!(
                    "X{n},{},,2024-{:02}-11T00:00:00Z,{},{},1",
                    id(n),
                    n / 6 % 9 + 1,
                    ["mdf", "training", "rebate"][n / 6 % 3],
                    n * 19 % 300,
                ),
            )
        });
        let targets = (0..DISTRIBUTORS).flat_map(|n| {
            (0..4).map(move |quarter| {
                (
                    Some(format!("D{}", n + 1)),
                    format!(
                        "distributor,D{},2024-{:02}-01,quarter,revenue,{}",
                        n + 1,
                        quarter * 3 + 1,
                        900 + n * 50
                    ),
                )
            })
        });
        let feedback = (1..=60).map(|n| {
            own(
                n,
                format!(
                    "F{n},{},R{},lead,L{n},2024-{:02}-19T00:00:00Z,{},accept,,fine {n}",
                    id(n),
                    owner(n),
                    n / 6 % 9 + 1,
                    n % 5 + 1,
                ),
            )
        });
        let content_events = (1..=90).map(|n| {
            own(
                n,
                match n / 6 % 2 {
                    0 => format!(
                        "E{n},K{},L{n},,2024-04-{:02}T00:00:00Z,opened",
                        n % 3 + 1,
                        n % 28 + 1
                    ),
                    _ => format!(
                        "E{n},K{},,R{},2024-05-{:02}T00:00:00Z,shown",
                        n % 3 + 1,
                        owner(n),
                        n % 28 + 1
                    ),
                },
            )
        });
        Self {
            tables: vec![
                Table::of(
                    "distributors",
                    "distributor_id,name,region,tier,joined_on,status",
                    (0..DISTRIBUTORS).map(|n| {
                        each(
                            n,
                            format!(
                                "D{},Name {n},{},{},2020-01-0{},active",
                                n + 1,
                                region(n),
                                ["gold", "silver"][n % 2],
                                n + 1
                            ),
                        )
                    }),
                ),
                Table::of(
                    "reps",
                    "rep_id,distributor_id,name",
                    (0..DISTRIBUTORS).map(|n| each(n, format!("R{0},D{0},Rep {n}", n + 1))),
                ),
                Table::of(
                    "products",
                    "product_id,name,line,list_price",
                    (1..=4).map(|n| all(format!("P{n},Product {n},line {},{}", n % 2, n * 100))),
                ),
                Table::of(
                    "campaigns",
                    "campaign_id,name,source,cost",
                    (1..=3).map(|n| all(format!("C{n},Campaign {n},web,{}", n * 1000))),
                ),
                Table::of(
                    "stages",
                    "stage,position",
                    [all("qualified,1".to_owned()), all("offer,2".to_owned())],
                ),
                Table::of(
                    "content",
                    "content_id,title,kind,product_id,stage",
                    (1..=3).map(|n| all(format!("K{n},Title {n},sheet,P{n},offer"))),
                ),
                Table::of(
                    "leads",
                    "lead_id,distributor_id,rep_id,product_id,campaign_id,region,industry,employees,est_value,created_at,mql_at,sent_at,first_touch_at,dql_at,rejected_at,reject_reason,opportunity_at,closed_at,outcome,amount,challenges,authority,money,priority,margin",
                    leads,
                ),
                Table::of(
                    "revenue",
                    "revenue_id,distributor_id,rep_id,lead_id,product_id,booked_at,amount,cost,quantity,kind",
                    revenue,
                ),
                Table::of(
                    "resources",
                    "resource_id,distributor_id,lead_id,granted_at,kind,cost,quantity",
                    resources,
                ),
                Table::of(
                    "targets",
                    "subject_kind,subject_id,period_start,grain,measure,value",
                    targets,
                ),
                Table::of(
                    "feedback",
                    "feedback_id,distributor_id,rep_id,subject,subject_id,at,rating,decision,reason_code,comment",
                    feedback,
                ),
                Table::of(
                    "content_events",
                    "event_id,content_id,lead_id,rep_id,at,kind",
                    content_events,
                ),
                Table::of(
                    "training",
                    "training_id,rep_id,course,at,passed",
                    (0..24).map(|n| {
                        each(
                            n,
                            format!(
                                "T{n},R{},course {},2024-0{}-05T00:00:00Z,{}",
                                n % DISTRIBUTORS + 1,
                                n % 2,
                                n / 6 + 1,
                                n % 3 == 0
                            ),
                        )
                    }),
                ),
            ],
        }
    }

    /// What only the second has: other values of others' rows, rows of others, and withheld values.
    fn hidden(canary: &str) -> Self {
        let all = |row: String| (None, row);
        let other = |n: usize| ["D2", "D4", "D5", "D6", "D8", "D9"][n % 6];
        let leads = (0..400).map(|n| {
            let (created, amount) = match n % 5 {
                0 => ("1971-01-01T00:00:00Z", "0"),
                1 => ("2190-12-31T00:00:00Z", "99999999999"),
                2 => ("2024-03-03T00:00:00Z", "-5"),
                _ => ("2024-07-09T00:00:00Z", "0.0001"),
            };
            all(format!("{canary}{n},{},{canary} region,{canary} trade,{},{created},won,{amount},{canary} why", other(n), [0, -1, 2_000_000][n % 3]))
        });
        // D1 and D3 are asked.
        let changed = (1..=LEADS).filter(|n| !matches!(owner(*n), 1 | 3)).map(|n| {
            all(format!("L{n},{},{canary} seen,{canary} trade,0,2024-02-02T00:00:00Z,won,{},{canary} why", "D".to_owned() + &owner(n).to_string(), n % 2))
        });
        let margins = (1..=LEADS).map(|n| all(format!("L{n},{}", 7777 + n)));
        let revenue = (0..300).map(|n| {
            all(format!(
                "{canary}V{n},{},2024-{:02}-09T00:00:00Z,{},3,{},new",
                other(n),
                n % 12 + 1,
                [0, 7, 900_000][n % 3],
                n % 2
            ))
        });
        Self {
            tables: vec![
                Table::of(
                    "distributors",
                    "distributor_id,name,region,joined_on",
                    ["D2", "D8", "D9"]
                        .map(|id| all(format!("{id},{canary} {id},{canary} land,1950-01-01"))),
                ),
                Table::of(
                    "reps",
                    "rep_id,distributor_id,name",
                    (0..9).map(|n| all(format!("{canary}R{n},{},{canary}", other(n)))),
                ),
                Table::of(
                    "campaigns",
                    "campaign_id,name,source,cost",
                    (1..=3).map(|n| all(format!("C{n},Campaign {n},web,0"))),
                ),
                Table::of(
                    "leads",
                    "lead_id,distributor_id,region,industry,employees,created_at,outcome,amount,reject_reason",
                    leads,
                ),
                Table::of(
                    "leads",
                    "lead_id,distributor_id,region,industry,employees,created_at,outcome,amount,reject_reason",
                    changed,
                ),
                Table::of("leads", "lead_id,margin", margins),
                Table::of(
                    "revenue",
                    "revenue_id,distributor_id,booked_at,amount,cost,quantity,kind",
                    revenue,
                ),
                Table::of(
                    "resources",
                    "resource_id,distributor_id,granted_at,kind,cost,quantity",
                    (0..90).map(|n| {
                        all(format!(
                            "{canary}X{n},{},1999-01-01T00:00:00Z,mdf,0,0",
                            other(n)
                        ))
                    }),
                ),
                Table::of(
                    "targets",
                    "subject_kind,subject_id,period_start,grain,measure,value",
                    [
                        "distributor,D2",
                        "manufacturer,D1",
                        "territory,D1",
                        "rep,D1",
                    ]
                    .map(|who| all(format!("{who},2024-01-01,quarter,revenue,0"))),
                ),
                Table::of(
                    "feedback",
                    "feedback_id,distributor_id,subject,subject_id,at,rating,comment",
                    (0..50).map(|n| {
                        all(format!(
                            "{canary}F{n},{},lead,L1,2150-01-01T00:00:00Z,1,{canary}",
                            other(n)
                        ))
                    }),
                ),
                Table::of(
                    "content_events",
                    "event_id,content_id,lead_id,rep_id,at,kind",
                    (0..50).map(|n| {
                        all(format!(
                            "{canary}E{n},K1,{canary}{n},{canary}R{},2150-01-01T00:00:00Z,shown",
                            n % 9
                        ))
                    }),
                ),
                Table::of(
                    "training",
                    "training_id,rep_id,course,at,passed",
                    (0..50).map(|n| {
                        all(format!(
                            "{canary}T{n},{canary}R{},{canary},2150-01-01T00:00:00Z,false",
                            n % 9
                        ))
                    }),
                ),
            ],
        }
    }

    /// Sends them, each table in two requests so that there are several files.
    async fn send(&self, world: &World, whose: Option<&str>) {
        for table in &self.tables {
            let mine = |(owner, row): &(Option<String>, String)| {
                let is_there = whose.is_none() || owner.is_none() || owner.as_deref() == whose;
                is_there.then(|| row.clone())
            };
            let rows: Vec<String> = table.rows.iter().filter_map(mine).collect();
            // Alone, what a distributor may not read was never there: the columns of the manufacturer's own, at the end.
            let withheld = match (table.name, whose) {
                ("leads", Some(_)) => ATTRIBUTES.len(),
                _ => 0,
            };
            let rows: Vec<&str> = rows.iter().map(|row| without_last(row, withheld)).collect();
            let header = without_last(table.header, withheld);
            for half in rows.chunks(rows.len().div_ceil(2).max(1)) {
                let csv = format!("{header}\n{}\n", half.join("\n"));
                let sent = world.ingest(table.name, Format::Csv, csv).await;
                sent.unwrap_or_else(|error| panic!("{}: {error:?}", table.name));
            }
        }
    }
}

/// A line of CSV without so many of its last values.
fn without_last(line: &str, values: usize) -> &str {
    (0..values).fold(line, |line, _| {
        line.rsplit_once(',').map_or(line, |(left, _)| left)
    })
}

/// Half of the rows are D1's: a filter beside which few rows are left hides its mistakes.
const fn owner(number: usize) -> usize {
    match number % 2 {
        0 => 1,
        _ => 2 + number / 2 % (DISTRIBUTORS - 1),
    }
}

/// The database that both have in common, and its copy with what a distributor may not see.
pub async fn two_worlds(canary: &str) -> (World, World) {
    let one = prepared(&Rows::shared(), None).await;
    let folder = TempDir::new().expect("a folder");
    copy(&one.data(), &folder.path().join("data"));
    let options = Options {
        data: folder.path().join("data"),
        threads: Some(2),
        ..Options::default()
    };
    let database = Database::open(options).await.expect("opens");
    let other = World { database, folder };
    Rows::hidden(canary).send(&other, None).await;
    (one, other)
}

/// A database with the rows of one distributor, and what it may not read of them left out.
pub async fn alone(rows: &Rows, distributor: &str) -> World {
    prepared(rows, Some(distributor)).await
}

async fn prepared(rows: &Rows, whose: Option<&str>) -> World {
    let world = World::empty().await;
    let first = "distributor_id,name\nD1,Name\n";
    world
        .csv("distributors", first)
        .await
        .expect("a manufacturer");
    for (name, kind) in ATTRIBUTES {
        world.declare("leads", name, kind).await;
    }
    install(&world).await;
    rows.send(&world, whose).await;
    world.save_view("wins", "SELECT region, count(*) AS n, sum(amount) AS total FROM leads WHERE outcome = 'won' GROUP BY region").await;
    world.save_view("sizes", "SELECT l.lead_id, 100 / (l.employees - 13) AS size, r.amount FROM v_lead AS l JOIN revenue AS r ON r.lead_id = l.lead_id").await;
    world
        .save_view(
            "first_leads",
            "SELECT lead_id FROM leads TIMESTAMP AS OF '2200-01-01'",
        )
        .await;
    save_query(
        &world,
        "of_region",
        "SELECT lead_id, amount FROM leads WHERE region = $region ORDER BY lead_id",
    )
    .await;
    save_query(
        &world,
        "casts",
        "SELECT CAST(industry AS INT) AS n FROM leads WHERE region = $region",
    )
    .await;
    world
}

async fn install(world: &World) {
    let upload = Upload {
        principal: Principal::Operator,
        manufacturer: tiny(),
        wasm: shipped("champ").into(),
    };
    let plugin = world.database.upload(upload).await.expect("a draft");
    let setup = Setup {
        settings: None,
        applies: Some(Applies::from([(DecisionKind::Mql, "qualify".to_owned())])),
    };
    let activate = Activate {
        principal: Principal::Operator,
        manufacturer: tiny(),
        name: plugin.name,
        version: plugin.version,
        setup,
    };
    world.database.activate(activate).await.expect("in force");
}

async fn save_query(world: &World, name: &str, sql: &str) {
    let parameters = json!({"region": {"type": "text"}});
    let save = Save {
        principal: Principal::Operator,
        manufacturer: tiny(),
        kind: SavedKind::Query,
        name: name.to_owned(),
        definition: Definition {
            sql: sql.to_owned(),
            description: String::new(),
            parameters: serde_json::from_value(parameters).expect("parameters"),
            measure: None,
        },
    };
    world.database.put(save).await.expect("a query");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        match entry.file_type().expect("a kind").is_dir() {
            true => copy(&entry.path(), &target),
            false => {
                fs::copy(entry.path(), target).expect("copied");
            }
        }
    }
}
