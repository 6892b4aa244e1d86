"""What happens in the demo business and when: the same for the same seed and the same last day."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from app.demo import cast
from app.demo.cast import BUYERS, COURSES, DemoCourse
from services.identity.demo_people import DemoPerson

DAYS: Final = 182
_BY_WEEKDAY: Final = (0.9, 1.0, 1.05, 0.95, 0.65, 1.1, 1.35)  # Monday first
_AT_FIRST, _AT_LAST = 0.45, 0.95  # purchases on an average day
_SLOWLY: Final = timedelta(seconds=45)
_EXPIRED: Final = timedelta(hours=1, minutes=3)
_REASONS: Final = ("not_what_i_expected", "bought_by_mistake", "quality", "not_what_i_expected", "other")
_EXPIRES_EVERY, _DECLINED_EVERY, _SECOND_CARD_EVERY, _REFUNDED_EVERY, _BROUGHT_EVERY = 15, 29, 23, 11, 4


_BUYERS, _LAST_BUYERS = BUYERS[:-2], BUYERS[-2:]


class Ending(StrEnum):
    """How a checkout ends."""

    PAID = "paid"
    PAID_WITH_SECOND_CARD = "paid with a second card"
    DECLINED = "declined"
    LEFT_OPEN = "left open until it expires"


@dataclass(frozen=True, slots=True)
class Join:
    """Somebody gets an account."""

    at: datetime
    person: DemoPerson


@dataclass(frozen=True, slots=True)
class Shelve:
    """A course appears in the catalogue."""

    at: datetime
    course: DemoCourse


@dataclass(frozen=True, slots=True)
class Reprice:
    """A course gets another price."""

    at: datetime
    course: DemoCourse
    price_minor: int


@dataclass(frozen=True, slots=True)
class Buy:
    """Somebody looks at a course, begins to buy it, and pays or does not, one `pace` after the other."""

    at: datetime
    buyer: DemoPerson
    course: DemoCourse
    ending: Ending
    channel: str = "platform"
    pace: timedelta = _SLOWLY


@dataclass(frozen=True, slots=True)
class GiveBack:
    """A course is given back by its buyer, or by support out of goodwill."""

    at: datetime
    buyer: DemoPerson
    course: DemoCourse
    reason: str


@dataclass(frozen=True, slots=True)
class Lapse:
    """A checkout that nobody paid has expired, and we hear of it."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Night:
    """A day ends: what is due is done."""

    at: datetime


Act = Join | Shelve | Reprice | Buy | GiveBack | Lapse | Night


def acts(*, seed: int, until: datetime, days: int = DAYS) -> list[Act]:
    """Everything that happens, in order, from some days before an instant up to it.

    The month of that instant and the one before it both have sales of the first instructor.
    """
    story = _Story(random.Random(seed), until, days)  # noqa: S311 - invented customers, not secrets
    found = [*story.opening(), *story.passing(), *story.last_day()]
    return sorted((act for act in found if act.at <= until), key=lambda act: act.at)


