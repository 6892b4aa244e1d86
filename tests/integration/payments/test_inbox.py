"""Stripe's calls over real HTTP: what proves its sender is kept once, whatever else comes."""

import hmac
import http.client
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Row, make_url, select
from stripe import WebhookSignature

from services.kernel.actor import Actor
from services.kernel.time import SetClock
from services.payments.inbox import LARGEST_BODY, Endpoint, webhook
from services.runtime.database import WAKE_CHANNEL
from services.runtime.events import InboxEvent
from services.runtime.work import Works

OLD_SECRET, SECRET, FOREIGN_SECRET = "whsec_invented_old", "whsec_invented_new", "whsec_invented_other"

Post = Callable[..., tuple[int, dict[str, str]]]


def event(number: int = 1, **other: object) -> dict[str, Any]:
    """An event as Stripe sends it, about an invented payment."""
    return {
        "id": f"evt_{number}",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": 1_795_521_600,
        "data": {"object": {"id": "pi_1", "object": "payment_intent", "amount": 10_000}},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": "payment_intent.succeeded",
        **other,
    }


class Caller:
    """Something that posts to the endpoint as Stripe does."""

    def __init__(self, port: int, clock: SetClock) -> None:
        self.port = port
        self.clock = clock

    def sign(self, body: bytes, *, secret: str = SECRET, after: float = 0) -> str:
        """The signature header that Stripe's own library makes, some seconds from the test's time."""
        stamp = int((self.clock.now() + timedelta(seconds=after)).timestamp())
        return str(WebhookSignature.generate_signature_header(body.decode(), secret, stamp))

    def post(self, body: bytes, header: str | None = None, *, method: str = "POST") -> int:
        """The status that answers a body, signed rightly unless a header is given."""
        headers = {"Stripe-Signature": self.sign(body) if header is None else header}
        return self.send(method, body, headers)[0]

    def send(
        self, method: str, body: bytes | Iterator[bytes], headers: dict[str, str]
    ) -> tuple[int, dict[str, str]]:
        """The status and words that answer a request; a body that is an iterator is sent in chunks."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, "/", body, headers, encode_chunked=not isinstance(body, bytes))
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def begin(self, headers: dict[str, str], part: bytes = b"") -> tuple[int, dict[str, str]]:
        """The status and words that answer a post of which only the headers and a first part are sent."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.putrequest("POST", "/")
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders(part or None)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()


@pytest.fixture
def serve(listen: Callable[[Endpoint], int], clock: SetClock) -> Callable[[Endpoint], Caller]:
    """Serve an endpoint, and call it as Stripe does at the test's time."""
    return lambda endpoint: Caller(listen(endpoint), clock)


@pytest.fixture
def stripe(serve: Callable[[Endpoint], Caller], works: Works) -> Caller:
    """Stripe, calling the platform's endpoint in test mode while its secret is being rotated."""
    return serve(webhook(works, (OLD_SECRET, SECRET), connect=False, live=False))


@pytest.fixture
def kept(works: Works, system_actor: Actor) -> Callable[[], list[Row[Any]]]:
    """What the inbox holds."""

    def look() -> list[Row[Any]]:
        with works.begin(system_actor) as work:
            return list(work.run(select(InboxEvent).order_by(InboxEvent.event_id)))

    return look


Kept = Callable[[], list[Row[Any]]]


def dump(facts: object) -> bytes:
    """The JSON that is sent."""
    return json.dumps(facts).encode()


def test_a_signed_event_is_kept_whole(stripe: Caller, kept: Kept, clock: SetClock) -> None:
    assert stripe.post(dump(event())) == 200
    (row,) = kept()
    assert (row.event_id, row.kind, row.object_id) == ("evt_1", "payment_intent.succeeded", "pi_1")
    assert (row.account, row.api_version, row.is_live) == (None, "2026-10-28.endive", False)
    assert (row.state, row.tries, row.received_at) == ("received", 0, clock.now())
    assert row.body == event()


