"""What the database refuses by itself, whoever asks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from services.kernel.actor import Actor
from services.kernel.ids import JournalId
from services.runtime.work import Work, Works
from tests import books
from tests.factories import ledger

ONCE_ONLY = ("journal", "posting", "ledger_account", "audit_log", "line_share")


@pytest.fixture
def standing(works: Works, system_actor: Actor) -> JournalId:
    """A journal that stands, of 5.00."""
    with works.begin(system_actor) as work:
        return ledger.move(work, 500, giver=ledger.till(), taker=ledger.purse())


@pytest.fixture
def owner(database: str) -> Iterator[psycopg.Connection]:
    """The owner of the schema, whose rights the application does not have."""
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


def bare_journal(work: Work, *, book: str = "money", written_in: int = 0) -> UUID:
    """A journal row without the code that guards it, whose stamp is forged."""
    journal = uuid4()
    work.run(
        text(
            "INSERT INTO journal (journal_id, book, kind, idem_key, occurred_at, recorded_at, actor,"
            " subject_kind, subject_id, written_in)"
            " VALUES (:id, :book, 'test', :key, now(), now(), 'test', 'test', :id, :written_in)"
        ),
        {"id": journal, "book": book, "key": f"bare:{journal}", "written_in": written_in},
    )
    return journal


def bare_lines(
    work: Work,
    journal: UUID,
    *amounts: int,
    first: int = 1,
    accounts: Sequence[int] = (),
    units: Sequence[str] = (),
) -> None:
    """Postings in one statement, without the code that guards them: of dollars to the till if not told."""
    till = work.run(text("SELECT min(account_id) FROM ledger_account")).scalar_one()
    work.run(
        text(
            "INSERT INTO posting (journal_id, line_no, account_id, amount_minor, unit)"
            " SELECT :journal, line_no + :first - 1, account_id, amount_minor, unit"
            " FROM unnest(cast(:accounts AS bigint[]), cast(:amounts AS bigint[]), cast(:units AS text[]))"
            " WITH ORDINALITY AS line (account_id, amount_minor, unit, line_no)"
        ),
        {
            "journal": journal,
            "first": first,
            "accounts": list(accounts or [till] * len(amounts)),
            "amounts": list(amounts),
            "units": list(units or ["USD"] * len(amounts)),
        },
    )


def account(work: Work, code: str, unit: str, *, book: str = "money") -> int:
    """The number of a new account."""
    return int(
        work.run(
            text(
                "INSERT INTO ledger_account (book, code, owner_kind, unit, normal_side, keeps_balance)"
                " VALUES (:book, :code, 'platform', :unit, 1, false) RETURNING account_id"
            ),
            {"book": book, "code": code, "unit": unit},
        ).scalar_one()
    )


def off_by_a_cent(work: Work, _standing: JournalId) -> None:
    bare_lines(work, bare_journal(work), 500, -499)


def across_currencies(work: Work, _standing: JournalId) -> None:
    accounts = (account(work, "test", "USD"), account(work, "test", "EUR"))
    bare_lines(work, bare_journal(work), 500, -500, accounts=accounts, units=("USD", "EUR"))


def across_journals(work: Work, _standing: JournalId) -> None:
    for amount in (500, -500):
        bare_lines(work, bare_journal(work), amount)


def one_line(work: Work, _standing: JournalId) -> None:
    bare_lines(work, bare_journal(work), 500)


def line_by_line(work: Work, _standing: JournalId) -> None:
    journal = bare_journal(work)
    bare_lines(work, journal, 500)
    bare_lines(work, journal, -500, first=2)


def no_line(work: Work, _standing: JournalId) -> None:
    bare_journal(work)


def a_line_of_zero(work: Work, _standing: JournalId) -> None:
    bare_lines(work, bare_journal(work), 500, -500, 0)


def a_line_too_late(work: Work, standing: JournalId) -> None:
    bare_lines(work, standing, 500, first=3)


def balanced_lines_too_late(work: Work, standing: JournalId) -> None:
    bare_lines(work, standing, 500, -500, first=3)


def a_line_after_an_early_check(work: Work, _standing: JournalId) -> None:
    journal = bare_journal(work)
    bare_lines(work, journal, 500, -500)
    work.run(text("SET CONSTRAINTS ALL IMMEDIATE"))
    bare_lines(work, journal, 500, first=3)


def a_foreign_unit(work: Work, _standing: JournalId) -> None:
    bare_lines(work, bare_journal(work), 500, -500, units=("EUR", "EUR"))


def a_foreign_book(work: Work, _standing: JournalId) -> None:
    bare_lines(work, bare_journal(work, book="token"), 500, -500)


def an_unknown_book(work: Work, _standing: JournalId) -> None:
    account(work, "test", "USD", book="favours")


def no_such_journal(work: Work, _standing: JournalId) -> None:
    bare_lines(work, uuid4(), 500, -500)


def two_reversals(work: Work, standing: JournalId) -> None:
    for _ in range(2):
        journal = uuid4()
        work.run(
            text(
                "INSERT INTO journal (journal_id, book, kind, idem_key, occurred_at, recorded_at, actor,"
                " subject_kind, subject_id, reverses_journal_id)"
                " VALUES (:id, 'money', 'test', :key, now(), now(), 'test', 'test', :id, :of)"
            ),
            {"id": journal, "key": f"bare:{journal}", "of": standing},
        )


ATTEMPTS: Mapping[Callable[[Work, JournalId], None], str] = {
    off_by_a_cent: "are off by 1 USD",
    across_currencies: "are off by -?500",
    across_journals: "are off by 500 USD",
    one_line: "are off by 500 USD",
    line_by_line: "are off by 500 USD",
    no_line: "fewer than two postings",
    a_line_of_zero: "ck_posting_amount",
    a_line_too_late: "only join a journal of its own transaction",
    balanced_lines_too_late: "only join a journal of its own transaction",
    a_line_after_an_early_check: "are off by 500 USD",
    a_foreign_unit: "book and unit of its account",
    a_foreign_book: "book and unit of its account",
    an_unknown_book: "ck_ledger_account_book",
    no_such_journal: "fk_posting_journal_id",
    two_reversals: "uq_journal_reverses",
}


def test_a_wrong_posting_is_refused_without_any_code_above(
    engine: Engine, works: Works, system_actor: Actor, standing: JournalId
) -> None:
    for attempt, words in ATTEMPTS.items():
        with pytest.raises(IntegrityError, match=words), works.begin(system_actor) as work:
            attempt(work, standing)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM posting")).scalar() == 2
    assert books.faults(engine) == []


def test_the_stamp_of_a_journal_cannot_be_forged(works: Works, system_actor: Actor) -> None:
    with works.begin(system_actor) as work:
        ledger.move(work, 1, giver=ledger.till(), taker=ledger.purse())
        journal = bare_journal(work, written_in=1)
        bare_lines(work, journal, 5, -5)
        stamped = work.run(text("SELECT written_in FROM journal WHERE journal_id = :id"), {"id": journal})
        assert (
            stamped.scalar_one() == work.run(text("SELECT pg_current_xact_id()::text::bigint")).scalar_one()
        )


BY_THE_OWNER: tuple[LiteralString, ...] = (
    "UPDATE posting SET amount_minor = amount_minor + 1",
    "UPDATE journal SET kind = 'sale'",
    "UPDATE ledger_account SET unit = 'EUR'",
    "DELETE FROM posting",
    "DELETE FROM journal",
    "TRUNCATE posting",
    "TRUNCATE journal CASCADE",
    "TRUNCATE ledger_account CASCADE",
    "TRUNCATE audit_log",
)
HIDDEN: tuple[LiteralString, ...] = (
    "SELECT 1 FROM posting",
    "SELECT 1 FROM user_account",
    "SELECT 1 FROM user_session",
    "SELECT 1 FROM idempotency_key",
    "DELETE FROM export.enrolment",
    "UPDATE export.enrolment SET state = 'active'",
)
UPDATES = (
    ("journal", "kind = 'sale'"),
    ("posting", "amount_minor = 1"),
    ("ledger_account", "unit = 'EUR'"),
    ("balance", "amount_minor = amount_minor + 1"),
    ("audit_log", "actor = ''"),
    ("line_share", "amount_minor = 1"),
    ("change_log", "xid = 0"),
    ("alembic_version", "version_num = ''"),
    ("quote", "net_minor = 0"),
    ("revenue_rule", "instructor_bp = 0"),
    ("purchase", "total_minor = 0"),
    ("purchase_line", "net_minor = 0, list_minor = 0"),
    ("purchase_line", "instructor_bp = 0"),
    ("payment", "amount_minor = 1"),
    ("refund", "amount_minor = 1"),
)
FORBIDDEN = [
    *(f"UPDATE {table} SET {column}" for table, column in UPDATES),  # noqa: S608 - the names are ours
    *(f"DELETE FROM {table}" for table in (*ONCE_ONLY, "balance", "purchase", "payment", "change_log")),  # noqa: S608 - the names are ours
    *(f"TRUNCATE {table} CASCADE" for table in (*ONCE_ONLY, "balance", "purchase")),
    "INSERT INTO balance (account_id, amount_minor, version) VALUES (1, 1, 1)",
    "SELECT 1 FROM balance FOR UPDATE",
    "ALTER TABLE journal DISABLE TRIGGER balanced",
    "ALTER TABLE posting DISABLE TRIGGER taken",
    "ALTER TABLE posting DISABLE TRIGGER ALL",
    "ALTER TABLE journal DROP CONSTRAINT uq_journal_book_idem_key",
    "DROP TRIGGER append_only ON posting",
    "DROP TABLE balance",
    "CREATE TABLE public.shadow (id int)",
    "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE sql AS 'SELECT NULL'",
    "CREATE OR REPLACE FUNCTION take_postings() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    "SET session_replication_role = replica",
    "SET LOCAL session_replication_role = replica",
    "SELECT set_config('session_replication_role', 'replica', true)",
]


@pytest.mark.usefixtures("standing")
def test_the_application_has_no_right_to_change_what_stands(
    engine: Engine, works: Works, system_actor: Actor
) -> None:
    for statement in FORBIDDEN:
        with (
            pytest.raises(ProgrammingError, match="InsufficientPrivilege"),
            works.begin(system_actor) as work,
        ):
            work.run(text(statement))
    assert books.faults(engine) == []


@pytest.mark.usefixtures("standing")
@pytest.mark.parametrize("role", ["origin", "replica"])
def test_even_the_owner_is_refused(owner: psycopg.Connection, engine: Engine, role: LiteralString) -> None:
    owner.execute(f"SET session_replication_role = {role}")
    for statement in BY_THE_OWNER:
        with pytest.raises(errors.RestrictViolation, match="append-only"):
            owner.execute(statement)
    assert books.faults(engine) == []


def test_the_owner_cannot_post_out_of_balance_as_a_replica_either(
    owner: psycopg.Connection, standing: JournalId
) -> None:
    owner.execute("SET session_replication_role = replica")
    with pytest.raises(errors.CheckViolation, match="own transaction"):
        owner.execute(
            "INSERT INTO posting SELECT journal_id, 3, account_id, 1, unit FROM posting WHERE line_no = 1"
        )
    with pytest.raises(errors.CheckViolation, match="fewer than two postings"):
        owner.execute(
            "INSERT INTO journal SELECT gen_random_uuid(), book, kind, 'again', occurred_at, recorded_at,"
            " actor, NULL, subject_kind, subject_id FROM journal WHERE journal_id = %s",
            [standing],
        )


@pytest.mark.usefixtures("standing")
def test_the_pipelines_may_read_the_exports_and_nothing_else(owner: psycopg.Connection) -> None:
    owner.execute("SET ROLE bursar_sync")
    seen = owner.execute("SELECT count(*) FROM export.posting").fetchone()
    assert seen == (2,)
    for statement in HIDDEN:
        with pytest.raises(errors.InsufficientPrivilege):
            owner.execute(statement)
