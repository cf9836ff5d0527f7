-- Question: how much did each distributor sell per quarter, and how does that compare with the year before?
-- Grain: one row per distributor and quarter, zero-filled from the first quarter of the data to the last.
-- NULL: year_ago and change are NULL where the data does not reach back a year; change_pct also where year_ago is not above 0.
WITH booked AS (
    SELECT distributor_id,
           CAST(date_part('year', booked_at) AS BIGINT) * 4 + CAST(date_part('quarter', booked_at) AS BIGINT) - 1 AS period,
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
compared AS (
    SELECT distributor_id, name, period, revenue,
           LAG(revenue, 4) OVER (PARTITION BY distributor_id ORDER BY period) AS year_ago
    FROM spine
)
SELECT distributor_id, name,
       CAST(floor(period / 4.0) AS BIGINT) AS year,
       period % 4 + 1 AS quarter,
       CAST(revenue AS DOUBLE) AS revenue,
       CAST(year_ago AS DOUBLE) AS year_ago,
       CAST(revenue - year_ago AS DOUBLE) AS change,
       CASE WHEN year_ago > 0
            THEN round(100.0 * CAST(revenue - year_ago AS DOUBLE) / CAST(year_ago AS DOUBLE), 2) END AS change_pct
FROM compared
ORDER BY period DESC, revenue DESC, distributor_id