def test_the_worker_is_woken_for_new_news_only(stripe: Caller, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as listener:
        listener.execute(sql.SQL("LISTEN {}").format(sql.Identifier(WAKE_CHANNEL)))
        for _time in range(3):
            assert stripe.post(dump(event())) == 200
        assert stripe.post(dump(event(2))) == 200
        listener.execute("SELECT pg_notify('bursar_wake', 'end')")
        calls = [call.payload for call in listener.notifies(timeout=30, stop_after=3)]
    assert calls == ["", "", "end"]


def test_fifty_copies_at_once_are_one_event(stripe: Caller, kept: Kept) -> None:
    with ThreadPoolExecutor(50) as together:
        statuses = list(together.map(stripe.post, [dump(event())] * 50))
    assert statuses == [200] * 50
    assert len(kept()) == 1


def test_many_events_at_once_are_all_kept(stripe: Caller, kept: Kept) -> None:
    with ThreadPoolExecutor(50) as together:
        statuses = list(together.map(stripe.post, [dump(event(number)) for number in range(200)] * 2))
    assert statuses == [200] * 400
    assert len(kept()) == 200


def test_each_secret_may_have_signed(stripe: Caller, kept: Kept) -> None:
    first, second = dump(event(1)), dump(event(2))
    assert stripe.post(first, stripe.sign(first, secret=OLD_SECRET)) == 200
    assert stripe.post(second, stripe.sign(second, secret=SECRET)) == 200
    assert len(kept()) == 2


def test_one_right_signature_of_several_is_enough(stripe: Caller, kept: Kept) -> None:
    body = dump(event())
    stamp, right = stripe.sign(body).split(",")
    assert stripe.post(body, f"{stamp},v1={'0' * 64},v0={'1' * 64},{right}") == 200
    assert len(kept()) == 1


def test_a_forged_signature_is_refused(stripe: Caller, kept: Kept) -> None:
    zeros = "0" * 64
    forged = [
        "",
        "nonsense",
        "=,=,=",
        "t=,v1=",
        f"v1={zeros}",
        "t=1795521600",
        f"t=1795521600,v1={zeros}",
        f"t=1795521600,v1={'é' * 8}",
    ]
    assert {header: stripe.post(dump(event()), header) for header in forged} == dict.fromkeys(forged, 400)
    assert kept() == []


def test_a_foreign_secret_is_refused(stripe: Caller, kept: Kept) -> None:
    body = dump(event())
    assert stripe.post(body, stripe.sign(body, secret=FOREIGN_SECRET)) == 400
    assert kept() == []


def test_a_right_signature_under_another_scheme_is_refused(stripe: Caller, kept: Kept) -> None:
    body = dump(event())
    assert stripe.post(body, stripe.sign(body).replace("v1=", "v0=")) == 400
    assert kept() == []


def test_a_signature_does_not_cover_another_body(stripe: Caller, kept: Kept) -> None:
    header = stripe.sign(dump(event(1)))
    assert stripe.post(dump(event(2)), header) == 400
    assert kept() == []


def test_a_signature_does_not_cover_another_time(stripe: Caller, kept: Kept) -> None:
    body = dump(event())
    old = stripe.sign(body, after=-900)
    moved = stripe.sign(body).split(",")[0] + "," + old.split(",")[1]
    assert stripe.post(body, moved) == 400
    assert kept() == []


@pytest.mark.parametrize(("after", "status"), [(-301, 400), (-300, 200), (0, 200), (300, 200), (301, 400)])
def test_the_time_window_has_two_sides(stripe: Caller, kept: Kept, after: float, status: int) -> None:
    body = dump(event())
    assert stripe.post(body, stripe.sign(body, after=after)) == status
    assert len(kept()) == (1 if status == 200 else 0)


def test_a_server_without_a_secret_believes_nobody(
    serve: Callable[[Endpoint], Caller], works: Works, kept: Kept
) -> None:
    stripe = serve(webhook(works, (), connect=False, live=False))
    body = dump(event())
    assert stripe.post(body, stripe.sign(body, secret="")) == 400
    assert kept() == []


def padded(size: int) -> bytes:
    """An event whose JSON is exactly that many bytes long."""
    bare = len(dump(event(padding="")))
    return dump(event(padding="x" * (size - bare)))


def test_a_body_of_one_megabyte_is_taken(stripe: Caller, kept: Kept) -> None:
    assert stripe.post(padded(LARGEST_BODY)) == 200
    assert len(kept()) == 1


TOO_LARGE = (413, {"detail": "At most 1 MB is read."})


def test_a_larger_body_is_refused_before_it_is_sent(stripe: Caller, kept: Kept) -> None:
    body = padded(LARGEST_BODY + 1)
    headers = {"Stripe-Signature": stripe.sign(body), "Content-Length": str(len(body))}
    assert stripe.begin(headers) == TOO_LARGE
    assert kept() == []


def test_a_larger_body_without_a_length_is_refused_before_its_end(stripe: Caller, kept: Kept) -> None:
    body = padded(LARGEST_BODY + 1)
    headers = {"Stripe-Signature": stripe.sign(body), "Transfer-Encoding": "chunked"}
    assert stripe.begin(headers, b"%x\r\n%b" % (len(body), body)) == TOO_LARGE
    assert kept() == []


def test_a_chunked_body_is_taken(stripe: Caller, kept: Kept) -> None:
    body = dump(event())
    headers = {"Stripe-Signature": stripe.sign(body), "Transfer-Encoding": "chunked"}
    assert stripe.send("POST", iter([body[:50], body[50:]]), headers)[0] == 200
    assert len(kept()) == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_only_post_is_answered(stripe: Caller, kept: Kept, method: str) -> None:
    assert stripe.post(dump(event()), method=method) == 405
    assert kept() == []


NO_EVENTS = [
    b"",
    b"{",
    b"null",
    b"[]",
    b'"event"',
    b"\xff\xfe{}",
    b"[" * 100_000,
    b'{"object": "event", "id": NaN}',
    b'{"object": "event", "id": 1e400}',
    dump(event(object="v2.core.event")),
    dump(event(id=None)),
    dump(event(id="")),
    dump(event(id="e" * 256)),
    dump(event(type=7)),
    dump(event(livemode="false")),
    dump(event(data=None)),
    dump(event(data={"object": []})),
    dump(event(data={"object": {"id": 7}})),
]


def test_what_is_no_event_is_refused_with_the_reason(stripe: Caller, kept: Kept) -> None:
    stamp = int(stripe.clock.now().timestamp())
    for body in NO_EVENTS:
        signature = hmac_hex(SECRET.encode(), b"%d.%b" % (stamp, body))
        status, words = stripe.send("POST", body, {"Stripe-Signature": f"t={stamp},v1={signature}"})
        assert (status, "signature" in words["detail"]) == (400, False), body[:80]
    assert kept() == []


def hmac_hex(key: bytes, signed: bytes) -> str:
    """A signature over bytes that are no text, which Stripe's own library cannot sign."""
    return hmac.new(key, signed, "sha256").hexdigest()


def test_news_about_something_without_an_id_is_kept(stripe: Caller, kept: Kept) -> None:
    assert stripe.post(dump(event(type="balance.available", data={"object": {"object": "balance"}}))) == 200
    assert [row.object_id for row in kept()] == [""]


def test_text_that_postgres_cannot_hold_does_not_stop_the_event(stripe: Caller, kept: Kept) -> None:
    about = {"id": "cus_1", "name": "A\0da \ud800 \U0001f4b6", "tags": [{"\0": "\\u0000"}]}
    assert stripe.post(dump(event(data={"object": about}))) == 200
    (row,) = kept()
    assert row.body["data"]["object"] == {
        "id": "cus_1",
        "name": "A\ufffdda \ufffd \U0001f4b6",
        "tags": [{"\ufffd": "\\u0000"}],
    }


def test_live_and_test_do_not_mix(serve: Callable[[Endpoint], Caller], works: Works, kept: Kept) -> None:
    for live in (True, False):
        stripe = serve(webhook(works, (SECRET,), connect=False, live=live))
        assert stripe.post(dump(event(1, livemode=not live))) == 400
        assert stripe.post(dump(event(2 + live, livemode=live))) == 200
    assert [(row.event_id, row.is_live) for row in kept()] == [("evt_2", False), ("evt_3", True)]


def test_connected_accounts_have_an_endpoint_of_their_own(
    stripe: Caller, serve: Callable[[Endpoint], Caller], works: Works, kept: Kept
) -> None:
    connected = serve(webhook(works, (SECRET,), connect=True, live=False))
    theirs, ours = dump(event(1, account="acct_1")), dump(event(2))
    assert stripe.post(theirs) == 400
    assert connected.post(ours) == 400
    assert connected.post(theirs) == 200
    assert [(row.event_id, row.account) for row in kept()] == [("evt_1", "acct_1")]


def test_test_events_of_accounts_are_dropped_politely_where_money_is_real(
    serve: Callable[[Endpoint], Caller], works: Works, kept: Kept
) -> None:
    connected = serve(webhook(works, (SECRET,), connect=True, live=True))
    assert connected.post(dump(event(1, account="acct_1", livemode=False))) == 200
    assert kept() == []


def test_while_postgres_is_away_stripe_is_asked_to_come_back(
    stripe: Caller, kept: Kept, database: str, postgres_server: str
) -> None:
    body = dump(event())
    name = make_url(database).database or ""
    with psycopg.connect(postgres_server, dbname="postgres", autocommit=True) as owner:
        shut = sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS {}")
        owner.execute(shut.format(sql.Identifier(name), sql.SQL("false")))
        owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        assert stripe.post(body) == 503
        owner.execute(shut.format(sql.Identifier(name), sql.SQL("true")))
    assert stripe.post(body) == 200
    assert len(kept()) == 1
