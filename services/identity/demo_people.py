"""The invented people of the demo business, and the password that they share."""

from dataclasses import dataclass

from services.kernel.actor import Role

DEMO_PASSWORD = "bursar demo 2026"  # noqa: S105 - shown on the sign-in page of every demo; never accepted elsewhere


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Somebody to sign in as."""

    email: str
    name: str
    role: Role


DEMO_PEOPLE = (
    DemoPerson("learner@example.com", "Priya Desai", Role.LEARNER),
    DemoPerson("instructor@example.com", "Maya Okafor", Role.INSTRUCTOR),
    DemoPerson("founder@example.com", "Tomas Lindqvist", Role.FOUNDER),
    DemoPerson("support@example.com", "Sam Reyes", Role.SUPPORT),
)
