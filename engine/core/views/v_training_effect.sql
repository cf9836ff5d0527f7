-- v_training_effect: what goes with passing a course: how soon the first deal follows, and the win rate of the reps' leads before and after.
-- Grain and key: course, for every course of `training`. An association, not a cause: reps also grow with time, and choose courses.
-- passed: reps who passed it (the first time counts). days_to_deal: median days from passing to the rep's next won lead; reps without one
-- count for as long as they have had (Kaplan-Meier). NULL: where fewer than half have had a deal; dealt are those who have.
-- win_rate_before and win_rate_after: leads of those reps that became MQLs in the year before and the year after the day of passing, at
-- least 120 days old, won within 120 days. win_rate_diff: after less before, with a 95 % interval (Newcombe).
-- win_rate_diff_status: no_data, small_n (fewer than 30 leads on either side), ok; is_small_n says the same as a truth value.
WITH passes AS (
    SELECT course, rep_id, min(at) AS passed_at FROM training WHERE passed GROUP BY course, rep_id
),
followed AS (
    SELECT
        p.course, p.rep_id, p.passed_at,
        min(l.closed_at) FILTER (WHERE l.outcome = 'won' AND l.closed_at >= p.passed_at) AS deal_at,
        count(*) FILTER (WHERE l.is_mature AND l.mql_at < p.passed_at AND l.mql_at >= p.passed_at - INTERVAL '365 days') AS before_n,
        count(*) FILTER (
            WHERE l.is_mature AND l.is_won AND l.mql_at < p.passed_at AND l.mql_at >= p.passed_at - INTERVAL '365 days'
        ) AS before_won,
        count(*) FILTER (WHERE l.is_mature AND l.mql_at >= p.passed_at AND l.mql_at < p.passed_at + INTERVAL '365 days') AS after_n,
        count(*) FILTER (
            WHERE l.is_mature AND l.is_won AND l.mql_at >= p.passed_at AND l.mql_at < p.passed_at + INTERVAL '365 days'
        ) AS after_won
    FROM passes AS p
    LEFT JOIN (
        SELECT
            l.rep_id, l.mql_at, l.closed_at, l.outcome,
            l.mql_at <= k.as_of - INTERVAL '120 days' AS is_mature,
            l.outcome = 'won' AND l.closed_at <= l.mql_at + INTERVAL '120 days' AS is_won
        FROM leads AS l
        CROSS JOIN v_clock AS k
        WHERE l.rep_id IS NOT NULL
    ) AS l ON l.rep_id = p.rep_id
    GROUP BY p.course, p.rep_id, p.passed_at
),
courses AS (
    SELECT
        f.course,
        count(*) AS passed,
        count(f.deal_at) AS dealt,
        -- A course that is passed after the newest instant of the data has lasted no time.
        km_median(greatest(coalesce(f.deal_at, k.as_of), f.passed_at) - f.passed_at, f.deal_at IS NOT NULL) AS wait,
        sum(f.before_won) AS before_won, sum(f.before_n) AS before_n,
        sum(f.after_won) AS after_won, sum(f.after_n) AS after_n
    FROM followed AS f
    CROSS JOIN v_clock AS k
    GROUP BY f.course
),
compared AS (
    SELECT
        *,
        rate_ci(before_won, before_n) AS rate_before,
        rate_ci(after_won, after_n) AS rate_after,
        rate_diff_ci(after_won, after_n, before_won, before_n) AS diff,
        least(before_n, after_n) AS smaller
    FROM courses
)
SELECT
    t.course,
    t.taken,
    coalesce(c.passed, 0) AS passed,
    coalesce(c.dealt, 0) AS dealt,
    c.wait['median'] AS days_to_deal, c.wait['lo'] AS days_to_deal_lo, c.wait['hi'] AS days_to_deal_hi,
    coalesce(c.wait['n'], 0) AS days_to_deal_n, coalesce(c.wait['status'], 'no_data') AS days_to_deal_status,
    c.rate_before['value'] AS win_rate_before, c.rate_before['lo'] AS win_rate_before_lo, c.rate_before['hi'] AS win_rate_before_hi,
    coalesce(c.before_n, 0) AS win_rate_before_n,
    c.rate_after['value'] AS win_rate_after, c.rate_after['lo'] AS win_rate_after_lo, c.rate_after['hi'] AS win_rate_after_hi,
    coalesce(c.after_n, 0) AS win_rate_after_n,
    c.diff['diff'] AS win_rate_diff, c.diff['lo'] AS win_rate_diff_lo, c.diff['hi'] AS win_rate_diff_hi,
    coalesce(c.diff['n'], 0) AS win_rate_diff_n,
    CASE WHEN coalesce(c.smaller, 0) = 0 THEN 'no_data' WHEN c.smaller < 30 THEN 'small_n' ELSE c.diff['status'] END AS win_rate_diff_status,
    coalesce(c.smaller, 0) < 30 AS is_small_n
FROM (SELECT course, count(*) AS taken FROM training GROUP BY course) AS t
LEFT JOIN compared AS c ON c.course = t.course
