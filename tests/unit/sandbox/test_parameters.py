"""Parameters are typed, bounded and refused as Stripe refuses them."""

from typing import Any

import pytest

from sandbox.errors import StripeError
from sandbox.parameters import (
    BILLING_DETAILS,
    CREATED,
    Fields,
    boolean,
    check,
    choice,
    clearable,
    currency,
    group,
    integer,
    many,
    metadata,
    required,
    text,
)

FIELDS: Fields = {
    "amount": required(integer(1, 100)),
    "billing": BILLING_DETAILS,
    "confirm": boolean(),
    "created": CREATED,
    "currency": currency(),
    "metadata": metadata(),
    "name": clearable(text(5)),
    "reason": choice("duplicate", "fraudulent"),
    "rows": many(group({"quantity": required(integer())})),
    "types": many(text()),
}


def test_values_come_out_typed() -> None:
    given = {
        "amount": "7",
        "confirm": "true",
        "created": {"gte": "5"},
        "currency": "USD",
        "metadata": {"k": "v"},
        "name": "",
        "rows": [{"quantity": "2"}],
        "types": ["card"],
    }
    assert check(FIELDS, given) == {
        "amount": 7,
        "confirm": True,
        "created": {"gte": 5},
        "currency": "usd",
        "metadata": {"k": "v"},
        "name": None,
        "rows": [{"quantity": 2}],
        "types": ["card"],
    }


@pytest.mark.parametrize(
    ("given", "code", "param"),
    [
        ({}, "parameter_missing", "amount"),
        ({"amount": "1", "colour": "red"}, "parameter_unknown", "colour"),
        ({"amount": "1", "billing": {"colour": "red"}}, "parameter_unknown", "billing[colour]"),
        ({"amount": "1.5"}, "parameter_invalid_integer", "amount"),
        ({"amount": "\u0661"}, "parameter_invalid_integer", "amount"),
        ({"amount": "0"}, "parameter_invalid_integer", "amount"),
        ({"amount": "101"}, "parameter_invalid_integer", "amount"),
        ({"amount": ""}, "parameter_invalid_empty", "amount"),
        ({"amount": "1", "rows": [{}]}, "parameter_missing", "rows[0][quantity]"),
        ({"amount": "1", "rows": "x"}, None, "rows"),
        ({"amount": "1", "billing": "x"}, None, "billing"),
        ({"amount": "1", "confirm": "yes"}, None, "confirm"),
        ({"amount": "1", "reason": "whim"}, None, "reason"),
        ({"amount": "1", "currency": "xxx"}, None, "currency"),
        ({"amount": "1", "name": "too long"}, "parameter_invalid_string", "name"),
        ({"amount": "1", "name": {"a": "b"}}, None, "name"),
        ({"amount": "1", "created": "soon"}, "parameter_invalid_integer", "created"),
        ({"amount": "1", "created": {"after": "1"}}, "parameter_unknown", "created[after]"),
        ({"amount": "1", "metadata": {"k" * 41: "v"}}, None, "metadata"),
        ({"amount": "1", "metadata": {"k": "v" * 501}}, None, "metadata[k]"),
        ({"amount": "1", "metadata": {"k": {"a": "b"}}}, None, "metadata[k]"),
        ({"amount": "1", "metadata": {str(n) + "k": "v" for n in range(51)}}, None, "metadata"),
        ({"amount": "1", "metadata": "x"}, None, "metadata"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(given: dict[str, Any], code: str | None, param: str) -> None:
    with pytest.raises(StripeError) as refusal:
        check(FIELDS, given)
    error = refusal.value.error
    assert (error["type"], error.get("code"), error["param"]) == ("invalid_request_error", code, param)
    assert not refusal.value.executed
