-- grain: one row per sold line and instructor, with the course's title: what the sales table and its drawer read
-- key: purchase_line_id, instructor_id
-- refresh: full
SELECT
    earning.instructor_id,
    earning.purchase_line_id,
    earning.purchase_id,
    earning.course_id,
    course.title AS course_title,
    earning.currency,
    earning.channel,
    earning.standing,
    earning.sold_at,
    earning.list_minor,
    earning.discount_minor,
    earning.net_minor,
    earning.tax_minor,
    earning.paid_minor,
    earning.fee_minor,
    earning.fee_borne_by,
    earning.platform_minor,
    earning.co_instructors_minor,
    earning.share_minor,
    earning.rate_bp,
    earning.rule_id,
    earning.rule_name,
    earning.instructor_bp,
    earning.refund_days,
    earning.hold_until,
    earning.released_at,
    earning.refunded_at,
    earning.refund_reason,
    earning.refunded_minor,
    earning.returned_minor,
    earning.kept_minor
FROM fct_earning AS earning
LEFT JOIN dim_course AS course ON course.course_id = earning.course_id
ORDER BY earning.instructor_id, earning.sold_at
