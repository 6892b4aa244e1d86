-- grain: one row per sale, refund or refund that was sent back, of a line and an instructor, with what it changed
-- key: journal_id, purchase_line_id, instructor_id
-- refresh: full
WITH moved AS (
    SELECT
        posting.journal_id,
        posting.purchase_line_id,
        posting.kind,
        posting.unit AS currency,
        posting.code,
        posting.owner_id,
        MIN(posting.occurred_at) AS moved_at,
        CAST(-SUM(posting.amount_minor) AS BIGINT) AS moved_minor
    FROM fct_posting AS posting
    WHERE
        posting.book = 'money'
        AND posting.kind IN ('sale', 'refund', 'refund_failed')
        AND posting.purchase_line_id IS NOT NULL
    GROUP BY
        posting.journal_id,
        posting.purchase_line_id,
        posting.kind,
        posting.unit,
        posting.code,
        posting.owner_id
),

earned AS (
    SELECT
        moved.journal_id,
        moved.purchase_line_id,
        moved.kind,
        moved.currency,
        moved.owner_id AS instructor_id,
        MIN(moved.moved_at) AS changed_at,
        CAST(SUM(moved.moved_minor) AS BIGINT) AS share_minor
    FROM moved
    WHERE moved.code IN ('instructor_pending', 'instructor_available')
    GROUP BY moved.journal_id, moved.purchase_line_id, moved.kind, moved.currency, moved.owner_id
),

parted AS (
    SELECT
        moved.journal_id,
        moved.purchase_line_id,
        CAST(SUM(CASE WHEN moved.code = 'tax_payable' THEN 0 ELSE moved.moved_minor END) AS BIGINT) AS net_minor,
        CAST(SUM(CASE WHEN moved.code = 'platform_share' THEN moved.moved_minor ELSE 0 END) AS BIGINT) AS platform_minor
    FROM moved
    GROUP BY moved.journal_id, moved.purchase_line_id
)

SELECT
    earned.journal_id,
    earned.purchase_line_id,
    earned.instructor_id,
    earned.kind,
    earned.currency,
    line.course_id,
    earned.changed_at,
    CAST(earned.changed_at AS DATE) AS changed_on,
    parted.net_minor,
    parted.platform_minor,
    parted.net_minor - parted.platform_minor - earned.share_minor AS co_instructors_minor,
    earned.share_minor
FROM earned
INNER JOIN parted
    ON parted.journal_id = earned.journal_id AND parted.purchase_line_id = earned.purchase_line_id
LEFT JOIN fct_purchase_line AS line ON line.purchase_line_id = earned.purchase_line_id
