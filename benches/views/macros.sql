-- Our functions as DuckDB can say them, for the views that use no others.
CREATE MACRO norm_quantile(p) AS CASE p WHEN 0.975 THEN 1.959963984540054 END;
CREATE MACRO wilson_half(y, n) AS 1.959963984540054 * sqrt(y * (n - y) / n + 1.959963984540054 ** 2 / 4) / (n + 1.959963984540054 ** 2);
CREATE MACRO wilson_mid(y, n) AS (y + 1.959963984540054 ** 2 / 2) / (n + 1.959963984540054 ** 2);
CREATE MACRO rate_ci(y, n) AS {
    'value': CAST(y AS DOUBLE) / nullif(n, 0),
    'lo': CASE WHEN n > 0 AND y IS NOT NULL THEN greatest(0.0, wilson_mid(CAST(y AS DOUBLE), CAST(n AS DOUBLE)) - wilson_half(CAST(y AS DOUBLE), CAST(n AS DOUBLE))) END,
    'hi': CASE WHEN n > 0 AND y IS NOT NULL THEN least(1.0, wilson_mid(CAST(y AS DOUBLE), CAST(n AS DOUBLE)) + wilson_half(CAST(y AS DOUBLE), CAST(n AS DOUBLE))) END,
    'n': n,
    'status': CASE WHEN n > 0 THEN 'ok' ELSE 'no_data' END
};
