-- Days from creation to closing of won deals per product: count, mean, median, 90th percentile.
-- Mapping: datasets/mappings/regional_sales_crm.toml, manufacturer regional_sales.
WITH won AS (
    SELECT
        CAST(product_id AS BIGINT) AS product_id,
        CAST(date_part('epoch', closed_at - created_at) AS DOUBLE) / 86400 AS days
    FROM leads
    WHERE outcome = 'won'
)
SELECT
    product_id,
    count(*) AS n,
    round(avg(days), 6) AS mean_days,
    median(days) AS median_days,
    percentile_cont(0.9) WITHIN GROUP (ORDER BY days) AS p90_days
FROM won
GROUP BY product_id
ORDER BY product_id
