-- grain: one row per course of a purchase; the fee of its payment is spread over its lines by what was paid
-- key: purchase_line_id
-- refresh: full
WITH line AS (
    SELECT
        bought.purchase_line_id,
        bought.purchase_id,
        bought.line_no,
        bought.course_id,
        bought.list_minor,
        bought.discount_minor,
        bought.net_minor,
        bought.tax_minor,
        bought.net_minor + bought.tax_minor AS paid_minor,
        bought.rule_id,
        bought.instructor_bp,
        bought.refund_days,
        bought.hold_until,
        bought.state,
        CAST(SUM(bought.net_minor + bought.tax_minor) OVER (PARTITION BY bought.purchase_id) AS BIGINT) AS whole_minor,
        CAST(
            SUM(bought.net_minor + bought.tax_minor)
                OVER (PARTITION BY bought.purchase_id ORDER BY bought.line_no) AS BIGINT
        ) AS upto_minor
    FROM stg_bursar__purchase_lines AS bought
),

matured AS (
    SELECT
        posting.purchase_line_id,
        MIN(posting.occurred_at) AS released_at
    FROM fct_posting AS posting
    WHERE posting.kind = 'mature'
    GROUP BY posting.purchase_line_id
),

given_back AS (
    SELECT
        refund.purchase_line_id,
        MAX(refund.settled_at) AS refunded_at,
        SUM(refund.amount_minor) AS refunded_minor,
        MAX(refund.reason) AS refund_reason
    FROM stg_bursar__refunds AS refund
    WHERE refund.state = 'succeeded'
    GROUP BY refund.purchase_line_id
)

SELECT
    line.purchase_line_id,
    line.purchase_id,
    line.line_no,
    line.course_id,
    purchase.buyer_id,
    purchase.channel,
    purchase.currency,
    line.state,
    purchase.begun_at,
    purchase.settled_at AS sold_at,
    line.list_minor,
    line.discount_minor,
    line.net_minor,
    line.tax_minor,
    line.paid_minor,
    CASE
        WHEN payment.fee_minor IS NULL OR line.whole_minor = 0 THEN 0
        ELSE
            payment.fee_minor * line.upto_minor // line.whole_minor
            - payment.fee_minor * (line.upto_minor - line.paid_minor) // line.whole_minor
    END AS fee_minor,
    line.rule_id,
    rule.rule_name,
    line.instructor_bp,
    line.refund_days,
    line.hold_until,
    matured.released_at,
    given_back.refunded_at,
    given_back.refund_reason,
    CAST(COALESCE(given_back.refunded_minor, 0) AS BIGINT) AS refunded_minor
FROM line
LEFT JOIN stg_bursar__purchases AS purchase ON purchase.purchase_id = line.purchase_id
LEFT JOIN fct_payment AS payment
    ON payment.subject_id = line.purchase_id AND payment.subject_kind = 'purchase' AND payment.state = 'succeeded'
LEFT JOIN stg_bursar__revenue_rules AS rule ON rule.rule_id = line.rule_id
LEFT JOIN matured ON matured.purchase_line_id = line.purchase_line_id
LEFT JOIN given_back ON given_back.purchase_line_id = line.purchase_line_id
