-- Top 10 resellers by total revenue, with order count and share of all reseller revenue.
-- Mapping: datasets/mappings/adventureworks.toml, manufacturer adventureworks.
SELECT
    CAST(r.distributor_id AS BIGINT) AS "ResellerKey",
    d.name AS "ResellerName",
    count(DISTINCT r.order_number) AS orders,
    sum(r.amount) AS revenue,
    round(CAST(sum(r.amount) AS DOUBLE) / (SELECT CAST(sum(amount) AS DOUBLE) FROM revenue), 6) AS share
FROM revenue AS r
JOIN distributors AS d ON d.distributor_id = r.distributor_id
GROUP BY 1, 2
ORDER BY revenue DESC
LIMIT 10
