//! The SELECT that a call of `compare()` stands for.
//!
//! ```text
//! bounds   the days and periods that the call means
//! asked    the periods that are asked for          uses    which periods each of them needs, and as what
//! cells    the metric's rows, summed by distributor, dimensions and period: the one pass over the data
//! parts    cells, each in every role that it has   units   the sums of each distributor and period, role beside role
//! judged   who was there before and after, and what the network would have made of the same leads
//! rows     the sums of each row of the answer      compared    and what the numerics say of them
//! ```

use std::fmt::Write;

use super::call::Call;
use super::options::{Dimension, Options, Versus};
use crate::fault::Result;
use crate::metric::{Direction, MetricKind, Metrics};

/// The sums over rows, in the order in which `comparison` takes them.
const SUMS: [&str; 6] = ["n", "y", "x", "yy", "xy", "xx"];
/// Trials that the network's rate adds to each stratum, so that a small one is not taken at its word.
const STRATUM_PRIOR: &str = "20.0";

/// The SELECT.
pub fn select(call: &Call, metrics: &Metrics) -> Result<String> {
    let options = Options::of(call, metrics)?;
    Ok(Select(&options).text())
}

struct Select<'a>(&'a Options<'a>);

impl Select<'_> {
    fn text(&self) -> String {
        let parts = [
            ("_bounds", self.bounds()),
            ("_asked", self.targets()),
            ("_uses", self.uses()),
            ("_cells", self.cells()),
            ("_parts", self.parts()),
            ("_units", self.units()),
            ("_judged", self.judged()),
            ("_rows", self.rows()),
            ("_compared", self.compared()),
        ];
        let mut text = String::from("WITH ");
        for (place, (name, select)) in parts.iter().enumerate() {
            let comma = if place > 0 { ",\n" } else { "" };
            let _ = write!(text, "{comma}{name} AS (\n{select}\n)");
        }
        let _ = write!(text, "\n{}", self.answer());
        text
    }

    /// The grain in which periods are counted.
    fn grain(&self) -> &str {
        match self.0.is_total() {
            true => "day",
            false => self.0.grain,
        }
    }

    fn bounds(&self) -> String {
        let grain = self.grain();
        let (as_of, from) = match &self.0.as_of {
            Some(as_of) => (as_of.clone(), ""),
            None => ("CAST(as_of AS DATE)".to_owned(), " FROM v_clock"),
        };
        let to = match &self.0.to {
            Some(to) => format!("least({to}, as_of)"),
            None => "as_of".to_owned(),
        };
        let first = match (&self.0.from, self.0.grain) {
            (Some(from), _) => from.clone(),
            (None, "total") => format!("period_start({to}, 'year')"),
            (None, grain) => {
                let back = match grain {
                    "day" => -27,
                    "week" => -12,
                    "month" => -11,
                    "quarter" | "fiscal_quarter" => -7,
                    _ => -2,
                };
                format!("period_shift({to}, '{grain}', {back})")
            }
        };
        let over = match self.0.partial {
            "exclude" if !self.0.is_total() => format!(
                "least(period_index({to}, '{grain}'), period_index(as_of, '{grain}')
                    - CASE WHEN as_of < period_end(as_of, '{grain}') THEN 1 ELSE 0 END)"
            ),
            _ => format!("period_index({to}, '{grain}')"),
        };
        let asked = self.0.to.as_deref().unwrap_or("as_of");
        format!(
            "SELECT as_of, period_index(as_of, 'day') AS as_of_day, period_index(as_of, '{grain}') AS now,
    period_index(as_of, 'day') - period_index(period_start(as_of, '{grain}'), 'day') AS elapsed,
    as_of < period_end(as_of, '{grain}') AS is_open, {asked} > as_of AS is_cut,
    period_index({first}, '{grain}') AS lo, {over} AS hi
FROM (SELECT {as_of} AS as_of{from}) AS clock"
        )
    }

    fn targets(&self) -> String {
        match self.0.is_total() {
            true => "SELECT CAST(0 AS BIGINT) AS target".to_owned(),
            false => "SELECT unnest(generate_series(lo, hi)) AS target FROM _bounds".to_owned(),
        }
    }

    /// The roles that rows have: in the period itself, and as the base of each comparison with other rows.
    fn uses(&self) -> String {
        let grain = self.grain();
        let mut uses = vec![self.role("now", "t.target", "b.lo", "b.hi", "FALSE", "FALSE")];
        let early = match self.0.partial {
            "to_date" if !self.0.is_total() => "t.target = b.now AND b.is_open",
            _ => "FALSE",
        };
        for (number, (_, versus)) in self.0.vs.iter().enumerate() {
            let role = format!("base{number}");
            uses.push(match versus {
                Versus::PreviousPeriod => self.role(
                    &role,
                    "t.target - 1",
                    "b.lo - (b.hi - b.lo + 1)",
                    "b.lo - 1",
                    early,
                    "FALSE",
                ),
                Versus::PreviousYear => {
                    let back = |index: &str| {
                        format!("period_index(period_year_shift(period_at({index}, '{grain}'), '{grain}', -1), '{grain}')")
                    };
                    self.role(&role, &back("t.target"), &back("b.lo"), &back("b.hi"), early, "FALSE")
                }
                Versus::Day(day) => {
                    let index = format!("period_index({day}, '{grain}')");
                    let last = format!("{index} + b.hi - b.lo");
                    self.role(&role, &index, &index, &last, early, "FALSE")
                }
                Versus::Version(_) => self.role(&role, "t.target", "b.lo", "b.hi", "FALSE", "TRUE"),
                Versus::Peers | Versus::Network | Versus::Target => continue,
            });
        }
        uses.join("\nUNION ALL\n")
    }

    fn role(
        &self,
        role: &str,
        source: &str,
        lo: &str,
        hi: &str,
        early: &str,
        other: &str,
    ) -> String {
        let source = match self.0.is_total() {
            true => format!("{lo} AS _source, {hi} AS _source_hi"),
            false => format!("{source} AS _source"),
        };
        format!(
            "SELECT t.target, '{role}' AS role, {source}, {early} AS early_only, {other} AS other_version
FROM _asked AS t CROSS JOIN _bounds AS b"
        )
    }

    /// The dimensions that cells are cut by, distributors aside.
    fn dimensions(&self) -> Vec<&Dimension> {
        let mut all: Vec<&Dimension> = Vec::new();
        for dimension in self.0.by.iter().chain(&self.0.adjust) {
            let known = all.iter().any(|known| known.column == dimension.column);
            if !known && dimension.column != "distributor_id" {
                all.push(dimension);
            }
        }
        all
    }

    /// The name that a dimension has until it comes out: the metric's own names could be those of sums and periods.
    fn inner(&self, dimension: &Dimension) -> String {
        let mut all = self.dimensions().into_iter();
        match all.position(|known| known.column == dimension.column) {
            Some(place) => format!("_cut{place}"),
            None => "unit".to_owned(),
        }
    }

    /// The dimensions as columns, each with a comma after it.
    fn cut(&self, prefix: &str) -> String {
        let columns = (0..self.dimensions().len()).map(|place| format!("{prefix}_cut{place}, "));
        columns.collect()
    }

    fn version(&self) -> Option<&str> {
        self.0.vs.iter().find_map(|(_, versus)| match versus {
            Versus::Version(version) => Some(version.as_str()),
            _ => None,
        })
    }

    fn cells(&self) -> String {
        let grain = self.grain();
        let early = match self.0.is_total() {
            true => "TRUE".to_owned(),
            false => format!(
                "period_index(f.at, 'day') - period_index(period_start(f.at, '{grain}'), 'day') <= b.elapsed"
            ),
        };
        let other = match self.version() {
            Some(version) => format!("f.\"version\" = '{}'", version.replace('\'', "''")),
            None => "FALSE".to_owned(),
        };
        let cut: String = self
            .dimensions()
            .into_iter()
            .map(|it| format!("f.\"{}\" AS {}, ", it.column, self.inner(it)))
            .collect();
        let groups: Vec<String> = (1..=self.dimensions().len() + 4)
            .map(|it| it.to_string())
            .collect();
        format!(
            "SELECT {cut}f.distributor_id AS unit, period_index(f.at, '{grain}') AS _source, {early} AS is_early,
    {other} AS other_version, {sums}
FROM (
{metric}
) AS f CROSS JOIN _bounds AS b
WHERE period_index(f.at, 'day') <= b.as_of_day
GROUP BY {groups}",
            sums = self.sums(),
            metric = self.0.metric.sql,
            groups = groups.join(", "),
        )
    }

    /// Sums over rows. Decimals add up exactly, so that the answer does not depend on who adds them.
    fn sums(&self) -> String {
        let exact = |it: &str| format!("sum(CAST({it} AS DECIMAL(38, 6)))");
        let square = |one: &str, two: &str| {
            format!("sum(CAST(CAST({one} AS DOUBLE) * CAST({two} AS DOUBLE) AS DECIMAL(38, 4)))")
        };
        let (value, numerator, denominator) = ("f.\"value\"", "f.numerator", "f.denominator");
        let none = || "CAST(0 AS DECIMAL(38, 6))".to_owned();
        let none_squared = || "CAST(0 AS DECIMAL(38, 4))".to_owned();
        let [n, y, x, yy, xy, xx] = match self.0.metric.measure.kind {
            MetricKind::Sum => [
                format!("count({value})"),
                exact(value),
                none(),
                square(value, value),
                none_squared(),
                none_squared(),
            ],
            MetricKind::Count => [
                "count(*)".to_owned(),
                none(),
                none(),
                none_squared(),
                none_squared(),
                none_squared(),
            ],
            MetricKind::Ratio => [
                "count(*)".to_owned(),
                exact(numerator),
                exact(denominator),
                square(numerator, numerator),
                square(numerator, denominator),
                square(denominator, denominator),
            ],
            MetricKind::Rate => [
                "count(f.event)".to_owned(),
                "CAST(count(*) FILTER (WHERE f.event) AS DECIMAL(38, 6))".to_owned(),
                none(),
                none_squared(),
                none_squared(),
                none_squared(),
            ],
        };
        format!("{n} AS n, {y} AS y, {x} AS x, {yy} AS yy, {xy} AS xy, {xx} AS xx")
    }

    fn parts(&self) -> String {
        let on = match self.0.is_total() {
            true => "c._source BETWEEN u._source AND u._source_hi",
            false => "c._source = u._source",
        };
        let version = match self.version() {
            Some(_) => " AND c.other_version = u.other_version",
            None => "",
        };
        let cut = self.cut("c.");
        let mut text = format!(
            "SELECT {cut}c.unit, u.target, u.role, NOT u.early_only OR c.is_early AS counts, c.n, c.y, c.x, c.yy, c.xy, c.xx
FROM _cells AS c JOIN _uses AS u ON {on}{version}"
        );
        text.push_str(&self.nothing());
        text
    }

    /// Rows of nothing, so that a period in which nothing happened is there all the same: of each distributor in turn, or
    /// of all in one. Other cuts have what occurs.
    fn nothing(&self) -> String {
        let nulls: String = self.dimensions().iter().map(|_| "NULL, ").collect();
        let zeros = "t.target, 'now', TRUE, 0, 0, 0, 0, 0, 0";
        match self.0.by[..] {
            [] => format!("\nUNION ALL\nSELECT {nulls}NULL, {zeros}\nFROM _asked AS t"),
            [ref only] if only.column == "distributor_id" => {
                let end = match self.0.is_total() {
                    true => "period_at(b.hi, 'day')".to_owned(),
                    false => format!(
                        "period_end(period_at(t.target, '{0}'), '{0}')",
                        self.grain()
                    ),
                };
                format!(
                    "\nUNION ALL
SELECT {nulls}d.distributor_id, {zeros}
FROM distributors AS d CROSS JOIN _asked AS t CROSS JOIN _bounds AS b
WHERE d.joined_on IS NULL OR d.joined_on <= {end}"
                )
            }
            _ => String::new(),
        }
    }

    fn units(&self) -> String {
        let of = |role: &str, sum: &str, counts: &str| {
            format!("coalesce(sum({sum}) FILTER (WHERE role = '{role}'{counts}), 0)")
        };
        let now: Vec<String> = SUMS
            .iter()
            .map(|sum| format!("{} AS {sum}", of("now", sum, "")))
            .collect();
        let base = |number: usize, (name, versus): &(String, Versus)| {
            let role = format!("base{number}");
            let mut fields = format!("'vs', '{}'", name.replace('\'', "''"));
            for sum in SUMS {
                let _ = write!(fields, ", '{sum}', {}", of(&role, sum, " AND counts"));
            }
            let is_period = versus.is_period();
            format!(
                "named_struct({fields}, 'full_n', {}, 'is_period', {is_period})",
                of(&role, "n", "")
            )
        };
        let bases: Vec<String> = self
            .0
            .vs
            .iter()
            .enumerate()
            .map(|(number, it)| base(number, it))
            .collect();
        let cut = self.cut("");
        format!(
            "SELECT {cut}unit, target, {}, unnest(make_array({})) AS base
FROM _parts
GROUP BY {cut}unit, target",
            now.join(", "),
            bases.join(", ")
        )
    }

    /// Which distributors were there in both windows, and what the network would have made of a unit's rows.
    fn judged(&self) -> String {
        let cut = self.cut("");
        let base: Vec<String> = SUMS
            .iter()
            .map(|sum| format!("base['{sum}'] AS base_{sum}"))
            .collect();
        let expected = match self.0.adjust.is_empty() {
            true => "CAST(NULL AS DECIMAL(38, 9))".to_owned(),
            false => {
                let strata = self
                    .0
                    .adjust
                    .iter()
                    .map(|it| format!(", {}", self.inner(it)));
                let strata: String = strata.collect();
                let over = format!("OVER (PARTITION BY base['vs'], target{strata})");
                let all = "OVER (PARTITION BY base['vs'], target)";
                format!(
                    "CAST(n * (CAST(sum(y) {over} AS DOUBLE) + {STRATUM_PRIOR} * CAST(sum(y) {all} AS DOUBLE) / nullif(sum(n) {all}, 0))
        / (sum(n) {over} + {STRATUM_PRIOR}) AS DECIMAL(38, 9))"
                )
            }
        };
        format!(
            "SELECT {cut}unit, target, base['vs'] AS vs, base['is_period'] AS is_period, {}, {},
    sum(n) OVER (PARTITION BY base['vs'], unit) > 0 AS is_now,
    sum(base['full_n']) OVER (PARTITION BY base['vs'], unit) > 0 AS was_then,
    {expected} AS expected
FROM _units",
            SUMS.join(", "),
            base.join(", ")
        )
    }

    fn rows(&self) -> String {
        let kept = match self.0.like_for_like {
            true => " FILTER (WHERE NOT is_period OR (is_now AND was_then))",
            false => "",
        };
        let sums = SUMS
            .iter()
            .flat_map(|sum| [(*sum).to_owned(), format!("base_{sum}")]);
        let sums: Vec<String> = sums
            .map(|sum| format!("coalesce(sum({sum}){kept}, 0) AS {sum}"))
            .collect();
        let (names, columns) = self.by_columns();
        let group = match self.0.peers {
            "all" => "",
            "region" => ", max(d.region) AS peer_group",
            _ => ", max(d.tier) AS peer_group",
        };
        let join = match self.0.peers {
            "all" => "",
            _ => " LEFT JOIN distributors AS d ON d.distributor_id = j.unit",
        };
        let columns: Vec<String> = columns
            .iter()
            .zip(&names)
            .map(|(column, name)| format!("j.{column} AS \"{name}\""))
            .collect();
        let mut selected = columns.clone();
        selected.push("j.vs".to_owned());
        selected.push("j.target".to_owned());
        let groups: Vec<String> = (1..=selected.len()).map(|it| it.to_string()).collect();
        format!(
            "SELECT {}, {}, sum(expected){kept} AS expected{group},
    count(DISTINCT unit) FILTER (WHERE is_now AND (NOT is_period OR was_then)) AS n_units,
    count(DISTINCT unit) FILTER (WHERE is_period AND is_now AND NOT was_then) AS new_units,
    count(DISTINCT unit) FILTER (WHERE is_period AND was_then AND NOT is_now) AS lost_units
FROM _judged AS j{join}
GROUP BY {}",
            selected.join(", "),
            sums.join(", "),
            groups.join(", ")
        )
    }

    /// The names of the answer's dimensions, and the columns that they are until then.
    fn by_columns(&self) -> (Vec<String>, Vec<String>) {
        let names = self.0.by.iter().map(|it| it.name.clone()).collect();
        let columns = self.0.by.iter().map(|it| self.inner(it));
        (names, columns.collect())
    }

    fn compared(&self) -> String {
        let kind = self.0.metric.measure.kind.name();
        let group = if self.0.peers == "all" {
            ""
        } else {
            ", peer_group"
        };
        let base = |sum: &str| {
            format!(
                "CASE vs WHEN 'network' THEN sum({sum}) OVER (PARTITION BY vs, target)
        WHEN 'peers' THEN sum({sum}) OVER (PARTITION BY vs, target{group}) - {sum}
        WHEN 'target' THEN NULL ELSE base_{sum} END"
            )
        };
        let bases: Vec<String> = SUMS.iter().map(|sum| base(sum)).collect();
        let has_target = self.0.vs.iter().any(|(_, it)| *it == Versus::Target);
        let (fixed, join) = match has_target && matches!(self.0.grain, "month" | "quarter" | "year")
        {
            true => {
                let name = &self.0.by[0].name;
                let metric = self.0.metric_name.replace('\'', "''");
                let grain = self.0.grain;
                (
                    "CASE vs WHEN 'target' THEN CAST(t.\"value\" AS DOUBLE) END",
                    format!(
                        " LEFT JOIN (
    SELECT subject_id, period_start, \"value\" FROM targets
    WHERE subject_kind = 'distributor' AND measure = '{metric}' AND grain = '{grain}'
) AS t ON t.subject_id = r.\"{name}\" AND t.period_start = period_at(r.target, '{grain}')"
                    ),
                )
            }
            false => ("CAST(NULL AS DOUBLE)", String::new()),
        };
        format!(
            "SELECT r.*, comparison('{kind}', n, y, x, yy, xy, xx, {}, {fixed}, {:?}) AS c
FROM _rows AS r{join}",
            bases.join(", "),
            self.0.conf
        )
    }

    fn answer(&self) -> String {
        let (names, _) = self.by_columns();
        let by: String = names.iter().map(|name| format!("\"{name}\", ")).collect();
        let measure = self.0.metric.measure;
        let grain = self.grain();
        let (start, end, partial) = match self.0.is_total() {
            true => (
                "period_at(b.lo, 'day')".to_owned(),
                "period_at(b.hi, 'day')".to_owned(),
                "b.is_cut",
            ),
            false => (
                format!("period_at(r.target, '{grain}')"),
                format!("period_end(period_at(r.target, '{grain}'), '{grain}')"),
                "(r.target = b.now AND b.is_open)",
            ),
        };
        let per = "OVER (PARTITION BY vs, target)";
        let share = match measure.kind {
            MetricKind::Sum => {
                format!("CAST(y AS DOUBLE) / nullif(CAST(sum(y) {per} AS DOUBLE), 0)")
            }
            MetricKind::Count => format!("CAST(n AS DOUBLE) / nullif(sum(n) {per}, 0)"),
            _ => "CAST(NULL AS DOUBLE)".to_owned(),
        };
        let order = match measure.direction {
            Direction::Up => "DESC",
            Direction::Down => "ASC",
        };
        let good = match measure.direction {
            Direction::Up => "CAST(y AS BIGINT)",
            Direction::Down => "n - CAST(y AS BIGINT)",
        };
        let is_rate = measure.kind == MetricKind::Rate;
        let ranks = |end: &str| match self.0.ranks && is_rate {
            true => format!("rank_posterior({good}, n) {per}['rank_{end}']"),
            false => "CAST(NULL AS DOUBLE)".to_owned(),
        };
        let oe = |end: &str| match self.0.adjust.is_empty() {
            true => "CAST(NULL AS DOUBLE)".to_owned(),
            false => format!(
                "count_ci(CAST(y AS BIGINT), CAST(expected AS DOUBLE), {:?}, 'byar')['{end}']",
                self.0.conf
            ),
        };
        let funnel = match (is_rate, self.0.adjust.is_empty(), measure.direction) {
            (false, _, _) => None,
            (true, true, _) => Some(format!("funnel_limits({good}, n) {per}")),
            (true, false, Direction::Up) => Some(format!(
                "funnel_limits(CAST(y AS BIGINT), CAST(expected AS DOUBLE), 'oe') {per}"
            )),
            (true, false, Direction::Down) => Some(format!(
                "funnel_limits({good}, n - CAST(expected AS DOUBLE), 'oe') {per}"
            )),
        };
        let (standing, mde) = match funnel {
            Some(funnel) => (format!("{funnel}['standing']"), format!("{funnel}['mde']")),
            None => (
                "CAST(NULL AS VARCHAR)".to_owned(),
                "CAST(NULL AS DOUBLE)".to_owned(),
            ),
        };
        let immature = match measure.maturity_days {
            0 => "FALSE".to_owned(),
            days => format!("period_index({end}, 'day') > b.as_of_day - {days}"),
        };
        let fields = |names: &[&str]| -> String {
            names
                .iter()
                .map(|name| format!("c['{name}'] AS {name}, "))
                .collect()
        };
        format!(
            "SELECT {by}vs, {start} AS period_start, {end} AS period_end, {partial} AS is_partial,
    {first}
    p_adjust(c['p_value']) OVER () AS q_value,
    {share} AS share,
    CASE WHEN c['value'] IS NOT NULL THEN CAST(rank() OVER (PARTITION BY vs, target ORDER BY c['value'] {order} NULLS LAST) AS BIGINT) END AS rank,
    {rank_lo} AS rank_lo, {rank_hi} AS rank_hi,
    {oe} AS oe, {oe_lo} AS oe_lo, {oe_hi} AS oe_hi,
    {standing} AS standing, {mde} AS mde,
    n_units, new_units, lost_units,
    CASE WHEN c['status'] = 'no_data' THEN 'no_data' WHEN {immature} THEN 'immature' WHEN {partial} THEN 'partial'
        WHEN c['status'] <> 'ok' THEN c['status'] WHEN n < {min_n} THEN 'small_n' ELSE 'ok' END AS status
FROM _compared AS r CROSS JOIN _bounds AS b",
            first = fields(&[
                "value", "n", "lo", "hi", "base_value", "base_n", "diff", "diff_lo", "diff_hi", "pct_change", "p_value",
            ])
            .trim_end(),
            rank_lo = ranks("lo"),
            rank_hi = ranks("hi"),
            oe = oe("value"),
            oe_lo = oe("lo"),
            oe_hi = oe("hi"),
            min_n = self.0.min_n,
        )
    }
}
