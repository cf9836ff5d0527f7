-- Question: what was given to each distributor in all, and what did it sell per unit of it?
-- Grain: one row per distributor, over the whole time. This is an average, no proof that the one caused the other:
-- "resource_payback" asks which kind comes back.
-- NULL: a ratio is NULL when nothing was given.
WITH given AS (
    SELECT distributor_id,
           SUM(cost) AS cost,
           SUM(CASE WHEN kind = 'mdf' THEN cost ELSE 0 END) AS mdf,
           SUM(CASE WHEN kind = 'training' THEN cost ELSE 0 END) AS training,
           SUM(CASE WHEN kind IN ('samples', 'support') THEN cost ELSE 0 END) AS samples_support,
           SUM(CASE WHEN kind = 'rebate' THEN cost ELSE 0 END) AS rebate,
           SUM(CASE WHEN kind = 'lead_cost' THEN cost ELSE 0 END) AS lead_cost
    FROM resources
    GROUP BY distributor_id
),
sold AS (
    SELECT distributor_id,
           SUM(amount) AS revenue,
           SUM(CASE WHEN kind = 'new' THEN amount ELSE 0 END) AS new_revenue
    FROM revenue
    GROUP BY distributor_id
)
SELECT d.distributor_id, d.name,
       CAST(COALESCE(s.revenue, 0) AS DOUBLE) AS revenue,
       CAST(COALESCE(g.cost, 0) AS DOUBLE) AS cost,
       CAST(COALESCE(g.mdf, 0) AS DOUBLE) AS mdf,
       CAST(COALESCE(g.training, 0) AS DOUBLE) AS training,
       CAST(COALESCE(g.samples_support, 0) AS DOUBLE) AS samples_support,
       CAST(COALESCE(g.rebate, 0) AS DOUBLE) AS rebate,
       CAST(COALESCE(g.lead_cost, 0) AS DOUBLE) AS lead_cost,
       round(CAST(s.revenue AS DOUBLE) / NULLIF(CAST(g.cost AS DOUBLE), 0), 2) AS revenue_per_cost,
       round(CAST(s.new_revenue AS DOUBLE) / NULLIF(CAST(g.lead_cost AS DOUBLE), 0), 2) AS new_revenue_per_lead_cost
FROM distributors d
LEFT JOIN given g ON g.distributor_id = d.distributor_id
LEFT JOIN sold s ON s.distributor_id = d.distributor_id
ORDER BY revenue_per_cost DESC NULLS LAST, d.distributor_id
