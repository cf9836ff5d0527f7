-- Question: what share of the year's revenue does each distributor bring, which rank is that, and how did both move?
-- Grain: one row per distributor and year in which it booked anything.
-- NULL: previous_* and rank_change are NULL when the distributor booked nothing in the year before.
WITH booked AS (
    SELECT distributor_id, CAST(date_part('year', booked_at) AS BIGINT) AS year, SUM(amount) AS revenue
    FROM revenue
    GROUP BY 1, 2
),
ranked AS (
    SELECT distributor_id, year,
           CAST(revenue AS DOUBLE) AS revenue,
           100.0 * CAST(revenue AS DOUBLE) / CAST(SUM(revenue) OVER (PARTITION BY year) AS DOUBLE) AS share,
           100.0 * CAST(SUM(revenue) OVER (PARTITION BY year ORDER BY revenue DESC, distributor_id
               ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS DOUBLE)
               / CAST(SUM(revenue) OVER (PARTITION BY year) AS DOUBLE) AS cumulative,
           RANK() OVER (PARTITION BY year ORDER BY revenue DESC) AS place
    FROM booked
)
SELECT r.year,
       CAST(r.place AS BIGINT) AS rank,
       r.distributor_id, d.name, r.revenue,
       round(r.share, 3) AS share_pct,
       round(r.cumulative, 3) AS cumulative_pct,
       round(p.share, 3) AS previous_share_pct,
       round(r.share - p.share, 3) AS share_change,
       CAST(p.place AS BIGINT) - CAST(r.place AS BIGINT) AS rank_change
FROM ranked r
JOIN distributors d ON d.distributor_id = r.distributor_id
LEFT JOIN ranked p ON p.distributor_id = r.distributor_id AND p.year = r.year - 1
ORDER BY r.year DESC, r.place, r.distributor_id
