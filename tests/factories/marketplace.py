"""Invented people who teach, buy and give back, through the real verbs and a processor of their own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

from sqlalchemy import insert, select, update

from services.identity import people
from services.kernel import ids
from services.kernel.actor import Actor, Role, system
from services.kernel.ids import CourseId, LineId, PurchaseId, UserId
from services.kernel.money import Money
from services.kernel.time import SetClock
from services.ledger import accounts, book
from services.ledger.journal import Account
from services.marketplace import catalogue, mature, purchase, quote, refund, settle
from services.marketplace.purchase import Begun
from services.marketplace.quote import Offer
from services.marketplace.refund import GivenBack
from services.marketplace.tables import PurchaseLine, RevenueRule
from services.runtime.work import Works
from services.stripe.facts import PaymentState
from services.stripe.gateway import Gateway
from tests.sandboxed import SandboxProcess

TEST = system("test")
WHOLE = 10_000
VISA = "pm_card_visa"


@dataclass(frozen=True, slots=True)
class Bought:
    """A purchase that was begun, and its one line."""

    purchase: PurchaseId
    line: LineId
    total: Money


@dataclass(frozen=True, slots=True)
class Market:
    """A marketplace on one database, whose clock and whose processor's clock are moved together."""

    works: Works
    clock: SetClock
    gateway: Gateway
    sandbox: SandboxProcess

    def pass_time(self, by: timedelta) -> None:
        """Move both clocks on."""
        self.set_time(self.clock.now() + by)

    def set_time(self, at: datetime) -> None:
        """Set both clocks, the processor's to the whole second."""
        self.clock.set(at)
        self.sandbox.control("POST", "/_control/clock", {"at": int(at.timestamp())})

    def person(self, *roles: Role) -> Actor:
        """Somebody new, a learner unless told otherwise."""
        held = frozenset(roles or {Role.LEARNER})
        with self.works.begin(TEST) as work:
            user = people.register(
                work,
                email=f"{uuid4().hex}@example.com",
                name="Robin Test",
                password="an invented one",
                roles=held,
            )
        return Actor("Robin Test", user, held)

    def teacher(self) -> Actor:
        """Somebody new who teaches."""
        return self.person(Role.INSTRUCTOR)

    def course(
        self, taught_by: Actor | Mapping[Actor, int], *, price: int = 10_000, currency: str = "USD"
    ) -> CourseId:
        """A listed course at a price in minor units, of one person or of several by basis points."""
        sharing = {taught_by: WHOLE} if isinstance(taught_by, Actor) else taught_by
        parts = {person_of(teacher): part for teacher, part in sharing.items()}
        with self.works.begin(TEST) as work:
            return catalogue.list_course(
                work,
                owner=next(iter(parts)),
                title="Knots for beginners",
                subject="Ropework",
                level="All levels",
                hours=Decimal("2.5"),
                description="",
                price=Money(price, currency),
                instructors=parts,
            )

    def price(self, course: CourseId, price: Money) -> None:
        """From now on a course costs that much in that currency."""
        with self.works.begin(TEST) as work:
            catalogue.set_price(work, course=course, price=price)

    def rule(self, channel: str, *, instructor_bp: int) -> None:
        """From now on sales of a channel give the instructors another part."""
        with self.works.begin(TEST) as work:
            work.run(
                update(RevenueRule)
                .where(RevenueRule.channel == channel, RevenueRule.valid_to.is_(None))
                .values(valid_to=work.now)
            )
            work.run(
                insert(RevenueRule).values(
                    rule_id=ids.fresh(work.now),
                    name="Invented",
                    channel=channel,
                    instructor_bp=instructor_bp,
                    valid_from=work.now,
                )
            )

    def quote(
        self, buyer: Actor, course: CourseId, *, channel: str = "platform", currency: str = "USD"
    ) -> Offer:
        """A price that is held for the buyer."""
        with self.works.begin(buyer) as work:
            return quote.make(work, course=course, channel=channel, currency=currency)

    def begin(
        self,
        buyer: Actor,
        offer: Offer,
        *,
        amount: Money | None = None,
        key: str | None = None,
        card: str | None = None,
    ) -> Begun:
        """Turn a quote into a purchase."""
        return purchase.begin(
            self.works,
            self.gateway,
            actor=buyer,
            quote=offer.quote_id,
            amount=offer.total if amount is None else amount,
            key=key or uuid4().hex,
            card=card,
            success_url="http://localhost/bought",
            cancel_url="http://localhost/catalogue",
        )

    def begun(self, buyer: Actor, course: CourseId, *, channel: str = "platform") -> Bought:
        """A purchase that waits to be paid."""
        return self._bought(self.begin(buyer, self.quote(buyer, course, channel=channel)))

    def buy(self, buyer: Actor, course: CourseId, *, channel: str = "platform", card: str = VISA) -> Bought:
        """A purchase that was paid with a card, through the processor."""
        return self._bought(self.begin(buyer, self.quote(buyer, course, channel=channel), card=card))

    def settle(self, bought: PurchaseId, paid: PaymentState) -> None:
        """Let a purchase be paid."""
        with self.works.begin(TEST) as work:
            settle.settle(work, purchase=bought, paid=paid)

    def give_back(
        self, actor: Actor, line: LineId, *, key: str | None = None, reason: str = "other"
    ) -> GivenBack:
        """Refund a line."""
        return refund.issue(
            self.works, self.gateway, actor=actor, line=line, reason=reason, key=key or uuid4().hex
        )

    def mature(self) -> int:
        """Release what is due."""
        with self.works.begin(TEST) as work:
            return mature.release(work)

    def holds(self, account: Account) -> int:
        """What an account holds, in minor units."""
        with self.works.begin(TEST) as work:
            return book.balance(work, account)

    def earned(self, teacher: Actor, currency: str = "USD") -> tuple[int, int]:
        """What a teacher has pending and available."""
        person = person_of(teacher)
        return (
            self.holds(accounts.instructor_pending(person, currency)),
            self.holds(accounts.instructor_available(person, currency)),
        )

    def _bought(self, begun: Begun) -> Bought:
        with self.works.begin(TEST) as work:
            line = work.run(
                select(PurchaseLine.purchase_line_id).where(PurchaseLine.purchase_id == begun.purchase_id)
            ).scalar_one()
        return Bought(begun.purchase_id, LineId(line), begun.total)


def person_of(actor: Actor) -> UserId:
    """Who somebody is; a process is nobody."""
    if actor.user_id is None:
        raise ValueError(f"{actor.name} is a process")
    return actor.user_id


def paid(
    subject: UUID, amount: Money, *, at: datetime, fee: Money | None = None, intent: str | None = None
) -> PaymentState:
    """The processor's word that an amount was paid, at the usual fee of 2.9 % and 30."""
    name = intent or f"pi_{uuid4().hex}"
    return PaymentState(
        payment_intent_id=name,
        subject=subject,
        status="succeeded",
        amount=amount,
        charge_id=f"ch_{name}",
        balance_transaction_id=f"txn_{name}",
        fee=fee or amount.share(290) + Money(30, amount.currency),
        paid_at=at,
        failure_code=None,
        failure_message=None,
        customer=None,
        card=None,
    )
