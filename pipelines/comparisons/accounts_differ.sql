-- How many accounts have other debits, credits or lines in the warehouse than in the ledger.
SELECT count(*) FROM given_totals AS written
FULL JOIN (
    SELECT posting.account_id, posting.unit, count(*) AS line_count,
        sum(CASE WHEN posting.amount_minor > 0 THEN posting.amount_minor ELSE 0 END) AS debit_minor,
        sum(CASE WHEN posting.amount_minor < 0 THEN posting.amount_minor ELSE 0 END) AS credit_minor
    FROM fct_posting AS posting WHERE posting.book = 'money' GROUP BY posting.account_id, posting.unit
) AS kept ON kept.account_id = written.account_id AND kept.unit = written.unit
WHERE written.line_count IS DISTINCT FROM kept.line_count
    OR written.debit_minor IS DISTINCT FROM kept.debit_minor
    OR written.credit_minor IS DISTINCT FROM kept.credit_minor
