"""What must hold of the books after anything at all."""

from sqlalchemy import Engine, text

UNBALANCED = """
SELECT journal_id::text, unit, count(*) AS lines, sum(amount_minor) AS off FROM posting
GROUP BY journal_id, unit HAVING sum(amount_minor) <> 0
"""
EMPTY = """
SELECT journal_id::text FROM journal
WHERE (SELECT count(*) FROM posting WHERE posting.journal_id = journal.journal_id) < 2
"""
WHOLE = "SELECT unit, sum(amount_minor) AS off FROM posting GROUP BY unit HAVING sum(amount_minor) <> 0"
MISKEPT = """
SELECT account_id, balance.amount_minor AS kept, summed.amount_minor AS summed
FROM balance FULL JOIN (
    SELECT account_id, sum(posting.amount_minor) * normal_side AS amount_minor
    FROM posting JOIN ledger_account USING (account_id) WHERE keeps_balance GROUP BY account_id, normal_side
) AS summed USING (account_id)
WHERE balance.amount_minor IS DISTINCT FROM summed.amount_minor
"""
SHARED = """
SELECT purchase_line_id::text, net_minor + tax_minor AS paid, sum(amount_minor) AS shared
FROM line_share JOIN purchase_line USING (purchase_line_id)
GROUP BY purchase_line_id, net_minor, tax_minor HAVING sum(amount_minor) <> net_minor + tax_minor
"""
UNSHARED = """
SELECT purchase_line_id::text FROM purchase_line
WHERE state IN ('held', 'matured', 'refunding', 'refunded') AND net_minor + tax_minor > 0
AND NOT EXISTS (SELECT 1 FROM line_share WHERE line_share.purchase_line_id = purchase_line.purchase_line_id)
"""


def faults(engine: Engine) -> list[str]:
    """Every row that breaks an invariant of the ledger, in words; none when the books are right."""
    found = []
    with engine.connect() as connection:
        for check in (UNBALANCED, EMPTY, WHOLE, MISKEPT, SHARED, UNSHARED):
            found += [str(dict(row._mapping)) for row in connection.execute(text(check))]  # noqa: SLF001 - SQLAlchemy's own public name
    return found
