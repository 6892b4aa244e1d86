"""The invented people and courses of the demo business."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from services.identity.demo_people import DEMO_PEOPLE, DemoPerson
from services.kernel.actor import Role
from services.kernel.money import BASIS_POINTS

CURRENCY: Final = "USD"
LEARNER, MAYA, FOUNDER, SUPPORT = DEMO_PEOPLE
JONAS: Final = DemoPerson("jonas.wirth@example.com", "Jonas Wirth", Role.INSTRUCTOR)
INES: Final = DemoPerson("ines.calado@example.com", "Ines Calado", Role.INSTRUCTOR)
STAFF: Final = (FOUNDER, SUPPORT, MAYA, JONAS, INES, LEARNER)

_FIRST = (
    "Abena Bilal Chiara Dmitri Elif Farid Greta Hiro Imani Joao Kaisa Lucia Mateo Nadia Oskar Petra Quentin "
    "Rosa Samir Tuva Umar Vera Wanda Xavi Yara Zoltan Anouk Bram Carmen Dilan Emil Freya Goran Hana"
)
_LAST = (
    "Adeyemi Bergstrom Castellano Dufresne Eriksen Fontaine Grabowski Halvorsen Iwasaki Jankovic Kowalczyk"
)


def _invented(number: int, first: str) -> DemoPerson:
    last_names = _LAST.split()
    last = last_names[number * 4 % len(last_names)]
    return DemoPerson(f"{first}.{last}@example.com".lower(), f"{first} {last}", Role.LEARNER)


BUYERS: Final = tuple(_invented(number, first) for number, first in enumerate(_FIRST.split()))


@dataclass(frozen=True, slots=True)
class DemoCourse:
    """One course: when it appears (days after the start) and how much it is wanted beside the others."""

    key: str
    title: str
    subject: str
    level: str
    hours: str
    price_minor: int
    owner: DemoPerson
    description: str
    wanted: int = 2
    appears: int = 0
    sharing: Mapping[str, int] = field(default_factory=dict)

    @property
    def duration(self) -> Decimal:
        """The hours as the catalogue takes them."""
        return Decimal(self.hours)

    @property
    def shares(self) -> Mapping[str, int]:
        """Who earns how many basis points, by e-mail."""
        return self.sharing or {self.owner.email: BASIS_POINTS}


_ANY, _NEW, _MIDDLE, _EXPERT = "All Levels", "Beginner Level", "Intermediate Level", "Expert Level"

COURSES: Final = (
    DemoCourse(
        "sql-people-count",
        "SQL for people who count things",
        "Data",
        _NEW,
        "9.5",
        8_900,
        MAYA,
        "Ask a database a question, check the answer, and know when it is wrong.",
        wanted=8,
    ),
    DemoCourse(
        "spreadsheet-to-script",
        "From spreadsheet to script",
        "Data",
        _NEW,
        "6",
        5_900,
        MAYA,
        "The monthly report that took a day becomes a program of forty lines.",
        wanted=4,
    ),
    DemoCourse(
        "honest-charts",
        "Honest charts",
        "Design",
        _ANY,
        "4.5",
        4_900,
        MAYA,
        "Thirty bad charts, taken apart and drawn again so that they say what is so.",
        wanted=4,
        sharing={MAYA.email: 6_500, INES.email: 3_500},
    ),
    DemoCourse(
        "statistics-for-doubters",
        "Statistics for doubters",
        "Data",
        _MIDDLE,
        "12",
        12_900,
        MAYA,
        "Samples, errors and experiments, learned by betting on them first.",
        appears=52,
        wanted=3,
    ),
    DemoCourse(
        "first-look-at-data",
        "A first look at data",
        "Data",
        _NEW,
        "1.5",
        0,
        MAYA,
        "One table, one hour and a half, ten questions. Free, and enough to know whether you want more.",
        wanted=3,
    ),
    DemoCourse(
        "wood-joints",
        "Wood joints without screws",
        "Craft",
        _NEW,
        "7",
        6_400,
        JONAS,
        "Six joints, two hand tools, one stool that carries you at the end.",
        wanted=3,
    ),
    DemoCourse(
        "sharpening",
        "Sharpening anything",
        "Craft",
        _ANY,
        "2.5",
        1_900,
        JONAS,
        "Knives, chisels and scissors on three stones, by ear and by feel.",
        wanted=3,
    ),
    DemoCourse(
        "bread-by-weight",
        "Bread by weight",
        "Kitchen",
        _NEW,
        "5",
        3_900,
        JONAS,
        "Flour, water, salt, time: four numbers that you will change one at a time.",
    ),
    DemoCourse(
        "workshop-bookkeeping",
        "Bookkeeping for a workshop of one",
        "Business",
        _NEW,
        "8",
        7_900,
        JONAS,
        "Invoices, tax and a quiet Sunday: double entry for people who make things.",
        appears=90,
    ),
    DemoCourse(
        "drawing-what-is-there",
        "Drawing what is there",
        "Design",
        _NEW,
        "10",
        5_400,
        INES,
        "Forty exercises that teach the eye, and only then the hand.",
        wanted=3,
    ),
    DemoCourse(
        "type-on-screens",
        "Type on small screens",
        "Design",
        _EXPERT,
        "3.5",
        9_900,
        INES,
        "Line, measure and contrast where there is room for six words.",
        appears=24,
    ),
    DemoCourse(
        "ten-minute-sketch",
        "The ten-minute sketch",
        "Design",
        _NEW,
        "1",
        0,
        INES,
        "Ten sketches of ten minutes. Free.",
        appears=10,
        wanted=3,
    ),
)

LEAD, FREE, SHARED, CHEAP = COURSES[0], COURSES[4], COURSES[2], COURSES[6]
REPRICED: Final = (COURSES[9], 6_400)
