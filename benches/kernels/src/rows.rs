//! The rows that every contender reads: the same seed gives the same rows, with plain Rust and without
//! a dependency. It deliberately knows no Arrow, whose versions differ between the contenders.

/// Industries, some targets, some excluded, some neither.
pub const INDUSTRIES: [&str; 12] = [
    "metal",
    "automotive",
    "energy",
    "pharma",
    "chemicals",
    "food",
    "construction",
    "logistics",
    "gambling",
    "tobacco",
    "software and services",
    "paper",
];

/// Leads, a vector for each column.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    /// one of [`INDUSTRIES`]
    pub industry: Vec<&'static str>,
    /// per year, skewed
    pub revenue: Vec<f64>,
    /// skewed
    pub employees: Vec<i64>,
    /// few
    pub contacts: Vec<i32>,
    /// since the first contact
    pub age_days: Vec<i32>,
    /// one in five is not known
    pub budget: Vec<Option<f64>>,
}

impl Rows {
    /// So many rows; those of a shorter run are the first ones of a longer one.
    #[must_use]
    pub fn new(count: usize) -> Self {
        let mut random = Random(0x5EED);
        let mut rows = Self::default();
        for _ in 0..count {
            rows.industry.push(INDUSTRIES[random.below(12) as usize]);
            let revenue = random.unit().powi(3) * 4e6;
            rows.revenue.push(revenue);
            rows.employees
                .push((random.unit().powi(3) * 3000.0) as i64 + 1);
            rows.contacts.push(random.below(6) as i32);
            rows.age_days.push(random.below(500) as i32);
            let budget = revenue * random.unit() * 0.1;
            rows.budget.push((random.below(5) > 0).then_some(budget));
        }
        rows
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ word >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ word >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ word >> 31
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}
