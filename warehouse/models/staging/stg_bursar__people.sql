-- grain: one row per person
-- key: user_id
-- refresh: view
SELECT
    user_id,
    name,
    status,
    created_at
FROM raw.user_account
