-- Accounts of both books.
-- grain: one row per account
-- key: account_id
-- refresh: view

SELECT
    source.account_id,
    source.book,
    source.code,
    source.owner_kind,
    source.owner_id,
    source.unit,
    source.normal_side
FROM raw.ledger_account AS source
