-- Each journal that does not sum to zero.
SELECT
    'amount' AS reason,
    'journal ' || posting.journal_id AS subject,
    'ledger and itself' AS stores,
    posting.unit AS currency,
    sum(posting.amount_minor)::BIGINT AS ours_minor,
    0 AS theirs_minor,
    min(posting.occurred_at) AS since_at
FROM fct_posting AS posting
GROUP BY posting.journal_id, posting.unit
HAVING sum(posting.amount_minor) <> 0
ORDER BY subject
