-- Leads won, in the period in which they were.
SELECT l.distributor_id, l.closed_at AS at, c.source, l.industry, l.region, l.product_id, l.campaign_id, l.rep_id
FROM leads AS l
LEFT JOIN campaigns AS c ON c.campaign_id = l.campaign_id
WHERE l.outcome = 'won' AND l.closed_at IS NOT NULL
