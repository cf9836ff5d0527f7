-- v_revenue_by_period: revenue of each distributor by month, quarter and year, beside the period before and a year ago.
-- Grain and key: distributor_id × grain {month, quarter, year} × period_start.
-- is_partial: the data does not cover the whole period; its revenue and changes are not comparable yet.
-- NULL: previous, year_ago and the changes are NULL where the data does not reach back that far; a percentage is also
-- NULL where its base is 0. Periods without a booking are rows with 0, so that shifts always meet the right period.
WITH grains AS (
    SELECT distributor_id, 'month' AS grain, period_start, revenue, bookings, is_partial FROM v_spine
    UNION ALL
    SELECT distributor_id, 'quarter', CAST(date_trunc('quarter', period_start) AS DATE), revenue, bookings, is_partial
    FROM v_spine
    UNION ALL
    SELECT distributor_id, 'year', CAST(date_trunc('year', period_start) AS DATE), revenue, bookings, is_partial
    FROM v_spine
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
