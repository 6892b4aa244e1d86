-- grain: one row per course
-- key: course_id
-- refresh: full
SELECT
    course.course_id,
    course.title,
    course.subject,
    course.level,
    course.hours,
    course.status,
    course.owner_id,
    course.listed_at
FROM stg_bursar__courses AS course
