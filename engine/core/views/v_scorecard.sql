-- v_scorecard: each distributor over the last twelve complete months, beside the twelve before.
-- Grain and key: distributor_id; every distributor has a row. to_month is the last month that the data covers to its end,
-- from_month the eleventh before it. Columns ending in _before are of the twelve months before from_month.
-- NULL: a ratio whose base is 0 or negative (growth, attainment, share, revenue_per_cost); quota where no target was set;
-- *_before and growth where the data does not reach back far enough; a rate without leads, whose status is `no_data`.
-- quota: the targets of measure `revenue` for the distributor, spread evenly over the months of their period (where periods
-- overlap, the shortest counts). quota_months are the months that have one; attainment is the revenue of those months over quota.
-- acceptance: of leads sent in the twelve months and at least 30 days ago, accepted within 30 days. touched_48h: of those sent at
-- least 48 hours ago, touched within 48 hours. win_rate: of leads that became MQLs in the twelve months that ended 120 days
-- before as_of, won within 120 days: younger ones are immature and left out. All three with 95 % intervals (Wilson).
-- rank: 1 has the most revenue. standing and mde_pct: those of v_underperformers, which compares wins with those of the network for
-- the same leads; a low win_rate alone says little.
WITH aged AS (
    SELECT
        s.*, c.to_month,
        s.period_start > CAST(c.to_month - INTERVAL '12 months' AS DATE) AND s.period_start <= c.to_month AS is_now,
        s.period_start > CAST(c.to_month - INTERVAL '24 months' AS DATE)
            AND s.period_start <= CAST(c.to_month - INTERVAL '12 months' AS DATE) AS is_before,
        c.first_month <= CAST(c.to_month - INTERVAL '23 months' AS DATE) AS reaches_back
    FROM (
        SELECT
            CAST(date_trunc('month', as_of + INTERVAL '1 day') - INTERVAL '1 month' AS DATE) AS to_month,
            CAST(date_trunc('month', first) AS DATE) AS first_month
        FROM v_clock
    ) AS c
    CROSS JOIN v_spine AS s
),
-- A month's share of each target that covers it; the shortest grain of a month counts.
quotas AS (
    SELECT subject_id AS distributor_id, period_start, min_value AS quota
    FROM (
        SELECT
            t.subject_id,
            CAST(t.period_start + s.shift AS DATE) AS period_start,
            CAST(t.value / t.months AS DECIMAL(28, 8)) AS min_value,
            row_number() OVER (PARTITION BY t.subject_id, t.period_start + s.shift ORDER BY t.months, t.period_start DESC) AS place
        FROM (
            SELECT
                subject_id,
                date_trunc('month', period_start) AS period_start,
                CASE grain WHEN 'month' THEN 1 WHEN 'quarter' THEN 3 ELSE 12 END AS months,
                value
            FROM targets
            WHERE subject_kind = 'distributor' AND measure = 'revenue'
        ) AS t
        JOIN (
            VALUES (0, INTERVAL '0 months'), (1, INTERVAL '1 month'), (2, INTERVAL '2 months'), (3, INTERVAL '3 months'),
                   (4, INTERVAL '4 months'), (5, INTERVAL '5 months'), (6, INTERVAL '6 months'), (7, INTERVAL '7 months'),
                   (8, INTERVAL '8 months'), (9, INTERVAL '9 months'), (10, INTERVAL '10 months'), (11, INTERVAL '11 months')
        ) AS s (month, shift) ON s.month < t.months
    ) AS shares
    WHERE place = 1
),
money AS (
    SELECT
        a.distributor_id,
        max(a.name) AS name, max(a.region) AS region, max(a.tier) AS tier,
        CAST(max(a.to_month) - INTERVAL '11 months' AS DATE) AS from_month,
        max(a.to_month) AS to_month,
        coalesce(sum(a.revenue) FILTER (WHERE a.is_now), 0) AS revenue,
        CASE WHEN bool_and(a.reaches_back)
             THEN sum(a.revenue) FILTER (WHERE a.is_before) END AS revenue_before,
        CAST(sum(q.quota) FILTER (WHERE a.is_now) AS DECIMAL(28, 4)) AS quota,
        count(q.quota) FILTER (WHERE a.is_now) AS quota_months,
        sum(a.revenue) FILTER (WHERE a.is_now AND q.quota IS NOT NULL) AS quota_revenue,
        coalesce(sum(a.resource_cost) FILTER (WHERE a.is_now), 0) AS resource_cost,
        CASE WHEN bool_and(a.reaches_back)
             THEN sum(a.resource_cost) FILTER (WHERE a.is_before) END AS resource_cost_before
    FROM aged AS a
    LEFT JOIN quotas AS q ON q.distributor_id = a.distributor_id AND q.period_start = a.period_start
    GROUP BY a.distributor_id
),
ranked AS (
    SELECT
        *,
        CAST(revenue AS DOUBLE) / nullif(CAST(greatest(sum(revenue) OVER (), 0) AS DOUBLE), 0) AS share,
        CAST(revenue_before AS DOUBLE) / nullif(CAST(greatest(sum(revenue_before) OVER (), 0) AS DOUBLE), 0) AS share_before,
        rank() OVER (ORDER BY revenue DESC) AS rank,
        CASE WHEN revenue_before IS NOT NULL THEN rank() OVER (ORDER BY revenue_before DESC NULLS LAST) END AS rank_before
    FROM money
),
-- Each lead says once which counts it is in: the window that it was sent in, and how long ago it became an MQL.
leads_of AS (
    SELECT
        l.distributor_id,
        l.sent_at, l.mql_at, l.dql_at, l.first_touch_at, l.outcome, l.closed_at, l.as_of,
        l.sent_at >= w.from_at AND l.sent_at < w.to_at AS is_now,
        l.sent_at >= w.before_at AND l.sent_at < w.from_at AS is_before,
        l.as_of - INTERVAL '120 days' AS mature_at
    FROM (
        SELECT
            max(to_month) + INTERVAL '1 month' AS to_at,
            max(to_month) - INTERVAL '11 months' AS from_at,
            max(to_month) - INTERVAL '23 months' AS before_at
        FROM (
            SELECT date_trunc('month', as_of + INTERVAL '1 day') - INTERVAL '1 month' AS to_month FROM v_clock
        ) AS clock
    ) AS w
    CROSS JOIN v_lead AS l
    WHERE l.distributor_id IS NOT NULL
),
counted AS (
    SELECT
        distributor_id,
        count(*) FILTER (WHERE is_now) AS leads_sent,
        count(*) FILTER (WHERE is_before) AS leads_sent_before,
        rate_ci(
            count(*) FILTER (WHERE is_now AND sent_at <= as_of - INTERVAL '30 days' AND dql_at <= sent_at + INTERVAL '30 days'),
            count(*) FILTER (WHERE is_now AND sent_at <= as_of - INTERVAL '30 days')
        ) AS acceptance,
        rate_ci(
            count(*) FILTER (WHERE is_before AND dql_at <= sent_at + INTERVAL '30 days'), count(*) FILTER (WHERE is_before)
        ) AS acceptance_before,
        rate_ci(
            count(*) FILTER (
                WHERE is_now AND sent_at <= as_of - INTERVAL '48 hours' AND first_touch_at <= sent_at + INTERVAL '48 hours'
            ),
            count(*) FILTER (WHERE is_now AND sent_at <= as_of - INTERVAL '48 hours')
        ) AS touched,
        rate_ci(
            count(*) FILTER (WHERE is_before AND first_touch_at <= sent_at + INTERVAL '48 hours'),
            count(*) FILTER (WHERE is_before)
        ) AS touched_before,
        rate_ci(
            count(*) FILTER (
                WHERE mql_at <= mature_at AND mql_at > mature_at - INTERVAL '12 months'
                    AND outcome = 'won' AND closed_at <= mql_at + INTERVAL '120 days'
            ),
            count(*) FILTER (WHERE mql_at <= mature_at AND mql_at > mature_at - INTERVAL '12 months')
        ) AS wins,
        rate_ci(
            count(*) FILTER (
                WHERE mql_at <= mature_at - INTERVAL '12 months' AND mql_at > mature_at - INTERVAL '24 months'
                    AND outcome = 'won' AND closed_at <= mql_at + INTERVAL '120 days'
            ),
            count(*) FILTER (WHERE mql_at <= mature_at - INTERVAL '12 months' AND mql_at > mature_at - INTERVAL '24 months')
        ) AS wins_before
    FROM leads_of
    GROUP BY distributor_id
)
SELECT
    r.distributor_id, r.name, r.region, r.tier, r.from_month, r.to_month,
    r.revenue, r.revenue_before,
    CAST(r.revenue - r.revenue_before AS DOUBLE) / nullif(CAST(greatest(r.revenue_before, 0) AS DOUBLE), 0) AS growth,
    r.quota, r.quota_months,
    CAST(r.quota_revenue AS DOUBLE) / nullif(CAST(r.quota AS DOUBLE), 0) AS attainment,
    r.share, r.share_before, r.rank, r.rank_before,
    coalesce(c.leads_sent, 0) AS leads_sent,
    coalesce(c.leads_sent_before, 0) AS leads_sent_before,
    c.acceptance['value'] AS acceptance, c.acceptance['lo'] AS acceptance_lo, c.acceptance['hi'] AS acceptance_hi,
    coalesce(c.acceptance['n'], 0) AS acceptance_n, coalesce(c.acceptance['status'], 'no_data') AS acceptance_status,
    c.acceptance_before['value'] AS acceptance_before,
    c.touched['value'] AS touched_48h, c.touched['lo'] AS touched_48h_lo, c.touched['hi'] AS touched_48h_hi,
    coalesce(c.touched['n'], 0) AS touched_48h_n, coalesce(c.touched['status'], 'no_data') AS touched_48h_status,
    c.touched_before['value'] AS touched_48h_before,
    c.wins['value'] AS win_rate, c.wins['lo'] AS win_rate_lo, c.wins['hi'] AS win_rate_hi,
    coalesce(c.wins['n'], 0) AS win_rate_n, coalesce(c.wins['status'], 'no_data') AS win_rate_status,
    c.wins_before['value'] AS win_rate_before,
    r.resource_cost, r.resource_cost_before,
    CAST(r.revenue AS DOUBLE) / nullif(CAST(r.resource_cost AS DOUBLE), 0) AS revenue_per_cost,
    CAST(r.revenue_before AS DOUBLE) / nullif(CAST(r.resource_cost_before AS DOUBLE), 0) AS revenue_per_cost_before,
    u.standing, u.since_month, u.mde_pct
FROM ranked AS r
LEFT JOIN counted AS c ON c.distributor_id = r.distributor_id
LEFT JOIN v_underperformers AS u ON u.distributor_id = r.distributor_id
