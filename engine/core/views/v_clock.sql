-- v_clock: the newest instant in the manufacturer's data, which stands for "now": reports of the same data do not change overnight.
-- Grain and key: one row.
-- NULL: as_of is NULL where there is no data at all. first is the oldest instant at which a lead was created, revenue
-- booked or a resource granted. It is answered from the statistics of the files, without reading a row.
SELECT
    greatest(l.last, r.last, g.last, f.last) AS as_of,
    least(l.first, r.first, g.first) AS first
FROM (
    SELECT min(created_at) AS first, greatest(
        max(created_at), max(mql_at), max(sent_at), max(first_touch_at), max(dql_at), max(rejected_at),
        max(opportunity_at), max(closed_at)
    ) AS last
    FROM leads
) AS l
CROSS JOIN (SELECT min(booked_at) AS first, max(booked_at) AS last FROM revenue) AS r
CROSS JOIN (SELECT min(granted_at) AS first, max(granted_at) AS last FROM resources) AS g
CROSS JOIN (SELECT max(at) AS last FROM feedback) AS f
