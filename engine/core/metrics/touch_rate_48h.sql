-- Share of leads sent that are first touched within 48 hours.
SELECT l.distributor_id, l.sent_at AS at,
       l.first_touch_at IS NOT NULL AND l.first_touch_at <= l.sent_at + INTERVAL '48 hours' AS event,
       l.source, l.industry, l.region, l.product_id, l.campaign_id, l.rep_id
FROM v_lead AS l
WHERE l.sent_at IS NOT NULL
