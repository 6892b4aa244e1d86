-- grain: one row per purchase
-- key: purchase_id
-- refresh: view
SELECT
    purchase_id,
    buyer_id,
    currency,
    total_minor,
    state,
    channel,
    begun_at,
    settled_at,
    ended_at
FROM raw.purchase
