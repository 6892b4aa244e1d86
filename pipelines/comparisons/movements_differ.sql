-- Each balance transaction that is not booked once and to the cent, and each booking without one.
WITH booked AS (
    SELECT posting.journal_id, posting.idem_key, posting.unit AS currency,
        sum(posting.amount_minor)::BIGINT AS amount_minor,
        sum(CASE WHEN posting.code = 'stripe_fee' THEN posting.amount_minor ELSE 0 END)::BIGINT AS fee_minor,
        min(posting.occurred_at) AS occurred_at,
        min(posting.recorded_at) AS recorded_at
    FROM fct_posting AS posting
    WHERE posting.code IN ('stripe_pending', 'stripe_fee')
    GROUP BY posting.journal_id, posting.idem_key, posting.unit
),

named AS (
    SELECT 'sale:' || payment.subject_id AS idem_key, payment.stripe_balance_transaction_id AS movement_id
    FROM stg_bursar__payments AS payment
    UNION ALL
    SELECT 'unapplied:' || payment.stripe_payment_intent_id, payment.stripe_balance_transaction_id
    FROM stg_bursar__payments AS payment
    UNION ALL
    SELECT 'refund:' || refund.refund_id, refund.stripe_balance_transaction_id
    FROM stg_bursar__refunds AS refund
    UNION ALL
    SELECT 'reverse:refund:' || refund.refund_id, movement.balance_transaction_id
    FROM stg_bursar__refunds AS refund
    INNER JOIN stg_stripe__balance_transactions AS movement ON movement.source_id = refund.stripe_refund_id
    WHERE movement.kind = 'refund_failure'
),

-- A payment beyond the one that a purchase expected is known by what it moved, and when.
nameless AS (
    SELECT booked.idem_key, booked.currency, booked.amount_minor, booked.fee_minor, booked.occurred_at,
        row_number() OVER (
            PARTITION BY booked.currency, booked.amount_minor, booked.fee_minor, booked.occurred_at
            ORDER BY booked.idem_key
        ) AS place
    FROM booked
    WHERE booked.idem_key LIKE 'unapplied:%'
        AND booked.idem_key NOT IN (SELECT named.idem_key FROM named WHERE named.movement_id IS NOT NULL)
),

unnamed AS (
    SELECT movement.balance_transaction_id, movement.currency, movement.amount_minor, movement.fee_minor,
        movement.created_at,
        row_number() OVER (
            PARTITION BY movement.currency, movement.amount_minor, movement.fee_minor, movement.created_at
            ORDER BY movement.balance_transaction_id
        ) AS place
    FROM stg_stripe__balance_transactions AS movement
    WHERE movement.kind IN ('charge', 'payment')
        AND movement.balance_transaction_id NOT IN (
            SELECT named.movement_id FROM named WHERE named.movement_id IS NOT NULL
        )
),

known AS (
    SELECT named.idem_key, named.movement_id FROM named WHERE named.movement_id IS NOT NULL
    UNION ALL
    SELECT nameless.idem_key, unnamed.balance_transaction_id
    FROM nameless
    INNER JOIN unnamed
        ON unnamed.currency = nameless.currency
        AND unnamed.amount_minor = nameless.amount_minor
        AND unnamed.fee_minor = nameless.fee_minor
        AND unnamed.created_at = nameless.occurred_at
        AND unnamed.place = nameless.place
),

ours AS (
    SELECT coalesce(known.movement_id, 'journal ' || booked.journal_id) AS movement_id,
        string_agg(booked.idem_key, ', ' ORDER BY booked.idem_key) AS booked_as,
        count(*) AS journal_count,
        CASE WHEN count(DISTINCT booked.currency) = 1 THEN min(booked.currency) END AS currency,
        sum(booked.amount_minor)::BIGINT AS amount_minor,
        sum(booked.fee_minor)::BIGINT AS fee_minor,
        min(booked.recorded_at) AS recorded_at
    FROM booked
    LEFT JOIN known ON known.idem_key = booked.idem_key
    GROUP BY ALL
)

SELECT
    CASE
        WHEN ours.movement_id IS NULL THEN
            CASE WHEN movement.created_at > $here_since THEN 'timing' ELSE 'missing here' END
        WHEN movement.balance_transaction_id IS NULL THEN
            CASE WHEN ours.recorded_at > $there_since THEN 'timing' ELSE 'missing there' END
        WHEN ours.currency IS DISTINCT FROM movement.currency THEN 'currency'
        ELSE 'amount'
    END AS reason,
    CASE WHEN movement.balance_transaction_id IS NOT NULL
        THEN movement.kind || ' ' || movement.balance_transaction_id || coalesce(' (' || ours.booked_as || ')', '')
        ELSE ours.movement_id || ' (' || ours.booked_as || ')' END AS subject,
    'ledger and processor' AS stores,
    coalesce(movement.currency, ours.currency) AS currency,
    CASE WHEN ours.amount_minor IS NOT DISTINCT FROM movement.amount_minor
        THEN ours.amount_minor - ours.fee_minor ELSE ours.amount_minor END AS ours_minor,
    CASE WHEN ours.amount_minor IS NOT DISTINCT FROM movement.amount_minor
        THEN movement.net_minor ELSE movement.amount_minor END AS theirs_minor,
    coalesce(movement.created_at, ours.recorded_at) AS since_at,
    coalesce(movement.net_minor, 0) - coalesce(ours.amount_minor - ours.fee_minor, 0) AS net_off_minor,
    coalesce(movement.fee_minor, 0) - coalesce(ours.fee_minor, 0) AS fee_off_minor
FROM ours
FULL JOIN stg_stripe__balance_transactions AS movement ON movement.balance_transaction_id = ours.movement_id
WHERE ours.amount_minor IS DISTINCT FROM movement.amount_minor
    OR ours.fee_minor IS DISTINCT FROM movement.fee_minor
    OR ours.amount_minor - ours.fee_minor IS DISTINCT FROM movement.net_minor
    OR ours.currency IS DISTINCT FROM movement.currency
ORDER BY subject
