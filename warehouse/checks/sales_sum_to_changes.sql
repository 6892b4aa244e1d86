-- What is left of each sale, in the facts and on the pages, is the sum of its changes.

WITH changed AS (
    SELECT change.purchase_line_id, change.instructor_id, sum(change.share_minor) AS kept_minor
    FROM fct_earning_change AS change
    GROUP BY change.purchase_line_id, change.instructor_id
)

SELECT
    changed.purchase_line_id,
    changed.instructor_id,
    changed.kept_minor AS changes_minor,
    earning.kept_minor,
    sale.kept_minor AS shown_minor
FROM changed
FULL JOIN fct_earning AS earning
    ON earning.purchase_line_id = changed.purchase_line_id AND earning.instructor_id = changed.instructor_id
FULL JOIN mart_instructor_sales AS sale
    ON sale.purchase_line_id = changed.purchase_line_id AND sale.instructor_id = changed.instructor_id
WHERE changed.kept_minor IS DISTINCT FROM earning.kept_minor
    OR changed.kept_minor IS DISTINCT FROM sale.kept_minor
    OR earning.share_minor - earning.returned_minor IS DISTINCT FROM earning.kept_minor
    OR sale.share_minor - sale.returned_minor IS DISTINCT FROM sale.kept_minor
