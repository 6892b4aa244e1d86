-- Each posting that is not the same in the ledger and in the warehouse, as it came there or as a model.
WITH kept AS (
    SELECT 'as a model' AS form, posting.posting_id, posting.account_id, posting.unit, posting.amount_minor,
        posting.occurred_at
    FROM fct_posting AS posting
    UNION ALL
    SELECT 'as it came', posting.posting_id, posting.account_id, posting.unit, posting.amount_minor,
        journal.occurred_at
    FROM stg_bursar__postings AS posting
    LEFT JOIN stg_bursar__journals AS journal ON journal.journal_id = posting.journal_id
),

written AS (
    SELECT form.form, given.* FROM given_postings AS given
    CROSS JOIN (VALUES ('as a model'), ('as it came')) AS form (form)
)

SELECT
    CASE
        WHEN kept.posting_id IS NULL THEN 'missing there'
        WHEN written.row_key IS NULL THEN 'missing here'
        WHEN written.unit <> kept.unit THEN 'currency'
        ELSE 'amount'
    END AS reason,
    'posting ' || coalesce(written.row_key, kept.posting_id) || ', ' || coalesce(written.form, kept.form) AS subject,
    'ledger and warehouse' AS stores,
    coalesce(written.unit, kept.unit) AS currency,
    written.amount_minor AS ours_minor,
    kept.amount_minor AS theirs_minor,
    kept.occurred_at AS since_at
FROM written
FULL JOIN kept ON kept.form = written.form AND kept.posting_id = written.row_key
WHERE written.amount_minor IS DISTINCT FROM kept.amount_minor
    OR written.unit IS DISTINCT FROM kept.unit
    OR written.account_id IS DISTINCT FROM kept.account_id
ORDER BY subject
