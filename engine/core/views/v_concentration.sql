-- v_concentration: how much of the revenue depends on few distributors, quarter by quarter.
-- Grain and key: period_start (first day of the calendar quarter), from the first to the last quarter in which revenue was booked.
-- Bookings of distributors that `distributors` does not list are left out.
-- distributors: those that had joined by the end of the quarter or booked something in it; one without revenue counts as 0, and so does one
-- whose returns exceed its sales, of which there are negative_n. revenue is the sum of what counts, revenue_net that of all bookings.
-- gini: 0 where all sell the same, 1 where one sells all (unbiased, so that it does not depend on how many there are). hhi: 10,000 where one
-- sells all. effective_n: that many equal distributors would be as concentrated. top_tenth_share: the tenth that sells most.
-- hhi_change: hhi less that of the same quarter of the year before.
-- Status, of the quarter and of hhi_change: no_data (nothing was sold, no year before), partial (the data does not cover the whole quarter, or that
-- of the year before), ok. These are sums of what was booked, not samples, and have no interval. NULL: what no_data leaves unknown; gini of one distributor.
WITH booked AS (
    SELECT distributor_id, CAST(date_trunc('quarter', booked_at) AS DATE) AS period_start, sum(amount) AS revenue
    FROM revenue
    GROUP BY 1, 2
),
quarters AS (
    SELECT
        q.period_start,
        period_end(q.period_start, 'quarter') AS last_day,
        period_end(q.period_start, 'quarter') > CAST(k.as_of AS DATE)
            OR q.period_start < CAST(date_trunc('month', k.first) AS DATE) AS is_partial
    FROM (
        SELECT CAST(unnest(generate_series(
            date_trunc('quarter', min(booked_at)), date_trunc('quarter', max(booked_at)), INTERVAL '3 months'
        )) AS DATE) AS period_start
        FROM revenue
    ) AS q
    CROSS JOIN v_clock AS k
),
members AS (
    SELECT q.period_start, q.is_partial, d.distributor_id, d.joined_on IS NULL OR d.joined_on <= q.last_day AS has_joined
    FROM quarters AS q
    CROSS JOIN distributors AS d
),
sold AS (
    SELECT
        m.period_start, m.is_partial, m.distributor_id,
        coalesce(b.revenue, 0) AS net,
        greatest(coalesce(b.revenue, 0), 0) AS revenue
    FROM members AS m
    LEFT JOIN booked AS b ON b.distributor_id = m.distributor_id AND b.period_start = m.period_start
    WHERE m.has_joined OR b.revenue IS NOT NULL
),
concentrated AS (
    SELECT
        period_start,
        bool_or(is_partial) AS is_partial,
        count(*) AS distributors,
        count(*) FILTER (WHERE net < 0) AS negative_n,
        sum(net) AS revenue_net,
        sum(revenue) AS revenue,
        gini_unbiased(CAST(revenue AS DOUBLE)) AS gini,
        hhi(CAST(revenue AS DOUBLE)) AS hhi,
        effective_n(CAST(revenue AS DOUBLE)) AS effective_n,
        top_share(CAST(revenue AS DOUBLE), 0.1) AS top_tenth_share,
        first_value(distributor_id ORDER BY revenue DESC, distributor_id) AS largest_id,
        max(revenue) AS largest_revenue
    FROM sold
    GROUP BY period_start
),
shifted AS (
    SELECT *, lag(hhi, 4) OVER by_quarter AS hhi_year_ago, lag(is_partial, 4) OVER by_quarter AS was_partial
    FROM concentrated
    WINDOW by_quarter AS (ORDER BY period_start)
)
SELECT
    s.period_start,
    s.is_partial,
    CASE WHEN s.hhi IS NULL THEN 'no_data' WHEN s.is_partial THEN 'partial' ELSE 'ok' END AS status,
    s.distributors,
    s.negative_n,
    s.revenue,
    s.revenue_net,
    s.gini,
    s.hhi,
    s.effective_n,
    s.top_tenth_share,
    CASE WHEN s.revenue > 0 THEN s.largest_id END AS largest_distributor_id,
    CASE WHEN s.revenue > 0 THEN d.name END AS largest_name,
    CAST(s.largest_revenue AS DOUBLE) / nullif(CAST(s.revenue AS DOUBLE), 0) AS largest_share,
    s.hhi_year_ago,
    s.hhi - s.hhi_year_ago AS hhi_change,
    CASE WHEN s.hhi IS NULL OR s.hhi_year_ago IS NULL THEN 'no_data'
         WHEN s.is_partial OR s.was_partial THEN 'partial'
         ELSE 'ok' END AS hhi_change_status
FROM shifted AS s
LEFT JOIN distributors AS d ON d.distributor_id = s.largest_id
