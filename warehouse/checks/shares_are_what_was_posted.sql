-- Each instructor was credited what the line's shares say.

SELECT share.purchase_line_id, share.party_id, share.amount_minor, earning.share_minor
FROM stg_bursar__line_shares AS share
LEFT JOIN fct_earning AS earning
    ON earning.purchase_line_id = share.purchase_line_id AND earning.instructor_id = share.party_id
WHERE share.party_kind = 'instructor' AND earning.share_minor IS DISTINCT FROM share.amount_minor
