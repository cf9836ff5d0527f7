//! Made-up questions, the same for the same seed. Many of their expressions fail on some values, and quote them: on rows
//! that the asker may not see they must not be evaluated.

use serde_json::{Value, json};

/// What a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Rows,
    Pruned,
    First,
    Aggregates,
    Joins,
    Casts,
    Divisions,
    Cases,
    Windows,
    Sets,
    Subqueries,
    Comparisons,
    Scorecards,
    Views,
    SavedViews,
    NamedQueries,
    Plugins,
    Parameters,
    Withheld,
    Told,
    Explanations,
    Catalogs,
    Travel,
    NotThere,
}

impl Kind {
    pub const ALL: [Self; 24] = [
        Self::Rows,
        Self::Pruned,
        Self::First,
        Self::Aggregates,
        Self::Joins,
        Self::Casts,
        Self::Divisions,
        Self::Cases,
        Self::Windows,
        Self::Sets,
        Self::Subqueries,
        Self::Comparisons,
        Self::Scorecards,
        Self::Views,
        Self::SavedViews,
        Self::NamedQueries,
        Self::Plugins,
        Self::Parameters,
        Self::Withheld,
        Self::Told,
        Self::Explanations,
        Self::Catalogs,
        Self::Travel,
        Self::NotThere,
    ];

    /// Whether rows that a distributor sees are the same as of a database that has no others: what it may not read, what
    /// happens at another instant and what stands in no order are not.
    const fn same_alone(self) -> bool {
        !matches!(
            self,
            Self::First
                | Self::Withheld
                | Self::Told
                | Self::Explanations
                | Self::Catalogs
                | Self::Travel
                | Self::NotThere
        )
    }
}

/// How it is asked.
#[derive(Debug)]
pub enum Asks {
    Sql(String),
    Named(&'static str),
    Explain(String),
}

/// One request.
#[derive(Debug)]
pub struct Question {
    pub kind: Kind,
    pub asks: Asks,
    pub parameters: Value,
    pub format: &'static str,
    /// Whether the operator of a database with nothing but the asker's rows gets the same.
    pub same_alone: bool,
}

impl Question {
    pub fn sql(sql: &str) -> Self {
        Self {
            kind: Kind::Rows,
            asks: Asks::Sql(sql.to_owned()),
            parameters: json!({}),
            format: "json",
            same_alone: true,
        }
    }

    pub fn of_all_leads() -> Self {
        Self::sql("SELECT * FROM leads")
    }
}

/// Columns of text, of numbers and of time.
struct Shape {
    name: &'static str,
    key: &'static str,
    texts: &'static [&'static str],
    numbers: &'static [&'static str],
    times: &'static [&'static str],
}

const LEADS: Shape = Shape {
    name: "leads",
    key: "lead_id",
    texts: &["region", "industry", "reject_reason", "outcome", "lead_id"],
    numbers: &["employees", "amount", "est_value"],
    times: &["created_at", "closed_at", "mql_at"],
};
const REVENUE: Shape = Shape {
    name: "revenue",
    key: "revenue_id",
    texts: &["kind", "revenue_id", "lead_id", "product_id"],
    numbers: &["quantity", "amount"],
    times: &["booked_at"],
};
const SHAPES: [Shape; 7] = [
    LEADS,
    REVENUE,
    Shape {
        name: "resources",
        key: "resource_id",
        texts: &["kind", "resource_id"],
        numbers: &["cost", "quantity"],
        times: &["granted_at"],
    },
    Shape {
        name: "feedback",
        key: "feedback_id",
        texts: &["comment", "subject_id", "distributor_id"],
        numbers: &["rating"],
        times: &["at"],
    },
    Shape {
        name: "distributors",
        key: "distributor_id",
        texts: &["name", "region", "tier"],
        numbers: &["length(name)"],
        times: &["joined_on"],
    },
    Shape {
        name: "training",
        key: "training_id",
        texts: &["course", "rep_id"],
        numbers: &["length(course)"],
        times: &["at"],
    },
    Shape {
        name: "content_events",
        key: "event_id",
        texts: &["kind", "content_id", "lead_id", "rep_id"],
        numbers: &["length(event_id)"],
        times: &["at"],
    },
];
const METRICS: [&str; 8] = [
    "revenue",
    "win_rate",
    "won",
    "units",
    "deal_size",
    "resource_cost",
    "touch_rate_48h",
    "leads_sent",
];
const VIEWS: [&str; 15] = [
    "v_clock",
    "v_lead",
    "v_spine",
    "v_funnel",
    "v_revenue_by_period",
    "v_underperformers",
    "v_scorecard",
    "v_feedback_loop",
    "v_content_gap",
    "v_training_effect",
    "v_lead_aging",
    "v_funnel_cohort",
    "v_rejection_reasons",
    "v_concentration",
    "v_content_effect",
];

