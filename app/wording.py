"""Every word and number as a person reads it: money, percentages, dates, and text made safe for its place."""

import html
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from types import MappingProxyType

from services.kernel.actor import Role
from services.kernel.money import Money

MISSING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
SYMBOLS = MappingProxyType({"USD": "$", "EUR": "€", "GBP": "£"})
COLUMN_FORMATS = MappingProxyType({"USD": "dollar", "EUR": "euro"})
WHOLE_CURRENCIES = frozenset({"JPY", "KRW", "VND", "CLP"})
MINOR_IN_MAJOR = 100
EXACT_ABOVE = 0.10

ROLE_NAMES = MappingProxyType(
    {
        Role.LEARNER: "Learner",
        Role.INSTRUCTOR: "Instructor",
        Role.ORG_ADMIN: "Organisation admin",
        Role.SUPPORT: "Support",
        Role.SUPPORT_LEAD: "Support lead",
        Role.FINANCE: "Finance",
        Role.FOUNDER: "Founder",
        Role.OPERATOR: "Operator",
    }
)

_MARKDOWN = re.compile(r"([\\`*_\[\]#!|~<>$:&])")
_LIST_START = re.compile(r"^(\s*\d*)([-+.)])(?=\s)")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def t(text: str, **facts: object) -> str:
    """A sentence for the screen; the one place where another language would come in."""
    return text.format(**facts) if facts else text


def money(amount: Money) -> str:
    """What is owed, paid or priced, to the cent: $4,654.56."""
    return _signed(amount, minus="-", decimals=_decimals(amount))


def money_round(amount: Money) -> str:
    """What is read rather than owed, without cents: $8,742."""
    return _signed(amount, minus="-", decimals=0)


def change(amount: Money) -> str:
    """A change in money with its sign: +$61, -$137. The hyphen is what Streamlit reads as a fall."""
    return f"{'+' if amount.minor > 0 else ''}{money_round(amount)}"


def change_exact(amount: Money) -> str:
    """A change in money to the cent, for our own HTML, with the typographic minus."""
    return f"{'+' if amount.minor > 0 else ''}{_signed(amount, minus=MINUS, decimals=_decimals(amount))}"


def change_label(amount: Money) -> str:
    """A change in money without cents, for a chart's label, with the typographic minus."""
    return _signed(amount, minus=MINUS, decimals=0)


def percent(rate: float | None) -> str:
    """A rate of 0 to 1: whole numbers above 10%, one decimal below."""
    if rate is None:
        return MISSING
    return f"{rate * 100:.0f}%" if abs(rate) >= EXACT_ABOVE else f"{rate * 100:.1f}%"


def points(difference: float) -> str:
    """A change in a rate of 0 to 1, in percentage points."""
    return f"{difference * 100:+.1f} pts"


def count(number: int) -> str:
    """A count with thousands separators."""
    return f"{number:,}"


def counted(number: int, one: str, many: str) -> str:
    """A count with its noun: 1 sale, 2 sales."""
    return f"{number:,} {one if number == 1 else many}"


def day(on: date, *, today: date | None = None) -> str:
    """A date; the year is left out inside the year of `today`."""
    text = f"{on.day} {on:%b}"
    return text if today and today.year == on.year else f"{text} {on.year}"


def moment(at: datetime) -> str:
    """An instant in UTC: 22 Nov 2026, 23:55 UTC."""
    utc = at.astimezone(UTC)
    return f"{day(utc.date())}, {utc:%H:%M} UTC"


def since(at: datetime, now: datetime) -> str:
    """How long ago an instant was: 12 s ago, 4 min ago, 3 h ago, 2 days ago."""
    seconds = max(0, int((now - at).total_seconds()))
    for unit, size in (("days", 172_800), ("h", 7_200), ("min", 120)):
        if seconds >= size:
            return f"{seconds // {'days': 86_400, 'h': 3_600, 'min': 60}[unit]} {unit} ago"
    return f"{seconds} s ago"


def month_name(on: date) -> str:
    """The month of a date."""
    return f"{on:%B}"


def plain(text: object) -> str:
    """Somebody's words for a place that reads markdown: nothing in them is formatting or an image."""
    return _LIST_START.sub(r"\1\\\2", _MARKDOWN.sub(r"\\\1", str(text)).replace("\n", " "))


def markup(text: object) -> str:
    """Somebody's words for our own HTML."""
    return html.escape(str(text))


def cell(value: object) -> object:
    """A value for a spreadsheet: text that would run as a formula is marked as text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value


def listed(names: Sequence[str]) -> str:
    """Names in a sentence: a, b and c."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def major(amount: Money) -> float:
    """The amount in whole units, for a chart's axis or a table's number column only."""
    return float(amount.minor / 10 ** _decimals(amount))


def column_format(currency: str) -> str:
    """The table format that writes this currency in the reader's own way."""
    return COLUMN_FORMATS.get(currency, "localized")


def _decimals(amount: Money) -> int:
    return 0 if amount.currency in WHOLE_CURRENCIES else 2


def _signed(amount: Money, *, minus: str, decimals: int) -> str:
    whole, rest = divmod(abs(amount.minor), 10 ** _decimals(amount))
    if decimals:
        digits = f"{whole:,}.{rest:0{decimals}d}"
    else:
        digits = f"{whole + (1 if rest * 2 >= 10 ** _decimals(amount) and rest else 0):,}"
    symbol = SYMBOLS.get(amount.currency, f"{amount.currency} ")
    sign = minus if amount.minor < 0 and digits.strip("0.,") else ""
    return f"{sign}{symbol}{digits}"
