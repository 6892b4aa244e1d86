"""A Postgres and a sandbox that may be killed, and come back on the same data."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from services.identity import people
from services.kernel.actor import Actor, Role, system
from services.kernel.ids import CourseId, UserId
from services.kernel.money import Money
from services.kernel.time import SystemClock
from services.marketplace import catalogue, quote
from services.payments import customer
from services.runtime import database, postgres
from services.runtime.postgres import Running
from services.runtime.work import Works
from services.stripe.gateway import Gateway
from tests.faults.phases import Scene
from tests.sandboxed import SandboxProcess, start_sandbox
from tests.waiting import until

TEST = system("test")
PRICES = (Money(4_999, "USD"), Money(0, "USD"))
# FILE_COPY ends with a checkpoint: without one, a crash sets the clone's sequences back to the template's
CLONE = "CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY"


def _silent(_line: str) -> None:
    """Nobody listens."""


@dataclass
class World:
    """Both servers as they run now, and who and what is in every new database."""

    folder: Path
    server: Running
    sandbox: SandboxProcess
    buyer: Actor
    courses: dict[Money, CourseId]

    def pid(self, victim: str) -> int | None:
        """Whom to kill; nobody's number when a process is to kill itself."""
        return {"itself": None, "sandbox": self.sandbox.process.pid, "postgres": self.server.pid}[victim]

    def revive(self, victim: str) -> None:
        """See that the victim is dead, and start it again on its own data."""
        if victim == "postgres":
            until(lambda: not self.server.is_alive, "Postgres to be dead")
            self.server.stop()
            self.server = postgres.start(self.folder / "postgres", report=_silent)
        if victim == "sandbox":
            assert self.sandbox.process.wait(timeout=10) == -signal.SIGKILL
            self.sandbox.kill()
            self.sandbox = _sandbox(self.folder, port=self.sandbox.port)

    def url(self, name: str) -> str:
        """The owner's address of a database on the server as it runs now."""
        return make_url(self.server.url).set(database=name).render_as_string(hide_password=False)

    def moved(self, scene: Scene) -> Scene:
        """The same scene on the server as it runs now."""
        return replace(scene, database_url=self.url(str(make_url(scene.database_url).database)))

    @contextmanager
    def scene(self, *, price: Money, has_card: bool) -> Iterator[Scene]:
        """A buyer with a quote, in a database and a sandbox where nothing has happened yet."""
        self.sandbox.control("POST", "reset")
        name = f"life_{uuid4().hex}"
        self._owner(CLONE, name, str(make_url(self.server.url).database))
        try:
            yield self._opened(self.url(name), price=price, has_card=has_card)
        finally:
            self._owner("DROP DATABASE {} WITH (FORCE)", name)

    def _opened(self, url: str, *, price: Money, has_card: bool) -> Scene:
        engine = database.connect(url, pool=2)
        works, gateway = Works(engine, SystemClock()), Gateway(self.sandbox.secret_key, self.sandbox.base_url)
        buyer, card = _known(self.buyer), None
        with works.begin(self.buyer) as work:
            offer = quote.make(work, course=self.courses[price])
        if has_card:
            payer = customer.ensure(works, gateway, actor=self.buyer, user=buyer)
            kept = self.sandbox.call("POST", "/v1/payment_methods/pm_card_visa/attach", f"customer={payer}")
            card = str(kept.body["id"])
        engine.dispose()
        return Scene(
            database_url=url,
            stripe_url=self.sandbox.base_url,
            secret_key=self.sandbox.secret_key,
            buyer=buyer,
            quote=offer.quote_id,
            price=price,
            card=card,
            log=self.folder / "unwatched.log",
        )

    def _owner(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.server.url, dbname="postgres", autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@pytest.fixture(scope="module")
def killing_field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Both servers on new data, with a buyer and courses at every price."""
    folder = tmp_path_factory.mktemp("kills")
    server = postgres.start(folder / "postgres", report=_silent)
    database.migrate(server.url)
    engine = database.connect(server.url, pool=2)
    works = Works(engine, SystemClock())
    teacher, buyer = _person(works, Role.INSTRUCTOR), _person(works, Role.LEARNER)
    courses = {price: _course(works, teacher, price) for price in PRICES}
    engine.dispose()
    world = World(folder, server, _sandbox(folder), buyer, courses)
    yield world
    world.sandbox.stop()
    world.server.stop()


def _person(works: Works, role: Role) -> Actor:
    with works.begin(TEST) as work:
        user = people.register(
            work, email=f"{role}@example.com", name="Robin Test", password="an invented one", roles=[role]
        )
    return Actor("Robin Test", user, frozenset({role}))


def _known(actor: Actor) -> UserId:
    assert actor.user_id is not None
    return actor.user_id


def _course(works: Works, teacher: Actor, price: Money) -> CourseId:
    with works.begin(TEST) as work:
        return catalogue.list_course(
            work,
            owner=_known(teacher),
            title="Knots for beginners",
            subject="Ropework",
            level="All levels",
            hours=Decimal("2.5"),
            description="",
            price=price,
        )


def _sandbox(folder: Path, port: int | None = None) -> SandboxProcess:
    return start_sandbox(folder / "sandbox", secret_key="sk_test_killed0123456789", port=port)
