-- Whole panel: geos, weeks, total spend, total revenue, revenue per unit of spend.
-- Mapping: datasets/mappings/meridian.toml, manufacturer meridian.
-- Each table is summed by itself; joined, the five channels of a week would repeat its revenue five times.
SELECT
    r.geos,
    r.weeks,
    g.spend,
    r.revenue,
    round(r.revenue / g.spend, 6) AS revenue_per_spend
FROM (
    SELECT
        count(DISTINCT distributor_id) AS geos,
        count(DISTINCT booked_at) AS weeks,
        round(sum(exact_amount), 2) AS revenue
    FROM revenue
) AS r
CROSS JOIN (SELECT round(sum(exact_cost), 2) AS spend FROM resources WHERE kind = 'mdf') AS g
