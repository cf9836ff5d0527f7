-- Share of marketing-qualified leads that are won within 120 days, by the day they became one.
SELECT l.distributor_id, l.mql_at AS at,
       l.outcome = 'won' AND l.closed_at <= l.mql_at + INTERVAL '120 days' AS event,
       c.source, l.industry, l.region, l.product_id, l.campaign_id, l.rep_id
FROM leads AS l
LEFT JOIN campaigns AS c ON c.campaign_id = l.campaign_id
WHERE l.mql_at IS NOT NULL
