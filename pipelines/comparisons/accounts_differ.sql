-- How many accounts have other debits, credits or lines in the warehouse than in the ledger.
WITH stored AS (
    SELECT 'as a model' AS form, posting.account_id, posting.unit, posting.amount_minor
    FROM fct_posting AS posting WHERE posting.book = 'money'
    UNION ALL
    SELECT 'as it came', posting.account_id, posting.unit, posting.amount_minor
    FROM stg_bursar__postings AS posting
    INNER JOIN stg_bursar__ledger_accounts AS account ON account.account_id = posting.account_id
    WHERE account.book = 'money'
),

kept AS (
    SELECT stored.form, stored.account_id, stored.unit, count(*) AS line_count,
        sum(CASE WHEN stored.amount_minor > 0 THEN stored.amount_minor ELSE 0 END) AS debit_minor,
        sum(CASE WHEN stored.amount_minor < 0 THEN stored.amount_minor ELSE 0 END) AS credit_minor
    FROM stored GROUP BY stored.form, stored.account_id, stored.unit
),

written AS (
    SELECT form.form, given.* FROM given_totals AS given
    CROSS JOIN (VALUES ('as a model'), ('as it came')) AS form (form)
)

SELECT count(*)
FROM written
FULL JOIN kept ON kept.form = written.form AND kept.account_id = written.account_id AND kept.unit = written.unit
WHERE written.line_count IS DISTINCT FROM kept.line_count
    OR written.debit_minor IS DISTINCT FROM kept.debit_minor
    OR written.credit_minor IS DISTINCT FROM kept.credit_minor
