-- grain: one row per instructor, currency, bucket (pending or available) and the end of the hold
-- key: instructor_id, currency, bucket, hold_until?
-- refresh: full
WITH owed AS (
    SELECT
        posting.owner_id AS instructor_id,
        posting.unit AS currency,
        CASE WHEN posting.code = 'instructor_pending' THEN 'pending' ELSE 'available' END AS bucket,
        CASE
            WHEN posting.code = 'instructor_pending' THEN COALESCE(line.hold_until, posting.matures_at)
        END AS hold_until,
        posting.amount_minor
    FROM fct_posting AS posting
    LEFT JOIN fct_purchase_line AS line ON line.purchase_line_id = posting.purchase_line_id
    WHERE posting.book = 'money' AND posting.code IN ('instructor_pending', 'instructor_available')
)

SELECT
    owed.instructor_id,
    owed.currency,
    owed.bucket,
    owed.hold_until,
    CAST(-SUM(owed.amount_minor) AS BIGINT) AS owed_minor
FROM owed
GROUP BY owed.instructor_id, owed.currency, owed.bucket, owed.hold_until
HAVING SUM(owed.amount_minor) <> 0
ORDER BY owed.instructor_id
