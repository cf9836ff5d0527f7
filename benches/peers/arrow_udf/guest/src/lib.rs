//! The kernels as a guest of arrow-udf: the same formulas behind its attribute, written as its own
//! examples write them.

use arrow_udf::function;
use arrow_udf::types::StructType;

#[path = "../../../../kernels/src/formulas.rs"]
mod formulas;

#[function("identity(float64) -> float64")]
fn identity(value: f64) -> f64 {
    value
}

#[function("same_text(string) -> string")]
fn same_text(value: &str) -> String {
    value.to_owned()
}

#[function("lead_score(float64, int64, int32) -> float64")]
fn lead_score(revenue: f64, employees: i64, age_days: i32) -> f64 {
    formulas::lead_score(revenue, employees, age_days)
}

/// A verdict, and a bit for each reason: it has no types for either.
#[derive(StructType)]
struct Decided {
    verdict: u8,
    reasons: u64,
}

#[function("qualify(string, float64, int64, int32, float64) -> struct Decided")]
fn qualify(
    industry: &str,
    revenue: f64,
    employees: i64,
    contacts: i32,
    budget: Option<f64>,
) -> Decided {
    let (verdict, reasons) = formulas::qualify(industry, revenue, employees, contacts, budget);
    Decided { verdict, reasons }
}
