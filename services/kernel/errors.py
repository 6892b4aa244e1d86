"""The ways in which Bursar says no."""


class Refusal(Exception):  # noqa: N818 - the domain's word; an error that is ours is a crash, not a refusal
    """A request that cannot be granted: a stable code, a sentence for the person, the facts behind it."""

    def __init__(self, code: str, message: str, **facts: object) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.facts = facts


class NotFound(Refusal):
    """What was asked for does not exist, or not for this person."""


class Conflict(Refusal):
    """The request is understood but does not fit the present state."""


class Forbidden(Refusal):
    """This person may not do this."""


class Invalid(Refusal):
    """One field of the request is wrong; the message says what would be right."""

    def __init__(self, field: str, message: str, **facts: object) -> None:
        super().__init__("invalid", message, field=field, **facts)
        self.field = field


class Unavailable(Refusal):
    """Something that Bursar depends on does not answer now; trying later is right."""
