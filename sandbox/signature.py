"""The `Stripe-Signature` header: a timestamp and an HMAC of it and the raw body."""

import hashlib
import hmac


def header(body: bytes, secret: str, at: int) -> str:
    """`t=..,v1=..` for a body sent at that second."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"
