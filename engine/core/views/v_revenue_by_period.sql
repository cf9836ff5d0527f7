-- v_revenue_by_period: revenue of each distributor by month, quarter and year, beside the period before and a year ago.
-- Grain and key: distributor_id × grain {month, quarter, year} × period_start.
-- is_partial: the data does not cover the whole period; its revenue and changes are not comparable yet.
-- NULL: previous, year_ago and the changes are NULL where the data does not reach back that far; a percentage is also
-- NULL where its base is 0. Periods without a booking are rows with 0, so that shifts always meet the right period.
WITH grains AS (
    SELECT
        s.distributor_id,
        g.grain,
        CASE g.grain
            WHEN 'month' THEN s.period_start
            WHEN 'quarter' THEN CAST(date_trunc('quarter', s.period_start) AS DATE)
            ELSE CAST(date_trunc('year', s.period_start) AS DATE)
        END AS period_start,
        s.revenue, s.bookings, s.is_partial
    FROM (VALUES ('month'), ('quarter'), ('year')) AS g (grain)
    CROSS JOIN v_spine AS s
),
periods AS (
    SELECT
        distributor_id, grain, period_start,
        sum(revenue) AS revenue, sum(bookings) AS bookings,
        bool_or(is_partial) OR count(*) < CASE grain WHEN 'month' THEN 1 WHEN 'quarter' THEN 3 ELSE 12 END AS is_partial
    FROM grains
    GROUP BY distributor_id, grain, period_start
),
shifted AS (
    SELECT
        *,
        lag(revenue, 1) OVER each_grain AS previous,
        CASE grain
            WHEN 'month' THEN lag(revenue, 12) OVER each_grain
            WHEN 'quarter' THEN lag(revenue, 4) OVER each_grain
            ELSE lag(revenue, 1) OVER each_grain
        END AS year_ago
    FROM periods
    WINDOW each_grain AS (PARTITION BY distributor_id, grain ORDER BY period_start)
)
SELECT
    distributor_id,
    grain,
    period_start,
    is_partial,
    revenue,
    bookings,
    previous,
    revenue - previous AS diff_previous,
    CAST(revenue - previous AS DOUBLE) / nullif(CAST(previous AS DOUBLE), 0) AS pct_previous,
    year_ago,
    revenue - year_ago AS diff_year_ago,
    CAST(revenue - year_ago AS DOUBLE) / nullif(CAST(year_ago AS DOUBLE), 0) AS pct_year_ago
FROM shifted
