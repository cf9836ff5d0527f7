-- v_funnel: how far the leads of one month came, by distributor.
-- Grain and key: distributor_id × period_start (month in which the lead became an MQL). Leads that never did are left out.
-- NULL: distributor_id where the lead was sent to nobody; a rate is NULL where nothing could have converted.
-- is_mature: the youngest lead of the month is at least 120 days old, so that most of what will be won is won.
-- Rates of young months read low; compare mature ones only.
SELECT
    distributor_id,
    CAST(date_trunc('month', mql_at) AS DATE) AS period_start,
    CAST(date_trunc('month', mql_at) AS DATE) < CAST(max(as_of) - INTERVAL '150 days' AS DATE) AS is_mature,
    count(*) AS mql,
    count(sent_at) AS sent,
    count(first_touch_at) AS touched,
    count(dql_at) AS dql,
    count(rejected_at) AS rejected,
    count(opportunity_at) AS opportunities,
    count(*) FILTER (WHERE outcome = 'won') AS won,
    count(*) FILTER (WHERE outcome NOT IN ('won', 'lost', 'rejected')) AS open,
    CAST(count(dql_at) AS DOUBLE) / nullif(count(sent_at), 0) AS acceptance_rate,
    CAST(count(*) FILTER (WHERE outcome = 'won') AS DOUBLE) / nullif(count(*), 0) AS win_rate
FROM v_lead
WHERE mql_at IS NOT NULL
GROUP BY distributor_id, CAST(date_trunc('month', mql_at) AS DATE)
