-- Each balance transaction that the processor tells otherwise than it did before.
SELECT
    'amount' AS reason,
    told.kind || ' ' || told.balance_transaction_id AS subject,
    'processor and warehouse' AS stores,
    told.currency,
    told.net_minor AS ours_minor,
    kept.net_minor AS theirs_minor,
    told.created_at AS since_at
FROM given_movements AS told
INNER JOIN stg_stripe__balance_transactions AS kept ON kept.balance_transaction_id = told.balance_transaction_id
WHERE kept.amount_minor IS DISTINCT FROM told.amount_minor
    OR kept.fee_minor IS DISTINCT FROM told.fee_minor
    OR kept.net_minor IS DISTINCT FROM told.net_minor
    OR kept.currency IS DISTINCT FROM told.currency
ORDER BY subject
