-- Question: of the leads that became MQL in a month, how many were sent, accepted (DQL), made an opportunity, and won?
-- Grain: one row per month of mql_at. Cohorts count as mature when their youngest lead is at least 120 days old;
-- won counts wins within 120 days of mql_at, so that months are comparable.
-- NULL: win_rate_pct and won are NULL for a month that is not mature yet; a rate is NULL when nobody reached the stage before.
WITH cohorts AS (
    SELECT CAST(date_part('year', mql_at) AS BIGINT) * 12 + CAST(date_part('month', mql_at) AS BIGINT) - 1 AS period,
           COUNT(*) AS mql,
           COUNT(sent_at) AS sent,
           COUNT(dql_at) AS dql,
           COUNT(opportunity_at) AS opportunity,
           SUM(CASE WHEN outcome = 'won' AND closed_at <= mql_at + INTERVAL '120' DAY THEN 1 ELSE 0 END) AS won,
           MAX(mql_at) + INTERVAL '120' DAY AS mature_at
    FROM leads
    WHERE mql_at IS NOT NULL
    GROUP BY 1
),
as_of AS (SELECT MAX(created_at) AS now FROM leads)
SELECT CAST(floor(period / 12.0) AS BIGINT) AS year,
       period % 12 + 1 AS month,
       mature_at <= now AS mature,
       mql, sent, dql, opportunity,
       CASE WHEN mature_at <= now THEN CAST(won AS BIGINT) END AS won,
       round(100.0 * sent / NULLIF(mql, 0), 2) AS sent_pct,
       round(100.0 * dql / NULLIF(sent, 0), 2) AS dql_pct,
       round(100.0 * opportunity / NULLIF(dql, 0), 2) AS opportunity_pct,
       CASE WHEN mature_at <= now THEN round(100.0 * won / mql, 2) END AS win_rate_pct
FROM cohorts
CROSS JOIN as_of
ORDER BY period DESC
