-- Units sold, as booked.
SELECT r.distributor_id, r.booked_at AS at, r.quantity AS value, r.product_id, r.rep_id, r.kind
FROM revenue AS r
