"""A journal is posted once and reversed once, and balances are what the postings say."""

import random
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

import pytest
from sqlalchemy import Engine, func, select, text

from services.kernel.actor import Actor
from services.kernel.errors import Conflict
from services.kernel.ids import JournalId, UserId
from services.kernel.money import Money
from services.ledger import accounts, book
from services.ledger.journal import Account, Journal, Line, Side, credit, debit
from services.ledger.tables import Balance, LedgerAccount, Posting
from services.ledger.tables import Journal as JournalRow
from services.runtime.work import Works
from tests import books
from tests.contenders import at_once
from tests.factories import ledger
from tests.factories.ledger import NOON

WRITERS = 8


def held(works: Works, actor: Actor, account: Account) -> int:
    """What an account holds."""
    with works.begin(actor) as work:
        return book.balance(work, account)


def count(engine: Engine, table: type[JournalRow | Posting | LedgerAccount]) -> int:
    """How many rows a table has."""
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_a_sale_is_written_as_it_was_meant(works: Works, system_actor: Actor, engine: Engine) -> None:
    robin, line = UserId(uuid4()), uuid4()
    dollars = partial(Money, currency="USD")
    matures = datetime(2026, 12, 24, tzinfo=UTC)
    lines = (
        debit(accounts.stripe_pending("USD"), dollars(9_680)),
        debit(accounts.stripe_fee("USD"), dollars(320)),
        credit(
            accounts.instructor_pending(robin, "USD"), dollars(3_700), purchase_line=line, matures_at=matures
        ),
        credit(accounts.platform_share("USD"), dollars(6_300), purchase_line=line),
    )
    with works.begin(system_actor) as work:
        journal = book.post(work, Journal("sale", "sale:1", "purchase", uuid4(), NOON, lines))
        assert set(book.lines_of(work, journal)) == set(lines)
        assert book.stands(work, key="sale:1")
        assert not book.stands(work, key="sale:1", book="token")
        assert book.balance(work, accounts.instructor_pending(robin, "USD")) == 3_700
        assert book.balance(work, accounts.instructor_available(robin, "USD")) == 0
        assert book.balance(work, accounts.stripe_pending("USD")) == 9_680
        assert book.balance(work, accounts.platform_share("USD")) == 6_300
        assert book.balance(work, accounts.platform_share("EUR")) == 0
    assert books.faults(engine) == []


def test_the_same_key_is_posted_once_and_another_journal_under_it_is_refused(
    works: Works, system_actor: Actor, engine: Engine
) -> None:
    giver, taker = ledger.till(), ledger.purse()
    journal = ledger.moving(500, giver=giver, taker=taker, key="once")
    with works.begin(system_actor) as work:
        first = book.post(work, journal)
        assert book.post(work, journal) == first
    with works.begin(system_actor) as work:
        assert book.post(work, journal) == first
    for other in (
        ledger.moving(501, giver=giver, taker=taker, key="once"),
        ledger.moving(500, giver=giver, taker=ledger.purse(), key="once"),
        ledger.moving(500, giver=taker, taker=giver, key="once"),
    ):
        with pytest.raises(Conflict, match="already stands"), works.begin(system_actor) as work:
            book.post(work, other)
    assert held(works, system_actor, taker) == 500
    assert (count(engine, JournalRow), count(engine, Posting)) == (1, 2)


def test_a_key_may_stand_in_each_book(works: Works, system_actor: Actor, engine: Engine) -> None:
    issued = Account("issued", "TOK", Side.DEBIT, book="token")
    wallet = Account("wallet", "TOK", Side.CREDIT, "user", uuid4(), "token", keeps_balance=True)
    with works.begin(system_actor) as work:
        money = ledger.move(work, 5, giver=ledger.till(), taker=ledger.purse(), key="both")
        tokens = ledger.move(work, 7, giver=issued, taker=wallet, key="both")
    assert money != tokens
    assert held(works, system_actor, wallet) == 7
    assert books.faults(engine) == []


def test_the_same_key_in_eight_hands_at_once_has_one_effect(
    works: Works, system_actor: Actor, engine: Engine
) -> None:
    for _ in range(10):
        journal = ledger.moving(500, giver=ledger.till(), taker=(taker := ledger.purse()))

        def post(journal: Journal = journal) -> JournalId:
            with works.begin(system_actor) as work:
                return book.post(work, journal)

        answers = at_once([post] * WRITERS)
        assert len(set(answers)) == 1
        assert isinstance(answers[0], type(journal.subject_id))
        assert held(works, system_actor, taker) == 500
    assert count(engine, JournalRow) == 10
    assert books.faults(engine) == []


