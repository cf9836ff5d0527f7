-- Question: what did each distributor sell in the 12 months up to each month, and the 12 before that?
-- Grain: one row per distributor and month, zero-filled from the first month of the data to the last.
-- NULL: rolling_12 is NULL before the twelfth month, previous_12 and change_pct before the twenty-fourth.
WITH booked AS (
    SELECT distributor_id,
           CAST(date_part('year', booked_at) AS BIGINT) * 12 + CAST(date_part('month', booked_at) AS BIGINT) - 1 AS period,
           SUM(amount) AS revenue
    FROM revenue
    GROUP BY 1, 2
),
periods AS (SELECT DISTINCT period FROM booked),
spine AS (
    SELECT d.distributor_id, d.name, p.period, COALESCE(b.revenue, 0) AS revenue
    FROM distributors d
    CROSS JOIN periods p
    LEFT JOIN booked b ON b.distributor_id = d.distributor_id AND b.period = p.period
),
rolled AS (
    SELECT distributor_id, name, period, revenue,
           SUM(revenue) OVER (PARTITION BY distributor_id ORDER BY period ROWS BETWEEN 11 PRECEDING AND CURRENT ROW) AS sum_12,
           COUNT(*) OVER (PARTITION BY distributor_id ORDER BY period ROWS BETWEEN 11 PRECEDING AND CURRENT ROW) AS months
    FROM spine
),
compared AS (
    SELECT distributor_id, name, period, revenue,
           CASE WHEN months = 12 THEN sum_12 END AS rolling_12,
           LAG(CASE WHEN months = 12 THEN sum_12 END, 12) OVER (PARTITION BY distributor_id ORDER BY period) AS previous_12
    FROM rolled
)
SELECT distributor_id, name,
       CAST(floor(period / 12.0) AS BIGINT) AS year,
       period % 12 + 1 AS month,
       CAST(revenue AS DOUBLE) AS revenue,
       CAST(rolling_12 AS DOUBLE) AS rolling_12,
       CAST(previous_12 AS DOUBLE) AS previous_12,
       CASE WHEN previous_12 > 0
            THEN round(100.0 * CAST(rolling_12 - previous_12 AS DOUBLE) / CAST(previous_12 AS DOUBLE), 2) END AS change_pct
FROM compared
ORDER BY period DESC, rolling_12 DESC NULLS LAST, distributor_id
