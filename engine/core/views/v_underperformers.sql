-- v_underperformers: who wins fewer of its leads than the network would win of the same leads, since when, and how sure that is.
-- Grain and key: distributor_id; every distributor has a row.
-- NULL: every number is NULL, with win_ratio_status `no_data`, where no lead is mature; since_*, ratio_before and p_drop
-- where no month could split the history (p_drop) or no drop was found (the others: a low level then holds for the whole time).
-- Method: leads that became MQLs at least 120 days ago; a win counts if it came within 120 days. Expected wins are those of the
-- network for the same sources and industries, scaled to the network's wins of the same month, so that mix, season and market
-- cancel. The spread between distributors beyond chance counts as ordinary (at least 5 % for a drop, 10 % for a lasting level). A drop is sought in every month that
-- leaves a tenth of the expected wins on either side (maximum of the Poisson likelihood ratio, p of a maximum: James, James
-- and Siegmund 1987); a lasting low level is tested against the spread. p_value is twice the smaller p of the two; q_value allows for
-- the number of distributors (Benjamini and Hochberg).
-- A unit that is below has a month where the drop by itself has a p of at most .01.
-- standing: below (q_value at most .05 and at least a fifth below), watch (p of one of the two at most .025), cannot_tell
-- (even a halved win rate over the last mature year need not have shown, or fewer than five distributors), in_line.
-- since_month is the likeliest first month of the drop, since_lo to since_hi are the months at least a twentieth as likely.
-- win_ratio: wins over expected wins, from since_month on where there was a drop, else of all mature leads; win_ratio_n are the wins.
-- mde_pct: the smallest lasting drop, in per cent, that the last twelve mature months show at .05 (as `watch` does) with 80 % power.
WITH cells AS (
    SELECT
        l.distributor_id,
        date_trunc('month', l.mql_at) AS month,
        concat_ws('|', coalesce(c.source, '?'), coalesce(lower(trim(l.industry)), '?')) AS kind,
        max(k.as_of) AS as_of,
        count(*) AS leads,
        count(*) FILTER (WHERE l.outcome = 'won' AND l.closed_at <= l.mql_at + INTERVAL '120 days') AS wins
    FROM leads AS l
    CROSS JOIN v_clock AS k
    LEFT JOIN campaigns AS c ON c.campaign_id = l.campaign_id
    WHERE l.distributor_id IS NOT NULL AND l.mql_at <= k.as_of - INTERVAL '120 days'
    GROUP BY 1, 2, 3
),
-- Twenty leads at the common rate keep a small stratum from deciding by chance. Decimals add up the same in any order.
likely_wins AS (
    SELECT *, CAST(expected_count(wins, leads, kind, 20) OVER () AS DECIMAL(28, 10)) AS expected FROM cells
),
months AS (
    SELECT distributor_id, month, max(as_of) AS as_of, sum(leads) AS leads, sum(wins) AS wins, sum(expected) AS expected
    FROM likely_wins
    GROUP BY distributor_id, month
),
relative AS (
    SELECT
        distributor_id, month, leads, wins,
        month > date_trunc('month', as_of - INTERVAL '120 days') - INTERVAL '12 months' AS is_last_year,
        CAST(
            CAST(expected AS DOUBLE) * CAST(sum(wins) OVER of_month AS DOUBLE)
            / nullif(CAST(sum(expected) OVER of_month AS DOUBLE), 0) AS DECIMAL(28, 10)
        ) AS expected
    FROM months
    WINDOW of_month AS (PARTITION BY month)
),
split AS (
    SELECT
        distributor_id, month,
        row_number() OVER (PARTITION BY distributor_id ORDER BY month DESC) = 1 AS is_newest,
        sum(leads) OVER each_one AS leads,
        CAST(sum(wins) OVER each_one AS DOUBLE) AS y,
        CAST(sum(expected) OVER each_one AS DOUBLE) AS e,
        CAST(sum(wins) OVER before - wins AS DOUBLE) AS y1,
        CAST(sum(expected) OVER before - expected AS DOUBLE) AS e1,
        CAST(coalesce(sum(expected) FILTER (WHERE is_last_year) OVER each_one, 0) AS DOUBLE) AS e_year
    FROM relative
    WINDOW each_one AS (PARTITION BY distributor_id),
           before AS (PARTITION BY distributor_id ORDER BY month)
),
-- One row of each distributor stands for it in the funnel; the others are NULL there and do not count.
levels AS (
    SELECT *, funnel_limits(CASE WHEN is_newest THEN y END, CASE WHEN is_newest THEN e END, 'oe', 'anscombe') OVER () AS funnel
    FROM split
),
-- The spread on the scale of square roots, and the expected wins that a history of "as good as the network" is worth.
spread AS (
    SELECT
        * EXCLUDE (funnel), y - y1 AS y2, e - e1 AS e2,
        max(funnel['units']) OVER () AS units,
        greatest(0.000625, max(funnel['tau2']) OVER ()) AS tau2,
        1 / (4 * greatest(0.000625, max(funnel['tau2']) OVER ())) AS worth
    FROM levels
),
scanned AS (
    SELECT
        *,
        CASE WHEN e1 >= 0.1 * e AND e2 >= 0.1 * e AND e2 > 0 AND (y1 + worth) / (e1 + worth) > y2 / e2
             THEN (y1 + worth) * ln((y1 + worth) / (e1 + worth))
                  + CASE WHEN y2 > 0 THEN y2 * ln(y2 / e2) ELSE 0.0 END
                  - (y + worth) * ln((y + worth) / (e + worth)) END AS gain
    FROM spread
),
topped AS (SELECT *, max(gain) OVER (PARTITION BY distributor_id) AS top FROM scanned),
placed AS (
    SELECT
        *,
        min(month) FILTER (WHERE gain >= top - 3.0) OVER (PARTITION BY distributor_id) AS since_lo,
        max(month) FILTER (WHERE gain >= top - 3.0) OVER (PARTITION BY distributor_id) AS since_hi,
        row_number() OVER (PARTITION BY distributor_id ORDER BY gain DESC NULLS LAST, month) AS place
    FROM topped
),
scored AS (
    SELECT
        *,
        sqrt(2 * greatest(0.0, gain)) AS b,
        2 * (sqrt(y + 0.375) - sqrt(e + 0.375)) / sqrt(1 + 4 * e * greatest(tau2, 0.0025)) AS z
    FROM placed
    WHERE place = 1
),
tested AS (
    SELECT
        *,
        CASE WHEN gain IS NULL THEN NULL
             WHEN b > 1.5 THEN least(1.0, 0.5 * exp(-b * b / 2) / 2.5066 * ((b - 1 / b) * 4.394 + 4 / b))
             ELSE 1.0 END AS p_drop,
        CASE WHEN z < 0 THEN chi2_sf(z * z, 1) / 2 ELSE 1 - chi2_sf(z * z, 1) / 2 END AS p_level
    FROM scored
),
-- The better of two tests counts as two tests.
adjusted AS (
    SELECT *, p_adjust(p_value) OVER () AS q_value
    FROM (SELECT *, coalesce(p_drop, 1.0) AS p_drop_or_one, least(1.0, 2 * least(p_drop, p_level)) AS p_value FROM tested) AS doubled
),
judged AS (
    SELECT
        *,
        coalesce(q_value <= 0.05 AND p_drop <= 0.01 AND y2 / nullif(e2, 0) <= 0.8, false) AS dropped,
        coalesce(q_value <= 0.05 AND p_level <= p_drop_or_one AND y / nullif(e, 0) <= 0.8, false) AS is_low,
        coalesce(p_drop <= 0.025 AND y2 / nullif(e2, 0) <= 0.8, false) OR coalesce(p_level <= 0.025, false) AS is_watched
    FROM adjusted
),
shown AS (
    SELECT
        *,
        CASE WHEN dropped THEN e2 ELSE e END AS expected_wins,
        oe_ci(CAST(CASE WHEN dropped THEN y2 ELSE y END AS BIGINT), CASE WHEN dropped THEN e2 ELSE e END) AS oe,
        100 * (1 - power(greatest(0.0, 1 - (norm_quantile(0.975) + norm_quantile(0.8)) / 2 / sqrt(nullif(e_year, 0))), 2)) AS mde_pct
    FROM judged
)
SELECT
    d.distributor_id,
    d.name,
    CASE WHEN s.units IS NULL OR s.units < 5 THEN 'cannot_tell'
         WHEN s.dropped OR s.is_low THEN 'below'
         WHEN s.is_watched THEN 'watch'
         WHEN s.mde_pct <= 50 THEN 'in_line'
         ELSE 'cannot_tell' END AS standing,
    CASE WHEN s.dropped THEN CAST(s.month AS DATE) END AS since_month,
    CASE WHEN s.dropped THEN CAST(s.since_lo AS DATE) END AS since_lo,
    CASE WHEN s.dropped THEN CAST(s.since_hi AS DATE) END AS since_hi,
    s.leads,
    coalesce(s.oe['n'], 0) AS wins,
    s.expected_wins,
    s.oe['value'] AS win_ratio,
    s.oe['lo'] AS win_ratio_lo,
    s.oe['hi'] AS win_ratio_hi,
    coalesce(s.oe['n'], 0) AS win_ratio_n,
    coalesce(s.oe['status'], 'no_data') AS win_ratio_status,
    CASE WHEN s.dropped THEN s.y1 / nullif(s.e1, 0) END AS ratio_before,
    s.p_drop,
    s.p_level,
    s.p_value,
    s.q_value,
    s.mde_pct
FROM distributors AS d
LEFT JOIN shown AS s ON s.distributor_id = d.distributor_id
