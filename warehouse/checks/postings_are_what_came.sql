-- Each posting of the models is one that came, to the cent.

SELECT
    coalesce(kept.posting_id, came.posting_id) AS posting_id,
    came.amount_minor AS came_minor,
    kept.amount_minor AS kept_minor
FROM stg_bursar__postings AS came
FULL JOIN fct_posting AS kept ON kept.posting_id = came.posting_id
WHERE kept.amount_minor IS DISTINCT FROM came.amount_minor
    OR kept.account_id IS DISTINCT FROM came.account_id
    OR kept.unit IS DISTINCT FROM came.unit
