-- grain: one row per line of a journal
-- key: journal_id, line_no
-- refresh: view
SELECT
    journal_id,
    line_no,
    row_key AS posting_id,
    account_id,
    amount_minor,
    unit,
    purchase_line_id,
    matures_at
FROM raw.posting
