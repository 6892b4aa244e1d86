-- grain: one row per access to a course
-- key: enrolment_id
-- refresh: view
SELECT
    enrolment_id,
    user_id,
    course_id,
    purchase_line_id,
    state,
    opened_at,
    ended_at
FROM raw.enrolment
