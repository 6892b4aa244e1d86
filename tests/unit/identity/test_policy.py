"""The matrix of who may do what."""

import pytest

from services.identity import policy
from services.identity.policy import Permission
from services.identity.tables import ROLES
from services.kernel.actor import Actor, Role, system
from services.kernel.errors import Forbidden


def person(*roles: Role) -> Actor:
    return Actor("Somebody", None, frozenset(roles))


def test_every_role_is_in_the_matrix_and_in_the_database() -> None:
    assert set(policy.MATRIX) == set(Role)
    assert ", ".join(f"'{role}'" for role in Role) == ROLES


def test_nobody_without_a_role_may_do_anything() -> None:
    assert not any(policy.allows(person(), permission) for permission in Permission)


def test_a_process_of_ours_may_do_everything() -> None:
    assert all(policy.allows(system("worker"), permission) for permission in Permission)


@pytest.mark.parametrize(
    ("role", "permission", "may"),
    [
        (Role.LEARNER, Permission.BUY_COURSES, True),
        (Role.LEARNER, Permission.SEE_OWN_EARNINGS, False),
        (Role.LEARNER, Permission.REFUND_ANY_PURCHASE, False),
        (Role.INSTRUCTOR, Permission.SEE_OWN_EARNINGS, True),
        (Role.INSTRUCTOR, Permission.SEE_DATA_HEALTH, False),
        (Role.SUPPORT, Permission.REFUND_ANY_PURCHASE, True),
        (Role.SUPPORT, Permission.MANAGE_PEOPLE, False),
        (Role.FOUNDER, Permission.MANAGE_PEOPLE, True),
        (Role.FOUNDER, Permission.SEE_OWN_EARNINGS, False),
    ],
)
def test_what_a_role_may(role: Role, permission: Permission, may: bool) -> None:  # noqa: FBT001 - a table's column
    assert policy.allows(person(role), permission) is may


def test_roles_add_up() -> None:
    both = person(Role.LEARNER, Role.INSTRUCTOR)
    assert policy.allows(both, Permission.SEE_OWN_EARNINGS)
    assert policy.allows(both, Permission.BUY_COURSES)


def test_refusal_names_the_permission() -> None:
    with pytest.raises(Forbidden, match=r"may not change the catalogue"):
        policy.require(person(Role.LEARNER), Permission.MANAGE_CATALOGUE)
