-- Question: which rejection reasons belong to one distributor rather than to the network?
-- Grain: one row per distributor and reason it gave, the most over-represented first.
-- Method: log odds of the reason here against everywhere else, with the network's counts (scaled to 50) as the prior;
-- z is that in standard errors.
-- finding: over_represented (z >= 4, because some 500 pairs are looked at, and at least twice the network's share),
-- watch (z >= 3), none. NULL: nothing is NULL; a distributor that never rejected has no row.
WITH counts AS (
    SELECT distributor_id, reject_reason AS reason, CAST(COUNT(*) AS DOUBLE) AS y
    FROM leads
    WHERE rejected_at IS NOT NULL AND reject_reason IS NOT NULL
    GROUP BY distributor_id, reject_reason
),
totals AS (
    SELECT distributor_id, reason, y,
           SUM(y) OVER (PARTITION BY distributor_id) AS n,
           SUM(y) OVER (PARTITION BY reason) AS network_y,
           SUM(y) OVER () AS network_n
    FROM counts
),
priors AS (
    SELECT *, 50.0 * network_y / network_n AS a,
           network_y - y AS other_y, network_n - n AS other_n
    FROM totals
),
odds AS (
    SELECT *,
           (ln((y + a) / (n + 50 - y - a)) - ln((other_y + a) / (other_n + 50 - other_y - a)))
               / sqrt(1 / (y + a) + 1 / (other_y + a)) AS z,
           (y / n) / (network_y / network_n) AS lift
    FROM priors
)
SELECT o.distributor_id, d.name, o.reason,
       CASE WHEN z >= 4 AND lift >= 2 THEN 'over_represented' WHEN z >= 3 THEN 'watch' ELSE 'none' END AS finding,
       CAST(y AS BIGINT) AS rejections,
       CAST(n AS BIGINT) AS all_rejections,
       round(100 * y / n, 2) AS share_pct,
       round(100 * network_y / network_n, 2) AS network_share_pct,
       round(lift, 2) AS lift,
       round(z, 2) AS z
FROM odds o
JOIN distributors d ON d.distributor_id = o.distributor_id
ORDER BY z DESC, o.distributor_id, o.reason
