-- v_definition_gap: two definitions of a good lead, side by side: the manufacturer's and the agreed one. Where do they differ, and why?
-- Grain and key: distributor_id; every distributor has a row.
-- first_definition: the latest verdict of the rule that decides `mql` (yes: verdict mql or dql; everything else is a no), or `mql_at`
-- where no such rule ever decided: leads that became MQLs. second_definition: the latest verdict of the rule that decides `dql` (yes: dql),
-- or `distributor` where no such rule ever decided: what the distributor said of leads that were sent to it, accept or reject,
-- whichever came first. A decision with an error is no verdict. Leads that one of the two says nothing about are left out.
-- tp: both yes; fp: only the first; fn: only the second; tn: both no. gap_n are all of them.
-- agreement: same answer, Wilson interval. acceptance: the second's yes among the first's yes. kappa (interval), pabak, ac1: agreement
-- beyond chance; kappa alone misleads where nearly all answers are the same. bias_index: (fp - fn) / gap_n. 95 % intervals.
-- Status: no_data; verification_bias where the second definition is the distributor, who never saw a lead that the first turned down:
-- agreement is then acceptance, and kappa, pabak, ac1 and bias_index are NULL, for nothing is known of the leads that were missed;
-- infeasible, with the same NULL, where a rule is the second and the first turned nothing down; ok. Even ok, with the distributor as
-- the second, knows nothing of leads that were never sent.
-- value_disagreed: est_value of the leads in fp and fn; those without one add nothing and are counted in disagreed_no_value.
-- top_reason: of the reasons that the side saying no gave in these disagreements, the one that stands out most at this distributor
-- against all others; top_reason_n the leads, top_reason_share their share of those that name reasons, network_share that of the others.
-- p_value: Fisher's exact test. q_value: corrected for all reasons of all distributors (Benjamini & Hochberg).
-- NULL: top_reason and what follows where no reason is named more often than elsewhere.
WITH newest AS (
    SELECT lead_id, kind, max(decided_at) AS decided_at FROM decisions WHERE verdict IS NOT NULL GROUP BY lead_id, kind
),
said AS (
    SELECT
        d.lead_id,
        max(d.verdict) FILTER (WHERE d.kind = 'mql') AS mql_verdict,
        max(d.reasons) FILTER (WHERE d.kind = 'mql') AS mql_reasons,
        max(d.verdict) FILTER (WHERE d.kind = 'dql') AS dql_verdict,
        max(d.reasons) FILTER (WHERE d.kind = 'dql') AS dql_reasons
    FROM decisions AS d
    JOIN newest AS n ON n.lead_id = d.lead_id AND n.kind = d.kind AND n.decided_at = d.decided_at
    WHERE d.verdict IS NOT NULL
    GROUP BY d.lead_id
),
rules AS (
    SELECT count(*) FILTER (WHERE kind = 'mql') > 0 AS has_mql, count(*) FILTER (WHERE kind = 'dql') > 0 AS has_dql
    FROM decisions
    WHERE verdict IS NOT NULL
),
answers AS (
    SELECT
        l.distributor_id, l.est_value, l.reject_reason, s.mql_reasons, s.dql_reasons, r.has_mql, r.has_dql,
        CASE WHEN r.has_mql THEN s.mql_verdict IN ('mql', 'dql') ELSE l.mql_at IS NOT NULL END AS first,
        CASE WHEN r.has_dql THEN s.dql_verdict = 'dql'
             WHEN l.sent_at IS NULL THEN NULL
             WHEN l.dql_at <= l.rejected_at OR (l.dql_at IS NOT NULL AND l.rejected_at IS NULL) THEN true
             WHEN l.rejected_at IS NOT NULL THEN false END AS second
    FROM v_lead AS l
    CROSS JOIN rules AS r
    LEFT JOIN said AS s ON s.lead_id = l.lead_id
),
-- One row for each distributor, pair of answers, and reasons; a rule names several reasons, with commas between.
grouped AS (
    SELECT
        distributor_id, first, second, reasons,
        count(*) AS leads, sum(est_value) AS value, count(*) FILTER (WHERE est_value IS NULL) AS no_value
    FROM (
        SELECT
            distributor_id, est_value, first, second,
            CASE WHEN first AND NOT second AND has_dql THEN string_to_array(nullif(dql_reasons, ''), ',')
                 WHEN first AND NOT second THEN CASE WHEN reject_reason IS NOT NULL THEN make_array(reject_reason) END
                 WHEN second AND NOT first THEN string_to_array(nullif(mql_reasons, ''), ',') END AS reasons
        FROM answers
        WHERE first IS NOT NULL AND second IS NOT NULL
    ) AS pairs
    GROUP BY distributor_id, first, second, reasons
),
totals AS (
    SELECT
        distributor_id, leads, reasons,
        coalesce(sum(leads) FILTER (WHERE first AND second) OVER each_one, 0) AS tp,
        coalesce(sum(leads) FILTER (WHERE first AND NOT second) OVER each_one, 0) AS fp,
        coalesce(sum(leads) FILTER (WHERE NOT first AND second) OVER each_one, 0) AS fn,
        coalesce(sum(leads) FILTER (WHERE NOT first AND NOT second) OVER each_one, 0) AS tn,
        sum(value) FILTER (WHERE first <> second) OVER each_one AS value_disagreed,
        coalesce(sum(no_value) FILTER (WHERE first <> second) OVER each_one, 0) AS disagreed_no_value,
        coalesce(sum(leads) FILTER (WHERE reasons IS NOT NULL) OVER each_one, 0) AS named,
        coalesce(sum(leads) FILTER (WHERE reasons IS NOT NULL) OVER (), 0) AS named_by_all
    FROM grouped
    WINDOW each_one AS (PARTITION BY distributor_id)
),
by_reason AS (
    SELECT
        distributor_id, reason, tp, fp, fn, tn, value_disagreed, disagreed_no_value, named, named_by_all - named AS others,
        sum(leads) AS n
    FROM (SELECT * EXCLUDE (reasons), unnest(coalesce(array_distinct(reasons), make_array(''))) AS reason FROM totals) AS exploded
    GROUP BY distributor_id, reason, tp, fp, fn, tn, value_disagreed, disagreed_no_value, named, named_by_all
),
shares AS (
    SELECT
        *,
        reason <> '' AND others > 0 AS is_tested,
        sum(n) OVER (PARTITION BY reason) - n AS others_n,
        CAST(n AS DOUBLE) / nullif(named, 0) AS share,
        CAST(sum(n) OVER (PARTITION BY reason) - n AS DOUBLE) / nullif(others, 0) AS network_share
    FROM by_reason
),
tested AS (
    SELECT *, p_adjust(p_value) OVER () AS q_value
    FROM (
        SELECT *, CASE WHEN is_tested THEN fisher_p(n, named - n, others_n, others - others_n) END AS p_value FROM shares
    ) AS each_reason
),
placed AS (
    SELECT
        *,
        coalesce(is_tested AND share > network_share, false) AS stands_out,
        row_number() OVER (
            PARTITION BY distributor_id
            ORDER BY coalesce(is_tested AND share > network_share, false) DESC, p_value, n DESC, reason
        ) AS place
    FROM tested
),
judged AS (
    SELECT
        *, kappa(tp, fp, fn, tn) AS k, rate_ci(tp + tn, tp + fp + fn + tn) AS agreement, rate_ci(tp, tp + fp) AS acceptance,
        tp + fp + fn + tn AS gap_n
    FROM placed
    WHERE place = 1
)
SELECT
    d.distributor_id,
    d.name,
    CASE WHEN r.has_mql THEN 'rule' ELSE 'mql_at' END AS first_definition,
    CASE WHEN r.has_dql THEN 'rule' ELSE 'distributor' END AS second_definition,
    coalesce(j.gap_n, 0) AS gap_n,
    coalesce(j.tp, 0) AS tp, coalesce(j.fp, 0) AS fp, coalesce(j.fn, 0) AS fn, coalesce(j.tn, 0) AS tn,
    j.agreement['value'] AS agreement, j.agreement['lo'] AS agreement_lo, j.agreement['hi'] AS agreement_hi,
    coalesce(j.gap_n, 0) AS agreement_n,
    CASE WHEN r.has_dql THEN coalesce(j.agreement['status'], 'no_data') ELSE coalesce(j.k['status'], 'no_data') END AS agreement_status,
    j.acceptance['value'] AS acceptance, j.acceptance['lo'] AS acceptance_lo, j.acceptance['hi'] AS acceptance_hi,
    coalesce(j.acceptance['n'], 0) AS acceptance_n, coalesce(j.acceptance['status'], 'no_data') AS acceptance_status,
    j.k['kappa'] AS kappa, j.k['lo'] AS kappa_lo, j.k['hi'] AS kappa_hi,
    coalesce(j.gap_n, 0) AS kappa_n,
    CASE WHEN r.has_dql AND j.k['status'] = 'verification_bias' THEN 'infeasible'
         ELSE coalesce(j.k['status'], 'no_data') END AS kappa_status,
    j.k['pabak'] AS pabak,
    j.k['ac1'] AS ac1,
    j.k['bias_index'] AS bias_index,
    coalesce(j.value_disagreed, 0) AS value_disagreed,
    coalesce(j.disagreed_no_value, 0) AS disagreed_no_value,
    CASE WHEN j.stands_out THEN j.reason END AS top_reason,
    CASE WHEN j.stands_out THEN j.n END AS top_reason_n,
    CASE WHEN j.stands_out THEN j.share END AS top_reason_share,
    CASE WHEN j.stands_out THEN j.network_share END AS top_reason_network_share,
    CASE WHEN j.stands_out THEN j.p_value END AS top_reason_p_value,
    CASE WHEN j.stands_out THEN j.q_value END AS top_reason_q_value
FROM distributors AS d
CROSS JOIN rules AS r
LEFT JOIN judged AS j ON j.distributor_id = d.distributor_id
