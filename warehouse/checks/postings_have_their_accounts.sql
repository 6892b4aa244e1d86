-- Each posting names an account and a journal that are there.

SELECT posting.journal_id, posting.line_no, posting.account_id
FROM stg_bursar__postings AS posting
LEFT JOIN stg_bursar__ledger_accounts AS account ON account.account_id = posting.account_id
LEFT JOIN stg_bursar__journals AS journal ON journal.journal_id = posting.journal_id
WHERE account.account_id IS NULL OR journal.journal_id IS NULL
