"""The one matrix of who may do what."""

from enum import StrEnum
from types import MappingProxyType

from services.kernel.actor import Actor, Role
from services.kernel.errors import Forbidden


class Permission(StrEnum):
    """One thing that a person may be allowed to do; the value completes the sentence "may …"."""

    BUY_COURSES = "buy courses"
    REFUND_OWN_PURCHASES = "refund their own purchases"
    SEE_OWN_EARNINGS = "see their own earnings"
    TEACH = "teach courses"
    MANAGE_CATALOGUE = "change the catalogue"
    REFUND_ANY_PURCHASE = "refund anybody's purchase"
    SEE_DATA_HEALTH = "see the health of the data"
    RUN_PIPELINES = "run the pipelines"
    MANAGE_PEOPLE = "add people and change their roles"


_EVERYBODY = frozenset({Permission.BUY_COURSES, Permission.REFUND_OWN_PURCHASES})
_SUPPORT = _EVERYBODY | {Permission.SEE_DATA_HEALTH, Permission.REFUND_ANY_PURCHASE}

MATRIX = MappingProxyType(
    {
        Role.LEARNER: _EVERYBODY,
        Role.INSTRUCTOR: _EVERYBODY | {Permission.SEE_OWN_EARNINGS, Permission.TEACH},
        Role.ORG_ADMIN: _EVERYBODY,
        Role.SUPPORT: _SUPPORT,
        Role.SUPPORT_LEAD: _SUPPORT,
        Role.FINANCE: _EVERYBODY | {Permission.SEE_DATA_HEALTH, Permission.REFUND_ANY_PURCHASE},
        Role.FOUNDER: _SUPPORT
        | {Permission.MANAGE_CATALOGUE, Permission.RUN_PIPELINES, Permission.MANAGE_PEOPLE},
        Role.OPERATOR: frozenset(Permission),
    }
)


def allows(actor: Actor, permission: Permission) -> bool:
    """Whether one of the actor's roles carries the permission."""
    return any(permission in MATRIX[role] for role in actor.roles)


def require(actor: Actor, permission: Permission) -> None:
    """Refuse unless the actor may do this. Raises Forbidden."""
    if not allows(actor, permission):
        raise Forbidden(
            "not_permitted",
            f"Your account may not {permission}.",
            actor=actor.reference,
            permission=permission,
        )
