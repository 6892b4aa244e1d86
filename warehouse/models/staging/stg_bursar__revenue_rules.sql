-- grain: one row per rule of sharing
-- key: rule_id
-- refresh: view
SELECT
    rule_id,
    name AS rule_name,
    channel,
    instructor_bp,
    valid_from,
    valid_to
FROM raw.revenue_rule
