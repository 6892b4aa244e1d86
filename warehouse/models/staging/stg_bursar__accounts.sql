-- grain: one row per ledger account
-- key: account_id
-- refresh: view
SELECT
    account_id,
    book,
    code,
    owner_kind,
    owner_id,
    unit,
    normal_side
FROM raw.ledger_account
