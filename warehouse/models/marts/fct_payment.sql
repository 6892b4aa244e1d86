-- grain: one row per amount that a payer was asked for
-- key: payment_id
-- refresh: full
WITH given_back AS (
    SELECT
        refund.payment_id,
        SUM(refund.amount_minor) AS refunded_minor
    FROM stg_bursar__refunds AS refund
    WHERE refund.state = 'succeeded'
    GROUP BY refund.payment_id
)

SELECT
    payment.payment_id,
    payment.subject_kind,
    payment.subject_id,
    CASE WHEN payment.subject_kind = 'purchase' THEN payment.subject_id END AS purchase_id,
    payment.currency,
    payment.state,
    payment.amount_minor,
    payment.fee_minor,
    payment.amount_minor - payment.fee_minor AS received_minor,
    CAST(COALESCE(given_back.refunded_minor, 0) AS BIGINT) AS refunded_minor,
    payment.failure_code,
    payment.stripe_charge_id,
    payment.stripe_balance_transaction_id,
    payment.created_at,
    payment.succeeded_at
FROM stg_bursar__payments AS payment
LEFT JOIN given_back ON given_back.payment_id = payment.payment_id
