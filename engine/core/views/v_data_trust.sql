-- v_data_trust: how far the data behind the other views can be trusted: how fresh each source is, what is missing, what came late.
-- Grain and key: table_name × source; source is the source of the campaign for leads. NULL: source in every other table, and for leads
-- whose campaign is unknown or names none; newest and days_since for tables without instants; most_missing where nothing is missing.
-- Every table below has a row, with 0 rows where it is empty; leads have one for each source.
-- newest: the latest instant in the rows (of leads, of any stage), days_since the days from it to as_of, 0 where it is newer.
-- complete: share of rows that have what comparisons need, Wilson interval, 95 %; empty text and 'n/a', 'na', 'unknown', '-', '?'
-- count as missing. Needed are, of leads: source, industry, product_id, est_value; distributor_id once sent, closed_at once won
-- or lost, amount once won, reject_reason once rejected. revenue: product_id, cost (not of returns), lead_id of new business. resources: lead_id of lead
-- costs. feedback: a rating or a decision, reason_code of rejects. content_events: lead_id. training: nothing beyond what every row has.
-- distributors: region, tier, joined_on. reps: joined_on. products: line, list_price. campaigns: source, cost, started_on.
-- most_missing: the needed column that most rows lack, missing_n how many.
-- late: share of leads that came late: first recorded after an earlier request had brought a lead created more than 7
-- days later, by calendar day: a month that was reported already then still changes. It is known from lead_events, for leads only, and
-- order alone counts: what comes with the first request is never late, however old, and history loaded after newer leads is.
-- late_status is no_data for the other tables, whose rows do not say when they came.
-- quarantined: rows of the table that were set aside on arrival, for all sources of leads together.
WITH recorded AS (
    SELECT lead_id, min(at) AS recorded_at FROM lead_events WHERE field = 'created_at' GROUP BY lead_id
),
-- Leads that were created on one day and came with one request, by source; known_until is the day of the newest lead that earlier
-- requests had brought.
arrived AS (
    SELECT
        *,
        max(CASE WHEN recorded_at IS NOT NULL THEN created_on END) OVER (
            ORDER BY recorded_at RANGE BETWEEN UNBOUNDED PRECEDING AND INTERVAL '1 microsecond' PRECEDING
        ) AS known_until
    FROM (
        SELECT
            l.source, r.recorded_at, l.created_on,
            count(*) AS rows,
            max(l.newest) AS newest,
            count(*) FILTER (
                WHERE l.source IS NOT NULL AND NOT (
                    l.no_industry OR l.no_product OR l.no_value OR l.no_distributor OR l.no_close OR l.no_amount OR l.no_reason
                )
            ) AS complete,
            count(*) FILTER (WHERE l.source IS NULL) AS no_source,
            count(*) FILTER (WHERE l.no_industry) AS no_industry,
            count(*) FILTER (WHERE l.no_product) AS no_product,
            count(*) FILTER (WHERE l.no_value) AS no_value,
            count(*) FILTER (WHERE l.no_distributor) AS no_distributor,
            count(*) FILTER (WHERE l.no_close) AS no_close,
            count(*) FILTER (WHERE l.no_amount) AS no_amount,
            count(*) FILTER (WHERE l.no_reason) AS no_reason
        FROM (
            SELECT
                l.lead_id,
                CAST(l.created_at AS DATE) AS created_on,
                CASE WHEN lower(trim(c.source)) NOT IN ('', 'n/a', 'na', 'unknown', '-', '?') THEN c.source END AS source,
                greatest(
                    l.created_at, l.mql_at, l.sent_at, l.first_touch_at, l.dql_at, l.rejected_at, l.opportunity_at, l.closed_at
                ) AS newest,
                l.industry IS NULL OR lower(trim(l.industry)) IN ('', 'n/a', 'na', 'unknown', '-', '?') AS no_industry,
                l.product_id IS NULL AS no_product,
                l.est_value IS NULL AS no_value,
                l.sent_at IS NOT NULL AND l.distributor_id IS NULL AS no_distributor,
                l.outcome IN ('won', 'lost') AND l.closed_at IS NULL AS no_close,
                l.outcome = 'won' AND l.amount IS NULL AS no_amount,
                l.outcome = 'rejected'
                    AND (l.reject_reason IS NULL OR lower(trim(l.reject_reason)) IN ('', 'n/a', 'na', 'unknown', '-', '?')) AS no_reason
            FROM leads AS l
            LEFT JOIN campaigns AS c ON c.campaign_id = l.campaign_id
        ) AS l
        LEFT JOIN recorded AS r ON r.lead_id = l.lead_id
        GROUP BY l.source, r.recorded_at, l.created_on
    ) AS requests
),
-- Empty tables are left out here and come back below: a filter that is false of a constant column would otherwise be asked of the
-- table's rows, and answer with a count of 0.
measured AS (
    SELECT
        'leads' AS table_name,
        source,
        sum(rows) AS rows,
        max(newest) AS newest,
        sum(complete) AS complete,
        make_array('source', 'industry', 'product_id', 'est_value', 'distributor_id', 'closed_at', 'amount', 'reject_reason') AS needed,
        make_array(
            sum(no_source), sum(no_industry), sum(no_product), sum(no_value), sum(no_distributor), sum(no_close), sum(no_amount),
            sum(no_reason)
        ) AS missing,
        coalesce(sum(rows) FILTER (WHERE recorded_at IS NOT NULL AND created_on < known_until - INTERVAL '7 days'), 0) AS late,
        coalesce(sum(rows) FILTER (WHERE recorded_at IS NOT NULL), 0) AS late_n
    FROM arrived
    GROUP BY source
    UNION ALL
    SELECT
        'revenue' AS table_name, NULL AS source, count(*) AS rows, max(booked_at) AS newest,
        count(*) FILTER (
            WHERE product_id IS NOT NULL AND (cost IS NOT NULL OR kind = 'return') AND (lead_id IS NOT NULL OR kind <> 'new')
        ),
        make_array('product_id', 'cost', 'lead_id'),
        make_array(
            count(*) FILTER (WHERE product_id IS NULL), count(*) FILTER (WHERE cost IS NULL AND kind <> 'return'),
            count(*) FILTER (WHERE lead_id IS NULL AND kind = 'new')
        ),
        0 AS late, 0 AS late_n
    FROM revenue
    HAVING count(*) > 0
    UNION ALL
    SELECT
        'resources' AS table_name, NULL AS source, count(*) AS rows, max(granted_at) AS newest,
        count(*) FILTER (WHERE lead_id IS NOT NULL OR kind <> 'lead_cost') AS complete,
        make_array('lead_id') AS needed, make_array(count(*) FILTER (WHERE lead_id IS NULL AND kind = 'lead_cost')),
        0 AS late, 0 AS late_n
    FROM resources
    HAVING count(*) > 0
    UNION ALL
    SELECT
        'feedback' AS table_name, NULL AS source, count(*) AS rows, max(at) AS newest,
        count(*) FILTER (
            WHERE (rating IS NOT NULL OR decision IS NOT NULL) AND (decision IS NULL OR decision <> 'reject' OR reason_code IS NOT NULL)
        ),
        make_array('rating', 'reason_code'),
        make_array(
            count(*) FILTER (WHERE rating IS NULL AND decision IS NULL), count(*) FILTER (WHERE decision = 'reject' AND reason_code IS NULL)
        ),
        0 AS late, 0 AS late_n
    FROM feedback
    HAVING count(*) > 0
    UNION ALL
    SELECT
        'content_events' AS table_name, NULL AS source, count(*) AS rows, max(at) AS newest, count(lead_id) AS complete,
        make_array('lead_id'), make_array(count(*) FILTER (WHERE lead_id IS NULL)),
        0 AS late, 0 AS late_n
    FROM content_events
    HAVING count(*) > 0
    UNION ALL
    SELECT
        'training' AS table_name, NULL AS source, count(*) AS rows, max(at) AS newest, count(*) AS complete,
        make_array('rep_id') AS needed, make_array(0) AS missing,
        0 AS late, 0 AS late_n
    FROM training
    HAVING count(*) > 0
    UNION ALL
    SELECT
        'distributors' AS table_name, NULL AS source, count(*) AS rows, NULL AS newest,
        count(*) FILTER (WHERE region IS NOT NULL AND tier IS NOT NULL AND joined_on IS NOT NULL),
        make_array('region', 'tier', 'joined_on'),
        make_array(
            count(*) FILTER (WHERE region IS NULL), count(*) FILTER (WHERE tier IS NULL), count(*) FILTER (WHERE joined_on IS NULL)
        ),
        0 AS late, 0 AS late_n
    FROM distributors
    HAVING count(*) > 0
    UNION ALL
    SELECT
        'reps' AS table_name, NULL AS source, count(*) AS rows, NULL AS newest, count(joined_on) AS complete,
        make_array('joined_on'), make_array(count(*) FILTER (WHERE joined_on IS NULL)),
        0 AS late, 0 AS late_n
    FROM reps
    HAVING count(*) > 0
    UNION ALL
    SELECT
        'products' AS table_name, NULL AS source, count(*) AS rows, NULL AS newest,
        count(*) FILTER (WHERE line IS NOT NULL AND list_price IS NOT NULL),
        make_array('line', 'list_price'),
        make_array(count(*) FILTER (WHERE line IS NULL), count(*) FILTER (WHERE list_price IS NULL)),
        0 AS late, 0 AS late_n
    FROM products
    HAVING count(*) > 0
    UNION ALL
    SELECT
        'campaigns' AS table_name, NULL AS source, count(*) AS rows, NULL AS newest,
        count(*) FILTER (WHERE source IS NOT NULL AND cost IS NOT NULL AND started_on IS NOT NULL),
        make_array('source', 'cost', 'started_on'),
        make_array(
            count(*) FILTER (WHERE source IS NULL), count(*) FILTER (WHERE cost IS NULL), count(*) FILTER (WHERE started_on IS NULL)
        ),
        0 AS late, 0 AS late_n
    FROM campaigns
    HAVING count(*) > 0
),
rated AS (
    SELECT
        *,
        array_max(missing) AS missing_n,
        CASE WHEN array_max(missing) > 0
             THEN needed[CAST(array_position(missing, array_max(missing)) AS BIGINT)] END AS most_missing,
        rate_ci(complete, rows) AS complete_rate,
        rate_ci(late, late_n) AS late_rate
    FROM measured
)
SELECT
    t.table_name,
    m.source,
    coalesce(m.rows, 0) AS rows,
    m.newest,
    CASE WHEN m.newest IS NOT NULL THEN greatest(0.0, date_part('epoch', k.as_of - m.newest) / 86400) END AS days_since,
    m.complete_rate['value'] AS complete, m.complete_rate['lo'] AS complete_lo, m.complete_rate['hi'] AS complete_hi,
    coalesce(m.rows, 0) AS complete_n, coalesce(m.complete_rate['status'], 'no_data') AS complete_status,
    m.most_missing,
    coalesce(m.missing_n, 0) AS missing_n,
    m.late_rate['value'] AS late, m.late_rate['lo'] AS late_lo, m.late_rate['hi'] AS late_hi,
    coalesce(m.late_n, 0) AS late_n, coalesce(m.late_rate['status'], 'no_data') AS late_status,
    coalesce(q.quarantined, 0) AS quarantined
FROM (
    VALUES ('leads'), ('revenue'), ('resources'), ('feedback'), ('content_events'), ('training'), ('distributors'), ('reps'),
           ('products'), ('campaigns')
) AS t (table_name)
CROSS JOIN v_clock AS k
LEFT JOIN rated AS m ON m.table_name = t.table_name
LEFT JOIN (SELECT table_name, count(*) AS quarantined FROM quarantine GROUP BY table_name) AS q ON q.table_name = t.table_name