@dataclass
class _Story:
    chance: random.Random
    until: datetime
    days: int
    has: set[tuple[str, str]] = field(default_factory=set)
    joined: set[str] = field(default_factory=set)
    seen: Counter[str] = field(default_factory=Counter)

    def opening(self) -> Iterator[Act]:
        """The staff, the instructors and the courses."""
        opening = self._on(0, 8)
        for number, person in enumerate(cast.STAFF):
            self.joined.add(person.email)
            yield Join(opening + timedelta(minutes=number), person)
        for number, course in enumerate(COURSES):
            yield Shelve(self._on(course.appears, 9) + timedelta(minutes=7 * number), course)
        repriced, price = cast.REPRICED
        yield Reprice(self._on(self.days // 2, 10), repriced, price)

    def passing(self) -> Iterator[Act]:
        """Every day but the last: those who buy, and the demo learner's own purchases."""
        own = {
            self.days - 97: cast.CHEAP,
            self.days - 68: cast.FREE,
            self.days - 33: cast.SHARED,
            self.days - 4: COURSES[1],
        }
        for number in range(self.days):
            if number:
                yield Night(self._on(number, 3))
            if number in own:
                yield from self._bought(self._on(number, 18), cast.LEARNER, own[number])
            for _ in range(self._how_many(number)):
                yield from self._somebody_buys(number)

    def last_day(self) -> Iterator[Act]:
        """Two sales that are in the present month whatever the hour, so that each month has some."""
        midnight = self._on(self.days, 0)
        yield Night(midnight)
        sales = ((cast.SHARED, timedelta(hours=3)), (cast.LEAD, timedelta(minutes=40)))
        for buyer, (course, ago) in zip(_LAST_BUYERS, sales, strict=True):
            at = max(self.until - ago, midnight)
            yield from self._joining(at, buyer)
            yield Buy(at, buyer, course, Ending.PAID, pace=min(_SLOWLY, (self.until - at) / 8))

    def _how_many(self, number: int) -> int:
        mean = _AT_FIRST + (_AT_LAST - _AT_FIRST) * number / self.days
        wanted = mean * _BY_WEEKDAY[self._on(number, 0).weekday()]
        return int(wanted + self.chance.random())

    def _somebody_buys(self, number: int) -> Iterator[Act]:
        course = self._chosen(number)
        open_to = [person for person in _BUYERS if (person.email, course.key) not in self.has]
        at = self._on(number, 10) + timedelta(minutes=int(self.chance.triangular(0, 12 * 60, 9 * 60)))
        if open_to:
            yield from self._bought(at, self.chance.choice(open_to), course)

    def _bought(self, at: datetime, buyer: DemoPerson, course: DemoCourse) -> Iterator[Act]:
        yield from self._joining(at, buyer)
        is_own = buyer is cast.LEARNER
        ending = Ending.PAID if is_own or not course.price_minor else self._ending()
        brought = not is_own and self._every("brought", _BROUGHT_EVERY)
        yield Buy(at, buyer, course, ending, "instructor" if brought else "platform")
        if ending in {Ending.DECLINED, Ending.LEFT_OPEN}:
            yield Lapse(at + _EXPIRED)
            return
        self.has.add((buyer.email, course.key))
        if course.price_minor and not is_own:
            yield from self._maybe_given_back(at, buyer, course)

    def _maybe_given_back(self, at: datetime, buyer: DemoPerson, course: DemoCourse) -> Iterator[Act]:
        later = at + timedelta(days=self.chance.randint(1, 19), hours=self.chance.randint(1, 4))
        if self._every("given back", _REFUNDED_EVERY) and later.date() < self.until.date():
            turn = self.seen["given back"] // _REFUNDED_EVERY
            reason = _REASONS[turn % len(_REASONS)] if turn % 3 else "goodwill"
            yield GiveBack(later, buyer, course, reason)

    def _joining(self, at: datetime, buyer: DemoPerson) -> Iterator[Act]:
        if buyer.email not in self.joined:
            self.joined.add(buyer.email)
            yield Join(at, buyer)

    def _ending(self) -> Ending:
        if self._every("expires", _EXPIRES_EVERY):
            return Ending.LEFT_OPEN
        if self._every("declined", _DECLINED_EVERY):
            return Ending.DECLINED
        if self._every("second card", _SECOND_CARD_EVERY):
            return Ending.PAID_WITH_SECOND_CARD
        return Ending.PAID

    def _every(self, what: str, count: int) -> bool:
        self.seen[what] += 1
        return self.seen[what] % count == 0

    def _chosen(self, number: int) -> DemoCourse:
        there = [course for course in COURSES if course.appears < number or not course.appears]
        return self.chance.choices(there, [course.wanted for course in there])[0]

    def _on(self, number: int, hour: int) -> datetime:
        first_day = self.until.date() - timedelta(days=self.days)
        return datetime.combine(first_day + timedelta(days=number), time(hour, tzinfo=UTC))
