-- Question: whose win rate is low only because its leads are worse?
-- Grain: one row per distributor with mature leads, the lowest raw rate (in standard errors) first.
-- Method: the raw rate is compared with the network's, and with what the network wins of the same sources and
-- industries. mix_effect + own_effect = win_rate - network_rate, in percentage points.
-- finding: worse_leads (raw rate at least a fifth below and significant at 1 %; the mix alone makes it 15 % lower and
-- explains more than two thirds; the adjusted rate is not significantly low), own_rate (raw rate as low, and the
-- adjusted one significantly low too: see underperformers), none.
-- NULL: nothing is NULL; a distributor without mature leads has no row.
WITH cells AS (
    SELECT l.distributor_id,
           c.source,
           substr(lower(trim(l.industry)), 1, 4) AS industry,
           CAST(COUNT(*) AS DOUBLE) AS mqls,
           SUM(CASE WHEN l.outcome = 'won' AND l.closed_at <= l.mql_at + INTERVAL '120 days' THEN 1.0 ELSE 0.0 END) AS won
    FROM leads l
    JOIN campaigns c ON c.campaign_id = l.campaign_id
    WHERE l.mql_at <= (SELECT MAX(created_at) FROM leads) - INTERVAL '120 days'
    GROUP BY 1, 2, 3
),
network AS (SELECT *, SUM(won) OVER () / SUM(mqls) OVER () AS network_rate FROM cells),
strata AS (
    SELECT *,
           mqls * (SUM(won) OVER (PARTITION BY source, industry) + 20 * network_rate)
               / (SUM(mqls) OVER (PARTITION BY source, industry) + 20) AS expected
    FROM network
),
rates AS (
    SELECT distributor_id, MAX(network_rate) AS network_rate,
           SUM(mqls) AS mqls, SUM(won) AS wins, SUM(expected) AS expected,
           SUM(mqls) * MAX(network_rate) AS at_network_rate
    FROM strata
    GROUP BY distributor_id
),
scored AS (
    SELECT *,
           2 * (sqrt(wins + 0.375) - sqrt(at_network_rate + 0.375)) AS z_raw,
           2 * (sqrt(wins + 0.375) - sqrt(expected + 0.375)) AS z_adjusted
    FROM rates
),
judged AS (
    SELECT *,
           CASE WHEN z_raw > -2.58 OR wins > 0.8 * at_network_rate THEN 2
                WHEN z_adjusted <= -2.58 THEN 1
                WHEN expected <= 0.85 * at_network_rate
                     AND expected - at_network_rate < 0.667 * (wins - at_network_rate) THEN 0
                ELSE 2 END AS place
    FROM scored
)
SELECT d.distributor_id, d.name,
       CASE place WHEN 0 THEN 'worse_leads' WHEN 1 THEN 'own_rate' ELSE 'none' END AS finding,
       CAST(mqls AS BIGINT) AS mqls,
       CAST(wins AS BIGINT) AS wins,
       round(100 * wins / mqls, 2) AS win_rate_pct,
       round(100 * network_rate, 2) AS network_rate_pct,
       round(100 * expected / mqls, 2) AS expected_rate_pct,
       round(100 * (expected / mqls - network_rate), 2) AS mix_effect,
       round(100 * (wins - expected) / mqls, 2) AS own_effect,
       round(wins / at_network_rate, 2) AS raw_ratio,
       round(wins / expected, 2) AS adjusted_ratio,
       round(z_raw, 2) AS z_raw,
       round(z_adjusted, 2) AS z_adjusted
FROM judged s
JOIN distributors d ON d.distributor_id = s.distributor_id
ORDER BY place, z_raw, distributor_id
