-- Cost of the resources granted: MDF, training, samples, support, rebates, leads.
SELECT g.distributor_id, g.granted_at AS at, g.cost AS value, g.kind
FROM resources AS g