/// Makes them, one after the other.
pub struct Questions {
    state: u64,
    asked: usize,
}

impl Questions {
    pub const fn new(seed: u64) -> Self {
        Self {
            state: seed,
            asked: 0,
        }
    }

    pub fn next(&mut self) -> Question {
        let kind = self.kind();
        let asks = match kind {
            Kind::NamedQueries => {
                Asks::Named(self.one(&["of_region", "of_region", "casts", "nobody"]))
            }
            Kind::Explanations if self.below(2) == 0 => {
                Asks::Explain(format!("L{}", self.below(30)))
            }
            kind => Asks::Sql(self.text(kind)),
        };
        let parameters = match kind {
            Kind::NamedQueries => json!({"region": self.one(&["north", "south", "west", "moon"])}),
            Kind::Parameters => {
                json!({"least": self.below(60), "text": self.one(&["north", "won", "x"])})
            }
            _ => json!({}),
        };
        let formats = ["json", "json", "json", "csv", "ndjson", "arrow", "parquet"];
        let format = match kind.same_alone() {
            true if self.below(2) == 0 => "json",
            _ => self.one(&formats),
        };
        Question {
            kind,
            asks,
            parameters,
            format,
            same_alone: kind.same_alone() && format == "json",
        }
    }

    /// One of each first; then what takes long is asked less often.
    fn kind(&mut self) -> Kind {
        self.asked += 1;
        if let Some(kind) = Kind::ALL.get(self.asked - 1) {
            return *kind;
        }
        loop {
            let kind = self.one(&Kind::ALL);
            let rare = match kind {
                Kind::Scorecards => 200,
                Kind::Comparisons => 6,
                Kind::Catalogs => 4,
                Kind::Views | Kind::Explanations | Kind::Travel | Kind::NotThere => 3,
                _ => 1,
            };
            if self.below(rare) == 0 {
                return kind;
            }
        }
    }

