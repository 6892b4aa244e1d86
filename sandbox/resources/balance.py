"""The balance: always the sum of the balance transactions, never a figure of its own."""

from sandbox.resource import Call, Operation, Resource
from sandbox.shapes import Json

_SUMS = """
SELECT json_extract(body, '$.currency') AS currency,
       sum(CASE WHEN json_extract(body, '$.available_on') <= ? THEN json_extract(body, '$.net') ELSE 0 END)
           AS available,
       sum(CASE WHEN json_extract(body, '$.available_on') > ? THEN json_extract(body, '$.net') ELSE 0 END)
           AS pending
FROM object WHERE kind = 'balance_transaction' GROUP BY 1 ORDER BY 1
"""


def read(call: Call, _params: Json) -> Json:
    """What is available and what is pending, per currency."""
    sums = {row["currency"]: row for row in call.store.rows(_SUMS, (call.now, call.now))}
    currencies = list(sums) or ["usd"]

    def amounts(part: str) -> list[Json]:
        figures = {code: sums[code][part] if code in sums else 0 for code in currencies}
        return [
            {"amount": amount, "currency": code, "source_types": {"card": amount}}
            for code, amount in figures.items()
        ]

    return {
        "object": "balance",
        "available": amounts("available"),
        "connect_reserved": [{"amount": 0, "currency": code} for code in currencies],
        "livemode": False,
        "pending": amounts("pending"),
        "refund_and_dispute_prefunding": {
            "available": [{"amount": 0, "currency": code} for code in currencies],
            "pending": [{"amount": 0, "currency": code} for code in currencies],
        },
    }


RESOURCE = Resource("balance", (Operation("GET", "/v1/balance", read),))
