-- grain: one row per share of a line
-- key: purchase_line_id, share_no
-- refresh: view
SELECT
    purchase_line_id,
    share_no,
    party_kind,
    party_id,
    amount_minor,
    rate_bp
FROM raw.line_share
