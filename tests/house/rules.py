"""The tidy rules of the house: each takes the project and yields the places that break it."""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import packages_distributions
from itertools import takewhile
from pathlib import Path
from typing import Final

from tests.house.tree import FOLDERS, PACKAGES, PRODUCT, AnyFunction, Fault, Project, Source, dotted

Rule = Callable[[Project], Iterator[Fault]]

FILE_LINES: Final = 400
FUNCTION_LINES: Final = 60
POSITIONAL: Final = 4
BASES: Final = 2

VAGUE: Final = frozenset(
    {"base", "common", "core", "helper", "helpers", "manager", "misc", "service", "util", "utils"}
)
VAGUE_VERBS: Final = ("get_", "do_", "handle_", "process_")
LIBRARY_VERBS: Final = frozenset({"do_GET", "do_HEAD", "do_POST", "do_DELETE"})  # http.server's own names

UNIT_OF_WORK: Final = "services/runtime/work.py"
OWN_STORES: Final = {
    "services/migrations/env.py": "a change of schema is a transaction of its own, before anything works",
    "sandbox/": "the stand-in for Stripe keeps its own store, which is none of Bursar's books",
    "warehouse/files.py": "the one writer of the warehouse file",
}

CLOCKS: Final = {
    "services/kernel/time.py": "the system clock itself",
    "sandbox/clock.py": "the sandbox imports nothing of the rest",
}
NOW: Final = re.compile(r"(^|\.)(datetime\.(now|utcnow|today)|date\.today|time\.(time|time_ns))$")

SQL: Final = re.compile(
    r"\bselect\b.+\bfrom\b|\binsert\s+into\b|\bdelete\s+from\b|\bupdate\s+\w+\s+set\b",
    re.IGNORECASE | re.DOTALL,
)
EXCEPTION: Final = re.compile(r"#\s*(?P<kind>noqa|type:\s*ignore)(?P<rest>.*)$")
NOQA: Final = re.compile(r":\s*[A-Z]+[0-9]+(,\s*[A-Z]+[0-9]+)*\W+(?P<reason>\w.*)$")
IGNORE: Final = re.compile(r"\[[a-z-]+(,\s*[a-z-]+)*\]\s*#\s*(?P<reason>\w.*)$")
REASON_LETTERS: Final = 8


def file_length(project: Project) -> Iterator[Fault]:
    """A file is at most 400 lines."""
    for path in [*project.files(FOLDERS, ".py"), *project.files(FOLDERS, ".sql")]:
        lines = len(project.text(path).splitlines())
        if lines > FILE_LINES:
            yield Fault(path, FILE_LINES + 1, f"{lines} lines; a file has at most {FILE_LINES}")


def function_length(project: Project) -> Iterator[Fault]:
    """A function is at most 60 lines."""
    for source, function in _functions(project, FOLDERS):
        lines = (function.end_lineno or function.lineno) - function.lineno + 1
        if lines > FUNCTION_LINES:
            yield source.fault(
                function, f"{function.name} has {lines} lines; a function has at most {FUNCTION_LINES}"
            )


def positional_arguments(project: Project) -> Iterator[Fault]:
    """A function takes at most four arguments by position; the rest go by name."""
    for source, function in _functions(project, FOLDERS):
        names = [argument.arg for argument in [*function.args.posonlyargs, *function.args.args]]
        count = len([name for name in names if name not in {"self", "cls"}])
        if count > POSITIONAL:
            yield source.fault(function, f"{function.name} takes {count} arguments by position, not by name")


def base_classes(project: Project) -> Iterator[Fault]:
    """A class has at most two bases."""
    for source in project.sources():
        for cls in source.classes():
            if len(cls.bases) > BASES:
                yield source.fault(cls, f"{cls.name} has {len(cls.bases)} bases; at most {BASES}")


def vague_modules(project: Project) -> Iterator[Fault]:
    """No module or folder has a name under which everything fits."""
    for path in project.files(FOLDERS, ".py"):
        vague = sorted(VAGUE & set(Path(path).with_suffix("").parts))
        if vague:
            yield Fault(path, 1, f"'{vague[0]}' says nothing: name the file after what happens in it")


def vague_functions(project: Project) -> Iterator[Fault]:
    """No function says get, do, handle or process instead of what it does."""
    for source, function in _functions(project, PRODUCT):
        if function.name.lstrip("_").startswith(VAGUE_VERBS) and function.name not in LIBRARY_VERBS:
            yield source.fault(
                function, f"{function.name}: say what it does (no get_, do_, handle_, process_)"
            )


def module_docstrings(project: Project) -> Iterator[Fault]:
    """Every module says in one sentence what it is for."""
    for source in project.sources():
        sentence = (ast.get_docstring(source.tree) or "").partition("\n\n")[0].strip()
        if not sentence.endswith((".", "!", "?")):
            yield source.fault(None, "starts with no docstring of one whole sentence")


