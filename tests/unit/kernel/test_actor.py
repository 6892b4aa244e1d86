"""An actor is named without personal data, and holds the roles it was given."""

from uuid import UUID

from services.kernel.actor import Actor, Role, system
from services.kernel.errors import Invalid, Refusal
from services.kernel.ids import UserId

ROBIN = UserId(UUID("0192f0c0-0000-7000-8000-0000000000aa"))


def test_a_person_is_referred_to_by_id_not_by_name() -> None:
    robin = Actor("Robin Test", ROBIN, frozenset({Role.LEARNER}))
    assert robin.reference == f"user:{ROBIN}"


def test_a_process_acts_as_operator_under_its_own_name() -> None:
    worker = system("worker")
    assert worker.reference == "system:worker"
    assert worker.holds(Role.OPERATOR)
    assert not worker.holds(Role.LEARNER, Role.FOUNDER)


def test_an_actor_holds_a_role_if_it_holds_one_of_them() -> None:
    robin = Actor("Robin Test", ROBIN, frozenset({Role.LEARNER, Role.SUPPORT}))
    assert robin.holds(Role.FOUNDER, Role.SUPPORT)
    assert not robin.holds()


def test_a_refusal_carries_its_code_its_sentence_and_its_facts() -> None:
    refusal = Invalid("currency", "Send USD.", sent="EUR")
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.message, str(refusal)) == ("invalid", "Send USD.", "Send USD.")
    assert refusal.facts == {"field": "currency", "sent": "EUR"}
