-- Bookings, returns left out.
SELECT r.distributor_id, r.booked_at AS at, r.product_id, r.rep_id, r.kind
FROM revenue AS r
WHERE r.kind <> 'return'
