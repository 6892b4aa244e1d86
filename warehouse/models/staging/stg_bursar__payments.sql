-- grain: one row per amount that a payer was asked for
-- key: payment_id
-- refresh: view
SELECT
    payment_id,
    subject_kind,
    subject_id,
    amount_minor,
    currency,
    state,
    stripe_payment_intent_id,
    stripe_charge_id,
    stripe_balance_transaction_id,
    fee_minor,
    failure_code,
    created_at,
    succeeded_at
FROM raw.payment
