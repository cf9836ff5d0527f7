//! How a manufacturer's year runs, as functions of the calendar want it.

use std::sync::Arc;

use chrono::{Datelike, NaiveDate};
use tributary_engine_stats::calendar::{Calendar, SpecialDay};

use crate::settings::Settings;

/// A manufacturer's calendar.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Local {
    pub calendar: Calendar,
    /// days since 1970-01-01, ascending
    holidays: Arc<[i32]>,
}

impl Default for Local {
    fn default() -> Self {
        Self {
            calendar: Calendar::GREGORIAN,
            holidays: Arc::new([]),
        }
    }
}

impl Local {
    /// What the settings say.
    pub fn of(settings: &Settings) -> Self {
        let epoch = NaiveDate::default().num_days_from_ce();
        let holidays = settings.holidays.iter();
        Self {
            calendar: Calendar::new(settings.fiscal_start_month).unwrap_or(Calendar::GREGORIAN),
            holidays: holidays.map(|day| day.num_days_from_ce() - epoch).collect(),
        }
    }

    /// The days on which nobody works.
    pub fn holidays(&self) -> Vec<SpecialDay> {
        let closed = |day: &i32| SpecialDay {
            day: *day,
            hours: None,
        };
        self.holidays.iter().map(closed).collect()
    }
}
