//! Periods of the calendar: where they start and end, how they shift, what they are called, and business hours.
//!
//! A date is a number of days since 1970-01-01 in the proleptic Gregorian calendar, from 0001-01-01 to 9999-12-31.
//! What always holds: a period is an index first and a date second, so a shift never meets the end of a month, and
//! periods are half-open. Nothing here knows the clock, or time zones beyond a fixed offset.

mod business;
mod civil;
mod grain;
mod period;
mod retail;
mod to_date;

pub use business::{BusinessCalendar, Hours, SpecialDay};
pub use civil::{Civil, civil, day_of, iso_week};
pub use grain::Grain;
pub use period::Calendar;
pub use retail::{RetailCalendar, RetailDate, RetailGrain, WeekPattern};
pub use to_date::{Elapsed, Shift, ToDate, Window};
