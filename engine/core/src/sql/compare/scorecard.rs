//! The SELECT that a call of `scorecard()` stands for: several metrics of one period, one comparison after the other.

use chrono::{Datelike, NaiveDate};

use super::call::Call;
use crate::fault::Result;
use crate::metric::Metrics;

const NAMES: &[&str] = &[
    "period", "grain", "metrics", "by", "as_of", "conf", "partial",
];
const GRAINS: &[&str] = &[
    "week",
    "month",
    "quarter",
    "half",
    "year",
    "fiscal_quarter",
    "fiscal_year",
];
/// What a scorecard shows unless it is told.
const METRICS: [&str; 7] = [
    "revenue",
    "leads_sent",
    "acceptance_rate",
    "touch_rate_48h",
    "win_rate",
    "rejection_rate",
    "resource_cost",
];

/// The SELECT.
pub fn select(call: &Call, metrics: &Metrics) -> Result<String> {
    call.check_names(NAMES)?;
    let period = call.first_word("period")?.ok_or_else(|| {
        call.wrong("needs a period")
            .with_hint("Write scorecard('2024-Q3').")
    })?;
    let (day, implied) = day_of(&period).ok_or_else(|| {
        call.needs("period", "a year, a half, a quarter, a month or a day: 2024, 2024-H1, 2024-Q3, 2024-07 or 2024-07-01", &format!("'{period}'"))
    })?;
    let grain = call.choice("grain", GRAINS, implied)?;
    let names = call.words("metrics")?;
    let names = names.unwrap_or_else(|| METRICS.iter().map(|&it| it.to_owned()).collect());
    if names.is_empty() || names.len() > 16 {
        return Err(call.needs("metrics", "1 to 16 metrics", &names.len().to_string()));
    }
    if let Some(unknown) = names.iter().find(|name| !metrics.contains_key(*name)) {
        let known: Vec<&str> = metrics.keys().map(String::as_str).collect();
        return Err(call
            .needs("metrics", "names of metrics", &format!("'{unknown}'"))
            .with_hint(format!("The metrics are {}.", known.join(", "))));
    }
    let pasted: String = ["by", "as_of", "conf", "partial"]
        .into_iter()
        .filter_map(|name| Some(format!(", {name} => {}", call.options.get(name)?)))
        .collect();
    let of = |name: &String| {
        format!(
            "SELECT '{name}' AS metric, * FROM compare('{name}', grain => '{grain}', from_date => DATE '{day}', to_date => period_end(DATE '{day}', '{grain}'),
    vs => ['previous_period', 'previous_year', 'target']{pasted})"
        )
    };
    let all: Vec<String> = names.iter().map(of).collect();
    Ok(all.join("\nUNION ALL\n"))
}

/// A day in a period that is written as people write it, and its grain.
fn day_of(period: &str) -> Option<(NaiveDate, &'static str)> {
    let day = |year: i32, month: u32| NaiveDate::from_ymd_opt(year, month, 1);
    if let Ok(date) = NaiveDate::parse_from_str(period, "%Y-%m-%d") {
        return Some((date, "month"));
    }
    let Some((year, part)) = period.split_once('-') else {
        return Some((
            day(period.parse().ok().filter(|it| (1..=9999).contains(it))?, 1)?,
            "year",
        ));
    };
    let year: i32 = year.parse().ok().filter(|it| (1..=9999).contains(it))?;
    match part.split_at_checked(1)? {
        ("Q" | "q", quarter) => {
            let quarter: u32 = quarter.parse().ok().filter(|it| (1..=4).contains(it))?;
            Some((day(year, 3 * quarter - 2)?, "quarter"))
        }
        ("H" | "h", half) => {
            let half: u32 = half.parse().ok().filter(|it| (1..=2).contains(it))?;
            Some((day(year, 6 * half - 5)?, "half"))
        }
        ("W" | "w", week) => {
            let monday =
                NaiveDate::from_isoywd_opt(year, week.parse().ok()?, chrono::Weekday::Mon)?;
            Some((monday, "week"))
        }
        _ => {
            let month = day(year, part.parse().ok()?)?;
            Some((month.with_day(1)?, "month"))
        }
    }
}
