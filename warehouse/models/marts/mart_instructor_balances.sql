-- grain: one row per instructor, currency, bucket (pending or available) and the end of the hold
-- key: instructor_id, currency, bucket, hold_until?
-- refresh: full
WITH owed AS (
    SELECT
        posting.owner_id AS instructor_id,
        posting.unit AS currency,
        CASE WHEN posting.code = 'instructor_pending' THEN 'pending' ELSE 'available' END AS bucket,
        posting.purchase_line_id,
        MAX(
            CASE WHEN posting.code = 'instructor_pending' THEN COALESCE(line.hold_until, posting.matures_at) END
        ) AS hold_until,
        -SUM(posting.amount_minor) AS owed_minor
    FROM fct_posting AS posting
    LEFT JOIN fct_purchase_line AS line ON line.purchase_line_id = posting.purchase_line_id
    WHERE posting.book = 'money' AND posting.code IN ('instructor_pending', 'instructor_available')
    GROUP BY posting.owner_id, posting.unit, posting.code, posting.purchase_line_id
    HAVING SUM(posting.amount_minor) <> 0
)

SELECT
    owed.instructor_id,
    owed.currency,
    owed.bucket,
    owed.hold_until,
    CAST(SUM(owed.owed_minor) AS BIGINT) AS amount_minor,
    COUNT(DISTINCT owed.purchase_line_id) AS sale_count
FROM owed
GROUP BY owed.instructor_id, owed.currency, owed.bucket, owed.hold_until
ORDER BY owed.instructor_id
