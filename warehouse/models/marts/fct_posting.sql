-- grain: one row per line of a journal, with its account and its event
-- key: journal_id, line_no
-- refresh: full
SELECT
    posting.posting_id,
    posting.journal_id,
    posting.line_no,
    posting.account_id,
    account.book,
    account.code,
    account.owner_kind,
    account.owner_id,
    posting.unit,
    posting.unit AS currency,
    posting.amount_minor,
    posting.amount_minor * account.normal_side AS effect_minor,
    posting.purchase_line_id,
    posting.matures_at,
    journal.kind,
    journal.idem_key,
    journal.subject_kind,
    journal.subject_id,
    journal.occurred_at,
    journal.recorded_at
FROM stg_bursar__postings AS posting
LEFT JOIN stg_bursar__ledger_accounts AS account ON account.account_id = posting.account_id
LEFT JOIN stg_bursar__journals AS journal ON journal.journal_id = posting.journal_id
