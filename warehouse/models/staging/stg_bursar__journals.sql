-- grain: one row per event in the books
-- key: journal_id
-- refresh: view
SELECT
    journal_id,
    book,
    kind,
    idem_key,
    occurred_at,
    recorded_at,
    reverses_journal_id,
    subject_kind,
    subject_id
FROM raw.journal