def one_commit(project: Project) -> Iterator[Fault]:
    """Only the unit of work commits, and a store of its own that is excepted by name."""
    for source in project.sources(PRODUCT):
        if source.path == UNIT_OF_WORK or source.path.startswith(tuple(OWN_STORES)):
            continue
        for call in source.calls():
            name = dotted(call.func)
            if name.split(".")[-1] == "commit" or re.search(r"(^|[._])engine\.begin$", name):
                yield source.fault(call, f"{name}() outside {UNIT_OF_WORK}: a verb writes through its Work")


def one_clock(project: Project) -> Iterator[Fault]:
    """Nothing reads the wall clock but the clock."""
    for source in project.sources(PRODUCT):
        if source.path in CLOCKS:
            continue
        for call in source.calls():
            if NOW.search(dotted(call.func)):
                yield source.fault(call, f"{dotted(call.func)}(): the time comes from a Clock")


def shell_names(project: Project) -> Iterator[Fault]:
    """No module of the shell is named like another: Streamlit puts app/ first on the import path."""
    taken = (set(packages_distributions()) | sys.stdlib_module_names) - {*PACKAGES, "__init__"}
    for path in sorted((project.root / "app").glob("*")):
        if path.stem in taken and (path.suffix == ".py" or path.is_dir()):
            relative = path.relative_to(project.root).as_posix()
            yield Fault(relative, 1, f"'{path.stem}' hides the installed module of that name")


def page_stories(project: Project) -> Iterator[Fault]:
    """Every page has its story in a real browser."""
    for path in project.files(("pages",), ".py"):
        story = f"tests/e2e/test_{Path(path).stem}.py"
        if not (project.root / story).is_file():
            yield Fault(path, 1, f"has no browser story: {story} is missing")


def pages_hold_no_sql(project: Project) -> Iterator[Fault]:
    """A page asks by name; it holds no SQL, formatted or not."""
    for source in project.sources(("pages",)):
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.search(node.value):
                yield source.fault(node, "SQL in a page: ask with read(...)")


def trusted_markup(project: Project) -> Iterator[Fault]:
    """Nothing is drawn as raw HTML."""
    for source in project.sources(("app", "pages")):
        for call in source.calls():
            if any(keyword.arg == "unsafe_allow_html" for keyword in call.keywords):
                yield source.fault(call, "unsafe_allow_html: draw it with an element or a theme setting")


def real_tests(project: Project) -> Iterator[Fault]:
    """Tests meet the real thing: no mock library."""
    for source in project.sources(("tests",)):
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Import | ast.ImportFrom) and "mock" in _imported(node):
                yield source.fault(node, "a mock library: use the real database, sandbox or browser")


def sql_headers(project: Project) -> Iterator[Fault]:
    """Every SQL file says what it is: a model its grain, key and refresh, a query its sentence."""
    for path in project.files(PRODUCT, ".sql"):
        header = "".join(
            takewhile(lambda line: line.startswith("--"), project.text(path).splitlines(keepends=True))
        )
        if "/models/" in path:
            wanted = [f"-- {name}: " for name in ("grain", "key", "refresh") if f"-- {name}: " not in header]
        else:
            wanted = [] if header.startswith("-- ") else ["-- a sentence"]
        if wanted:
            yield Fault(path, 1, f"its header lacks {', '.join(wanted)}")


def reasoned_exceptions(project: Project) -> Iterator[Fault]:
    """An exception from a checker names its code and its reason, on its line."""
    for source in project.sources():
        for number, line in enumerate(source.text.splitlines(), start=1):
            found = EXCEPTION.search(line)
            if not found:
                continue
            form = NOQA if found["kind"] == "noqa" else IGNORE
            reason = form.match(found["rest"])
            if reason is None or len(re.findall(r"[A-Za-z]", reason["reason"])) < REASON_LETTERS:
                yield Fault(
                    source.path,
                    number,
                    "names no code and reason: `# noqa: S608 - why`, `# type: ignore[code]  # why`",
                )


def _functions(project: Project, folders: tuple[str, ...]) -> Iterator[tuple[Source, AnyFunction]]:
    for source in project.sources(folders):
        for function in source.functions():
            yield source, function


def _imported(node: ast.Import | ast.ImportFrom) -> set[str]:
    names = [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        names.append(node.module or "")
    return {part for name in names for part in name.split(".")}


RULES: Final[tuple[Rule, ...]] = (
    file_length,
    function_length,
    positional_arguments,
    base_classes,
    vague_modules,
    vague_functions,
    module_docstrings,
    one_commit,
    one_clock,
    shell_names,
    page_stories,
    pages_hold_no_sql,
    trusted_markup,
    real_tests,
    sql_headers,
    reasoned_exceptions,
)
