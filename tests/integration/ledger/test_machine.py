"""Any sequence of posting, repeating, reversing and failing leaves the books as a simple model says."""

from typing import Never
from uuid import uuid4

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Engine

from services.kernel.actor import Actor
from services.kernel.errors import Conflict
from services.kernel.ids import JournalId
from services.ledger import book
from services.ledger.journal import Account, Journal, Line
from services.runtime.work import Works
from tests import books
from tests.factories import ledger
from tests.factories.ledger import NOON

UNITS = ("USD", "EUR")
amounts = st.integers(min_value=-(10**6), max_value=10**6).filter(bool)
units = st.sampled_from(UNITS)
places = st.integers(min_value=0, max_value=3)
picks = st.integers(min_value=0)


class Posted:
    """A journal that stands, in the model."""

    def __init__(self, journal_id: JournalId, journal: Journal) -> None:
        self.journal_id = journal_id
        self.journal = journal
        self.reversal: JournalId | None = None


class Books(RuleBasedStateMachine):
    """The ledger on a database, beside a model that only counts."""

    def __init__(self, works: Works, actor: Actor, engine: Engine) -> None:
        super().__init__()
        self.works, self.actor, self.engine = works, actor, engine
        self.accounts: dict[str, list[Account]] = {}
        self.model: dict[Account, int] = {}
        self.posted: list[Posted] = []

    @initialize()
    def open_accounts(self) -> None:
        """Three new purses for each unit, beside the one till, which holds what earlier runs left there."""
        with self.works.begin(self.actor) as work:
            for unit in UNITS:
                till, *purses = ledger.till(unit=unit), *(ledger.purse(unit=unit) for _ in range(3))
                self.accounts[unit] = [till, *purses]
                self.model |= {till: book.balance(work, till), **dict.fromkeys(purses, 0)}

    @rule(unit=units, moves=st.lists(st.tuples(places, amounts), min_size=1, max_size=4))
    def post(self, unit: str, moves: list[tuple[int, int]]) -> None:
        """A journal of up to five lines, brought to zero."""
        off = sum(amount for _, amount in moves)
        lines = [Line(self.accounts[unit][place], amount) for place, amount in moves]
        if off:
            lines.append(Line(self.accounts[unit][0], -off))
        if len(lines) > 1:
            journal = Journal("test", f"test:{uuid4()}", "test", uuid4(), NOON, tuple(lines))
            with self.works.begin(self.actor) as work:
                self.posted.append(Posted(book.post(work, journal), journal))
            self._count(journal, 1)

    @rule(pick=picks)
    def post_again(self, pick: int) -> None:
        """The same journal under the same key changes nothing."""
        if standing := self._standing(pick):
            with self.works.begin(self.actor) as work:
                assert book.post(work, standing.journal) == standing.journal_id

    @rule(pick=picks, unit=units, amount=amounts)
    def post_another_under_the_key(self, pick: int, unit: str, amount: int) -> None:
        """Another journal under a key that stands is refused."""
        if standing := self._standing(pick):
            giver, taker = self.accounts[unit][1], ledger.purse(unit=unit)
            other = ledger.moving(amount, giver=giver, taker=taker, key=standing.journal.key)
            with pytest.raises(Conflict), self.works.begin(self.actor) as work:
                book.post(work, other)

    @rule(unit=units, amount=amounts)
    def post_and_give_up(self, unit: str, amount: int) -> None:
        """What fails after posting leaves nothing."""
        giver, taker = self.accounts[unit][:2]
        with pytest.raises(ArithmeticError), self.works.begin(self.actor) as work:
            give_up_after(ledger.move(work, amount, giver=giver, taker=taker))

    @rule(pick=picks)
    def reverse(self, pick: int) -> None:
        """A reversal, which has its effect once."""
        if standing := self._standing(pick):
            with self.works.begin(self.actor) as work:
                back = book.reverse(work, standing.journal_id, kind="void")
            assert standing.reversal in {None, back}
            if standing.reversal is None:
                standing.reversal = back
                self._count(standing.journal, -1)

    @invariant()
    def every_balance_is_what_the_model_says(self) -> None:
        """Whether kept in a row or summed."""
        with self.works.begin(self.actor) as work:
            assert {account: book.balance(work, account) for account in self.model} == self.model

    def teardown(self) -> None:
        """At the end of each sequence the whole book is looked through."""
        assert books.faults(self.engine) == []

    def _standing(self, pick: int) -> Posted | None:
        return self.posted[pick % len(self.posted)] if self.posted else None

    def _count(self, journal: Journal, sign: int) -> None:
        for line in journal.lines:
            self.model[line.account] += sign * line.amount_minor * line.account.side


def give_up_after(_journal: JournalId) -> Never:
    """Fail once something is written."""
    raise ArithmeticError


def test_the_books_are_what_a_simple_model_says(works: Works, system_actor: Actor, engine: Engine) -> None:
    class Here(Books):
        def __init__(self) -> None:
            super().__init__(works, system_actor, engine)

    phases = (Phase.generate,)  # to shrink a failure takes longer than a test may
    scale = settings(max_examples=15, stateful_step_count=20, deadline=None, phases=phases)
    run_state_machine_as_test(Here, settings=scale)
