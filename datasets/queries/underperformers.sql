-- Question: who wins fewer of its leads than the network would, since when, and how sure is that?
-- Grain: one row per distributor, the strongest finding first.
-- Method: mature cohorts (120 days after mql_at, wins within 120 days). Expected wins are those of the network for the
-- same sources and industries in the same month, so that season, market and mix cancel. The spread of the distributors
-- (beyond chance, at least 5 %) is worth prior_wins expected wins of "as good as the network". A drop is found by the
-- maximum of the Poisson likelihood ratio over the months it may have begun in; its p-value is that of a maximum
-- (James, James and Siegmund 1987). A lasting low level is tested against the spread.
-- Both are corrected for the number of distributors (Benjamini and Hochberg).
-- standing: below (q <= 0.05 and at least a fifth below), watch (p <= 0.025), cannot_tell (a year of leads would
-- not show a halved win rate), in_line. since_from..since_to: months at least a twentieth as likely as since_month.
-- NULL: since_month and its range are NULL without a drop (a low level then holds for the whole time); every number is
-- NULL for a distributor without mature leads.
WITH cells AS (
    SELECT l.distributor_id,
           date_trunc('month', l.mql_at) AS month,
           c.source,
           substr(lower(trim(l.industry)), 1, 4) AS industry,
           CAST(COUNT(*) AS DOUBLE) AS mqls,
           SUM(CASE WHEN l.outcome = 'won' AND l.closed_at <= l.mql_at + INTERVAL '120 days' THEN 1.0 ELSE 0.0 END) AS won
    FROM leads l
    JOIN campaigns c ON c.campaign_id = l.campaign_id
    WHERE l.mql_at <= (SELECT MAX(created_at) FROM leads) - INTERVAL '120 days'
    GROUP BY 1, 2, 3, 4
),
strata AS (
    SELECT distributor_id, month, won,
           mqls * (SUM(won) OVER (PARTITION BY source, industry) + 20 * SUM(won) OVER () / SUM(mqls) OVER ())
               / (SUM(mqls) OVER (PARTITION BY source, industry) + 20) AS expected
    FROM cells
),
adjusted AS (
    SELECT distributor_id, month, SUM(won) AS observed, SUM(expected) AS expected
    FROM strata
    GROUP BY distributor_id, month
),
relative AS (
    SELECT distributor_id, month, observed,
           expected * SUM(observed) OVER (PARTITION BY month) / SUM(expected) OVER (PARTITION BY month) AS expected
    FROM adjusted
),
split AS (
    SELECT distributor_id, month,
           SUM(observed) OVER (PARTITION BY distributor_id) AS y,
           SUM(expected) OVER (PARTITION BY distributor_id) AS e,
           COALESCE(SUM(observed) OVER (PARTITION BY distributor_id ORDER BY month
               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0.0) AS y1,
           COALESCE(SUM(expected) OVER (PARTITION BY distributor_id ORDER BY month
               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0.0) AS e1,
           SUM(expected) OVER (PARTITION BY distributor_id ORDER BY month DESC
               ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS e_later,
           ROW_NUMBER() OVER (PARTITION BY distributor_id ORDER BY month DESC) AS months_left,
           COUNT(*) OVER (PARTITION BY distributor_id) AS months
    FROM relative
),
-- One row of each distributor (its last month) carries its level: the square root of observed / expected has the
-- variance 1 / (4 e) plus the spread (Anscombe's 3 / 8 keeps it so for small numbers).
level AS (
    SELECT *,
           MAX(CASE WHEN months_left <= 12 THEN e_later END) OVER (PARTITION BY distributor_id) AS e12,
           CASE WHEN months_left = 1 THEN 2 * (sqrt(y + 0.375) - sqrt(e + 0.375)) END AS z,
           CASE WHEN months_left = 1 THEN 4 * e END AS w
    FROM split
),
ranked AS (
    SELECT *,
           CASE WHEN z IS NOT NULL
                THEN CAST(ROW_NUMBER() OVER (PARTITION BY months_left ORDER BY z) AS DOUBLE) / COUNT(z) OVER () END AS quantile
    FROM level
),
clipped AS (
    SELECT *,
           -- least and greatest pass over NULL, so rows without a z need the CASE.
           CASE WHEN z IS NOT NULL
                THEN least(greatest(z, MIN(CASE WHEN quantile > 0.1 THEN z END) OVER ()),
                           MAX(CASE WHEN quantile <= 0.9 THEN z END) OVER ()) END AS z_clipped
    FROM ranked
),
spread AS (
    SELECT *,
           greatest(0.000625, (SUM(z_clipped * z_clipped) OVER () / 0.6787 - (COUNT(z) OVER () - 1))
                              / NULLIF(SUM(w) OVER () - SUM(w * w) OVER () / SUM(w) OVER (), 0)) AS tau2
    FROM clipped
),
prior AS (SELECT *, y - y1 AS y2, e - e1 AS e2, 1 / (4 * tau2) AS prior_wins FROM spread),
scanned AS (
    SELECT *,
           CASE WHEN e1 >= 0.1 * e AND e2 >= 0.1 * e AND (y1 + prior_wins) / (e1 + prior_wins) > y2 / e2
                THEN (y1 + prior_wins) * ln((y1 + prior_wins) / (e1 + prior_wins))
                     + CASE WHEN y2 > 0 THEN y2 * ln(y2 / e2) ELSE 0.0 END
                     - (y + prior_wins) * ln((y + prior_wins) / (e + prior_wins)) END AS gain
    FROM prior
),
likely AS (SELECT *, MAX(gain) OVER (PARTITION BY distributor_id) AS top FROM scanned),
placed AS (
    SELECT *,
           MIN(CASE WHEN gain >= top - 3.0 THEN month END) OVER (PARTITION BY distributor_id) AS since_from,
           MAX(CASE WHEN gain >= top - 3.0 THEN month END) OVER (PARTITION BY distributor_id) AS since_to,
           ROW_NUMBER() OVER (PARTITION BY distributor_id ORDER BY gain DESC NULLS LAST, month) AS likelihood_rank
    FROM likely
),
scores AS (
    SELECT *,
           sqrt(2 * greatest(0.0, gain)) AS b,
           greatest(-8.0, 2 * (sqrt(y + 0.375) - sqrt(e + 0.375)) / sqrt(1 + 4 * e * tau2)) AS z_level
    FROM placed
    WHERE likelihood_rank = 1
),
tested AS (
    SELECT *,
           CASE WHEN b > 1.5 THEN least(1.0, 0.5 * exp(-b * b / 2) / 2.5066 * ((b - 1 / b) * 4.394 + 4 / b)) ELSE 1.0 END AS p_drop,
           -- The normal tail by its logistic approximation; DataFusion has no erf.
           1 / (1 + exp(-1.5976 * z_level - 0.070565 * power(z_level, 3))) AS p_level
    FROM scores
),
corrected AS (
    SELECT *,
           least(1.0, p_drop * COUNT(*) OVER () / RANK() OVER (ORDER BY p_drop)) AS bh_drop,
           least(1.0, p_level * COUNT(*) OVER () / RANK() OVER (ORDER BY p_level)) AS bh_level
    FROM tested
),
monotone AS (
    SELECT *,
           MIN(bh_drop) OVER (ORDER BY p_drop DESC) AS q_drop,
           MIN(bh_level) OVER (ORDER BY p_level DESC) AS q_level
    FROM corrected
),
judged AS (
    SELECT *,
           COALESCE(q_drop <= 0.05 AND y2 / e2 <= 0.8, FALSE) AS dropped,
           CASE WHEN (q_drop <= 0.05 AND y2 / e2 <= 0.8) OR (q_level <= 0.05 AND y / e <= 0.8) THEN 0
                WHEN (p_drop <= 0.025 AND y2 / e2 <= 0.8) OR p_level <= 0.025 THEN 1
                ELSE 2 END AS place
    FROM monotone
),
shown AS (
    SELECT *,
           CASE WHEN dropped THEN y2 ELSE y END AS observed,
           CASE WHEN dropped THEN e2 ELSE e END AS expected,
           CASE WHEN dropped THEN q_drop ELSE q_level END AS q_value,
           least(p_drop, p_level) AS chance
    FROM judged
)
SELECT d.distributor_id, d.name,
       CASE WHEN place = 0 THEN 'below'
            WHEN place = 1 THEN 'watch'
            WHEN COALESCE(e12, 0) < 23 THEN 'cannot_tell'
            ELSE 'in_line' END AS standing,
       CASE WHEN dropped THEN CAST(month AS DATE) END AS since_month,
       CASE WHEN dropped THEN CAST(since_from AS DATE) END AS since_from,
       CASE WHEN dropped THEN CAST(since_to AS DATE) END AS since_to,
       CAST(observed AS BIGINT) AS wins,
       round(expected, 1) AS expected_wins,
       round(observed / expected, 2) AS ratio,
       -- Byar's limits.
       round(CASE WHEN observed > 0
                  THEN observed * power(1 - 1 / (9 * observed) - 1.96 / (3 * sqrt(observed)), 3) / expected
                  ELSE 0.0 END, 2) AS ratio_lo,
       round((observed + 1) * power(1 - 1 / (9 * (observed + 1)) + 1.96 / (3 * sqrt(observed + 1)), 3) / expected, 2) AS ratio_hi,
       CASE WHEN dropped THEN round(y1 / e1, 2) END AS ratio_before,
       round(q_value, 5) AS q_value,
       -- The smallest drop that a year of leads shows with 80 % power.
       round(100 * (1 - power(greatest(0.0, 1 - 1.4 / sqrt(e12)), 2)), 0) AS detectable_drop_pct
FROM distributors d
LEFT JOIN shown s ON s.distributor_id = d.distributor_id
ORDER BY place, chance, distributor_id
