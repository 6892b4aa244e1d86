-- grain: one row per amount on its way back
-- key: refund_id
-- refresh: view
SELECT
    refund_id,
    payment_id,
    purchase_line_id,
    amount_minor,
    currency,
    reason,
    state,
    requested_at,
    settled_at,
    stripe_refund_id,
    stripe_balance_transaction_id
FROM raw.refund
