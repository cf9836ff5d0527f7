-- v_content_gap: where material is missing: each product at each stage, the material valid now, its use, and the leads that are there.
-- Grain and key: product_id × stage, for every product and every stage of `stages`.
-- NULL: position where the stage has none. Counts are never NULL.
-- content_valid: material for the product and stage that is valid at as_of. shown, opened: events of the last 90 days on any
-- material of the cell. leads_now: open leads of the product whose last stage reached is this one; of two stages of `stages` the later
-- counts, and stages that `stages` does not name do not. is_gap: leads are there and no material is valid.
WITH material AS (
    SELECT
        c.product_id, c.stage,
        count(*) FILTER (
            WHERE (c.valid_from IS NULL OR c.valid_from <= CAST(k.as_of AS DATE))
              AND (c.valid_to IS NULL OR c.valid_to >= CAST(k.as_of AS DATE))
        ) AS content_valid,
        count(*) AS content,
        coalesce(sum(e.shown), 0) AS shown,
        coalesce(sum(e.opened), 0) AS opened
    FROM content AS c
    CROSS JOIN v_clock AS k
    LEFT JOIN (
        SELECT
            e.content_id,
            count(*) FILTER (WHERE e.kind = 'shown') AS shown,
            count(*) FILTER (WHERE e.kind = 'opened') AS opened
        FROM content_events AS e
        CROSS JOIN v_clock AS k
        WHERE e.at > k.as_of - INTERVAL '90 days'
        GROUP BY e.content_id
    ) AS e ON e.content_id = c.content_id
    GROUP BY c.product_id, c.stage
),
-- How far each open lead came, as the stages that it has passed; the latest of those that `stages` names is where it is.
open_leads AS (
    SELECT
        product_id,
        mql_at IS NOT NULL AS mql, sent_at IS NOT NULL AS sent, first_touch_at IS NOT NULL AS touched,
        dql_at IS NOT NULL AS dql, opportunity_at IS NOT NULL AS opportunity,
        count(*) AS leads
    FROM v_lead
    WHERE outcome = 'open' AND product_id IS NOT NULL
    GROUP BY 1, 2, 3, 4, 5, 6
),
reached AS (
    SELECT
        o.product_id, s.stage, o.leads,
        row_number() OVER (
            PARTITION BY o.product_id, o.mql, o.sent, o.touched, o.dql, o.opportunity ORDER BY s.position DESC NULLS LAST, s.stage
        ) AS place
    FROM open_leads AS o
    JOIN stages AS s ON CASE s.stage
        WHEN 'new' THEN true
        WHEN 'mql' THEN o.mql
        WHEN 'sent' THEN o.sent
        WHEN 'touched' THEN o.touched
        WHEN 'dql' THEN o.dql
        WHEN 'opportunity' THEN o.opportunity
        ELSE false END
),
now AS (SELECT product_id, stage, sum(leads) AS leads_now FROM reached WHERE place = 1 GROUP BY product_id, stage)
SELECT
    p.product_id,
    p.name AS product,
    s.stage,
    s.position,
    coalesce(m.content_valid, 0) AS content_valid,
    coalesce(m.content, 0) - coalesce(m.content_valid, 0) AS content_not_valid,
    coalesce(m.shown, 0) AS shown,
    coalesce(m.opened, 0) AS opened,
    coalesce(n.leads_now, 0) AS leads_now,
    coalesce(n.leads_now, 0) > 0 AND coalesce(m.content_valid, 0) = 0 AS is_gap
FROM products AS p
CROSS JOIN stages AS s
LEFT JOIN material AS m ON m.product_id = p.product_id AND m.stage = s.stage
LEFT JOIN now AS n ON n.product_id = p.product_id AND n.stage = s.stage
