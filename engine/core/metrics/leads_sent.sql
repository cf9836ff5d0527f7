-- Leads sent to distributors.
SELECT l.distributor_id, l.sent_at AS at, c.source, l.industry, l.region, l.product_id, l.campaign_id, l.rep_id
FROM leads AS l
LEFT JOIN campaigns AS c ON c.campaign_id = l.campaign_id
WHERE l.sent_at IS NOT NULL
