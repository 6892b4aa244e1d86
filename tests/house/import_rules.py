"""The import rules that import-linter cannot say: pages, pure files, the inside of a domain."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.house.rules import Rule
from tests.house.tree import FOLDERS, PACKAGES, PRODUCT, Fault, Project, Source

Importing = tuple[ast.stmt, str]

PURE: Final = (
    "services/kernel/",
    "services/ledger/journal.py",
    "services/marketplace/split.py",
    "services/subscriptions/cycle.py",
)
DOMAINS: Final = (
    "enterprise",
    "identity",
    "ledger",
    "marketplace",
    "payments",
    "rewards",
    "subscriptions",
    "support",
)
NOT_VERBS: Final = frozenset({"api", "inbox", "sweep", "tables"})
LIBRARIES_OF_PAGES: Final = frozenset({"polars", "streamlit"})
ROOMS_OF_PAGES: Final = ("app", "services.kernel", "warehouse.metrics", "warehouse.reads")
SEEN_BY_PIPELINES: Final = ("services.kernel", "services.runtime", "services.stripe.gateway")
LOADED_BY_PATH: Final = frozenset({"services/migrations/versions"})


def placed_folders(project: Project) -> Iterator[Fault]:
    """Every folder with code is a known room, and import-linter sees it."""
    for path in project.files((".",), ".py"):
        room, folder = path.split("/")[0], str(Path(path).parent)
        if room.startswith(".") or "/" not in path:
            continue
        is_seen = folder in LOADED_BY_PATH or (project.root / folder / "__init__.py").is_file()
        if room not in FOLDERS:
            yield Fault(path, 1, f"'{room}' has no place in the contracts of pyproject.toml")
        elif room in PACKAGES and not is_seen:
            yield Fault(path, 1, f"{folder}/__init__.py is missing: the import contracts do not see it")


def pure_files(project: Project) -> Iterator[Fault]:
    """The kernel and the pure files of the domains import no library."""
    for source in project.sources(("services",)):
        if not source.path.startswith(PURE):
            continue
        for node, name in imports(source):
            if name.split(".")[0] not in sys.stdlib_module_names and not within(name, "services.kernel"):
                yield source.fault(node, f"a pure file imports {name}: it holds meanings, no library")


def pages_look_down(project: Project) -> Iterator[Fault]:
    """A page sees the shell, the reads and the verbs, never tables, engines or libraries below them."""
    for source in project.sources(("pages",)):
        for node, name in imports(source):
            if not _is_for_pages(name):
                yield source.fault(node, f"a page imports {name}: ask with read(...), act with perform(...)")


def pages_are_not_imported(project: Project) -> Iterator[Fault]:
    """Pages are run by path; nothing imports them."""
    for source in project.sources(PRODUCT):
        for node, name in imports(source):
            if within(name, "pages"):
                yield source.fault(node, f"imports {name}: pages are run by path")


def pipelines_see_facts(project: Project) -> Iterator[Fault]:
    """Of services, pipelines see the kernel, the runtime and the gateway: facts come by export views."""
    for source in project.sources(("pipelines",)):
        for node, name in imports(source):
            if within(name, "services") and not within(name, *SEEN_BY_PIPELINES):
                yield source.fault(node, f"a pipeline imports {name}: facts come by export views")


def api_on_top(project: Project) -> Iterator[Fault]:
    """A domain's api is for the router, and for the api of a domain above."""
    for source in project.sources(PRODUCT):
        for node, name in imports(source):
            parts = name.split(".")
            is_above = source.path == "services/http.py" or source.stem == "api"
            if parts[0] == "services" and "api" in parts[2:3] and not is_above:
                yield source.fault(node, f"imports {name}: only the router and an api see an api")


def tables_below(project: Project) -> Iterator[Fault]:
    """A domain's tables know the kernel, the runtime and other tables, no verb."""
    for source in project.sources(("services",)):
        if Path(source.path).parent.name not in DOMAINS or source.stem != "tables":
            continue
        for node, name in imports(source):
            known = within(name, "services.kernel", "services.runtime") or "tables" in name.split(".")
            if within(name, "services") and not known:
                yield source.fault(node, f"tables import {name}: tables are below every verb")


def imports(source: Source) -> Iterator[Importing]:
    """Every imported name of the file, in full: `from a import b` is `a.b`."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)


def within(name: str, *rooms: str) -> bool:
    """Whether the dotted name is one of the rooms or inside one."""
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def _is_for_pages(name: str) -> bool:
    parts = name.split(".")
    if parts[0] in sys.stdlib_module_names or parts[0] in LIBRARIES_OF_PAGES or within(name, *ROOMS_OF_PAGES):
        return True
    is_verb = parts[0] == "services" and len(parts) > 2 and parts[1] in DOMAINS
    return is_verb and parts[2] not in NOT_VERBS


IMPORT_RULES: Final[tuple[Rule, ...]] = (
    placed_folders,
    pure_files,
    pages_look_down,
    pages_are_not_imported,
    pipelines_see_facts,
    api_on_top,
    tables_below,
)
