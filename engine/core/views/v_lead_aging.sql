-- v_lead_aging: the leads that each distributor has open: how many, how old, at which stage, worth what; and how soon it touches leads.
-- Grain and key: distributor_id; every distributor has a row.
-- Open leads are those sent to the distributor without an outcome; age counts from sent_at to as_of, and a day that is not over does
-- not count. open_sent to open_opportunity, and open_0_7 to open_over_90 (days), each add up to open_leads. untouched: nobody has been
-- in touch yet. unsent: the lead names the distributor and was not sent yet; it is in no other column.
-- value_*: est_value of the same leads; leads without one add nothing and are counted in open_no_value.
-- days_to_touch and touched_48h: of the leads sent in the 365 days before as_of, the median days from sending to the first touch, and
-- the share touched within 48 hours, with 95 % intervals. Untouched leads count for as long as they have lasted (Kaplan-Meier); one
-- that was closed untouched stays untouched. NULL: the median where fewer than half are touched so far; the limits of a share of 0 or
-- 1; oldest_* where no lead is open; what `no_data` leaves unknown. Counts and values are never NULL.
WITH aged AS (
    SELECT
        l.distributor_id,
        l.lead_id,
        l.stage,
        l.sent_at,
        l.first_touch_at,
        l.est_value,
        l.outcome = 'open' AND l.sent_at IS NOT NULL AS is_open,
        l.outcome = 'open' AND l.sent_at IS NULL AS is_unsent,
        date_part('epoch', k.as_of - l.sent_at) / 86400 AS age,
        CASE WHEN l.sent_at > k.as_of - INTERVAL '365 days'
             THEN greatest(coalesce(l.first_touch_at, k.as_of), l.sent_at) - l.sent_at END AS wait
    FROM v_lead AS l
    CROSS JOIN v_clock AS k
    WHERE l.distributor_id IS NOT NULL
),
counted AS (
    SELECT
        distributor_id,
        count(*) FILTER (WHERE is_open) AS open_leads,
        sum(est_value) FILTER (WHERE is_open) AS open_value,
        count(*) FILTER (WHERE is_open AND est_value IS NULL) AS open_no_value,
        count(*) FILTER (WHERE is_open AND stage = 'sent') AS open_sent,
        count(*) FILTER (WHERE is_open AND stage = 'touched') AS open_touched,
        count(*) FILTER (WHERE is_open AND stage = 'dql') AS open_dql,
        count(*) FILTER (WHERE is_open AND stage = 'opportunity') AS open_opportunity,
        sum(est_value) FILTER (WHERE is_open AND stage = 'sent') AS value_sent,
        sum(est_value) FILTER (WHERE is_open AND stage = 'touched') AS value_touched,
        sum(est_value) FILTER (WHERE is_open AND stage = 'dql') AS value_dql,
        sum(est_value) FILTER (WHERE is_open AND stage = 'opportunity') AS value_opportunity,
        count(*) FILTER (WHERE is_open AND age < 8) AS open_0_7,
        count(*) FILTER (WHERE is_open AND age >= 8 AND age < 31) AS open_8_30,
        count(*) FILTER (WHERE is_open AND age >= 31 AND age < 91) AS open_31_90,
        count(*) FILTER (WHERE is_open AND age >= 91) AS open_over_90,
        sum(est_value) FILTER (WHERE is_open AND age < 8) AS value_0_7,
        sum(est_value) FILTER (WHERE is_open AND age >= 8 AND age < 31) AS value_8_30,
        sum(est_value) FILTER (WHERE is_open AND age >= 31 AND age < 91) AS value_31_90,
        sum(est_value) FILTER (WHERE is_open AND age >= 91) AS value_over_90,
        max(age) FILTER (WHERE is_open) AS oldest_days,
        first_value(lead_id ORDER BY sent_at, lead_id) FILTER (WHERE is_open) AS oldest_lead_id,
        count(*) FILTER (WHERE is_open AND first_touch_at IS NULL) AS untouched,
        sum(est_value) FILTER (WHERE is_open AND first_touch_at IS NULL) AS value_untouched,
        max(age) FILTER (WHERE is_open AND first_touch_at IS NULL) AS oldest_untouched_days,
        count(*) FILTER (WHERE is_unsent) AS unsent,
        km_median(wait, first_touch_at IS NOT NULL) AS to_touch,
        sla(wait, first_touch_at IS NOT NULL, INTERVAL '48 hours') AS touched_48h
    FROM aged
    GROUP BY distributor_id
)
SELECT
    d.distributor_id,
    d.name,
    coalesce(c.open_leads, 0) AS open_leads,
    coalesce(c.open_value, 0) AS open_value,
    coalesce(c.open_no_value, 0) AS open_no_value,
    coalesce(c.open_sent, 0) AS open_sent,
    coalesce(c.open_touched, 0) AS open_touched,
    coalesce(c.open_dql, 0) AS open_dql,
    coalesce(c.open_opportunity, 0) AS open_opportunity,
    coalesce(c.value_sent, 0) AS value_sent,
    coalesce(c.value_touched, 0) AS value_touched,
    coalesce(c.value_dql, 0) AS value_dql,
    coalesce(c.value_opportunity, 0) AS value_opportunity,
    coalesce(c.open_0_7, 0) AS open_0_7,
    coalesce(c.open_8_30, 0) AS open_8_30,
    coalesce(c.open_31_90, 0) AS open_31_90,
    coalesce(c.open_over_90, 0) AS open_over_90,
    coalesce(c.value_0_7, 0) AS value_0_7,
    coalesce(c.value_8_30, 0) AS value_8_30,
    coalesce(c.value_31_90, 0) AS value_31_90,
    coalesce(c.value_over_90, 0) AS value_over_90,
    c.oldest_days,
    c.oldest_lead_id,
    coalesce(c.untouched, 0) AS untouched,
    coalesce(c.value_untouched, 0) AS value_untouched,
    c.oldest_untouched_days,
    coalesce(c.unsent, 0) AS unsent,
    c.to_touch['median'] AS days_to_touch, c.to_touch['lo'] AS days_to_touch_lo, c.to_touch['hi'] AS days_to_touch_hi,
    coalesce(c.to_touch['n'], 0) AS days_to_touch_n, coalesce(c.to_touch['status'], 'no_data') AS days_to_touch_status,
    c.touched_48h['value'] AS touched_48h, c.touched_48h['lo'] AS touched_48h_lo, c.touched_48h['hi'] AS touched_48h_hi,
    coalesce(c.touched_48h['n'], 0) AS touched_48h_n, coalesce(c.touched_48h['status'], 'no_data') AS touched_48h_status
FROM distributors AS d
LEFT JOIN counted AS c ON c.distributor_id = d.distributor_id
