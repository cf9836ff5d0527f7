-- Revenue for each unit of money given as resources in the same period.
SELECT r.distributor_id, r.booked_at AS at, r.amount AS numerator, 0 AS denominator
FROM revenue AS r
UNION ALL
SELECT g.distributor_id, g.granted_at AS at, 0 AS numerator, g.cost AS denominator
FROM resources AS g
