-- The shares of a settled line sum to its net price and its tax.

SELECT line.purchase_line_id, line.paid_minor, coalesce(sum(share.amount_minor), 0) AS shared_minor
FROM fct_purchase_line AS line
LEFT JOIN stg_bursar__line_shares AS share ON share.purchase_line_id = line.purchase_line_id
WHERE line.sold_at IS NOT NULL
GROUP BY line.purchase_line_id, line.paid_minor
HAVING coalesce(sum(share.amount_minor), 0) <> line.paid_minor
