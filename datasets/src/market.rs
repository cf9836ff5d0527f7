//! The constants of the trade: sources, industries, products, and how much each is worth.
//! What differs between distributors is in `world`.

/// Campaign sources: (name, share of leads, win factor, cost of one lead in cents).
pub(crate) const SOURCES: [(&str, f64, f64, i64); 6] = [
    ("referral", 0.14, 1.8, 2_000),
    ("tradeshow", 0.16, 1.1, 11_000),
    ("web", 0.30, 0.9, 4_500),
    ("list", 0.14, 0.5, 1_500),
    ("partner", 0.14, 1.3, 6_000),
    ("webinar", 0.12, 0.8, 3_500),
];

/// Industries: (name, share of leads, win factor, how it is misspelt).
pub(crate) const INDUSTRIES: [(&str, f64, f64, [&str; 4]); 7] = [
    ("metal", 0.22, 1.35, ["Metal ", "METAL", "metall", "Metals"]),
    (
        "food",
        0.16,
        1.00,
        ["Food", "FOOD", " food", "food & beverage"],
    ),
    (
        "chemicals",
        0.14,
        0.95,
        ["Chemicals", "CHEMICALS", "chemical", "chem."],
    ),
    (
        "automotive",
        0.16,
        1.15,
        ["Automotive", "AUTOMOTIVE", "automotive ", "auto"],
    ),
    (
        "energy",
        0.10,
        0.80,
        ["Energy", "ENERGY", "energy ", "energie"],
    ),
    (
        "pharma",
        0.08,
        1.05,
        ["Pharma", "PHARMA", "pharma ", "pharmaceutical"],
    ),
    (
        "construction",
        0.14,
        0.60,
        ["Construction", "CONSTRUCTION", "construction ", "constr."],
    ),
];

/// How the bad mix of the planted distributor multiplies the shares above.
pub(crate) const BAD_SOURCES: [f64; 6] = [0.30, 1.0, 1.5, 5.0, 0.5, 1.0];
pub(crate) const BAD_INDUSTRIES: [f64; 7] = [0.4, 1.0, 1.0, 1.0, 2.0, 1.0, 4.0];

pub(crate) const REGIONS: [&str; 6] = ["north", "south", "east", "west", "central", "overseas"];
pub(crate) const LINES: [&str; 6] = [
    "pumps", "valves", "sensors", "drives", "filters", "controls",
];
pub(crate) const STAGES: [(&str, &str); 5] = [
    (
        "mql",
        "fit and interest confirmed by the manufacturer's rule",
    ),
    ("sent", "distributor assigned and notified"),
    (
        "dql",
        "first contact made, need and budget confirmed by the distributor",
    ),
    ("opportunity", "quotation delivered, decision maker known"),
    ("won", "order booked"),
];
pub(crate) const COURSES: [&str; 5] = [
    "product basics",
    "sizing",
    "commissioning",
    "negotiation",
    "service",
];

/// Seasonal factor of business by month of the year (summer and December are quiet).
pub(crate) const SEASON: [f64; 12] = [
    0.92, 0.97, 1.10, 1.04, 1.03, 1.05, 0.93, 0.80, 1.06, 1.10, 1.08, 0.92,
];

/// Median of `leads.est_value`, in cents, and of `leads.employees`.
pub(crate) const DEAL_CENTS: f64 = 500_000.0;
pub(crate) const EMPLOYEES: f64 = 80.0;

/// What an order's quantity is on average: one plus a geometric tail of this mean.
pub(crate) const QUANTITY_TAIL: f64 = 3.0;
pub(crate) const DISCOUNT_MAX: f64 = 0.25;
pub(crate) const RETURN_RATE: f64 = 0.025;
/// Share of an order that a return sends back, on average.
pub(crate) const RETURN_SHARE: f64 = 0.6;

/// How much more or less often a lead of a source and an industry is won.
pub(crate) fn quality(source: usize, industry: usize) -> f64 {
    SOURCES[source].2 * INDUSTRIES[industry].2
}
