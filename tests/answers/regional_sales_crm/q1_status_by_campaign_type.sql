-- Per campaign type: opportunities, won, lost, open, and win rate = won / (won + lost). "(none)" is no campaign.
-- Mapping: datasets/mappings/regional_sales_crm.toml, manufacturer regional_sales.
SELECT
    coalesce(c.source, '(none)') AS campaign_type,
    count(*) AS n,
    count(*) FILTER (WHERE l.outcome = 'won') AS won,
    count(*) FILTER (WHERE l.outcome = 'lost') AS lost,
    count(*) FILTER (WHERE l.outcome = 'open') AS open,
    round(
        CAST(count(*) FILTER (WHERE l.outcome = 'won') AS DOUBLE) / count(*) FILTER (WHERE l.outcome <> 'open'), 6
    ) AS win_rate
FROM leads AS l
LEFT JOIN campaigns AS c ON c.campaign_id = l.campaign_id
GROUP BY 1
ORDER BY 1
