"""Parameters of an operation: what each takes, and Stripe's refusal when it is something else.

A reader takes the parameter's full name (`shipping[address]`) and its decoded form value, and returns the
typed value. Empty text unsets a field; it comes out as None, and only where the field is `clearable`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sandbox import errors
from sandbox.shapes import ADDRESS_FIELDS, Json

_MOST = 99_999_999
_MAX_METADATA_KEYS = 50
_MAX_METADATA_KEY = 40
_MAX_METADATA_VALUE = 500


@dataclass(frozen=True)
class Parameter:
    """One parameter: how its value is read, whether it must be there and whether it may be emptied."""

    read: Callable[[str, Any], Any]
    required: bool = False
    clearable: bool = False


Fields = Mapping[str, Parameter]


def required(parameter: Parameter) -> Parameter:
    """The same parameter, refused as `parameter_missing` when it is absent."""
    return replace(parameter, required=True)


def clearable(parameter: Parameter) -> Parameter:
    """The same parameter, which an empty value sets to None."""
    return replace(parameter, clearable=True)


def check(fields: Fields, given: Json, *, within: str = "") -> Json:
    """The typed values of the parameters given; absent ones stay absent."""
    if strangers := given.keys() - fields.keys():
        raise errors.unknown(_full(within, name) for name in strangers)
    for name, parameter in fields.items():
        if parameter.required and name not in given:
            raise errors.missing(_full(within, name))
    return {name: _value(fields[name], _full(within, name), raw) for name, raw in given.items()}


def _full(within: str, name: str) -> str:
    return f"{within}[{name}]" if within else name


def _value(parameter: Parameter, name: str, raw: Any) -> Any:  # noqa: ANN401 - JSON values
    if raw != "":
        return parameter.read(name, raw)
    if parameter.clearable:
        return None
    message = (
        f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset a field; "
        f"however '{name}' cannot be unset. You should remove '{name}' from your request or supply a "
        "non-empty value."
    )
    raise errors.malformed(message, param=name, code="parameter_invalid_empty")


def text(longest: int = 5_000) -> Parameter:
    """Text of at most that many characters."""

    def read(name: str, raw: object) -> str:
        if not isinstance(raw, str):
            raise errors.malformed(f"Invalid string: {raw}", param=name)
        if len(raw) > longest:
            message = f"Invalid string: {raw[:20]}...; must be at most {longest} characters"
            raise errors.malformed(message, param=name, code="parameter_invalid_string")
        return raw

    return Parameter(read)


def integer(least: int = 0, most: int = _MOST) -> Parameter:
    """A whole number between two bounds, both included."""

    def read(name: str, raw: object) -> int:
        if not isinstance(raw, str) or not raw.lstrip("-").isdecimal() or not raw.isascii():
            raise errors.malformed(f"Invalid integer: {raw}", param=name, code="parameter_invalid_integer")
        value = int(raw)
        if value < least:
            message = f"Invalid {name}: must be greater than or equal to {least}"
            raise errors.malformed(message, param=name, code="parameter_invalid_integer")
        if value > most:
            message = f"Invalid {name}: must be less than or equal to {most}"
            raise errors.malformed(message, param=name, code="parameter_invalid_integer")
        return value

    return Parameter(read)


def moment() -> Parameter:
    """Seconds since 1970."""
    return integer(0, 99_999_999_999)


def boolean() -> Parameter:
    """`true` or `false`."""

    def read(name: str, raw: object) -> bool:
        if raw not in {"true", "false"}:
            raise errors.malformed(f"Invalid boolean: {raw}", param=name)
        return raw == "true"

    return Parameter(read)


def choice(*allowed: str) -> Parameter:
    """One of the words given."""

    def read(name: str, raw: object) -> str:
        if not isinstance(raw, str) or raw not in allowed:
            words = ", ".join(allowed[:-1]) + f", or {allowed[-1]}" if len(allowed) > 1 else allowed[0]
            raise errors.malformed(f"Invalid {name}: must be one of {words}", param=name)
        return raw

    return Parameter(read)


def group(fields: Fields) -> Parameter:
    """A hash with parameters of its own."""

    def read(name: str, raw: object) -> Json:
        if not isinstance(raw, dict):
            raise errors.malformed(f"Invalid {name}: must be an object", param=name)
        return check(fields, raw, within=name)

    return Parameter(read)


def many(each: Parameter) -> Parameter:
    """An array of values of one kind."""

    def read(name: str, raw: object) -> list[Any]:
        if not isinstance(raw, list):
            raise errors.malformed(f"Invalid array: {raw}", param=name)
        return [_value(each, f"{name}[{position}]", one) for position, one in enumerate(raw)]

    return Parameter(read)


def metadata() -> Parameter:
    """Up to 50 pairs; an empty value marks a key for removal, an empty hash clears all."""
    return clearable(Parameter(_read_metadata))


def _read_metadata(name: str, raw: object) -> dict[str, str]:
    if isinstance(raw, list):
        raw = {str(position): value for position, value in enumerate(raw)}
    if not isinstance(raw, dict):
        raise errors.malformed(f"Invalid {name}: must be an object", param=name)
    if len(raw) > _MAX_METADATA_KEYS:
        raise errors.malformed(
            f"{name} can have up to {_MAX_METADATA_KEYS} keys, you passed {len(raw)}", param=name
        )
    for key, value in raw.items():
        _check_pair(name, key, value)
    return raw


def _check_pair(name: str, key: str, value: object) -> None:
    if len(key) > _MAX_METADATA_KEY:
        message = f"Metadata keys must be no longer than {_MAX_METADATA_KEY} characters: {key[:60]}"
        raise errors.malformed(message, param=name)
    if not isinstance(value, str):
        raise errors.malformed(f"Metadata values must be strings: {key}", param=f"{name}[{key}]")
    if len(value) > _MAX_METADATA_VALUE:
        message = f"Metadata values must be no longer than {_MAX_METADATA_VALUE} characters: {key}"
        raise errors.malformed(message, param=f"{name}[{key}]")


def currency() -> Parameter:
    """A currency that the sandbox settles, in lower case."""

    def read(name: str, raw: object) -> str:
        code = raw.lower() if isinstance(raw, str) else ""
        if code not in CURRENCIES:
            message = f"Invalid currency: {raw}. Stripe currently supports these currencies: "
            raise errors.malformed(message + ", ".join(sorted(CURRENCIES)), param=name)
        return code

    return Parameter(read)


_CODES = "aud brl cad chf czk dkk eur gbp hkd huf inr jpy mxn nok nzd pln ron sek sgd thb usd zar"
CURRENCIES = frozenset(_CODES.split())

ADDRESS = group({line: clearable(text()) for line in ADDRESS_FIELDS})

SHIPPING = group(
    {
        "address": required(ADDRESS),
        "carrier": clearable(text()),
        "name": required(text()),
        "phone": clearable(text()),
        "tracking_number": clearable(text()),
    }
)

BILLING_DETAILS = group(
    {
        "address": clearable(ADDRESS),
        "email": clearable(text(800)),
        "name": clearable(text()),
        "phone": clearable(text()),
        "tax_id": clearable(text()),
    }
)

CREATED = Parameter(
    lambda name, raw: (
        check({bound: moment() for bound in ("gt", "gte", "lt", "lte")}, raw, within=name)
        if isinstance(raw, dict)
        else moment().read(name, raw)
    )
)
