-- grain: one row per sold line and instructor, with every figure behind the earning
-- key: purchase_line_id, instructor_id
-- refresh: full
WITH sold AS (
    SELECT
        change.purchase_line_id,
        change.instructor_id,
        change.currency,
        change.changed_at AS sold_at,
        change.share_minor,
        change.platform_minor,
        change.co_instructors_minor
    FROM fct_earning_change AS change
    WHERE change.kind = 'sale'
),

taken_back AS (
    SELECT
        change.purchase_line_id,
        change.instructor_id,
        CAST(-SUM(change.share_minor) AS BIGINT) AS returned_minor
    FROM fct_earning_change AS change
    WHERE change.kind IN ('refund', 'refund_failed')
    GROUP BY change.purchase_line_id, change.instructor_id
    HAVING SUM(change.share_minor) <> 0
),

rate AS (
    SELECT
        share.purchase_line_id,
        share.party_id AS instructor_id,
        MAX(share.rate_bp) AS share_bp
    FROM stg_bursar__line_shares AS share
    WHERE share.party_kind = 'instructor'
    GROUP BY share.purchase_line_id, share.party_id
)

SELECT
    sold.purchase_line_id,
    sold.instructor_id,
    line.purchase_id,
    line.course_id,
    sold.currency,
    line.channel,
    CASE
        WHEN taken_back.purchase_line_id IS NOT NULL THEN 'refunded'
        WHEN line.released_at IS NOT NULL THEN 'available'
        ELSE 'on hold'
    END AS standing,
    sold.sold_at,
    line.list_minor,
    line.discount_minor,
    line.net_minor,
    line.tax_minor,
    line.paid_minor,
    line.fee_minor,
    'platform' AS fee_borne_by,
    sold.platform_minor,
    sold.co_instructors_minor,
    sold.share_minor,
    CAST(rate.share_bp AS BIGINT) AS rate_bp,
    line.rule_id,
    line.rule_name,
    line.instructor_bp,
    line.refund_days,
    line.hold_until,
    line.released_at,
    line.refunded_at,
    line.refund_reason,
    line.refunded_minor,
    COALESCE(taken_back.returned_minor, 0) AS returned_minor,
    sold.share_minor - COALESCE(taken_back.returned_minor, 0) AS kept_minor
FROM sold
LEFT JOIN fct_purchase_line AS line ON line.purchase_line_id = sold.purchase_line_id
LEFT JOIN taken_back
    ON taken_back.purchase_line_id = sold.purchase_line_id AND taken_back.instructor_id = sold.instructor_id
LEFT JOIN rate ON rate.purchase_line_id = sold.purchase_line_id AND rate.instructor_id = sold.instructor_id
