-- Each settled purchase that cost something has a payment that succeeded.

SELECT purchase.purchase_id, purchase.total_minor
FROM stg_bursar__purchases AS purchase
LEFT JOIN fct_payment AS payment
    ON payment.purchase_id = purchase.purchase_id AND payment.state = 'succeeded'
WHERE purchase.state IN ('settled', 'refunded') AND purchase.total_minor > 0
    AND payment.amount_minor IS DISTINCT FROM purchase.total_minor
