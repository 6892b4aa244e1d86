"""Who acts."""

from dataclasses import dataclass
from enum import StrEnum

from services.kernel.ids import UserId


class Role(StrEnum):
    """What a person is to the platform; one person may be several."""

    LEARNER = "learner"
    INSTRUCTOR = "instructor"
    ORG_ADMIN = "org_admin"
    SUPPORT = "support"
    SUPPORT_LEAD = "support_lead"
    FINANCE = "finance"
    FOUNDER = "founder"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or one of our own processes, with the roles it acts in."""

    name: str
    user_id: UserId | None
    roles: frozenset[Role]

    @property
    def reference(self) -> str:
        """How audit rows and journals name this actor, without personal data."""
        return f"user:{self.user_id}" if self.user_id else f"system:{self.name}"

    def holds(self, *roles: Role) -> bool:
        """Whether the actor holds at least one of the roles."""
        return not self.roles.isdisjoint(roles)


def system(name: str) -> Actor:
    """One of our own processes, which acts with every operator's right."""
    return Actor(name=name, user_id=None, roles=frozenset({Role.OPERATOR}))
