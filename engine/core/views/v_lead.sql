-- v_lead: one row for each lead, with the stage times that follow from feedback.
-- Grain and key: lead_id.
-- NULL: a stage time is NULL where the lead has not reached the stage; days_* are NULL until both ends are known.
-- A distributor's first accept or reject in `feedback` gives first_touch_at, and dql_at or rejected_at, where the
-- lead itself has none. The manufacturer's own columns of `leads` follow amount. as_of is the newest instant in the manufacturer's leads, revenue and feedback on leads, not the clock.
WITH touched AS (
    SELECT
        subject_id AS lead_id,
        min(at) AS touched_at,
        min(at) FILTER (WHERE decision = 'accept') AS accepted_at,
        min(at) FILTER (WHERE decision = 'reject') AS declined_at,
        first_value(reason_code ORDER BY at) FILTER (WHERE decision = 'reject') AS decline_reason
    FROM feedback
    WHERE subject = 'lead'
    GROUP BY subject_id
),
clock AS (
    SELECT greatest(l.last, r.last, f.last) AS as_of
    FROM (
        SELECT greatest(
            max(created_at), max(mql_at), max(sent_at), max(first_touch_at), max(dql_at), max(rejected_at),
            max(opportunity_at), max(closed_at)
        ) AS last
        FROM leads
    ) AS l
    CROSS JOIN (SELECT max(booked_at) AS last FROM revenue) AS r
    CROSS JOIN (SELECT max(at) AS last FROM feedback WHERE subject = 'lead') AS f
),
merged AS (
    SELECT
        l.lead_id,
        l.distributor_id,
        l.rep_id,
        l.product_id,
        l.campaign_id,
        c.source,
        l.region,
        l.industry,
        l.employees,
        l.est_value,
        l.created_at,
        l.mql_at,
        l.sent_at,
        coalesce(l.first_touch_at, t.touched_at) AS first_touch_at,
        coalesce(l.dql_at, t.accepted_at) AS dql_at,
        CASE WHEN l.dql_at IS NULL AND t.accepted_at IS NULL THEN coalesce(l.rejected_at, t.declined_at)
             ELSE l.rejected_at END AS rejected_at,
        coalesce(l.reject_reason, t.decline_reason) AS reject_reason,
        l.opportunity_at,
        l.closed_at,
        CASE WHEN l.outcome = 'open' AND l.dql_at IS NULL AND t.accepted_at IS NULL AND t.declined_at IS NOT NULL
             THEN 'rejected' ELSE l.outcome END AS outcome,
        l.amount,
        l.* EXCLUDE (
            lead_id, distributor_id, rep_id, product_id, campaign_id, region, industry, employees, est_value, created_at,
            mql_at, sent_at, first_touch_at, dql_at, rejected_at, reject_reason, opportunity_at, closed_at, outcome, amount
        ),
        k.as_of
    FROM leads AS l
    LEFT JOIN touched AS t ON t.lead_id = l.lead_id
    LEFT JOIN campaigns AS c ON c.campaign_id = l.campaign_id
    CROSS JOIN clock AS k
)
SELECT
    *,
    CASE
        WHEN outcome IN ('won', 'lost', 'rejected') THEN outcome
        WHEN opportunity_at IS NOT NULL THEN 'opportunity'
        WHEN dql_at IS NOT NULL THEN 'dql'
        WHEN first_touch_at IS NOT NULL THEN 'touched'
        WHEN sent_at IS NOT NULL THEN 'sent'
        WHEN mql_at IS NOT NULL THEN 'mql'
        ELSE 'new'
    END AS stage,
    date_part('epoch', first_touch_at - sent_at) / 86400 AS days_to_touch,
    date_part('epoch', closed_at - mql_at) / 86400 AS days_to_close,
    date_part('epoch', as_of - created_at) / 86400 AS age_days
FROM merged
