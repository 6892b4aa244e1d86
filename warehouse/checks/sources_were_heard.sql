-- Every source was heard within a day of the figures.
-- severity: warn

SELECT late.source, late.read_at
FROM sync.cursor AS late
WHERE late.read_at < (SELECT max(newest.read_at) FROM sync.cursor AS newest) - INTERVAL 1 DAY
