-- v_rejection_reasons: which reasons each distributor gives for rejecting leads, and which of them are its own rather than everybody's.
-- Grain and key: distributor_id × reject_reason, for the reasons that it gave. Rejections without a reason are left out.
-- NULL: network_share, oe, p_value and q_value where no other distributor rejected anything; oe also where no other gave the reason.
-- n: leads rejected for the reason. share: of the distributor's rejections that name a reason (Wilson). network_share: the same among
-- all other distributors. expected: n if the distributor were like the others; oe: n over expected, Byar's limits, 95 %; `zero_base`
-- where no other gave the reason. oe does not say how sure the others' share is; p_value does.
-- p_value: Fisher's exact test of the distributor's rejections against the others', two-sided. q_value: p_value corrected for the
-- number of rows (Benjamini & Hochberg).
-- is_over_represented: q_value at most .01, and surely far more than expected: oe_lo at least 1.75, or nobody else gave the reason.
WITH counted AS (
    SELECT distributor_id, reject_reason, count(*) AS n
    FROM v_lead
    WHERE rejected_at IS NOT NULL AND reject_reason IS NOT NULL AND distributor_id IS NOT NULL
    GROUP BY distributor_id, reject_reason
),
totals AS (
    SELECT
        distributor_id, reject_reason, n,
        sum(n) OVER (PARTITION BY distributor_id) AS rejections,
        sum(n) OVER (PARTITION BY reject_reason) - n AS others_n,
        sum(n) OVER () - sum(n) OVER (PARTITION BY distributor_id) AS others
    FROM counted
),
compared AS (
    SELECT
        *,
        rate_ci(n, rejections) AS share,
        CAST(others_n AS DOUBLE) / nullif(others, 0) AS network_share,
        rejections * CAST(others_n AS DOUBLE) / nullif(others, 0) AS expected,
        CASE WHEN others > 0 THEN fisher_p(n, rejections - n, others_n, others - others_n) END AS p_value
    FROM totals
),
adjusted AS (SELECT *, oe_ci(n, expected) AS oe, p_adjust(p_value) OVER () AS q_value FROM compared)
SELECT
    a.distributor_id,
    d.name,
    a.reject_reason,
    a.n,
    a.rejections,
    a.share['value'] AS share, a.share['lo'] AS share_lo, a.share['hi'] AS share_hi,
    a.rejections AS share_n, a.share['status'] AS share_status,
    a.network_share,
    a.expected,
    a.oe['value'] AS oe, a.oe['lo'] AS oe_lo, a.oe['hi'] AS oe_hi, a.n AS oe_n, a.oe['status'] AS oe_status,
    a.p_value,
    a.q_value,
    coalesce(a.q_value <= 0.01 AND (a.expected = 0 OR a.oe['lo'] >= 1.75), false) AS is_over_represented
FROM adjusted AS a
LEFT JOIN distributors AS d ON d.distributor_id = a.distributor_id
