"""Every change of state leaves its audit row in the same transaction, and every failure leaves neither."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text

from services.kernel.actor import Actor, Role
from services.kernel.errors import Conflict
from services.marketplace import purchase, refund, settle
from services.payments import charge
from services.payments.tables import Refund
from services.runtime.audit import AuditLog
from services.runtime.work import Work
from tests.factories.marketplace import TEST, VISA, Bought, Market, paid

UNAUDITED = """
SELECT {table}::text AS row FROM {table}
WHERE NOT EXISTS (SELECT 1 FROM audit_log WHERE audit_log.xmin = {table}.xmin)
"""
ROWS = "SELECT string_agg({table}::text, ';' ORDER BY {table}::text) FROM {table}"
TABLES = ("purchase", "purchase_line", "line_share", "refund", "enrolment", "journal", "course")


@pytest.fixture
def buyer(market: Market) -> Actor:
    """Somebody who learns."""
    return market.person()


@contextmanager
def audited(market: Market, *actions: str) -> Iterator[None]:
    """Nothing changes in this block without an audit row of its own transaction, of these actions."""
    known = len(actions_of(market))
    yield
    assert actions_of(market)[known:] == list(actions)
    with market.works.begin(TEST) as work:
        for table in (*TABLES, "payment"):
            last_written_by_a_session_id = " AND state <> 'pending'" if table == "payment" else ""
            statement = UNAUDITED.format(table=table) + last_written_by_a_session_id
            assert work.run(text(statement)).all() == []


def actions_of(market: Market) -> list[str]:
    """What was done, in order."""
    with market.works.begin(TEST) as work:
        return list(work.run(select(AuditLog.action).order_by(AuditLog.audit_id)).scalars())


def test_each_step_of_a_purchases_life_is_audited(market: Market, buyer: Actor) -> None:
    course = market.course(market.teacher())
    with audited(market, "purchase.begun"):
        bought = market.begun(buyer, course)
    word = paid(bought.purchase, bought.total, at=market.clock.now())
    with audited(market, "purchase.settled"):
        market.settle(bought.purchase, word)
    with audited(market):
        market.settle(bought.purchase, word)
    market.pass_time(timedelta(days=30))
    with audited(market, "line.matured"):
        market.mature()
    with audited(market, "purchase.paid_twice"):
        market.settle(bought.purchase, paid(bought.purchase, bought.total, at=market.clock.now()))


def test_a_saved_cards_purchase_and_its_refund_are_audited(market: Market, buyer: Actor) -> None:
    offer = market.quote(buyer, market.course(market.teacher()))
    with audited(market, "purchase.begun", "purchase.settled"):
        market.begin(buyer, offer, card=VISA)
    with market.works.begin(TEST) as work:
        line = work.run(text("SELECT purchase_line_id FROM purchase_line")).scalar_one()
    with audited(market, "refund.requested", "refund.settled"):
        given = market.give_back(buyer, line)
    with market.works.begin(TEST) as work:
        known = work.run(select(Refund.stripe_refund_id)).scalar_one()
    word = market.gateway.refund_state(str(known))
    with audited(market), market.works.begin(TEST) as work:
        refund.learn_of(work, given_back=word)
    assert given.state == "succeeded"


def test_what_ends_without_money_is_audited(market: Market, buyer: Actor) -> None:
    course, free = market.course(market.teacher()), market.course(market.teacher(), price=0)
    with audited(market, "purchase.begun", "payment.failed", "purchase.abandoned"), pytest.raises(Conflict):
        market.buy(buyer, course, card="pm_card_chargeCustomerFail")
    with audited(market, "purchase.begun", "purchase.settled"):
        market.begun(buyer, free)
    with audited(market, "purchase.begun"):
        bought = market.begun(buyer, course)
    with audited(market, "payment.failed"), market.works.begin(TEST) as work:
        charge.fail(work, subject=bought.purchase, failure_code="generic_decline")
    with audited(market, "payment.expired", "purchase.abandoned"), market.works.begin(TEST) as work:
        purchase.abandon(work, purchase=bought.purchase, failure_code=None, expired=True)
    with audited(market, "purchase.review"):
        short = bought.total.share(5_000)
        market.settle(bought.purchase, paid(bought.purchase, short, at=market.clock.now()))


def test_the_audit_names_who_did_it_without_personal_data(market: Market, buyer: Actor) -> None:
    support = market.person(Role.SUPPORT)
    bought = market.buy(buyer, market.course(market.teacher()))
    market.give_back(support, bought.line, reason="goodwill")
    with market.works.begin(TEST) as work:
        row = work.run(select(AuditLog).where(AuditLog.action == "refund.requested")).one()
    assert (row.actor, row.object_kind) == (support.reference, "refund")
    assert row.facts == {"line": str(bought.line), "reason": "goodwill"}
    with market.works.begin(TEST) as work:
        everything = work.run(text("SELECT string_agg(audit_log::text, '') FROM audit_log")).scalar_one()
    assert "example.com" not in everything
    assert buyer.name not in everything


def test_what_fails_leaves_no_trace(market: Market, buyer: Actor) -> None:
    bought = market.begun(buyer, market.course(market.teacher()))
    before = everything(market)
    with pytest.raises(ZeroDivisionError), market.works.begin(TEST) as work:
        settle_and_fail(work, bought, at=market.clock.now())
    assert everything(market) == before


def settle_and_fail(work: Work, bought: Bought, *, at: datetime) -> None:
    """Fail once everything is written."""
    settle.settle(work, purchase=bought.purchase, paid=paid(bought.purchase, bought.total, at=at))
    raise ZeroDivisionError


def everything(market: Market) -> dict[str, str]:
    """Every row of the tables that a settled purchase writes to."""
    tables = (*TABLES, "payment", "audit_log", "outbox_event", "posting", "balance", "ledger_account")
    with market.works.begin(TEST) as work:
        return {table: work.run(text(ROWS.format(table=table))).scalar_one() for table in tables}
