//! The formulas that every contender computes, in plain Rust without a dependency, so that guests of
//! other hosts can include this file as it is. It deliberately knows no columns.

/// Points of a lead, 0 to 100: its size, its revenue, and how fresh it is.
#[inline]
#[must_use]
pub fn lead_score(revenue: f64, employees: i64, age_days: i32) -> f64 {
    let size = (employees as f64).sqrt();
    let size = if size > 40.0 { 40.0 } else { size };
    let money = if revenue >= 1_000_000.0 {
        30.0
    } else {
        revenue * 30e-6
    };
    let fresh = if age_days < 30 {
        30.0
    } else if age_days < 365 {
        30.0 - f64::from(age_days - 30) * 0.08
    } else {
        0.0
    };
    size + money + fresh
}

/// A verdict (0 qualified, 1 nurture, 2 reject) and a bit for each of eight rules that applies.
#[inline]
#[must_use]
pub fn qualify(
    industry: &str,
    revenue: f64,
    employees: i64,
    contacts: i32,
    budget: Option<f64>,
) -> (u8, u64) {
    let excluded = matches!(industry, "gambling" | "tobacco" | "weapons");
    let target = matches!(
        industry,
        "metal" | "automotive" | "energy" | "pharma" | "chemicals" | "food"
    );
    let rules = [
        revenue < 250_000.0,
        employees < 10,
        contacts == 0,
        budget.is_none(),
        budget.is_some_and(|budget| budget < 0.02 * revenue),
        excluded,
        !target && !excluded,
        revenue > 1_000_000.0 * employees as f64,
    ];
    let mask = rules
        .iter()
        .enumerate()
        .fold(0, |mask, (bit, applies)| mask | u64::from(*applies) << bit);
    let verdict = if excluded || mask.count_ones() > 3 {
        2
    } else {
        u8::from(mask != 0)
    };
    (verdict, mask)
}
