-- Revenue, orders and active customers per calendar quarter of the order date.
-- Mapping: datasets/mappings/northwind.toml, manufacturer northwind.
SELECT
    date_part('year', booked_at) || 'Q' || date_part('quarter', booked_at) AS quarter,
    count(DISTINCT order_number) AS orders,
    count(DISTINCT distributor_id) AS customers,
    sum(amount) AS revenue
FROM revenue
GROUP BY 1
ORDER BY 1
