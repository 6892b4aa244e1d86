"""What a process of Bursar's can be: the server, the worker, one run of the pipelines, one migration."""

import os
import signal
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from sqlalchemy.exc import OperationalError

from app.demo import business
from app.demo.processor import SandboxControl
from app.wiring import Wiring
from pipelines.run import Mode, Pipeline
from services import worker
from services.kernel.errors import Conflict, Unavailable
from services.kernel.time import SystemClock
from services.runtime import database, observe
from services.runtime.settings import Settings
from services.runtime.work import Works
from services.stripe.gateway import Gateway
from warehouse.files import WriterBusyError

AUDIT_EVERY: Final = timedelta(minutes=10)
_STOPS: Final = {signal.SIGINT, signal.SIGTERM}

log = observe.logger("roles")


def wiring(settings: Settings) -> Wiring:
    """Connections to everything that settled settings name."""
    if settings.database_url is None or settings.stripe_secret_key is None:
        raise ValueError("the settings must be settled first: see app.ground")
    engine = database.connect(settings.database_url.get_secret_value())
    gateway = Gateway(settings.stripe_secret_key.get_secret_value(), settings.stripe_base_url)
    return Wiring(settings, Works(engine, SystemClock()), gateway)


def serve(settings: Settings) -> None:
    """Be the server until told to stop."""
    from app import server  # noqa: PLC0415 - Streamlit takes a second to import, and only the server draws
    from services import http  # noqa: PLC0415 - the worker speaks no HTTP

    observe.configure()
    wired = wiring(settings)
    server.serve(wired, http.application(wired.works, wired.gateway, settings))


def work(settings: Settings) -> None:
    """Be the worker until told to stop: news and due work in one thread, the figures in another."""
    observe.configure()
    wired = wiring(settings)
    stop, changed = threading.Event(), threading.Event()
    url = _database_url(settings)
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)  # this thread alone takes them, below
    threads = [
        _thread(
            "news", lambda: worker.run(wired.works, wired.gateway, url=url, on_change=changed.set, stop=stop)
        ),
        _thread("figures", lambda: _keep_figures(wired, changed, stop)),
    ]
    signal.sigwait(_STOPS)
    stop.set()
    changed.set()
    for thread in threads:
        thread.join()


def sync(settings: Settings) -> str:
    """Carry what is new to the figures once; tells how it ended. Raises Conflict beside a running worker."""
    with _pipeline(wiring(settings)) as pipeline:
        result = pipeline.run(Mode.AUDIT)
    return f"Figures: {result.state}, version {result.version or 'none'}"


def migrate(settings: Settings) -> None:
    """Bring the schema to the newest version. Raises Unavailable when the database does not answer."""
    try:
        database.migrate(_database_url(settings))
    except OperationalError as error:
        raise Unavailable("database_unavailable", f"The database does not answer: {error.orig}") from error


def demo(settings: Settings, *, report: Callable[[str], None]) -> None:
    """Make the demo business, if the database is empty, or go on making it."""
    if settings.stripe_base_url is None or settings.stripe_secret_key is None:
        raise Conflict("no_sandbox", "A demo business needs the sandbox: unset BURSAR_STRIPE_SECRET_KEY.")
    wired = wiring(settings)
    control = SandboxControl(settings.stripe_base_url, settings.stripe_secret_key.get_secret_value())
    business.make(wired.works, wired.gateway, control, address=settings.address(), report=report)


def _keep_figures(wired: Wiring, changed: threading.Event, stop: threading.Event) -> None:
    next_audit = wired.works.clock.now()
    with _pipeline(wired) as pipeline:
        while not stop.is_set():
            changed.wait()
            changed.clear()
            if stop.is_set():
                return
            is_audit = wired.works.clock.now() >= next_audit
            next_audit = wired.works.clock.now() + AUDIT_EVERY if is_audit else next_audit
            try:
                pipeline.run(Mode.AUDIT if is_audit else Mode.ROUTINE)
            except Exception:
                log.exception("figures not carried on")


def _pipeline(wired: Wiring) -> Pipeline:
    try:
        return Pipeline(
            database_url=_database_url(wired.settings),
            folder=wired.warehouse_folder,
            clock=wired.works.clock,
            processor=wired.gateway,
        )
    except WriterBusyError as busy:
        raise Conflict(
            "figures_busy", "A worker keeps the figures already; it carries on by itself."
        ) from busy


def _thread(name: str, act: Callable[[], object]) -> threading.Thread:
    """Run an act beside; if it crashes, the process ends, so that whoever watches it starts a whole one."""

    def whole() -> None:
        try:
            act()
        except BaseException:
            log.exception("thread crashed", thread=name)
            os._exit(1)

    thread = threading.Thread(target=whole, name=name)
    thread.start()
    return thread


def _database_url(settings: Settings) -> str:
    if settings.database_url is None:
        raise ValueError("the settings must be settled first: see app.ground")
    return settings.database_url.get_secret_value()
