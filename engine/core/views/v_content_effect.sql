-- v_content_effect: do leads that were shown, sent or opened a piece of material convert more often than like leads that were not?
-- Grain and key: content_id; every piece of content has a row. association is always true: this is what goes with exposure, not what
-- exposure causes. Reps choose to whom they show what, and a lead that lives longer is shown more.
-- Leads: those of at least 120 days after becoming an MQL that reached the stage that the material is for; converted: won within 120
-- days. Like leads: same source, same industry, same stage reached. with_n are the exposed leads, without_n the others in strata
-- that have both. rate_without is rate_with less diff.
-- diff: difference within the strata, weighted as Mantel and Haenszel do, 95 % interval of Greenland and Robins (1985).
-- diff_status: no_data (no exposed lead has a like one), small_n (fewer than 30 on either side), ok. NULL: what no_data leaves unknown.
-- A stage that is none of mql, sent, touched, dql, opportunity takes leads from mql on.
WITH cohort AS (
    SELECT
        l.lead_id,
        concat_ws('|', coalesce(l.source, '?'), coalesce(lower(trim(l.industry)), '?')) AS kind,
        l.outcome = 'won' AND l.closed_at <= l.mql_at + INTERVAL '120 days' AS converted,
        l.sent_at IS NOT NULL AS sent,
        l.first_touch_at IS NOT NULL AS touched,
        l.dql_at IS NOT NULL AS dql,
        l.opportunity_at IS NOT NULL AS opportunity,
        e.content_id
    FROM v_lead AS l
    LEFT JOIN (SELECT lead_id, content_id, min(at) AS at FROM content_events GROUP BY lead_id, content_id) AS e
        ON e.lead_id = l.lead_id AND e.at <= l.mql_at + INTERVAL '120 days' AND (l.closed_at IS NULL OR e.at < l.closed_at)
    WHERE l.mql_at <= l.as_of - INTERVAL '120 days'
),
-- One row for each lead and material that it saw, or one without material; among all leads each is counted once.
counted AS (
    SELECT
        content_id, kind, sent, touched, dql, opportunity,
        count(content_id) AS exposed,
        count(content_id) FILTER (WHERE converted) AS exposed_won,
        count(*) FILTER (WHERE turn = 1) AS leads,
        count(*) FILTER (WHERE turn = 1 AND converted) AS won
    FROM (SELECT *, row_number() OVER (PARTITION BY lead_id ORDER BY content_id) AS turn FROM cohort) AS turns
    GROUP BY 1, 2, 3, 4, 5, 6
),
at_stage AS (
    SELECT
        c.content_id, c.kind, s.stage,
        sum(c.exposed) AS exposed, sum(c.exposed_won) AS exposed_won, sum(c.leads) AS leads, sum(c.won) AS won
    FROM counted AS c
    JOIN (VALUES ('mql'), ('sent'), ('touched'), ('dql'), ('opportunity')) AS s (stage) ON CASE s.stage
        WHEN 'sent' THEN c.sent
        WHEN 'touched' THEN c.touched
        WHEN 'dql' THEN c.dql
        WHEN 'opportunity' THEN c.opportunity
        ELSE true END
    GROUP BY c.content_id, c.kind, s.stage
),
strata AS (
    SELECT
        content_id, stage, exposed, exposed_won,
        sum(leads) OVER of_kind - exposed AS others,
        sum(won) OVER of_kind - exposed_won AS others_won
    FROM at_stage
    WINDOW of_kind AS (PARTITION BY kind, stage)
),
-- a of n1 exposed and b of n0 others converted; the weight is n1 n0 / (n1 + n0). Decimals add up the same in any order.
weighted AS (
    SELECT
        content_id, stage, exposed, exposed_won, others, others_won,
        CAST(exposed AS DOUBLE) * others / (exposed + others) AS weight,
        CAST(exposed_won AS DOUBLE) / exposed AS rate,
        CAST(others_won AS DOUBLE) / others AS others_rate
    FROM strata
    WHERE content_id IS NOT NULL AND exposed > 0 AND others > 0
),
summed AS (
    SELECT
        content_id, stage,
        sum(exposed) AS with_n, sum(exposed_won) AS with_won, sum(others) AS without_n, sum(others_won) AS without_won,
        CAST(sum(CAST(weight AS DECIMAL(28, 10))) AS DOUBLE) AS weight,
        CAST(sum(CAST(weight * (rate - others_rate) AS DECIMAL(28, 10))) AS DOUBLE) AS gained,
        CAST(sum(CAST(
            weight * weight * (rate * (1 - rate) / exposed + others_rate * (1 - others_rate) / others) AS DECIMAL(28, 10)
        )) AS DOUBLE) AS variance
    FROM weighted
    GROUP BY content_id, stage
),
compared AS (
    SELECT
        *,
        rate_ci(with_won, with_n) AS exposed_rate,
        gained / nullif(weight, 0) AS diff,
        norm_quantile(0.975) * sqrt(variance) / nullif(weight, 0) AS margin,
        least(with_n, without_n) AS smaller
    FROM summed
)
SELECT
    c.content_id,
    c.title,
    c.kind,
    c.product_id,
    c.stage,
    s.exposed_rate['value'] AS rate_with, s.exposed_rate['lo'] AS rate_with_lo, s.exposed_rate['hi'] AS rate_with_hi,
    coalesce(s.with_n, 0) AS with_n,
    s.exposed_rate['value'] - s.diff AS rate_without,
    coalesce(s.without_n, 0) AS without_n,
    s.diff,
    s.diff - s.margin AS diff_lo,
    s.diff + s.margin AS diff_hi,
    coalesce(s.with_n, 0) + coalesce(s.without_n, 0) AS diff_n,
    CASE WHEN s.smaller IS NULL THEN 'no_data' WHEN s.smaller < 30 THEN 'small_n' ELSE 'ok' END AS diff_status,
    true AS association
FROM content AS c
LEFT JOIN compared AS s ON s.content_id = c.content_id
    AND s.stage = CASE WHEN c.stage IN ('sent', 'touched', 'dql', 'opportunity') THEN c.stage ELSE 'mql' END
