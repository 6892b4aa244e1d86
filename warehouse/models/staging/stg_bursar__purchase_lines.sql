-- grain: one row per course of a purchase
-- key: purchase_line_id
-- refresh: view
SELECT
    purchase_line_id,
    purchase_id,
    line_no,
    course_id,
    list_minor,
    discount_minor,
    net_minor,
    tax_minor,
    rule_id,
    instructor_bp,
    refund_days,
    hold_until,
    state
FROM raw.purchase_line
