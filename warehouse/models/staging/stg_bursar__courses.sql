-- grain: one row per course
-- key: course_id
-- refresh: view
SELECT
    course_id,
    external_key,
    title,
    subject,
    level,
    hours,
    status,
    owner_id,
    listed_at
FROM raw.course
