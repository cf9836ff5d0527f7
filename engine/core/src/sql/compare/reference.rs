//! What the reference says of `compare()` and `scorecard()`.

use crate::sql::functions::Entry;

const COMPARE: &str = "\
`FROM compare(metric [, by => […]] [, grain => '…'] [, vs => […]] [, from_date => …] [, to_date => …] [, as_of => …] [, partial => '…'] [, like_for_like => true] [, peers => '…'] [, adjust => […]] [, conf => .95] [, min_n => 1] [, ranks => true])`

A metric of each period and distributor beside what it is compared with: value, base, difference, change, each with how sure it is.

- `metric`: a metric's name; the table `metrics` lists them
- `by`: columns of the metric's rows, `['distributor']` by default; `[]` is everything in one row. distributor, rep, product and campaign stand for their ids
- `grain`: total, day, week (ISO), month (the default), quarter, half, year, fiscal_quarter, fiscal_year
- `vs`: one or several of previous_period (the default), previous_year, a day (the period it is in), peers (all others of the peer group), network (everybody), target (the quota in `targets`), version:1.0.0 (rows of that version, where the metric has a column `version`); each gives rows of its own
- `from_date`, `to_date`: the days that the answer covers; the last 12 months, 8 quarters and so on up to `as_of` by default
- `as_of`: what is newer is left out; the newest instant in the data by default
- `partial`: what becomes of the period that is not over: to_date (the default) compares it with the same number of days, include with the whole period, exclude leaves it out
- `like_for_like`: only distributors that were active in both whole windows
- `peers`: the peer group: all (the default), region or tier
- `adjust`: columns of a rate's rows; `oe` is then observed over expected, where the network's rate for the same mix of leads is expected
- `conf`: confidence of the intervals; `min_n`: below so many rows the status is `small_n`; `ranks`: also an interval for the rank of a rate

Returns a table of

- the columns of `by`, as they were named; `vs` VARCHAR; `period_start`, `period_end` DATE, the last day included; `is_partial` BOOLEAN
- `value`, `n`, `lo`, `hi`: the metric, the rows behind it, its interval
- `base_value`, `base_n`, `diff`, `diff_lo`, `diff_hi`, `pct_change`, `p_value`: the base and the difference; `q_value`: the same corrected for the number of rows (Benjamini & Hochberg)
- `share` of all rows' total (sums and counts), `rank` (1 is best in the metric's direction), `rank_lo`, `rank_hi`
- `oe`, `oe_lo`, `oe_hi`: observed over expected with Byar's limits; `standing` below, watch, in_line or cannot_tell, and `mde`, of rates, by `funnel_limits`
- `n_units`, `new_units`, `lost_units`: distributors active in both windows, only now, only then
- `status`: no_data, immature, partial, zero_base, small_n or ok, the first that holds

*NULL and errors:* by distributor, and for everything in one row, periods without rows are rows with a sum or a count of 0, and a rate of NULL; other cuts have the rows that occur. What is not known of a base is NULL, never 0. Unknown arguments and words are errors that list the known ones.

*Source:* as `comparison`, `funnel_limits`, `p_adjust`, `rank_posterior`.";

const SCORECARD: &str = "\
`FROM scorecard(period [, grain => '…'] [, metrics => […]] [, by => […]] [, as_of => …] [, partial => '…'] [, conf => .95])`

Several metrics of one period, each beside the period before, the year before, and its quota.

- `period`: 2024, 2024-H1, 2024-Q3, 2024-07, 2024-W27, or a day
- `metrics`: revenue, leads_sent, acceptance_rate, touch_rate_48h, win_rate, rejection_rate and resource_cost by default
- the others as in `compare`

Returns the columns of `compare` with `metric` before them; `vs` is previous_period, previous_year or target.

*NULL and errors:* as `compare`.

*Source:* as `compare`.";

/// The entries of both.
pub fn entries() -> [Entry; 2] {
    let entry = |name, text: &str, example| Entry {
        chapter: "Comparison",
        name,
        text: text.to_owned(),
        example,
    };
    [
        entry(
            "compare",
            COMPARE,
            "SELECT distributor, period_start, value, base_value, diff, pct_change, share, rank, status FROM compare('revenue', grain => 'quarter', vs => 'previous_period', from_date => DATE '2024-01-01', to_date => DATE '2024-06-30') ORDER BY period_start, distributor",
        ),
        entry(
            "scorecard",
            SCORECARD,
            "SELECT metric, distributor, value, base_value, pct_change, status FROM scorecard('2024-Q1', metrics => ['revenue', 'leads_sent', 'win_rate']) WHERE vs = 'previous_period' ORDER BY metric, distributor",
        ),
    ]
}
