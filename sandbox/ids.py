"""Random identifiers with Stripe's prefixes."""

import secrets
import string

_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_DEFAULT_LENGTH = 24
_LENGTHS = {"cus": 14, "prod": 14, "acct": 16, "cs_test": 58, "req": 14, "evt": 24}


def token(length: int) -> str:
    """Random base62 text of the given length."""
    return "".join(_BASE62[byte % len(_BASE62)] for byte in secrets.token_bytes(length))


def fresh(prefix: str) -> str:
    """A new identifier such as `cus_NffrFeUfNV2Hib`, of Stripe's length for that prefix."""
    return f"{prefix}_{token(_LENGTHS.get(prefix, _DEFAULT_LENGTH))}"
