-- Reseller revenue, order lines and distinct active resellers per calendar quarter of the order date.
-- Mapping: datasets/mappings/adventureworks.toml, manufacturer adventureworks.
SELECT
    date_part('year', booked_at) || 'Q' || date_part('quarter', booked_at) AS quarter,
    count(*) AS lines,
    count(DISTINCT distributor_id) AS active_resellers,
    sum(amount) AS revenue
FROM revenue
GROUP BY 1
ORDER BY 1
