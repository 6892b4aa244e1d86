"""Amounts of money in whole minor units of one currency."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

BASIS_POINTS = 10_000
CODE_LETTERS = 3


@dataclass(frozen=True, order=False, slots=True)
class Money:
    """An exact amount: whole minor units (cents) of a currency (ISO 4217, upper case)."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError(f"minor must be a whole number of minor units, not {self.minor!r}")
        code = self.currency
        if not (len(code) == CODE_LETTERS and code.isascii() and code.isalpha() and code.isupper()):
            raise ValueError(f"currency must be a three-letter upper-case code, not {self.currency!r}")

    @classmethod
    def zero(cls, currency: str) -> Self:
        """Nothing, in a currency."""
        return cls(0, currency)

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other).minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other).minor, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other).minor

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self._same(other).minor

    def __bool__(self) -> bool:
        return self.minor != 0

    def share(self, basis_points: int) -> "Money":
        """The given basis points of this amount, half a minor unit rounded away from zero."""
        part = (abs(self.minor) * basis_points * 2 + BASIS_POINTS) // (2 * BASIS_POINTS)
        return Money(part if self.minor >= 0 else -part, self.currency)

    def split(self, weights: Sequence[int]) -> list["Money"]:
        """Divide by weight so that the parts sum to the whole.

        Each part is within one minor unit of its exact share (largest remainder, ties to the earlier
        weight); a zero weight gets nothing. Raises ValueError unless weights are non-negative and sum
        to more than zero.
        """
        total = sum(weights)
        if total <= 0 or min(weights) < 0:
            raise ValueError("weights must be non-negative and sum to more than zero")
        sign = 1 if self.minor >= 0 else -1
        floors = [abs(self.minor) * weight // total for weight in weights]
        remainders = [abs(self.minor) * weight % total for weight in weights]
        by_remainder = sorted(range(len(weights)), key=lambda place: (-remainders[place], place))
        for place in by_remainder[: abs(self.minor) - sum(floors)]:
            floors[place] += 1
        return [Money(sign * part, self.currency) for part in floors]

    def _same(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise ValueError(f"{other.currency} cannot be combined with {self.currency}")
        return other


def total(amounts: Iterable[Money], currency: str) -> Money:
    """The sum of amounts that share a currency; zero of it when there are none."""
    return sum(amounts, start=Money.zero(currency))
