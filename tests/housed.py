"""The whole of Bursar, as `bursar up` starts it, for stories that go from the card to the figures."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

from app import ground
from services.identity import people
from services.kernel.actor import Actor, Role, system
from services.kernel.ids import CourseId
from services.kernel.money import Money
from services.kernel.time import SystemClock
from services.marketplace import catalogue
from services.runtime import database
from services.runtime.settings import Settings
from services.runtime.work import Works
from tests.serving import PASSWORD, ROOT, answers, free_port
from tests.waiting import until

START_WITHIN = 120  # seconds, on a machine that does other things as well


@dataclass(frozen=True, slots=True)
class House:
    """A running Bursar, and its database from this side."""

    address: str
    folder: Path
    works: Works

    def person(self, *roles: Role, name: str = "Robin Test") -> tuple[str, Actor]:
        """Somebody new who can sign in with PASSWORD; gives their e-mail and them."""
        email = f"{uuid4().hex[:12]}@example.com"
        with self.works.begin(system("test")) as work:
            user = people.register(work, email=email, name=name, password=PASSWORD, roles=roles)
        return email, Actor(name, user, frozenset(roles))

    def course(self, taught_by: Actor, title: str, *, price: int) -> CourseId:
        """A listed course at a price in cents."""
        assert taught_by.user_id is not None
        with self.works.begin(system("test")) as work:
            return catalogue.list_course(
                work,
                owner=taught_by.user_id,
                title=title,
                subject="Ropework",
                level="Beginner",
                hours=Decimal("2.5"),
                description="Knots, and when to tie which.",
                price=Money(price, "USD"),
            )


@contextmanager
def house(folder: Path, *, demo: bool = False) -> Iterator[House]:
    """Start everything in a folder, with the demo business if asked, and stop it again."""
    port = free_port()
    wanted = {"BURSAR_DATA_FOLDER": str(folder), "BURSAR_PORT": str(port), "BURSAR_DEMO": str(demo).lower()}
    address = f"http://localhost:{port}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "up"],
            cwd=ROOT,
            env={**os.environ, **wanted},
            stdout=log,
            stderr=log,
        )
    try:
        until(lambda: process.poll() is not None or answers(address), "bursar up", seconds=START_WITHIN)
        assert process.poll() is None, (folder / "up.log").read_text()
        settings = Settings.model_validate({"data_folder": folder, "port": port, "demo": False})
        with ground.standing(settings, report=lambda _line: None) as settled:
            assert settled.database_url is not None
            engine = database.connect(settled.database_url.get_secret_value(), pool=4)
            yield House(address, folder, Works(engine, SystemClock()))
            engine.dispose()
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
