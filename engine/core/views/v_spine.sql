-- v_spine: every distributor in every month that the data covers, with zeros where nothing happened.
-- Grain and key: distributor_id × period_start (first day of the month). Everything periodic joins this.
-- NULL: never in a count or sum; name, region and tier as in `distributors`.
-- The data covers the months from the first to the last instant at which a lead was created or closed, revenue booked
-- or a resource granted. is_partial: the month is the newest one and not over by that last instant. is_active: joined in or before the month.
WITH bounds AS (
    SELECT
        date_trunc('month', least(l.first, r.first, g.first)) AS first,
        greatest(l.last, r.last, g.last) AS last
    FROM (SELECT min(created_at) AS first, greatest(max(created_at), max(closed_at)) AS last FROM leads) AS l
    CROSS JOIN (SELECT min(booked_at) AS first, max(booked_at) AS last FROM revenue) AS r
    CROSS JOIN (SELECT min(granted_at) AS first, max(granted_at) AS last FROM resources) AS g
),
months AS (
    SELECT CAST(unnest(generate_series(first, last, INTERVAL '1 month')) AS DATE) AS period_start, last FROM bounds
),
created AS (
    SELECT distributor_id, CAST(date_trunc('month', created_at) AS DATE) AS period_start,
           count(*) AS leads, count(sent_at) AS sent
    FROM leads WHERE distributor_id IS NOT NULL GROUP BY 1, 2
),
won AS (
    SELECT distributor_id, CAST(date_trunc('month', closed_at) AS DATE) AS period_start, count(*) AS won
    FROM leads WHERE distributor_id IS NOT NULL AND outcome = 'won' AND closed_at IS NOT NULL GROUP BY 1, 2
),
booked AS (
    SELECT distributor_id, CAST(date_trunc('month', booked_at) AS DATE) AS period_start,
           sum(amount) AS revenue, count(*) AS bookings
    FROM revenue GROUP BY 1, 2
),
granted AS (
    SELECT distributor_id, CAST(date_trunc('month', granted_at) AS DATE) AS period_start, sum(cost) AS resource_cost
    FROM resources GROUP BY 1, 2
)
SELECT
    d.distributor_id,
    d.name,
    d.region,
    d.tier,
    m.period_start,
    m.period_start = CAST(date_trunc('month', m.last) AS DATE)
        AND CAST(m.last AS DATE) < CAST(m.period_start + INTERVAL '1 month' - INTERVAL '1 day' AS DATE) AS is_partial,
    d.joined_on IS NULL OR d.joined_on < CAST(m.period_start + INTERVAL '1 month' AS DATE) AS is_active,
    coalesce(c.leads, 0) AS leads,
    coalesce(c.sent, 0) AS sent,
    coalesce(w.won, 0) AS won,
    coalesce(r.revenue, 0) AS revenue,
    coalesce(r.bookings, 0) AS bookings,
    coalesce(g.resource_cost, 0) AS resource_cost
-- The months first: the join makes a batch for each row of its first side.
FROM months AS m
CROSS JOIN distributors AS d
LEFT JOIN created AS c ON c.distributor_id = d.distributor_id AND c.period_start = m.period_start
LEFT JOIN won AS w ON w.distributor_id = d.distributor_id AND w.period_start = m.period_start
LEFT JOIN booked AS r ON r.distributor_id = d.distributor_id AND r.period_start = m.period_start
LEFT JOIN granted AS g ON g.distributor_id = d.distributor_id AND g.period_start = m.period_start
