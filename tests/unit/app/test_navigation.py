"""Which pages exist for whom."""

import pytest

from app import navigation
from services.kernel.actor import Actor, Role


def person(*roles: Role) -> Actor:
    return Actor("Somebody", None, frozenset(roles))


def test_every_page_has_its_script_and_every_script_its_entry() -> None:
    scripts = {path.stem for path in navigation.PAGES.glob("*.py")}
    assert scripts == {entry.name for entry in navigation.ENTRIES}


def test_addresses_are_unique() -> None:
    addresses = [entry.address for entry in navigation.ENTRIES]
    assert len(addresses) == len(set(addresses))


@pytest.mark.parametrize(
    ("role", "first"),
    [
        (Role.INSTRUCTOR, "earnings"),
        (Role.FOUNDER, "data_health"),
        (Role.SUPPORT, "data_health"),
        (Role.LEARNER, "catalogue"),
    ],
)
def test_first_page_answers_the_roles_question(role: Role, first: str) -> None:
    assert navigation.entries_for(person(role))[0].name == first


def test_address_of_the_first_page_is_the_root() -> None:
    assert navigation.address_for(person(Role.LEARNER), "catalogue") == "/"
    assert navigation.address_for(person(Role.LEARNER), "my-learning") == "/my-learning"


@pytest.mark.parametrize("address", ["earnings", "data-health", "nothing", "main", "my_learning"])
def test_address_of_what_is_not_theirs_is_the_root(address: str) -> None:
    assert navigation.address_for(person(Role.LEARNER), address) == "/"


def test_several_roles_see_the_pages_of_each() -> None:
    names = [entry.name for entry in navigation.entries_for(person(Role.LEARNER, Role.INSTRUCTOR))]
    assert names[0] == "earnings"
    assert {"catalogue", "my_learning"} <= set(names)
