-- Share of leads sent that become an opportunity within 60 days.
SELECT l.distributor_id, l.sent_at AS at,
       l.opportunity_at IS NOT NULL AND l.opportunity_at <= l.sent_at + INTERVAL '60 days' AS event,
       c.source, l.industry, l.region, l.product_id, l.campaign_id, l.rep_id
FROM leads AS l
LEFT JOIN campaigns AS c ON c.campaign_id = l.campaign_id
WHERE l.sent_at IS NOT NULL
