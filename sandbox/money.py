"""Fees, smallest amounts and how an amount is written."""

_FEE_PER_MILLE = 29
_FEE_FIXED = 30
_HALF = 500
_SMALLEST = {
    "gbp": 30,
    "mxn": 1_000,
    "sek": 300,
    "nok": 300,
    "dkk": 250,
    "hkd": 400,
    "czk": 1_500,
    "huf": 17_500,
}
_SMALLEST_OTHERWISE = 50
_ZERO_DECIMAL = frozenset({"jpy"})
SETTLING_SECONDS = 2 * 24 * 3_600


def fee(amount: int) -> int:
    """2.9 % and 30 of an amount in minor units, rounded half up."""
    return (amount * _FEE_PER_MILLE + _HALF) // 1_000 + _FEE_FIXED


def smallest(currency: str) -> int:
    """The least that can be charged, in minor units."""
    return _SMALLEST.get(currency, _SMALLEST_OTHERWISE)


def written(amount: int, currency: str) -> str:
    """An amount for a person: `$12.50`, `1,200 JPY`."""
    if currency in _ZERO_DECIMAL:
        return f"{amount:,} {currency.upper()}"
    figure = f"{amount // 100:,}.{amount % 100:02d}"
    signs = {"usd": "$", "eur": "€", "gbp": "£"}
    return signs[currency] + figure if currency in signs else f"{figure} {currency.upper()}"
