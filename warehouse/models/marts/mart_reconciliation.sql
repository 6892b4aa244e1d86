-- grain: one row per measure and currency, as three stores have it
-- key: measure, currency
-- refresh: full
SELECT
    total.measure,
    total.currency,
    total.ledger_minor,
    total.processor_minor,
    total.warehouse_minor,
    total.timing_minor,
    total.unexplained_minor
FROM raw.reconciliation_total AS total
