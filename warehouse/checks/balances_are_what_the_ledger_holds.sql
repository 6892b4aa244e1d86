-- What an instructor is owed, by bucket, is what the ledger's accounts hold.

WITH held AS (
    SELECT
        posting.owner_id AS instructor_id,
        posting.unit AS currency,
        CASE WHEN posting.code = 'instructor_pending' THEN 'pending' ELSE 'available' END AS bucket,
        -sum(posting.amount_minor) AS held_minor
    FROM fct_posting AS posting
    WHERE posting.code IN ('instructor_pending', 'instructor_available')
    GROUP BY posting.owner_id, posting.unit, posting.code
    HAVING sum(posting.amount_minor) <> 0
),

owed AS (
    SELECT balance.instructor_id, balance.currency, balance.bucket, sum(balance.amount_minor) AS owed_minor
    FROM mart_instructor_balances AS balance
    GROUP BY balance.instructor_id, balance.currency, balance.bucket
)

SELECT
    coalesce(held.instructor_id, owed.instructor_id) AS instructor_id,
    coalesce(held.currency, owed.currency) AS currency,
    coalesce(held.bucket, owed.bucket) AS bucket,
    held.held_minor,
    owed.owed_minor
FROM held
FULL JOIN owed
    ON owed.instructor_id = held.instructor_id AND owed.currency = held.currency AND owed.bucket = held.bucket
WHERE coalesce(held.held_minor, 0) <> coalesce(owed.owed_minor, 0)
