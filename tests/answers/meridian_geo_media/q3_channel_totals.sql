-- Per channel: total spend and number of geo-weeks with zero spend.
-- Mapping: datasets/mappings/meridian.toml, manufacturer meridian.
SELECT
    channel,
    round(sum(exact_cost), 2) AS spend,
    count(*) FILTER (WHERE exact_cost = 0) AS zero_geo_weeks
FROM resources
WHERE kind = 'mdf'
GROUP BY channel
ORDER BY channel
