-- Amounts returned over amounts sold.
SELECT r.distributor_id, r.booked_at AS at,
       CASE WHEN r.kind = 'return' THEN -r.amount ELSE 0 END AS numerator,
       CASE WHEN r.kind = 'return' THEN 0 ELSE r.amount END AS denominator,
       r.product_id, r.rep_id
FROM revenue AS r
