-- Per promotion type: order lines, units, discount given, revenue, and revenue per unit of discount.
-- Mapping: datasets/mappings/adventureworks.toml, manufacturer adventureworks.
-- A line and its discount share an id, one to one; a line without a discount has no row in resources.
-- NULL: revenue_per_discount where no discount was given.
SELECT
    c.source AS promotion_type,
    count(*) AS lines,
    sum(r.quantity) AS units,
    coalesce(sum(g.cost), 0) AS discount,
    sum(r.amount) AS revenue,
    round(CAST(sum(r.amount) AS DOUBLE) / CAST(sum(g.cost) AS DOUBLE), 4) AS revenue_per_discount
FROM revenue AS r
JOIN campaigns AS c ON c.campaign_id = r.promotion_id
LEFT JOIN resources AS g ON g.resource_id = r.revenue_id
GROUP BY c.source
ORDER BY c.source
