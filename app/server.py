"""One ASGI application: Streamlit at the root, the HTTP API under /api, and the gate in front of both."""

import gc
import importlib
import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import streamlit as st
from fastapi import FastAPI
from sqlalchemy import text
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount

from app import configuration, health, navigation
from app.armour import Armour, content_policy
from app.assets import CompressedAssets, Squeezed, streamlit_assets
from app.document import document
from app.door import Door
from app.gate import Gate
from app.parts import states
from app.till import Till
from app.wiring import Wiring, install
from services.identity import signin
from services.identity.demo_people import DEMO_PEOPLE
from services.identity.signin import Session
from services.kernel.actor import system

SCRIPT = configuration.ROOT / "app" / "main.py"
WARM = ("duckdb", "pandas", "plotly.graph_objects", "polars", "pyarrow", "streamlit.elements.plotly_chart")
_GATE = system("gate")


def shell(wiring: Wiring, api: FastAPI) -> st.App:
    """The application of one process, for any ASGI server."""
    install(wiring)
    logging.getLogger("streamlit.error_util").addFilter(_is_not_a_crash)  # ours is logged redacted, in states
    page = document()
    squeezed = streamlit_assets()
    door = Door(wiring.works, DEMO_PEOPLE if wiring.settings.shows_demo() else ())
    routes: list[BaseRoute] = [
        *door.routes(),
        *Till(wiring).routes(),
        *health.routes(_checks(wiring)),
        Mount("/api", app=api),
    ]
    return st.App(
        SCRIPT,
        routes=routes,
        lifespan=_life(api, squeezed),
        middleware=[
            Middleware(Armour, policy=content_policy(page.script_hashes)),
            Middleware(
                Gate, find_session=_finder(wiring), find_address=navigation.address_for, document=page
            ),
            Middleware(CompressedAssets, squeezed=squeezed),
        ],
        on_script_error=states.failed_page,
    )


def serve(wiring: Wiring, api: FastAPI) -> None:
    """Serve until told to stop, with the one configuration file and the address of the settings."""
    at = {"server.address": wiring.settings.host, "server.port": wiring.settings.port}
    shell(wiring, api).run(config={**configuration.options(), **at})


def _life(api: FastAPI, squeezed: Squeezed) -> Callable[[st.App], Any]:
    @asynccontextmanager
    async def life(_app: st.App) -> AsyncIterator[dict[str, Any]]:
        configuration.prove_effective()
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(api.router.lifespan_context(api))
            threading.Thread(target=squeezed.warm, name="squeeze-assets", daemon=True).start()
            warm()
            yield {}

    return life


def warm() -> None:
    """Import what pages need before the first visitor asks, and spare it from garbage collection."""
    for name in WARM:
        importlib.import_module(name)
    for entry in navigation.ENTRIES:
        compile(entry.path.read_text(encoding="utf-8"), str(entry.path), "exec")
    gc.collect()
    gc.freeze()


def _is_not_a_crash(record: logging.LogRecord) -> bool:
    return record.exc_info is None


def _finder(wiring: Wiring) -> Callable[[str], Session | None]:
    def find(token: str) -> Session | None:
        with wiring.works.begin(_GATE) as work:
            return signin.session_of(work, token)

    return find


def _checks(wiring: Wiring) -> dict[str, health.Check]:
    def database() -> bool:
        with wiring.works.begin(_GATE) as work:
            return work.run(text("SELECT 1")).first() is not None

    def figures() -> bool:
        return (wiring.warehouse_folder / "published" / "current").is_file()

    return {"database": database, "figures": figures}
