-- Earnings by month are the sum of the days.

WITH by_day AS (
    SELECT day.instructor_id, day.currency, date_trunc('month', day.day)::DATE AS month, sum(day.earned_minor) AS earned_minor
    FROM mart_instructor_days AS day
    GROUP BY day.instructor_id, day.currency, date_trunc('month', day.day)
),

by_month AS (
    SELECT each.instructor_id, each.currency, each.month, sum(each.earned_minor) AS earned_minor
    FROM mart_instructor_months AS each
    GROUP BY each.instructor_id, each.currency, each.month
)

SELECT by_day.instructor_id, by_day.currency, by_day.month, by_day.earned_minor, by_month.earned_minor AS month_minor
FROM by_day
FULL JOIN by_month
    ON by_month.instructor_id = by_day.instructor_id AND by_month.currency = by_day.currency
    AND by_month.month = by_day.month
WHERE by_month.earned_minor IS DISTINCT FROM by_day.earned_minor
