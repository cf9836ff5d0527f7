-- v_feedback_loop: how well each distributor and the manufacturer talk to one another: is there feedback, how soon, is it answered.
-- Grain and key: distributor_id; every distributor has a row.
-- NULL: a rate or mean of nothing, whose status is `no_data`; a median where fewer than half have happened so far.
-- coverage: of the leads sent at least 14 days ago, those with feedback within 14 days (Wilson interval).
-- days_to_feedback: median days from sending to the first feedback on the lead; leads without any count as long as they have lasted
-- (Kaplan-Meier), so that young leads do not look like silence. days_to_answer: the same from a distributor's feedback (on anything)
-- to the manufacturer's answer; feedback not answered counts as open.
-- reject_rate: of the leads sent at least 30 days ago, those rejected within 30 days (Wilson). usefulness: mean rating (1 to 5) of
-- material, with a normal interval; below ten ratings it is `small_n`, and without limits where all are equal. unanswered is the feedback that nobody answered yet.
WITH first_feedback AS (
    SELECT subject_id AS lead_id, min(at) AS first_at FROM feedback WHERE subject = 'lead' GROUP BY subject_id
),
sent AS (
    SELECT
        l.distributor_id,
        count(*) AS leads_sent,
        rate_ci(
            count(*) FILTER (WHERE l.sent_at <= l.as_of - INTERVAL '14 days' AND f.first_at <= l.sent_at + INTERVAL '14 days'),
            count(*) FILTER (WHERE l.sent_at <= l.as_of - INTERVAL '14 days')
        ) AS coverage,
        km_median(
            CASE WHEN f.first_at IS NULL THEN l.as_of - l.sent_at ELSE greatest(f.first_at, l.sent_at) - l.sent_at END,
            f.first_at IS NOT NULL
        ) AS wait,
        rate_ci(
            count(*) FILTER (WHERE l.sent_at <= l.as_of - INTERVAL '30 days' AND l.rejected_at <= l.sent_at + INTERVAL '30 days'),
            count(*) FILTER (WHERE l.sent_at <= l.as_of - INTERVAL '30 days')
        ) AS rejects
    FROM v_lead AS l
    LEFT JOIN first_feedback AS f ON f.lead_id = l.lead_id
    WHERE l.sent_at IS NOT NULL AND l.distributor_id IS NOT NULL
    GROUP BY l.distributor_id
),
said AS (
    SELECT
        f.distributor_id,
        count(*) AS feedback,
        count(*) FILTER (WHERE f.answered_at IS NULL) AS unanswered,
        km_median(greatest(coalesce(f.answered_at, k.as_of), f.at) - f.at, f.answered_at IS NOT NULL) AS answer,
        count(f.rating) FILTER (WHERE f.subject = 'material') AS ratings,
        CAST(sum(f.rating) FILTER (WHERE f.subject = 'material') AS DOUBLE) AS rated,
        CAST(sum(CAST(f.rating AS BIGINT) * f.rating) FILTER (WHERE f.subject = 'material') AS DOUBLE) AS squares
    FROM feedback AS f
    CROSS JOIN v_clock AS k
    GROUP BY f.distributor_id
),
rated AS (
    SELECT
        *,
        rated / nullif(ratings, 0) AS usefulness,
        norm_quantile(0.975)
            * sqrt(nullif(greatest(0.0, squares - rated * rated / nullif(ratings, 0)), 0) / nullif(ratings - 1, 0) / nullif(ratings, 0)) AS margin
    FROM said
)
SELECT
    d.distributor_id,
    d.name,
    coalesce(s.leads_sent, 0) AS leads_sent,
    s.coverage['value'] AS coverage, s.coverage['lo'] AS coverage_lo, s.coverage['hi'] AS coverage_hi,
    coalesce(s.coverage['n'], 0) AS coverage_n, coalesce(s.coverage['status'], 'no_data') AS coverage_status,
    s.wait['median'] AS days_to_feedback, s.wait['lo'] AS days_to_feedback_lo, s.wait['hi'] AS days_to_feedback_hi,
    coalesce(s.wait['n'], 0) AS days_to_feedback_n, coalesce(s.wait['status'], 'no_data') AS days_to_feedback_status,
    s.rejects['value'] AS reject_rate, s.rejects['lo'] AS reject_rate_lo, s.rejects['hi'] AS reject_rate_hi,
    coalesce(s.rejects['n'], 0) AS reject_rate_n, coalesce(s.rejects['status'], 'no_data') AS reject_rate_status,
    coalesce(f.feedback, 0) AS feedback,
    coalesce(f.unanswered, 0) AS unanswered,
    f.answer['median'] AS days_to_answer, f.answer['lo'] AS days_to_answer_lo, f.answer['hi'] AS days_to_answer_hi,
    coalesce(f.answer['n'], 0) AS days_to_answer_n, coalesce(f.answer['status'], 'no_data') AS days_to_answer_status,
    f.usefulness,
    -- greatest and least pass over NULL.
    CASE WHEN f.margin IS NOT NULL THEN greatest(1.0, f.usefulness - f.margin) END AS usefulness_lo,
    CASE WHEN f.margin IS NOT NULL THEN least(5.0, f.usefulness + f.margin) END AS usefulness_hi,
    coalesce(f.ratings, 0) AS usefulness_n,
    CASE WHEN coalesce(f.ratings, 0) = 0 THEN 'no_data' WHEN f.ratings < 10 THEN 'small_n' ELSE 'ok' END AS usefulness_status
FROM distributors AS d
LEFT JOIN sent AS s ON s.distributor_id = d.distributor_id
LEFT JOIN rated AS f ON f.distributor_id = d.distributor_id
