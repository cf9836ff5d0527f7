-- Question: which kind of resource comes back as revenue in the three months after it was granted?
-- Grain: one row per kind of grant, the strongest first. Lead costs are left out: they buy leads (see resource_yield).
-- Method: a month's revenue is taken relative to the distributor's own mean and the network's season. The three months
-- after each month minus the three before are regressed on the cost granted in that month, without what is common to a
-- distributor or to a month; the standard error is by distributor. Intervals hold for all kinds together (Bonferroni).
-- revenue_per_cost: extra revenue per unit of cost; margin_per_cost: the same times the network's margin.
-- finding: pays (surely some revenue, and a margin at or above the cost), returns_less_than_cost, no_payback (surely
-- less margin than cost), cannot_tell. This is an association: grants were not assigned at random by this query.
-- NULL: revenue_per_cost and what follows are NULL for a kind that never varied.
WITH booked AS (
    SELECT distributor_id, date_trunc('month', booked_at) AS month, CAST(SUM(amount) AS DOUBLE) AS revenue
    FROM revenue
    GROUP BY 1, 2
),
season AS (
    SELECT month, SUM(revenue) / AVG(SUM(revenue)) OVER () AS factor
    FROM booked
    GROUP BY month
),
own AS (SELECT distributor_id, AVG(revenue) AS base FROM booked GROUP BY distributor_id HAVING SUM(revenue) > 0),
spine AS (
    SELECT o.distributor_id, o.base, s.month, COALESCE(b.revenue, 0) / o.base / s.factor AS relative
    FROM own o
    CROSS JOIN season s
    LEFT JOIN booked b ON b.distributor_id = o.distributor_id AND b.month = s.month
),
changes AS (
    SELECT distributor_id, base, month,
           SUM(relative) OVER later - SUM(relative) OVER earlier AS change,
           COUNT(*) OVER later AS months_later,
           COUNT(*) OVER earlier AS months_earlier
    FROM spine
    WINDOW later AS (PARTITION BY distributor_id ORDER BY month ROWS BETWEEN 1 FOLLOWING AND 3 FOLLOWING),
           earlier AS (PARTITION BY distributor_id ORDER BY month ROWS BETWEEN 3 PRECEDING AND 1 PRECEDING)
),
granted AS (
    SELECT distributor_id, kind, date_trunc('month', granted_at) AS month, CAST(SUM(cost) AS DOUBLE) AS cost, COUNT(*) AS grants
    FROM resources
    WHERE kind <> 'lead_cost'
    GROUP BY 1, 2, 3
),
kinds AS (
    SELECT kind, SUM(grants) AS grants, SUM(cost) AS cost, COUNT(*) OVER () AS tests
    FROM granted
    GROUP BY kind
),
panel AS (
    SELECT k.kind, c.distributor_id, c.month, c.change, COALESCE(g.cost, 0) / c.base AS given
    FROM changes c
    CROSS JOIN kinds k
    LEFT JOIN granted g ON g.distributor_id = c.distributor_id AND g.month = c.month AND g.kind = k.kind
    WHERE c.months_later = 3 AND c.months_earlier = 3
),
centred AS (
    SELECT kind, distributor_id,
           given - AVG(given) OVER (PARTITION BY kind, distributor_id) - AVG(given) OVER (PARTITION BY kind, month)
               + AVG(given) OVER (PARTITION BY kind) AS x,
           change - AVG(change) OVER (PARTITION BY kind, distributor_id) - AVG(change) OVER (PARTITION BY kind, month)
               + AVG(change) OVER (PARTITION BY kind) AS y
    FROM panel
),
sums AS (
    SELECT kind, distributor_id, SUM(x * y) AS sxy, SUM(x * x) AS sxx
    FROM centred
    GROUP BY kind, distributor_id
),
sloped AS (
    SELECT kind, sxy, sxx,
           SUM(sxy) OVER (PARTITION BY kind) / NULLIF(SUM(sxx) OVER (PARTITION BY kind), 0) AS slope
    FROM sums
),
estimates AS (
    SELECT kind, MAX(slope) AS slope,
           sqrt(SUM(power(sxy - slope * sxx, 2)) * COUNT(*) / (COUNT(*) - 1)) / NULLIF(SUM(sxx), 0) AS se
    FROM sloped
    GROUP BY kind
),
margin AS (SELECT CAST(SUM(amount - cost) AS DOUBLE) / CAST(SUM(amount) AS DOUBLE) AS share FROM revenue WHERE cost IS NOT NULL),
-- 2.58 is the normal quantile for five kinds at 95 % together (0.05 / 5 two-sided).
bounds AS (
    SELECT kind, slope, se, slope - 2.58 * se AS lo, slope + 2.58 * se AS hi, share
    FROM estimates
    CROSS JOIN margin
)
SELECT k.kind,
       CASE WHEN lo > 0 AND slope * share >= 1 THEN 'pays'
            WHEN hi * share < 1 AND lo > 0 THEN 'returns_less_than_cost'
            WHEN hi * share < 1 THEN 'no_payback'
            ELSE 'cannot_tell' END AS finding,
       k.grants,
       round(k.cost, 2) AS cost,
       round(slope, 2) AS revenue_per_cost,
       round(se, 2) AS standard_error,
       round(lo, 2) AS revenue_per_cost_lo,
       round(hi, 2) AS revenue_per_cost_hi,
       round(slope * share, 2) AS margin_per_cost
FROM kinds k
LEFT JOIN bounds b ON b.kind = k.kind
ORDER BY slope / se DESC NULLS LAST, k.kind
