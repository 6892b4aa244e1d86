"""What the processor has to tell of a marketplace, brought to it in any order and as often as one likes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import stripe
from sqlalchemy import func, select

from services import worker
from services.ledger.tables import Journal
from services.marketplace.tables import Enrolment, Purchase
from services.payments import arrival, sweep
from services.payments.arrival import Arrival
from services.payments.tables import Payment
from services.runtime.events import InboxEvent, OutboxEvent
from tests.factories.marketplace import TEST, VISA, Bought, Market

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class News:
    """The way from the processor to a marketplace, and what is on it."""

    market: Market
    outsider: stripe.StripeClient

    def pay(self, bought: Bought, card: str = VISA) -> None:
        """Pay a purchase on its hosted page."""
        self.market.sandbox.control("POST", f"pay/{self.session_of(bought)}", {"payment_method": card})

    def pay_outside(self, subject: UUID, amount: int, **other: object) -> str:
        """A payment that another program makes in the name of a purchase; gives its intent."""
        asked: Any = {
            "amount": amount,
            "currency": "usd",
            "payment_method": VISA,
            "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            "metadata": {"purchase": str(subject)},
            **other,
        }
        return self.outsider.v1.payment_intents.create(asked).id

    def refund_outside(self, intent: str, **other: object) -> str:
        """A refund that somebody makes at the processor itself; gives its id."""
        asked: Any = {"payment_intent": intent, **other}
        return self.outsider.v1.refunds.create(asked).id

    def session_of(self, bought: Bought) -> str:
        """The hosted page of a purchase."""
        with self.market.works.begin(TEST) as work:
            session = work.run(
                select(Payment.stripe_checkout_session_id).where(Payment.subject_id == bought.purchase)
            ).scalar_one()
        return str(session)

    def intent_there(self, bought: Bought) -> str:
        """The payment behind a purchase as the processor knows it, whether we have heard of it or not."""
        session = self.market.sandbox.get(f"/v1/checkout/sessions/{self.session_of(bought)}")
        return str(session["payment_intent"])

    def everything(self) -> list[Arrival]:
        """All that happened at the processor in the last day, oldest first."""
        listed = self.market.gateway.events(self.market.clock.now() - DAY)
        return [arrival.read(event.body) for event in listed][::-1]

    def bring(self, arrivals: Iterable[Arrival]) -> None:
        """Put events into the inbox, each in a transaction of its own."""
        for each in arrivals:
            with self.market.works.begin(TEST) as work:
                arrival.store(work, [each])

    def sweep(self) -> None:
        """Bring what the processor lists and the inbox lacks."""
        sweep.sweep(self.market.works, self.market.gateway, since=self.market.clock.now() - DAY)

    def drain(self) -> int:
        """Let the worker take up what there is."""
        return worker.drain(self.market.works, self.market.gateway)

    def hear(self) -> None:
        """Bring all news and let the worker take it up."""
        self.sweep()
        self.drain()

    def settle_down(self) -> None:
        """Let the worker come back to what failed, as often as it likes to."""
        for _ in range(20):
            self.drain()
            if not self.waiting():
                return
            self.market.pass_time(worker.LONGEST_WAIT)

    def waiting(self) -> int:
        """How much news and how many errands are not over."""
        with self.market.works.begin(TEST) as work:
            news = select(func.count()).where(InboxEvent.state.in_(("received", "failed")))
            errands = select(func.count()).where(OutboxEvent.state == "waiting")
            return work.run(news).scalar_one() + work.run(errands).scalar_one()

    def inbox(self) -> dict[str, str]:
        """The state of each event, by its id."""
        with self.market.works.begin(TEST) as work:
            rows = work.run(select(InboxEvent.event_id, InboxEvent.state)).all()
        return {event: state for event, state in rows}  # noqa: C416 - rows are no pairs to the type checker

    def failed(self) -> list[tuple[str, str, int, str | None]]:
        """What did not go as it should: kind, state, tries and error of each event."""
        wanted = select(InboxEvent.kind, InboxEvent.state, InboxEvent.tries, InboxEvent.error)
        with self.market.works.begin(TEST) as work:
            rows = work.run(wanted.where(InboxEvent.state.in_(("failed", "dead"))).order_by(InboxEvent.kind))
            return [(kind, state, tries, error) for kind, state, tries, error in rows]

    def journals(self) -> list[str]:
        """What is in the books, by kind."""
        with self.market.works.begin(TEST) as work:
            return sorted(work.run(select(Journal.kind)).scalars())

    def state_of(self, bought: Bought) -> str:
        """Where a purchase stands."""
        with self.market.works.begin(TEST) as work:
            return work.run(
                select(Purchase.state).where(Purchase.purchase_id == bought.purchase)
            ).scalar_one()

    def enrolments(self) -> list[str]:
        """The state of every enrolment."""
        with self.market.works.begin(TEST) as work:
            return sorted(work.run(select(Enrolment.state)).scalars())