    fn text(&mut self, kind: Kind) -> String {
        let shape = &SHAPES[self.below(SHAPES.len())];
        let Shape { name, key, .. } = *shape;
        match kind {
            Kind::Rows => {
                let (safe, expression) = (self.safe(shape), self.expression(shape));
                format!("SELECT {key}, {expression} AS x FROM {name} WHERE {safe} ORDER BY {key}")
            }
            Kind::Pruned => self.pruned(),
            Kind::First => {
                let (limit, offset) = (self.below(9), self.below(4));
                match self.below(2) {
                    0 => format!("SELECT * FROM {name} LIMIT {limit} OFFSET {offset}"),
                    _ => format!("SELECT {key} FROM {name} WHERE {} LIMIT {limit}", self.safe(shape)),
                }
            }
            Kind::Aggregates => self.aggregates(shape),
            Kind::Joins => self.joins(),
            Kind::Casts => {
                let column = self.one(shape.texts);
                let (safe, type_) = (self.safe(shape), self.one(&["INT", "DOUBLE", "DATE", "TIMESTAMP", "BOOLEAN", "DECIMAL(9,2)"]));
                match self.below(4) {
                    0 => format!("SELECT count(*) AS n FROM {name} WHERE CAST({column} AS {type_}) IS NOT NULL"),
                    1 => format!("SELECT {key}, CAST({column} AS {type_}) AS x FROM {name} WHERE {safe} ORDER BY 1"),
                    2 => format!(
                        "SELECT count(*) AS n FROM {name} WHERE {safe} OR CAST({column} AS {type_}) IS NULL"
                    ),
                    _ => format!("SELECT count(TRY_CAST({column} AS {type_})) AS n, count(CASE WHEN {safe} THEN 1 END) AS m FROM {name}"),
                }
            }
            Kind::Divisions => {
                let (number, k) = (self.one(shape.numbers), self.below(50));
                match self.below(4) {
                    0 => format!("SELECT count(*) AS n FROM {name} WHERE CAST({number} AS INT) / (CAST({number} AS INT) - {k}) > 0"),
                    1 => format!("SELECT {key}, 1000 / (CAST({number} AS INT) - {k}) AS x FROM {name} ORDER BY {key}"),
                    2 => format!("SELECT max(CAST({number} AS INT) / 0) AS x FROM {name}"),
                    _ => format!("SELECT sum(CAST({number} AS TINYINT)) AS x, max(CAST({number} AS INT) % {}) AS y FROM {name}", k + 1),
                }
            }
            Kind::Cases => {
                let (column, number, k) = (self.one(shape.texts), self.one(shape.numbers), self.below(60));
                let word = self.one(&["north", "won", "Heron region", "7", "K1", "new"]);
                match self.below(3) {
                    0 => format!("SELECT sum(CASE WHEN {column} = '{word}' THEN 1 / 0 ELSE 1 END) AS n FROM {name}"),
                    1 => format!("SELECT count(*) AS n FROM {name} WHERE CASE WHEN {number} > {k} THEN 1 / (CAST({number} AS INT) * 0) ELSE 1 END = 1"),
                    _ => format!("SELECT count(*) AS n FROM {name} WHERE {number} <= {k} OR CASE WHEN {column} LIKE 'Heron%' THEN CAST({column} AS INT) ELSE 1 END = 1"),
                }
            }
            Kind::Windows => self.windows(shape),
            Kind::Sets => {
                let (left, right) = (self.safe(&LEADS), self.safe(&REVENUE));
                let set = self.one(&["UNION", "EXCEPT", "INTERSECT", "UNION ALL"]);
                format!("SELECT lead_id FROM leads WHERE {left} {set} SELECT lead_id FROM revenue WHERE {right} ORDER BY 1")
            }
            Kind::Subqueries => self.subqueries(),
            Kind::Comparisons => self.comparison(),
            Kind::Scorecards => format!("SELECT * FROM scorecard('2024-Q{}')", self.below(3) + 1),
            Kind::Views => format!("SELECT * FROM {}", self.one(&VIEWS)),
            Kind::SavedViews => match self.below(3) {
                0 => "SELECT * FROM wins ORDER BY region".to_owned(),
                1 => format!("SELECT * FROM wins WHERE n > {} ORDER BY region", self.below(20)),
                _ => format!("SELECT count(*) AS n, max(size) AS x FROM sizes WHERE lead_id < 'L{}'", self.below(200)),
            },
            Kind::Plugins => self.plugins(),
            Kind::Parameters => match self.below(3) {
                0 => "SELECT lead_id FROM leads WHERE employees > $least AND region <> $text ORDER BY lead_id".to_owned(),
                1 => "SELECT count(*) AS n FROM leads WHERE outcome = $text OR 100 / ($least - employees) > 1".to_owned(),
                _ => "SELECT revenue_id, amount * $least AS x FROM revenue WHERE amount > $least AND kind <> $text ORDER BY 1".to_owned(),
            },
            Kind::Withheld => {
                let k = self.below(900);
                match self.below(5) {
                    0 => format!("SELECT count(*) AS n FROM revenue WHERE cost > {k}"),
                    1 => "SELECT campaign_id, cost, cost IS NULL AS x FROM campaigns ORDER BY cost DESC, 1".to_owned(),
                    2 => format!("SELECT max(margin) AS x, count(margin) AS n FROM leads WHERE margin IS NULL OR margin < {k}"),
                    3 => "SELECT min(cost) AS x, max(cost) AS y, sum(10 / cost) AS z FROM campaigns".to_owned(),
                    _ => "SELECT lead_id, decision_id, verdict, score, reasons, data_version FROM decisions".to_owned(),
                }
            }
            Kind::Told => match self.below(4) {
                0 => "SELECT * FROM lead_events".to_owned(),
                1 => "SELECT field, count(*) AS n, min(value) AS x, max(at) AS y FROM lead_events GROUP BY field".to_owned(),
                2 => "SELECT l.lead_id, d.verdict, d.decided_at FROM leads AS l JOIN decisions AS d ON d.lead_id = l.lead_id".to_owned(),
                _ => format!("SELECT count(*) AS n, sum(CAST(value AS DOUBLE)) AS x FROM lead_events WHERE field = '{}'", self.one(&["employees", "region", "amount", "margin"])),
            },
            Kind::Explanations => format!("EXPLAIN {}SELECT * FROM {name}", self.one(&["", "ANALYZE ", "VERBOSE ", "FORMAT TREE "])),
            Kind::Catalogs => self.one(&[
                "SHOW TABLES",
                "SELECT * FROM information_schema.tables",
                "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns",
                "SELECT * FROM information_schema.views",
                "SELECT count(*) AS n FROM information_schema.routines",
                "DESCRIBE leads",
                "SHOW COLUMNS FROM revenue",
                "SELECT input_file_name() AS f FROM leads",
                "SELECT count(*) AS n FROM information_schema.df_settings",
            ]).to_owned(),
            Kind::Travel => {
                let at = match self.below(2) {
                    0 => format!("VERSION AS OF {}", self.below(12)),
                    _ => format!("TIMESTAMP AS OF '20{}-01-01'", 10 + self.below(80)),
                };
                format!("SELECT count(*) AS n FROM {} {at}", self.one(&["leads", "v_funnel", "revenue"]))
            }
            Kind::NotThere => format!("SELECT * FROM {}", self.one(&["quarantine", "imports", "audit", "plugin_calls", "saved_views", "metrics", "named_queries", "v_data_trust", "secrets", "first_leads"])),
            Kind::NamedQueries => "SELECT 1".to_owned(),
        }
    }

