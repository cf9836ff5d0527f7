-- Mean amount of a booking, returns left out.
SELECT r.distributor_id, r.booked_at AS at, r.amount AS numerator, 1 AS denominator, r.product_id, r.rep_id, r.kind
FROM revenue AS r
WHERE r.kind <> 'return'
