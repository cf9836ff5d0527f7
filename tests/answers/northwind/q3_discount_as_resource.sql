-- Discount money given per customer against revenue; top 5 customers by discount.
-- Mapping: datasets/mappings/northwind.toml, manufacturer northwind.
-- Both sides are summed before they meet: a customer has many lines on each.
WITH given AS (
    SELECT distributor_id, sum(cost) AS discount FROM resources WHERE kind = 'rebate' GROUP BY distributor_id
),
sold AS (
    SELECT distributor_id, sum(amount) AS revenue FROM revenue GROUP BY distributor_id
)
SELECT s.distributor_id AS "CustomerID", g.discount, s.revenue
FROM sold AS s
JOIN given AS g ON g.distributor_id = s.distributor_id
ORDER BY g.discount DESC
LIMIT 5
