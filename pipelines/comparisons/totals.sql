-- Each measure in each currency, as the three stores have it.
WITH written AS (
    SELECT given.unit AS currency,
        sum(CASE WHEN given.code = 'stripe_pending' THEN given.debit_minor + given.credit_minor ELSE 0 END) AS held,
        sum(CASE WHEN given.code = 'stripe_fee' THEN given.debit_minor + given.credit_minor ELSE 0 END) AS fees,
        sum(given.debit_minor) AS debits,
        sum(given.credit_minor) AS credits
    FROM given_totals AS given GROUP BY given.unit
),

kept AS (
    SELECT posting.unit AS currency,
        sum(CASE WHEN posting.code = 'stripe_pending' THEN posting.amount_minor ELSE 0 END) AS held,
        sum(CASE WHEN posting.code = 'stripe_fee' THEN posting.amount_minor ELSE 0 END) AS fees,
        sum(CASE WHEN posting.amount_minor > 0 THEN posting.amount_minor ELSE 0 END) AS debits,
        sum(CASE WHEN posting.amount_minor < 0 THEN posting.amount_minor ELSE 0 END) AS credits
    FROM fct_posting AS posting WHERE posting.book = 'money' GROUP BY posting.unit
),

moved AS (
    SELECT movement.currency, sum(movement.net_minor) AS held, sum(movement.fee_minor) AS fees
    FROM stg_stripe__balance_transactions AS movement GROUP BY movement.currency
),

timing AS (
    SELECT late.currency, sum(late.net_off_minor) AS held, sum(late.fee_off_minor) AS fees
    FROM given_movements AS late WHERE late.reason = 'timing' GROUP BY late.currency
),

currencies AS (
    SELECT written.currency FROM written UNION SELECT kept.currency FROM kept UNION SELECT moved.currency FROM moved
),

side AS (
    SELECT currencies.currency,
        coalesce(written.held, 0) AS written_held, coalesce(written.fees, 0) AS written_fees,
        coalesce(written.debits, 0) AS written_debits, coalesce(written.credits, 0) AS written_credits,
        coalesce(kept.held, 0) AS kept_held, coalesce(kept.fees, 0) AS kept_fees,
        coalesce(kept.debits, 0) AS kept_debits, coalesce(kept.credits, 0) AS kept_credits,
        coalesce(moved.held, 0) AS moved_held, coalesce(moved.fees, 0) AS moved_fees,
        coalesce(timing.held, 0) AS late_held, coalesce(timing.fees, 0) AS late_fees
    FROM currencies
    LEFT JOIN written ON written.currency = currencies.currency
    LEFT JOIN kept ON kept.currency = currencies.currency
    LEFT JOIN moved ON moved.currency = currencies.currency
    LEFT JOIN timing ON timing.currency = currencies.currency
),

measured AS (
    SELECT 'held by the processor' AS measure, side.currency, side.written_held AS ledger,
        side.moved_held AS processor, side.kept_held AS warehouse, side.late_held AS late, NULL AS must_be
    FROM side
    UNION ALL
    SELECT 'fees of the processor', side.currency, side.written_fees,
        side.moved_fees, side.kept_fees, side.late_fees, NULL
    FROM side
    UNION ALL
    SELECT 'debits of the book', side.currency, side.written_debits, NULL, side.kept_debits, 0, NULL FROM side
    UNION ALL
    SELECT 'credits of the book', side.currency, side.written_credits, NULL, side.kept_credits, 0, NULL FROM side
    UNION ALL
    SELECT 'sum of the book', side.currency, side.written_debits + side.written_credits,
        NULL, side.kept_debits + side.kept_credits, 0, 0
    FROM side
)

SELECT measured.measure, measured.currency,
    measured.ledger::BIGINT AS ledger_minor,
    measured.processor::BIGINT AS processor_minor,
    measured.warehouse::BIGINT AS warehouse_minor,
    measured.late::BIGINT AS timing_minor,
    (
        greatest(measured.ledger, measured.warehouse, measured.processor - measured.late, measured.must_be)
        - least(measured.ledger, measured.warehouse, measured.processor - measured.late, measured.must_be)
    )::BIGINT AS unexplained_minor
FROM measured
ORDER BY measured.currency, measured.measure
