"""A request that is sent again has its effect once, and gets the first answer."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import Engine, func, select

from services.kernel.actor import Actor, Role
from services.kernel.errors import Conflict, NotFound
from services.kernel.ids import UserId
from services.runtime import idempotency
from services.runtime.audit import AuditLog
from services.runtime.database import Facts
from services.runtime.idempotency import IdempotencyKey
from services.runtime.work import Work, Works
from tests.contenders import at_once

ROUNDS = 15
CONTENDERS = 8
ROBIN, SAM = (
    Actor(name, UserId(UUID(int=number)), frozenset({Role.LEARNER}))
    for number, name in enumerate(("Robin Test", "Sam Test"), start=1)
)

Send = Callable[..., Facts]


@pytest.fixture
def send(works: Works) -> Send:
    """Send a request whose effect is an audit row, and whose answer tells how many there were before it."""

    def effect(work: Work, fails_with: Exception | None) -> Facts:
        before = work.run(select(func.count()).select_from(AuditLog)).scalar_one()
        work.audit("test.done", "test", before)
        if fails_with:
            raise fails_with
        return {"before": before}

    def sent(key: str, request: Facts, *, actor: Actor = ROBIN, fails_with: Exception | None = None) -> Facts:
        with works.begin(actor) as work:
            then = partial(effect, work, fails_with)
            return idempotency.once(work, key=key, request=request, then=then)

    return sent


def effects(engine: Engine) -> int:
    """How often something was done."""
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(AuditLog)).scalar_one()


def test_the_same_request_again_gets_the_first_answer(send: Send, engine: Engine) -> None:
    assert [send("key-1", {"a": 1, "b": [2]}) for _ in range(3)] == [{"before": 0}] * 3
    assert send("key-1", {"b": [2], "a": 1}) == {"before": 0}
    assert send("key-2", {"a": 1, "b": [2]}) == {"before": 1}
    assert effects(engine) == 2


@pytest.mark.parametrize("other", [{}, {"a": 2}, {"a": "1"}, {"a": 1, "b": None}, {"A": 1}, {"a": [1]}])
def test_another_request_under_the_key_is_refused(send: Send, engine: Engine, other: Facts) -> None:
    send("key-1", {"a": 1})
    with pytest.raises(Conflict, match="used for another request") as refused:
        send("key-1", other)
    assert refused.value.code == "idempotency_key_reused"
    assert effects(engine) == 1


def test_a_key_belongs_to_whoever_sent_it(send: Send, engine: Engine) -> None:
    assert send("key-1", {"a": 1}) == {"before": 0}
    assert send("key-1", {"a": 2}, actor=SAM) == {"before": 1}
    assert effects(engine) == 2


def test_what_failed_is_not_kept_and_may_be_sent_again(send: Send, engine: Engine) -> None:
    for error in (NotFound("gone", "It is gone."), ZeroDivisionError("a fault of ours")):
        with pytest.raises(type(error)):
            send("key-1", {"a": 1}, fails_with=error)
    assert effects(engine) == 0
    assert send("key-1", {"a": 2}) == {"before": 0}


def test_eight_at_once_have_one_effect_and_eight_equal_answers(send: Send, engine: Engine) -> None:
    for turn in range(ROUNDS):
        answers = at_once([partial(send, f"key-{turn}", {"turn": turn})] * CONTENDERS)
        assert answers == [{"before": turn}] * CONTENDERS
    assert effects(engine) == ROUNDS


def test_of_eight_different_requests_at_once_one_wins(send: Send, engine: Engine) -> None:
    for turn in range(ROUNDS):
        answers = at_once(
            [partial(send, f"key-{turn}", {"contender": number}) for number in range(CONTENDERS)]
        )
        assert answers.count({"before": turn}) == 1
        assert sum(isinstance(answer, Conflict) for answer in answers) == CONTENDERS - 1
    assert effects(engine) == ROUNDS


def test_a_twin_that_waits_for_a_failure_does_it_itself(send: Send, engine: Engine) -> None:
    for turn in range(ROUNDS):
        failing = partial(send, f"key-{turn}", {}, fails_with=ZeroDivisionError())
        answers = at_once([failing, partial(send, f"key-{turn}", {})] * (CONTENDERS // 2))
        assert {"before": turn} in answers
        assert {type(answer) for answer in answers} <= {dict, ZeroDivisionError}
    assert effects(engine) == ROUNDS


def test_only_the_print_of_a_request_is_kept(send: Send, engine: Engine) -> None:
    send("key-1", {"card": "4242424242424242"})
    with engine.connect() as connection:
        kept = connection.execute(select(IdempotencyKey)).one()
    assert "4242" not in str(kept)
    assert (kept.scope, kept.key, kept.answer) == (ROBIN.reference, "key-1", {"before": 0})
