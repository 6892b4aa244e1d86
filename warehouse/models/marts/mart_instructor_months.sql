-- grain: one row per instructor, course, currency and month (UTC, its first day)
-- key: instructor_id, course_id, currency, month
-- refresh: full
SELECT
    change.instructor_id,
    change.course_id,
    change.currency,
    CAST(DATE_TRUNC('MONTH', change.changed_on) AS DATE) AS month,
    CAST(SUM(CASE WHEN change.kind = 'sale' THEN 1 ELSE 0 END) AS BIGINT) AS sale_count,
    CAST(
        SUM(CASE change.kind WHEN 'refund' THEN 1 WHEN 'refund_failed' THEN -1 ELSE 0 END) AS BIGINT
    ) AS refund_count,
    CAST(SUM(CASE WHEN change.kind = 'sale' THEN change.net_minor ELSE 0 END) AS BIGINT) AS sales_minor,
    CAST(SUM(CASE WHEN change.kind <> 'sale' THEN -change.net_minor ELSE 0 END) AS BIGINT) AS refunded_minor,
    CAST(SUM(change.platform_minor) AS BIGINT) AS platform_minor,
    CAST(SUM(change.co_instructors_minor) AS BIGINT) AS co_instructors_minor,
    CAST(SUM(change.share_minor) AS BIGINT) AS earned_minor
FROM fct_earning_change AS change
GROUP BY
    change.instructor_id,
    change.course_id,
    change.currency,
    CAST(DATE_TRUNC('MONTH', change.changed_on) AS DATE)
ORDER BY change.instructor_id, month
