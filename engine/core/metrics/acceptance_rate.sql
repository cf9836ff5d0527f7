-- Share of leads sent that the distributor accepts within 30 days.
SELECT l.distributor_id, l.sent_at AS at,
       l.dql_at IS NOT NULL AND l.dql_at <= l.sent_at + INTERVAL '30 days' AS event,
       l.source, l.industry, l.region, l.product_id, l.campaign_id, l.rep_id
FROM v_lead AS l
WHERE l.sent_at IS NOT NULL
