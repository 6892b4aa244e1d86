-- Earnings by day sum to what the ledger holds for the instructor's sales.

WITH by_day AS (
    SELECT day.instructor_id, day.currency, sum(day.earned_minor) AS earned_minor
    FROM mart_instructor_days AS day
    GROUP BY day.instructor_id, day.currency
),

held AS (
    SELECT posting.owner_id AS instructor_id, posting.currency, sum(posting.effect_minor) AS held_minor
    FROM fct_posting AS posting
    WHERE posting.code IN ('instructor_pending', 'instructor_available')
    GROUP BY posting.owner_id, posting.currency
)

SELECT held.instructor_id, held.currency, held.held_minor, by_day.earned_minor
FROM held
FULL JOIN by_day ON by_day.instructor_id = held.instructor_id AND by_day.currency = held.currency
WHERE held.held_minor IS DISTINCT FROM by_day.earned_minor
