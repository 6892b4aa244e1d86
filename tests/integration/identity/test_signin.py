"""Signing in, staying in, and being slowed down."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from services.identity import people, signin
from services.identity.signin import Session
from services.identity.tables import SigninCount, UserAccount, UserSession
from services.kernel.actor import Actor, Role
from services.kernel.errors import Conflict, Forbidden, Invalid
from services.kernel.time import SetClock
from services.runtime.audit import AuditLog
from services.runtime.work import Works

EMAIL, PASSWORD, WRONG = "ada@example.com", "correct horse 42", "battery staple 7"


@pytest.fixture
def ada(works: Works, system_actor: Actor) -> str:
    with works.begin(system_actor) as work:
        people.register(
            work, email=EMAIL, name="Ada Test", password=PASSWORD, roles={Role.LEARNER, Role.FOUNDER}
        )
    return EMAIL


@pytest.fixture
def enter(works: Works, ada: str) -> Callable[..., str]:
    def sign_in(*, email: str = ada, password: str = PASSWORD, address: str = "192.0.2.1") -> str:
        return signin.sign_in(works, email=email, password=password, address=address)

    return sign_in


def session(works: Works, actor: Actor, token: str) -> Session | None:
    with works.begin(actor) as work:
        return signin.session_of(work, token)


def test_token_opens_the_persons_session(
    works: Works, system_actor: Actor, enter: Callable[..., str]
) -> None:
    found = session(works, system_actor, enter(email="  Ada@Example.com "))
    assert found is not None
    assert found.actor.name == "Ada Test"
    assert found.actor.roles == {Role.LEARNER, Role.FOUNDER}
    with works.begin(system_actor) as work:
        assert signin.session_by_id(work, found.session_id) == found


def test_each_sign_in_gives_another_token_and_none_is_stored(
    works: Works, system_actor: Actor, enter: Callable[..., str]
) -> None:
    tokens = {enter(), enter()}
    assert len(tokens) == 2
    with works.begin(system_actor) as work:
        stored = work.run(select(UserSession.token_hash)).scalars().all()
        assert not {token.encode() for token in tokens} & set(stored)
        assert PASSWORD not in work.run(select(UserAccount.password_hash)).scalar_one()


@pytest.mark.parametrize(
    ("email", "password"), [(EMAIL, WRONG), ("nobody@example.com", PASSWORD), (EMAIL, "")]
)
def test_wrong_pairs_are_refused_in_the_same_words(
    enter: Callable[..., str], email: str, password: str
) -> None:
    with pytest.raises(Forbidden) as refusal:
        enter(email=email, password=password)
    assert refusal.value.code == "signin_failed"
    assert refusal.value.message == "This e-mail and password do not belong together."


def test_session_ends_after_its_life(
    works: Works, system_actor: Actor, enter: Callable[..., str], clock: SetClock
) -> None:
    token = enter()
    clock.advance(signin.SESSION_LIFE - timedelta(seconds=1))
    assert session(works, system_actor, token)
    clock.advance(timedelta(seconds=1))
    assert session(works, system_actor, token) is None


def test_sign_out_ends_this_session_alone(
    works: Works, system_actor: Actor, enter: Callable[..., str]
) -> None:
    mine, other = enter(), enter()
    for _again in range(2):
        with works.begin(system_actor) as work:
            signin.sign_out(work, token=mine)
    assert session(works, system_actor, mine) is None
    assert session(works, system_actor, other)
    with works.begin(system_actor) as work:
        ended = work.run(select(AuditLog.action).where(AuditLog.action == "session.ended")).all()
    assert len(ended) == 1


@pytest.mark.parametrize("token", ["", "x", "a" * 5_000, "'; DROP TABLE user_session; --"])
def test_invented_tokens_open_nothing(works: Works, system_actor: Actor, ada: str, token: str) -> None:
    assert ada
    assert session(works, system_actor, token) is None


def test_eleventh_try_of_an_email_waits_whatever_its_password(
    enter: Callable[..., str], clock: SetClock
) -> None:
    for place in range(10):
        with pytest.raises(Forbidden, match="do not belong together"):
            enter(password=WRONG, address=f"192.0.2.{place}")
    with pytest.raises(Forbidden) as refusal:
        enter(address="192.0.2.200")
    assert refusal.value.code == "too_many_tries"
    clock.advance(signin.WINDOW)
    assert enter(address="192.0.2.200")


def test_eleventh_try_of_an_address_waits_whatever_the_email(enter: Callable[..., str]) -> None:
    for place in range(10):
        with pytest.raises(Forbidden, match="do not belong together"):
            enter(email=f"nobody{place}@example.com")
    with pytest.raises(Forbidden, match="five minutes"):
        enter()
    assert enter(address="198.51.100.7")


def test_success_clears_the_emails_count_and_leaves_the_addresss_failures(
    works: Works, system_actor: Actor, enter: Callable[..., str]
) -> None:
    with pytest.raises(Forbidden):
        enter(password=WRONG)
    enter()
    with works.begin(system_actor) as work:
        assert work.run(select(SigninCount.try_count)).scalars().all() == [1]


def test_registered_people_are_checked_field_by_field(works: Works, system_actor: Actor) -> None:
    good = {"email": "b@example.com", "name": "B", "password": PASSWORD, "roles": {Role.LEARNER}}
    for field, bad in {"email": "no at", "name": "  ", "password": "short", "roles": set()}.items():
        with pytest.raises(Invalid) as refusal, works.begin(system_actor) as work:
            people.register(work, **{**good, field: bad})  # type: ignore[arg-type]  # a wrong value is the point
        assert refusal.value.field == field


def test_an_email_belongs_to_one_person(works: Works, system_actor: Actor, ada: str) -> None:
    with pytest.raises(Conflict), works.begin(system_actor) as work:
        people.register(work, email=ada.upper(), name="Other", password=PASSWORD, roles={Role.LEARNER})


def test_only_those_who_manage_people_add_them(
    works: Works, system_actor: Actor, enter: Callable[..., str]
) -> None:
    found = session(works, system_actor, enter())
    assert found is not None
    learner = Actor(found.actor.name, found.actor.user_id, frozenset({Role.LEARNER}))
    with pytest.raises(Forbidden) as refusal, works.begin(learner) as work:
        people.register(work, email="c@example.com", name="C", password=PASSWORD, roles={Role.FOUNDER})
    assert refusal.value.code == "not_permitted"
