-- After a whole refund no instructor keeps anything of the line.

SELECT earning.purchase_line_id, earning.instructor_id, earning.kept_minor
FROM fct_earning AS earning
WHERE earning.standing = 'refunded' AND earning.kept_minor <> 0
