-- Share of leads sent on which the distributor gives feedback within 14 days.
SELECT l.distributor_id, l.sent_at AS at,
       f.first_at IS NOT NULL AND f.first_at <= l.sent_at + INTERVAL '14 days' AS event,
       c.source, l.industry, l.region, l.product_id, l.campaign_id, l.rep_id
FROM leads AS l
LEFT JOIN campaigns AS c ON c.campaign_id = l.campaign_id
LEFT JOIN (SELECT subject_id, min(at) AS first_at FROM feedback WHERE subject = 'lead' GROUP BY subject_id) AS f
    ON f.subject_id = l.lead_id
WHERE l.sent_at IS NOT NULL
