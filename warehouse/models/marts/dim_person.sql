-- grain: one row per person who teaches or earns; nobody else's name is kept
-- key: person_id
-- refresh: full
WITH known AS (
    SELECT course.owner_id AS person_id FROM stg_bursar__courses AS course
    UNION
    SELECT share.party_id AS person_id FROM stg_bursar__line_shares AS share WHERE share.party_kind = 'instructor'
)

SELECT
    known.person_id,
    person.name
FROM known
INNER JOIN stg_bursar__people AS person ON person.user_id = known.person_id
