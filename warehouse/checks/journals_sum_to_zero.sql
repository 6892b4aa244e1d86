-- Each journal sums to zero in each unit.

SELECT posting.journal_id, posting.unit, sum(posting.amount_minor) AS off_minor
FROM stg_bursar__postings AS posting
GROUP BY posting.journal_id, posting.unit
HAVING sum(posting.amount_minor) <> 0
