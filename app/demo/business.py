"""Living through the demo business, act by act, so that a run that was broken off is gone on with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

from sqlalchemy import ColumnElement, func, select

from app.demo import cast, script
from app.demo.processor import SandboxControl
from app.demo.script import Act, Buy, Ending, GiveBack, Join, Lapse, Night, Reprice, Shelve
from services import worker
from services.identity import people
from services.identity.demo_people import DEMO_PASSWORD, DemoPerson
from services.kernel.actor import Actor, system
from services.kernel.errors import Conflict
from services.kernel.ids import UserId
from services.kernel.money import Money
from services.kernel.time import SetClock
from services.marketplace import catalogue, learn, purchase, quote, refund
from services.payments import sweep
from services.runtime.audit import AuditLog
from services.runtime.work import Work, Works
from services.stripe.gateway import Gateway

SEED: Final = 2026
_DIRECTOR: Final = system("demo")
_SWEPT_BACK: Final = timedelta(days=2)
_ANSWERING: Final = timedelta(seconds=2)
_VISA, _MASTERCARD, _EMPTY = "pm_card_visa", "pm_card_mastercard", "pm_card_chargeDeclinedInsufficientFunds"
_CARDS: Final[Mapping[Ending, tuple[str, ...]]] = MappingProxyType(
    {
        Ending.PAID: (_VISA,),
        Ending.PAID_WITH_SECOND_CARD: (_EMPTY, _MASTERCARD),
        Ending.DECLINED: (_EMPTY,),
        Ending.LEFT_OPEN: (),
    }
)

Report = Callable[[str], None]


def make(
    works: Works,
    gateway: Gateway,
    control: SandboxControl,
    *,
    address: str,
    report: Report,
    days: int = script.DAYS,
) -> bool:
    """Live some days up to the present on a clock shared with the sandbox; false if nothing was to do.

    Only an empty database gets a demo business, and its sandbox forgets what it knew before. Each act that is
    over is written down: a run that was broken off, at any point, goes on with the act that it was in, up to
    the present of its first start. The sandbox's clock runs in real time afterwards.
    """
    until = _begun(works)
    if until is None:
        with works.begin(_DIRECTOR) as work:
            if work.run(select(AuditLog.audit_id).limit(1)).first():
                return False
        control.reset()
        until = _begin(works)
    with works.begin(_DIRECTOR) as work:
        done = _count(work, AuditLog.action == "demo.act")
        if _count(work, AuditLog.action == "demo.finished"):
            return False
    if done:
        report("Going on with the demo business that an earlier start left unfinished")
    story = script.acts(seed=SEED, until=until, days=days)
    clock = SetClock(max(control.stopped_at() or story[0].at, story[0].at))
    business = Business(Works(works.engine, clock), clock, gateway, control, until=until, address=address)
    month = ""
    for number, act in enumerate(story[done:], start=done + 1):
        if f"{act.at:%B %Y}" != month:
            month = f"{act.at:%B %Y}"
            report(f"Making the demo business: {month} (step {number} of {len(story)})")
        business.live(act, number)
    business.end()
    return True


def _begun(works: Works) -> datetime | None:
    """The present of the first start, if there was one."""
    with works.begin(_DIRECTOR) as work:
        facts = work.run(select(AuditLog.facts).where(AuditLog.action == "demo.begun")).scalar_one_or_none()
    return datetime.fromisoformat(facts["until"]) if facts else None


def _begin(works: Works) -> datetime:
    with works.begin(_DIRECTOR) as work:
        until = work.now.astimezone(UTC).replace(microsecond=0)
        work.audit("demo.begun", "demo", SEED, until=until.isoformat())
    return until


def _count(work: Work, wanted: ColumnElement[bool]) -> int:
    return work.run(select(func.count()).select_from(AuditLog).where(wanted)).scalar_one()


@dataclass
class Business:
    """The verbs of a marketplace, called by people who do not exist.

    Each act may be repeated after it was broken off anywhere: it finds what it did already.
    """

    works: Works
    clock: SetClock
    gateway: Gateway
    control: SandboxControl
    until: datetime
    address: str
    _actors: dict[str, Actor] = field(default_factory=dict)

    def live(self, act: Act, number: int) -> None:
        """Let one act happen, and write down that it did."""
        self._move_to(act.at)
        match act:
            case Join():
                self._join(act.person)
            case Shelve():
                self._shelve(act)
            case Reprice():
                self._reprice(act)
            case Buy():
                self._buy(act, number)
            case GiveBack():
                self._give_back(act, number)
            case Lapse():
                self._hear()
            case Night():
                worker.run_due(self.works)
        with self.works.begin(_DIRECTOR) as work:
            work.audit("demo.act", "demo", number)

    def end(self) -> None:
        """Arrive in the present: everything that is due is done, and time runs by itself."""
        self._move_to(self.until)
        self._hear()
        worker.run_due(self.works)
        self.control.set_clock(None)
        with self.works.begin(_DIRECTOR) as work:
            work.audit("demo.finished", "demo", SEED)

    def _move_to(self, at: datetime) -> None:
        """Move our clock on, never past the present."""
        self.clock.set(min(max(at, self.clock.now()), self.until))

    def _move_both(self, by: timedelta = timedelta()) -> None:
        """Move our clock on and set the sandbox's to it: before anything is asked of the sandbox."""
        self._move_to(self.clock.now() + by)
        self.control.set_clock(self.clock.now())

    def _hear(self) -> None:
        """Take up what the sandbox has to tell."""
        self._move_both(_ANSWERING)
        sweep.sweep(self.works, self.gateway, since=self.clock.now() - _SWEPT_BACK)
        worker.drain(self.works, self.gateway)

    def _join(self, person: DemoPerson) -> None:
        try:
            with self.works.begin(_DIRECTOR) as work:
                people.register(
                    work,
                    email=person.email,
                    name=person.name,
                    password=DEMO_PASSWORD,
                    roles=[person.role],
                )
        except Conflict as refusal:
            _only("email_taken", refusal)

    def _shelve(self, act: Shelve) -> None:
        course = act.course
        try:
            with self.works.begin(self._actor(course.owner.email)) as work:
                catalogue.list_course(
                    work,
                    owner=self._user(course.owner.email),
                    title=course.title,
                    subject=course.subject,
                    level=course.level,
                    hours=course.duration,
                    description=course.description,
                    price=Money(course.price_minor, cast.CURRENCY),
                    external_key=course.key,
                    instructors={self._user(email): part for email, part in course.shares.items()},
                )
        except Conflict as refusal:
            _only("course_known", refusal)

    def _reprice(self, act: Reprice) -> None:
        with self.works.begin(self._actor(act.course.owner.email)) as work:
            course = catalogue.course_by_key(work, external_key=act.course.key)
            catalogue.set_price(work, course=course, price=Money(act.price_minor, cast.CURRENCY))

    def _buy(self, act: Buy, number: int) -> None:
        buyer = self._actor(act.buyer.email)
        try:
            with self.works.begin(buyer) as work:
                course = catalogue.course_by_key(work, external_key=act.course.key)
                offer = quote.make(work, course=course, channel=act.channel)
        except Conflict as refusal:
            return _only("already_enrolled", refusal)
        self._move_both(act.pace)
        begun = purchase.begin(
            self.works,
            self.gateway,
            actor=buyer,
            quote=offer.quote_id,
            amount=offer.total,
            key=f"demo:{number}:{offer.quote_id}",
            success_url=f"{self.address}/my-learning",
            cancel_url=f"{self.address}/catalogue",
        )
        if begun.checkout_url:
            self._pay(act, begun.checkout_url.rpartition("/")[2])
        if begun.total:
            self._hear()
        return None

    def _pay(self, act: Buy, session_id: str) -> None:
        for card in _CARDS[act.ending]:
            self._move_both(act.pace)
            self.control.pay(session_id, card)

    def _give_back(self, act: GiveBack, number: int) -> None:
        self._move_both()
        buyer = self._actor(act.buyer.email)
        with self.works.begin(buyer) as work:
            course = catalogue.course_by_key(work, external_key=act.course.key)
            owned = [each for each in learn.mine(work) if each.course_id == course]
        for each in owned:
            if each.state in {"held", "matured", "refunding"}:
                actor = self._actor(cast.SUPPORT.email) if act.reason == "goodwill" else buyer
                refund.issue(
                    self.works,
                    self.gateway,
                    actor=actor,
                    line=each.line_id,
                    reason=act.reason,
                    key=f"demo:{number}",
                )

    def _actor(self, email: str) -> Actor:
        if email not in self._actors:
            with self.works.begin(_DIRECTOR) as work:
                self._actors[email] = people.actor_by_email(work, email=email)
        return self._actors[email]

    def _user(self, email: str) -> UserId:
        actor = self._actor(email)
        if actor.user_id is None:
            raise ValueError(f"{email} is a process")
        return actor.user_id


def _only(expected: str, refusal: Conflict) -> None:
    """Pass over the refusal of what was done before; any other one is an error."""
    if refusal.code != expected:
        raise refusal
