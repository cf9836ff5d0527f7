-- v_funnel_cohort: of the leads that became MQLs in one month, how many went on within 120 days, by distributor.
-- Grain and key: distributor_id × period_start (month of mql_at), for the months in which a lead became an MQL.
-- NULL: distributor_id where the lead was sent to nobody; a rate and its limits where the cohort is `immature` or nobody could go on.
-- sent, dql, opportunities and won are the leads that got so far within 120 days of mql_at, so that cohorts of any age compare; a lead
-- counts at a stage only if it passed the one before, except for won, which counts from MQL directly.
-- sent_rate: MQL to sent. acceptance: sent to DQL. opportunity_rate: DQL to opportunity. win_rate: MQL to won. Wilson intervals, 95 %.
-- Status: immature (the youngest lead of the cohort became an MQL less than 120 days before as_of: the counts so far are shown, rates
-- would read low and are not), no_data, ok. mature_on is the day from which the cohort is known for good.
WITH cohorts AS (
    SELECT
        distributor_id,
        CAST(date_trunc('month', mql_at) AS DATE) AS period_start,
        max(mql_at) + INTERVAL '120 days' AS mature_at,
        count(*) AS mql,
        count(*) FILTER (WHERE is_sent) AS sent,
        count(*) FILTER (WHERE is_sent AND is_dql) AS dql,
        count(*) FILTER (WHERE is_sent AND is_dql AND is_opportunity) AS opportunities,
        count(*) FILTER (WHERE is_won) AS won
    FROM (
        SELECT
            distributor_id,
            mql_at,
            coalesce(sent_at <= mql_at + INTERVAL '120 days', false) AS is_sent,
            coalesce(dql_at <= mql_at + INTERVAL '120 days', false) AS is_dql,
            coalesce(opportunity_at <= mql_at + INTERVAL '120 days', false) AS is_opportunity,
            coalesce(outcome = 'won' AND closed_at <= mql_at + INTERVAL '120 days', false) AS is_won
        FROM v_lead
        WHERE mql_at IS NOT NULL
    ) AS stages
    GROUP BY distributor_id, CAST(date_trunc('month', mql_at) AS DATE)
),
-- An immature cohort has counts, and no rates.
known AS (
    SELECT
        c.*,
        c.mature_at <= k.as_of AS is_mature,
        rate_ci(CASE WHEN c.mature_at <= k.as_of THEN c.sent END, c.mql) AS to_sent,
        rate_ci(CASE WHEN c.mature_at <= k.as_of THEN c.dql END, c.sent) AS to_dql,
        rate_ci(CASE WHEN c.mature_at <= k.as_of THEN c.opportunities END, c.dql) AS to_opportunity,
        rate_ci(CASE WHEN c.mature_at <= k.as_of THEN c.won END, c.mql) AS to_won
    FROM cohorts AS c
    CROSS JOIN v_clock AS k
)
SELECT
    c.distributor_id,
    d.name,
    c.period_start,
    c.is_mature,
    CAST(c.mature_at AS DATE) AS mature_on,
    c.mql, c.sent, c.dql, c.opportunities, c.won,
    c.to_sent['value'] AS sent_rate, c.to_sent['lo'] AS sent_rate_lo, c.to_sent['hi'] AS sent_rate_hi,
    c.mql AS sent_rate_n, CASE WHEN c.is_mature THEN c.to_sent['status'] ELSE 'immature' END AS sent_rate_status,
    c.to_dql['value'] AS acceptance, c.to_dql['lo'] AS acceptance_lo, c.to_dql['hi'] AS acceptance_hi,
    c.sent AS acceptance_n, CASE WHEN c.is_mature THEN c.to_dql['status'] ELSE 'immature' END AS acceptance_status,
    c.to_opportunity['value'] AS opportunity_rate, c.to_opportunity['lo'] AS opportunity_rate_lo,
    c.to_opportunity['hi'] AS opportunity_rate_hi,
    c.dql AS opportunity_rate_n, CASE WHEN c.is_mature THEN c.to_opportunity['status'] ELSE 'immature' END AS opportunity_rate_status,
    c.to_won['value'] AS win_rate, c.to_won['lo'] AS win_rate_lo, c.to_won['hi'] AS win_rate_hi,
    c.mql AS win_rate_n, CASE WHEN c.is_mature THEN c.to_won['status'] ELSE 'immature' END AS win_rate_status
FROM known AS c
LEFT JOIN distributors AS d ON d.distributor_id = c.distributor_id
