"""Errors that are ours: logged whole under a reference, shown as the reference alone."""

import secrets

from services.runtime import observe

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_LENGTH = 8
_log = observe.logger("app")


def report(error: Exception, *, during: str) -> str:
    """Log a crash; gives the reference under which it can be found."""
    reference = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    _log.error("crash", reference=reference, during=during, exc_info=error)
    return reference