def test_a_twin_posts_what_the_first_one_gave_up(works: Works, system_actor: Actor, engine: Engine) -> None:
    journal = ledger.moving(500, giver=ledger.till(), taker=(taker := ledger.purse()))

    def post(*, gives_up: bool) -> None:
        with works.begin(system_actor) as work:
            book.post(work, journal)
            if gives_up:
                raise ArithmeticError

    answers = at_once([partial(post, gives_up=number % 2 == 0) for number in range(WRITERS)])
    assert [type(answer) for answer in answers] == [ArithmeticError, type(None)] * (WRITERS // 2)
    assert held(works, system_actor, taker) == 500
    assert count(engine, JournalRow) == 1


def test_a_reversal_takes_back_everything_once(works: Works, system_actor: Actor, engine: Engine) -> None:
    taker = ledger.purse()
    with works.begin(system_actor) as work:
        journal = ledger.move(work, 500, giver=ledger.till(), taker=taker)
    with works.begin(system_actor) as work:
        back = book.reverse(work, journal, kind="void")
        assert book.reverse(work, journal, kind="void") == back
    with works.begin(system_actor) as work:
        assert book.reverse(work, journal, kind="void") == back
        row = work.run(select(JournalRow).where(JournalRow.journal_id == back)).one()
    assert (row.reverses_journal_id, row.kind) == (journal, "void")
    assert held(works, system_actor, taker) == held(works, system_actor, ledger.till()) == 0
    assert books.faults(engine) == []


def test_a_reversal_can_itself_be_reversed(works: Works, system_actor: Actor) -> None:
    taker = ledger.purse()
    with works.begin(system_actor) as work:
        back = book.reverse(work, ledger.move(work, 500, giver=ledger.till(), taker=taker), kind="void")
        book.reverse(work, back, kind="restore")
    assert held(works, system_actor, taker) == 500


def test_eight_reversals_at_once_are_one(works: Works, system_actor: Actor, engine: Engine) -> None:
    for _ in range(10):
        taker = ledger.purse()
        with works.begin(system_actor) as work:
            journal = ledger.move(work, 500, giver=ledger.till(), taker=taker)

        def reverse(journal: JournalId = journal) -> JournalId:
            with works.begin(system_actor) as work:
                return book.reverse(work, journal, kind="void")

        answers = at_once([reverse] * WRITERS)
        assert len(set(answers)) == 1
        assert answers[0] != journal
        assert held(works, system_actor, taker) == 0
    assert count(engine, JournalRow) == 20
    assert books.faults(engine) == []


def test_a_balance_may_pass_below_zero_and_counts_its_changes(works: Works, system_actor: Actor) -> None:
    robin = ledger.purse()
    for amount in (300, -500, -1):
        with works.begin(system_actor) as work:
            ledger.move(work, amount, giver=ledger.till(), taker=robin)
    assert held(works, system_actor, robin) == -201
    with works.begin(system_actor) as work:
        assert work.run(select(Balance.version)).scalar_one() == 3


def test_an_account_is_one_row_however_many_open_it_at_once(
    works: Works, system_actor: Actor, engine: Engine
) -> None:
    giver, taker = ledger.till(unit="EUR"), ledger.purse(unit="EUR")

    def pay() -> None:
        with works.begin(system_actor) as work:
            ledger.move(work, 100, giver=giver, taker=taker)

    assert at_once([pay] * WRITERS) == [None] * WRITERS
    assert count(engine, LedgerAccount) == 2
    assert held(works, system_actor, taker) == 100 * WRITERS


def test_eight_writers_on_random_pairs_never_wait_in_a_circle(
    works: Works, system_actor: Actor, engine: Engine
) -> None:
    purses = [ledger.purse() for _ in range(10)]

    def write(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(40):
            giver, taker, third = dice.sample(purses, 3)
            amount = dice.randint(1, 1_000)
            lines = (Line(giver, 2 * amount), Line(taker, -amount), Line(third, -amount))
            with works.begin(system_actor) as work:
                book.post(work, Journal("test", f"test:{uuid4()}", "test", uuid4(), NOON, lines))

    assert at_once([partial(write, seed) for seed in range(WRITERS)]) == [None] * WRITERS
    with engine.connect() as connection:
        deadlocks = connection.execute(
            text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        )
        assert deadlocks.scalar_one() == 0
    assert count(engine, JournalRow) == WRITERS * 40
    assert sum(held(works, system_actor, purse) for purse in purses) == 0
    assert books.faults(engine) == []