    /// Filters that a scan may take to leave files out.
    fn pruned(&mut self) -> String {
        let filter = match self.below(6) {
            0 => format!("employees = {}", self.below(60)),
            1 => format!(
                "employees >= {} AND amount < {}",
                self.below(60),
                self.below(500)
            ),
            2 => format!(
                "created_at > TIMESTAMP '20{}-06-01T00:00:00Z'",
                10 + self.below(90)
            ),
            3 => format!(
                "region = '{}'",
                self.one(&["north", "Heron region", "west"])
            ),
            4 => format!("distributor_id <> 'D{}'", self.below(9)),
            _ => format!("lead_id < 'L{}' AND outcome <> 'won'", self.below(200)),
        };
        let selected = self.one(&[
            "count(*) AS n",
            "min(amount) AS x, max(created_at) AS y",
            "count(*) AS n, sum(10 / employees) AS x",
        ]);
        format!("SELECT {selected} FROM leads WHERE {filter}")
    }

    fn aggregates(&mut self, shape: &Shape) -> String {
        let Shape { name, key, .. } = *shape;
        let (text, number, time) = (
            self.one(shape.texts),
            self.one(shape.numbers),
            self.one(shape.times),
        );
        let aggregate = match self.below(9) {
            0 => "count(*)".to_owned(),
            1 => format!("min({text})"),
            2 => format!("max({number})"),
            3 => format!("sum({number})"),
            4 => format!("max({time})"),
            5 => format!("count(DISTINCT {text})"),
            6 => format!("approx_distinct({text})"),
            7 => format!("median({number})"),
            _ => format!("string_agg({text}, ',' ORDER BY {key})"),
        };
        match self.below(3) {
            0 => format!("SELECT {aggregate} AS x FROM {name}"),
            1 => format!("SELECT {text} AS k, {aggregate} AS x FROM {name} GROUP BY 1 ORDER BY 1"),
            _ => format!(
                "SELECT {text} AS k, count(*) AS n FROM {name} WHERE {} GROUP BY 1 HAVING {aggregate} IS NOT NULL",
                self.safe(shape)
            ),
        }
    }

    fn joins(&mut self) -> String {
        let join = self.one(&["JOIN", "LEFT JOIN", "FULL JOIN"]);
        let (left, right) = (self.safe(&LEADS), self.below(7));
        match self.below(4) {
            0 => format!(
                "SELECT l.lead_id, r.revenue_id FROM leads AS l {join} revenue AS r ON r.lead_id = l.lead_id WHERE r.quantity > {right} ORDER BY 1, 2"
            ),
            1 => format!(
                "SELECT d.name, count(r.revenue_id) AS n, sum(r.amount) AS x FROM distributors AS d {join} revenue AS r ON r.distributor_id = d.distributor_id GROUP BY d.name"
            ),
            2 => format!(
                "SELECT p.name, sum(100 / (l.employees - {right})) AS x FROM (SELECT * FROM leads WHERE {left}) AS l {join} products AS p ON p.product_id = l.product_id GROUP BY p.name"
            ),
            _ => format!(
                "SELECT count(*) AS n FROM leads AS a {join} leads AS b ON a.region = b.region AND a.employees < b.employees WHERE CAST(b.est_value AS INT) % 7 = {right}"
            ),
        }
    }

