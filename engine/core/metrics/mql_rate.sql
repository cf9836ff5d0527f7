-- Share of decided leads that the manufacturer's rule finds qualified, by the plugin's version.
SELECT l.distributor_id, d.decided_at AS at, d.verdict = 'mql' AS event, d.plugin, d.version, l.industry, l.region,
       l.campaign_id
FROM decisions AS d
JOIN leads AS l ON l.lead_id = d.lead_id
WHERE d.kind = 'mql' AND d.verdict IS NOT NULL
