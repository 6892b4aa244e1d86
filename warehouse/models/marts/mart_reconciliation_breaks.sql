-- grain: one row per row that two stores have differently, with the kind of the difference
-- key: subject, reason, stores
-- refresh: full
SELECT
    break.reason,
    break.subject,
    break.stores,
    break.currency,
    break.ours_minor,
    break.theirs_minor,
    break.ours_minor - break.theirs_minor AS difference_minor,
    break.since_at
FROM raw.reconciliation_break AS break
