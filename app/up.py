"""Bursar on one machine: everything started in order, watched, healed, and stopped together."""

import contextlib
import errno
import fcntl
import http.client
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn

from app.child import Child, end_orphans
from app.ground import Ground, Report, until_healthy
from services.identity.demo_people import DEMO_PASSWORD, DEMO_PEOPLE
from services.kernel.errors import Conflict, Unavailable
from services.runtime import ports
from services.runtime.settings import Settings

_TICK: Final = 0.2  # seconds
_FIGURES_WAIT: Final = 60  # seconds; after that the pages themselves tell what is missing
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):  # noqa: N818 - no error: somebody asked for it
    """Somebody asked Bursar to stop while it was starting."""


class Supervisor:
    """The processes of one `bursar up`, from the database below to the server above."""

    def __init__(self, settings: Settings, tell: Report) -> None:
        self._settings = settings
        self._tell = tell
        self._is_asked_to_stop = False
        self._ground = Ground(settings, self._report)
        folder = settings.data_folder.absolute()
        self._once: Child | None = None
        self._server = Child("server", ["app.cli", "serve"], folder, self._report)
        self._worker = Child("worker", ["app.cli", "work"], folder, self._report)

    def run(self) -> None:
        """Run until SIGINT, SIGTERM or SIGHUP; a second one ends everything at once."""
        folder = self._settings.data_folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o711)
        with _alone(self._settings), self._signals():
            end_orphans(folder.absolute(), report=self._report)
            _check_port(self._settings)
            try:
                self._start()
                self._watch()
            except Stopped:
                pass
            finally:
                self._stop()

    def _start(self) -> None:
        self._ground.open()
        self._run_once("migrate", "Bringing the database up to date")
        if self._settings.shows_demo() and self._ground.sandbox is not None:
            self._run_once("demo", "Making the demo business, if there is none yet")
        self._point_webhooks()
        self._report("Starting the server and the worker")
        self._server.start(self._ground.environment())
        self._worker.start(self._ground.environment())
        until_healthy(self._server, self._answers, self._report)
        if self._settings.shows_demo():
            self._await_figures()
        self._say(_welcome(self._settings))

    def _await_figures(self) -> None:
        """Wait a while for the first figures, so that no page of a new business is empty."""
        current = self._settings.data_folder / "warehouse" / "published" / "current"
        for second in range(1, _FIGURES_WAIT + 1):
            if current.exists():
                return
            time.sleep(1)
            self._report(f"Waiting for the first figures ({second} s)")

    def _watch(self) -> None:
        while not self._is_asked_to_stop:
            if self._ground.heal():
                self._server.end()
                self._worker.end()
                self._point_webhooks()
                self._server.start(self._ground.environment())
                self._worker.start(self._ground.environment())
            self._server.tend()
            self._worker.tend()
            time.sleep(_TICK)

    def _stop(self) -> None:
        self._say("Stopping")
        above = [child for child in (self._once, self._server, self._worker) if child is not None]
        for child in above:
            child.ask_to_end()
        for child in above:
            child.end()
        self._ground.close()
        self._say("Stopped. The next start goes on where this one was.")

    def _run_once(self, command: str, news: str) -> None:
        """Run one command to its end in a process of its own, which tells its progress itself."""
        self._report(news)
        child = self._once = Child(
            command, ["app.cli", command], self._settings.data_folder.absolute(), self._report
        )
        child.start(self._ground.environment())
        while child.is_running:
            self._report(child.next_news())
            time.sleep(_TICK)
        if child.process and child.process.returncode:
            raise Unavailable(
                "not_starting",
                f"bursar {command} failed. Its log, {child.log}, ends with:\n{child.last_words()}",
            )
        child.end()
        self._once = None

    def _point_webhooks(self) -> None:
        if self._ground.sandbox is not None:
            self._ground.sandbox.send_webhooks_to(f"http://{self._reachable()}:{self._settings.port}")

    def _reachable(self) -> str:
        """An address at which this machine reaches the server."""
        return "127.0.0.1" if self._settings.host in {"0.0.0.0", "::"} else self._settings.host  # noqa: S104 - compared, not bound

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(self._reachable(), self._settings.port, timeout=2)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _report(self, line: str | None) -> None:
        if self._is_asked_to_stop:
            raise Stopped
        if line:
            self._say(line)

    def _say(self, line: str) -> None:
        with contextlib.suppress(OSError):  # nobody may be left to read it
            self._tell(line)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, self._asked_to_stop) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _asked_to_stop(self, number: int, _frame: FrameType | None) -> None:
        if self._is_asked_to_stop:
            self._kill(number)
        self._is_asked_to_stop = True

    def _kill(self, number: int) -> NoReturn:
        for child in (self._once, self._server, self._worker, self._ground.sandbox):
            if child is not None:
                child.kill()
        os._exit(128 + number)  # the database's tether stops it in good order


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Be the only one that runs Bursar on this folder, for as long as this process lives."""
    file = settings.data_folder / "up.lock"
    with file.open("a+") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.seek(0)
            raise Conflict(
                "already_up",
                f"Bursar runs already on the folder {settings.data_folder} (process {held.read().strip()}). "
                "Stop it first, or give this one its own folder and port: BURSAR_DATA_FOLDER, BURSAR_PORT.",
            ) from None
        held.truncate(0)
        held.write(str(os.getpid()))
        held.flush()
        yield


def _check_port(settings: Settings) -> None:
    obstacle = ports.obstacle(settings.host, settings.port)
    if obstacle is None:
        return
    if obstacle.errno == errno.EADDRINUSE:
        raise Conflict(
            "port_taken",
            f"Port {settings.port} is in use by another program. Stop that program, or choose another port, "
            f"for example: BURSAR_PORT={settings.port + 1} make run",
            port=settings.port,
        )
    raise Conflict(
        "port_unusable",
        f"Nothing can be served at {settings.host}:{settings.port}: {obstacle.strerror}. "
        "BURSAR_HOST must be an address of this machine, and BURSAR_PORT one that you may use.",
    )


def _welcome(settings: Settings) -> str:
    lines = ["", f"Bursar is ready: {settings.address()}", ""]
    if settings.shows_demo():
        lines += [f"  {person.role.value:<12}{person.email}" for person in DEMO_PEOPLE]
        lines += [f"  {'password':<12}{DEMO_PASSWORD}", ""]
    return "\n".join([*lines, f"Logs are in {settings.data_folder / 'logs'}. Ctrl-C stops everything."])