    fn windows(&mut self, shape: &Shape) -> String {
        let Shape { name, key, .. } = *shape;
        let (text, number) = (self.one(shape.texts), self.one(shape.numbers));
        let window = self.one(&["row_number()", "rank()", "ntile(4)", "percent_rank()"]);
        match self.below(3) {
            0 => format!(
                "SELECT {key}, {window} OVER (PARTITION BY {text} ORDER BY {number}, {key}) AS x FROM {name} ORDER BY {key}"
            ),
            1 => format!(
                "SELECT {key}, sum({number}) OVER (ORDER BY {key} ROWS 3 PRECEDING) AS x FROM {name} ORDER BY {key}"
            ),
            _ => format!(
                "SELECT {key}, lag({text}) OVER (ORDER BY {key}) AS x, 100 / (count(*) OVER () - {}) AS y FROM {name} ORDER BY {key}",
                self.below(60)
            ),
        }
    }

    fn subqueries(&mut self) -> String {
        let (safe, k) = (self.safe(&REVENUE), self.below(40));
        match self.below(4) {
            0 => format!("SELECT lead_id FROM leads WHERE lead_id IN (SELECT lead_id FROM revenue WHERE {safe}) ORDER BY 1"),
            1 => format!("SELECT count(*) AS n FROM leads AS l WHERE NOT EXISTS (SELECT 1 FROM revenue AS r WHERE r.lead_id = l.lead_id AND r.quantity < {k})"),
            2 => "SELECT (SELECT max(amount) FROM revenue) AS x, (SELECT count(*) FROM distributors) AS n".to_owned(),
            _ => format!("WITH w AS (SELECT distributor_id, sum(amount) AS x FROM revenue WHERE {safe} GROUP BY 1) SELECT * FROM w WHERE x > (SELECT avg(x) FROM w) - {k}"),
        }
    }

    fn comparison(&mut self) -> String {
        let metric = self.one(&METRICS);
        let option = self.one(&[
            "vs => 'previous_period'",
            "vs => 'previous_year', grain => 'quarter'",
            "vs => 'network', grain => 'quarter'",
            "vs => 'peers', peers => 'tier'",
            "vs => 'quota', grain => 'quarter'",
            "by => ['region']",
            "ranks => true, grain => 'quarter'",
        ]);
        format!("SELECT * FROM compare('{metric}', {option})")
    }

    fn plugins(&mut self) -> String {
        let k = self.below(4);
        match self.below(4) {
            0 => format!("SELECT lead_id, champ.score(employees % 4, {k}, 2, 1) AS x FROM leads ORDER BY lead_id"),
            1 => format!("SELECT count(*) AS n FROM leads WHERE champ.score(employees % 4, 3, {k}, 1) > {}", self.below(100)),
            2 => "SELECT lead_id, verdict, reasons FROM scored((SELECT lead_id, employees % 4 AS challenges, 3 AS authority, 2 AS money, 1 AS priority FROM leads), 'champ.qualify') ORDER BY lead_id".to_owned(),
            _ => format!("SELECT revenue_id, champ.qualify(quantity % 4, {k}, 3, 2) AS x FROM revenue WHERE {} ORDER BY 1", self.safe(&REVENUE)),
        }
    }

    /// A value of a row that hardly ever fails.
    fn expression(&mut self, shape: &Shape) -> String {
        let (text, number, time) = (
            self.one(shape.texts),
            self.one(shape.numbers),
            self.one(shape.times),
        );
        match self.below(6) {
            0 => text.to_owned(),
            1 => format!("{number} * 2"),
            2 => format!("date_trunc('month', {time})"),
            3 => format!("concat({text}, '/', {number})"),
            4 => format!("regexp_replace({text}, '[0-9]+', '#')"),
            _ => format!("arrow_cast({number}, 'Utf8')"),
        }
    }

    /// A condition that hardly ever fails.
    fn safe(&mut self, shape: &Shape) -> String {
        let (text, number) = (self.one(shape.texts), self.one(shape.numbers));
        let k = self.below(60);
        match self.below(6) {
            0 => format!("{number} > {k}"),
            1 => format!("{text} <> '{}'", self.one(&["north", "won", "mdf"])),
            2 => format!("{text} LIKE '%{}%'", self.below(10)),
            3 => format!("length({text}) BETWEEN 1 AND {k}"),
            4 => format!("{number} IS NULL OR {number} <= {k}"),
            _ => format!("regexp_like({text}, '^[A-Zn]')"),
        }
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    fn below(&mut self, bound: usize) -> usize {
        // SplitMix64.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }
}
