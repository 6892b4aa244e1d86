"""Structured logs, one JSON object a line, from which secrets are taken out."""

import re
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import structlog

HIDDEN = "[hidden]"
SECRET_NAMES = re.compile(
    r"pass(word|wd|phrase)?$|secret|token|api_?key|authorization|cookie|credential|dsn|card_?number|cvc|cvv",
    re.IGNORECASE,
)
SECRETS = (
    re.compile(r"\b(?:sk|rk|pk)_(?:test|live)_\w+|\bwhsec_\w+"),
    re.compile(r"\b[Bb]earer\s+[\w.~+/=-]{8,}"),
    re.compile(r"\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*"),
    re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"),
    re.compile(r"\$argon2\w*\$\S+"),
)
CARD = re.compile(r"(?<![\w.-])(?:\d[ .\-_/]{0,2}){12,18}\d(?![\w-])")
CARD_PREFIX = re.compile(r"4|5[1-5]|2[2-7]|3[0-9]|6|81|62")
SHORTEST_CARD, LONGEST_CARD = 13, 19

Event = MutableMapping[str, Any]


def configure(*, stream: Any = None) -> None:  # noqa: ANN401 - anything that can be written to
    """Send every log line of this process as JSON to a stream, the standard error by default."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _redact_event,
            structlog.processors.JSONRenderer(default=str),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=stream or sys.stderr),
        cache_logger_on_first_use=False,
    )


def logger(name: str) -> Any:  # noqa: ANN401 - structlog's own loggers are typed so
    """The log of one part of Bursar."""
    return structlog.get_logger(part=name)


@contextmanager
def timed(log: Any, what: str, **facts: object) -> Iterator[None]:  # noqa: ANN401 - as logger gives it
    """Log how long a block took, in milliseconds."""
    begun = perf_counter()
    yield
    log.info(what, took_ms=round((perf_counter() - begun) * 1000, 1), **facts)


def redacted(value: object) -> object:
    """The same value without card numbers, keys, tokens, passwords and addresses that carry them."""
    if isinstance(value, str):
        return _redact_text(value)
    if isinstance(value, Mapping):
        return {
            str(name): HIDDEN if SECRET_NAMES.search(str(name)) else redacted(part)
            for name, part in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [redacted(part) for part in value]
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if len(str(abs(value))) < SHORTEST_CARD else _redact_number(value)
    return _redact_text(str(value))


def _redact_event(_logger: object, _method: str, event: Event) -> Event:
    return {
        name: HIDDEN if SECRET_NAMES.search(name) and name != "event" else redacted(part)
        for name, part in event.items()
    }


def _redact_text(text: str) -> str:
    for secret in SECRETS:
        text = secret.sub(HIDDEN, text)
    return CARD.sub(_redact_card, text)


def _redact_card(found: re.Match[str]) -> str:
    return HIDDEN if _is_card(re.sub(r"\D", "", found[0])) else found[0]


def _redact_number(number: int) -> object:
    return HIDDEN if _is_card(str(abs(number))) else number


def _is_card(digits: str) -> bool:
    if not (SHORTEST_CARD <= len(digits) <= LONGEST_CARD and CARD_PREFIX.match(digits)):
        return False
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits))]
    return sum(each - 9 if each > 9 else each for each in doubled) % 10 == 0  # noqa: PLR2004 - Luhn's rule
