"""Stripe's error objects, one constructor for each way to be refused."""

from collections.abc import Iterable
from typing import Any

from sandbox.shapes import Json

_IN_ADDRESS = frozenset({"id", "intent"})
_DOCS = "https://stripe.com/docs/error-codes/"


class StripeError(Exception):
    """An answer that is not 2xx.

    `keeps_state` says that what was written before the refusal stays written (a declined charge, say);
    `executed` says that the call passed validation, so that its answer is kept for its idempotency key.
    """

    def __init__(self, status: int, kind: str, message: str, **facts: Any) -> None:  # noqa: ANN401 - JSON values
        super().__init__(message)
        self.status = status
        self.keeps_state = bool(facts.pop("keeps_state", False))
        self.executed = bool(facts.pop("executed", True))
        self.error: Json = {"type": kind, "message": message}
        self.error |= {name: value for name, value in facts.items() if value is not None}
        if code := facts.get("code"):
            self.error["doc_url"] = _DOCS + str(code).replace("_", "-")

    def body(self, request_id: str) -> Json:
        """The JSON answer, with the address of the request's log."""
        log = f"https://dashboard.stripe.com/test/logs/{request_id}"
        return {"error": self.error | {"request_log_url": log}}


def invalid(
    message: str, *, param: str | None = None, code: str | None = None, status: int = 400
) -> StripeError:
    """A call that Stripe refuses while it executes."""
    return StripeError(status, "invalid_request_error", message, param=param, code=code)


def malformed(message: str, *, param: str | None = None, code: str | None = None) -> StripeError:
    """A call that Stripe refuses before it executes: its parameters do not fit."""
    return StripeError(400, "invalid_request_error", message, param=param, code=code, executed=False)


def missing(param: str) -> StripeError:
    """A required parameter is not there."""
    return malformed(f"Missing required param: {param}.", param=param, code="parameter_missing")


def unknown(params: Iterable[str]) -> StripeError:
    """Parameters that the operation does not have."""
    names = sorted(params)
    plural = "s" if len(names) > 1 else ""
    return malformed(
        f"Received unknown parameter{plural}: {', '.join(names)}", param=names[0], code="parameter_unknown"
    )


def no_such(noun: str, identifier: str, *, param: str = "id") -> StripeError:
    """The object does not exist: 404 when the address named it, 400 when a parameter did."""
    status = 404 if param in _IN_ADDRESS else 400
    return invalid(f"No such {noun}: '{identifier}'", param=param, code="resource_missing", status=status)


def no_such_route(method: str, path: str) -> StripeError:
    """No operation at that method and path."""
    message = (
        f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we can help at "
    )
    return StripeError(404, "invalid_request_error", message + "https://support.stripe.com/.", executed=False)


def unauthorised(key: str | None) -> StripeError:
    """No key, or one that the sandbox does not accept; the message shows its last four characters."""
    if key is None:
        message = (
            "You did not provide an API key. You need to provide your API key in the Authorization header, "
            "using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
        )
    else:
        shown = "sk_test_" if key.startswith("sk_test_") else ""
        message = f"Invalid API Key provided: {shown}{'*' * 8}{key[-4:]}"
    return StripeError(401, "invalid_request_error", message, executed=False)


def no_access(account: str) -> StripeError:
    """The key may not act for that connected account."""
    message = (
        f"The provided key does not have access to account '{account}' (or that account does not exist). "
        "Application access may have been revoked."
    )
    return StripeError(403, "invalid_request_error", message, code="account_invalid", executed=False)


def key_reused(key: str) -> StripeError:
    """An idempotency key came again with other parameters."""
    message = (
        "Keys for idempotent requests can only be used with the same parameters they were first used with. "
        f"Try using a key other than '{key}' if you meant to execute a different request."
    )
    return StripeError(400, "idempotency_error", message, executed=False)


def key_in_use(key: str) -> StripeError:
    """Another request with the same idempotency key has not been answered yet."""
    message = (
        f"There is currently another in-progress request using this Idempotent Key: {key}. "
        "Please try again later."
    )
    return StripeError(409, "idempotency_error", message, code="idempotency_key_in_use", executed=False)


def too_many() -> StripeError:
    """The caller is over the rate limit."""
    message = (
        "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits."
    )
    return StripeError(429, "invalid_request_error", message, code="rate_limit", executed=False)


def broken() -> StripeError:
    """Stripe itself failed."""
    return StripeError(500, "api_error", "An unknown error occurred. Please try again later.", executed=False)
