-- Each posting that is not the same in the ledger and in the warehouse.
SELECT
    CASE WHEN kept.posting_id IS NULL THEN 'missing there' WHEN written.row_key IS NULL THEN 'missing here'
        WHEN written.unit <> kept.unit THEN 'currency' ELSE 'amount' END AS reason,
    'posting ' || coalesce(written.row_key, kept.posting_id) AS subject,
    'ledger and warehouse' AS stores,
    coalesce(written.unit, kept.unit) AS currency,
    written.amount_minor AS ours_minor,
    kept.amount_minor AS theirs_minor,
    kept.occurred_at AS since_at
FROM given_postings AS written
FULL JOIN fct_posting AS kept ON kept.posting_id = written.row_key
WHERE written.amount_minor IS DISTINCT FROM kept.amount_minor
    OR written.unit IS DISTINCT FROM kept.unit
    OR written.account_id IS DISTINCT FROM kept.account_id
ORDER BY subject
