"""A real shell to speak HTTP to, and pages run in this process for one person after another."""

import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import insert
from streamlit.testing.v1 import AppTest

from app import wiring
from app.configuration import ROOT
from pipelines.run import Mode, Pipeline
from services.identity.tables import UserSession
from services.kernel import ids
from services.kernel.actor import Actor, system
from services.kernel.ids import SessionId
from services.kernel.time import SetClock
from services.runtime.settings import Settings
from services.runtime.work import Works
from services.stripe.gateway import Gateway
from tests import serving
from tests.factories.marketplace import Market
from tests.factories.marketplace_fixtures import sandbox
from tests.sandboxed import SandboxProcess

__all__ = ["sandbox"]

Look = Callable[..., AppTest]


@pytest.fixture(scope="module")
def shell(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[serving.Shell]:
    """A real shell on a database of its own."""
    with (
        serving.database_from(postgres_server) as url,
        serving.shell(url, tmp_path_factory.mktemp("shell"), demo=True) as running,
    ):
        yield running


@pytest.fixture
def market(works: Works, clock: SetClock, sandbox: SandboxProcess) -> Market:
    """A marketplace whose processor knows nothing of other tests."""
    sandbox.control("POST", "/_control/reset")
    market = Market(works, clock, Gateway(sandbox.secret_key, sandbox.base_url), sandbox)
    market.set_time(clock.now())
    return market


@pytest.fixture
def look(market: Market, settings: Settings) -> Look:
    """Opens the shell as a person: the first page, or the one that is named, with what the address says."""
    wiring.install(wiring.Wiring(settings, market.works, market.gateway))

    def run(person: Actor, page: str | None = None, **address: str) -> AppTest:
        test = AppTest.from_file(ROOT / "app" / "main.py", default_timeout=30)
        test.user = {"session_id": str(session(market.works, person))}
        test.query_params.update(address)
        test.run()
        if page:
            test.switch_page(f"../pages/{page}.py").run()
        return test

    return run


@pytest.fixture
def carry(database: str, market: Market, settings: Settings) -> Callable[..., None]:
    """Carries what is new to the figures."""

    def run(mode: str = "routine") -> None:
        folder = settings.data_folder / "warehouse"
        with Pipeline(
            database_url=database, folder=folder, clock=market.clock, processor=market.gateway
        ) as pipeline:
            pipeline.run(Mode(mode))

    return run


def words(page: AppTest) -> str:
    """Everything that a page says in its own HTML, captions and markdown."""
    return " ".join([each.value for each in (*page.html, *page.caption, *page.markdown)])


def session(works: Works, person: Actor) -> SessionId:
    """A sign-in of a person, as the gate would hand it over."""
    with works.begin(system("test")) as work:
        session_id = SessionId(ids.fresh(work.now))
        work.run(
            insert(UserSession).values(
                session_id=session_id,
                token_hash=secrets.token_bytes(32),
                user_id=person.user_id,
                created_at=work.now,
                expires_at=work.now + timedelta(hours=12),
            )
        )
    return session_id
