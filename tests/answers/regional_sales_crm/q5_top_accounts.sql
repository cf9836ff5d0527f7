-- Top 10 accounts by won value, with won deals and win rate = won / (won + lost).
-- Mapping: datasets/mappings/regional_sales_crm.toml, manufacturer regional_sales.
SELECT
    CAST(l.distributor_id AS BIGINT) AS account_id,
    d.name AS account_name,
    count(*) FILTER (WHERE l.outcome = 'won') AS won,
    sum(l.amount) AS won_value,
    round(
        CAST(count(*) FILTER (WHERE l.outcome = 'won') AS DOUBLE) / count(*) FILTER (WHERE l.outcome <> 'open'), 6
    ) AS win_rate
FROM leads AS l
JOIN distributors AS d ON d.distributor_id = l.distributor_id
GROUP BY 1, 2
ORDER BY won_value DESC NULLS LAST, account_id
LIMIT 10
