"""Beginning a purchase over HTTP, with sandbox and worker running, against bare SQL for its writes."""

import time
import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import httpx2
import psycopg
import pytest

from services.identity import people
from services.kernel.actor import Actor, Role, system
from services.kernel.ids import CourseId, QuoteId, UserId
from services.kernel.money import Money
from services.kernel.time import SystemClock
from services.marketplace import catalogue, quote
from services.runtime import database, ports, postgres
from services.runtime.work import Work, Works
from tests.integration.app.bursar_up import BursarUp
from tests.performance.clients import Times, closed_loop

CLIENTS = 8
SECONDS = 60
COURSES = 1_000  # as many purchases as one client can begin in the time
PASSWORD = "a bench password 1"
PRICE = Money(4_999, "USD")


@pytest.fixture(scope="module")
def bursar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BursarUp]:
    folder = tmp_path_factory.mktemp("bench")
    running = BursarUp(folder / "bursar", next(ports.free(folder / "port")))
    running.until_ready()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def works(bursar: BursarUp) -> Iterator[Works]:
    engine = database.connect(_database_url(bursar.folder))
    yield Works(engine, SystemClock())
    engine.dispose()


def test_begin_purchase(bursar: BursarUp, works: Works) -> None:
    courses, buyers = _market(works)
    clients = [_signed_in(bursar.port, f"buyer{number}@example.com") for number in range(CLIENTS)]
    quotes = [iter(_quotes(works, buyer, courses)) for buyer in buyers]

    def buy(number: int) -> float:
        wanted = {
            "quote_id": str(next(quotes[number])),
            "amount_minor": PRICE.minor,
            "currency": PRICE.currency,
        }
        key = {"Idempotency-Key": f"bench-{uuid.uuid4()}"}
        begun = time.perf_counter()
        answer = clients[number].post("/api/v1/purchases", json=wanted, headers=key)
        took = time.perf_counter() - begun
        assert answer.status_code == httpx2.codes.CREATED, answer.text
        return took

    for number in range(CLIENTS):
        buy(number)
    product = closed_loop(buy, clients=CLIENTS, seconds=SECONDS)
    for client in clients:
        client.close()
    floor = _floor(_database_url(bursar.folder), courses, buyers)
    print(f"\npurchase endpoint: {product}")
    print(f"bare SQL, same rows: {floor}")
    print(f"ratio of medians to the floor: {product.at(50) / floor.at(50):.1f}")
    assert product.at(95) < 100


def _market(works: Works) -> tuple[list[CourseId], list[UserId]]:
    with works.begin(system("bench")) as work:
        teacher = people.register(
            work, email="teacher@example.com", name="Tea Cher", password=PASSWORD, roles=[Role.INSTRUCTOR]
        )
        buyers = [
            people.register(
                work,
                email=f"buyer{number}@example.com",
                name=f"Buyer {number}",
                password=PASSWORD,
                roles=[Role.LEARNER],
            )
            for number in range(CLIENTS)
        ]
    courses = []
    for start in range(0, COURSES, 500):
        with works.begin(system("bench")) as work:
            courses += [_course(work, teacher, number) for number in range(start, start + 500)]
    return courses, buyers


def _course(work: Work, teacher: UserId, number: int) -> CourseId:
    return catalogue.list_course(
        work,
        owner=teacher,
        title=f"Course {number}",
        subject="Finance",
        level="All levels",
        hours=Decimal(3),
        description="",
        price=PRICE,
        external_key=None,
    )


def _quotes(works: Works, buyer: UserId, courses: list[CourseId]) -> list[QuoteId]:
    """A price held for a buyer for each course, made before the clock runs."""
    made = []
    for start in range(0, len(courses), 100):
        with works.begin(Actor("Buyer", buyer, frozenset({Role.LEARNER}))) as work:
            made += [quote.make(work, course=course).quote_id for course in courses[start : start + 100]]
    return made


def _signed_in(port: int, email: str) -> httpx2.Client:
    client = httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)
    client.post("/login", data={"email": email, "password": PASSWORD})
    assert client.cookies
    return client


def _floor(url: str, courses: list[CourseId], buyers: list[UserId]) -> Times:
    """The rows that one begun purchase leaves, written by hand in the two transactions that it takes."""
    connections = [psycopg.connect(url) for _ in range(CLIENTS)]
    rules = connections[0].execute("SELECT rule_id FROM revenue_rule WHERE channel = 'platform'").fetchone()
    connections[0].commit()
    assert rules

    def write(number: int) -> float:
        facts = {
            "quote": uuid.uuid4(),
            "purchase": uuid.uuid4(),
            "line": uuid.uuid4(),
            "payment": uuid.uuid4(),
            "key": str(uuid.uuid4()),
            "buyer": buyers[number],
            "course": courses[number],
            "rule": rules[0],
            "price": PRICE.minor,
        }
        connections[number].execute(QUOTED, facts)
        connections[number].commit()
        begun = time.perf_counter()
        for statement in BEGUN:
            connections[number].execute(statement, facts)
        connections[number].commit()
        connections[number].execute(OPENED, facts)
        connections[number].commit()
        return time.perf_counter() - begun

    times = closed_loop(write, clients=CLIENTS, seconds=10)
    for connection in connections:
        connection.close()
    return times


def _database_url(folder: Path) -> str:
    """The owner's address of the embedded database below a data folder."""
    return postgres.start(folder / "postgres", report=lambda _line: None).url


QUOTED = """
INSERT INTO quote
VALUES (%(quote)s, %(buyer)s, %(course)s, 'USD', %(price)s, %(price)s, 0, 'platform', %(rule)s,
        now(), now() + interval '30 minutes')
"""
BEGUN = (
    "INSERT INTO idempotency_key (scope, key, request_hash, created_at) VALUES ('bench', %(key)s, '', now())",
    """INSERT INTO purchase (purchase_id, quote_id, buyer_id, currency, total_minor, channel, begun_at)
       VALUES (%(purchase)s, %(quote)s, %(buyer)s, 'USD', %(price)s, 'platform', now())""",
    """INSERT INTO purchase_line (purchase_line_id, purchase_id, line_no, course_id, list_minor,
           discount_minor, net_minor, tax_minor, rule_id, instructor_bp, refund_days)
       VALUES (%(line)s, %(purchase)s, 1, %(course)s, %(price)s, 0, %(price)s, 0, %(rule)s, 3700, 30)""",
    """INSERT INTO audit_log (at, actor, action, object_kind, object_id, facts)
       VALUES (now(), 'bench', 'purchase.begun', 'purchase', %(purchase)s::text, '{}')""",
    """INSERT INTO payment
           (payment_id, payer_id, subject_kind, subject_id, amount_minor, currency, created_at)
       VALUES (%(payment)s, %(buyer)s, 'purchase', %(purchase)s, %(price)s, 'USD', now())""",
    "UPDATE idempotency_key SET answer = '{}' WHERE scope = 'bench' AND key = %(key)s",
)
OPENED = "UPDATE payment SET stripe_checkout_session_id = %(key)s WHERE payment_id = %(payment)s"
