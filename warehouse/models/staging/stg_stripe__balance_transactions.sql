-- grain: one row per movement of our balance at the processor
-- key: balance_transaction_id
-- refresh: view
SELECT
    balance_transaction_id,
    source_id,
    kind,
    amount_minor,
    fee_minor,
    net_minor,
    currency,
    created_at,
    available_on,
    reporting_category
FROM raw.stripe_balance_transaction
