"""What the documentation says is there: commands, links, tables, records; and nothing of one machine."""

import re
import subprocess
from pathlib import Path

import pytest

from services.migrations import schema
from warehouse import metrics

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
RECORDS = sorted(ROOT.glob("docs/decisions/[0-9]*.md"))

LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
STATUS = re.compile(r"^Status: (accepted|replaced by \[\d{4}\]\(.+\)), \d{4}-\d{2}-\d{2}$", re.MULTILINE)
OUTSIDE = ("https://", "http://", "mailto:")
HOSTS = re.compile(
    r"py[p]i\.org|pythonho[s]ted\.org|npm[j]s\.(org|com)|yarn[p]kg\.com|deb\.de[b]ian\.org|proxy\.gola[n]g\.org"
)
MACHINE = re.compile(r"(?<![\w.~/-])/(work|root|home|Users)/[\w.-]+")


def relative(path: Path) -> str:
    """The path as the project names it."""
    return path.relative_to(ROOT).as_posix()


def anchors(text: str) -> set[str]:
    """The anchors that the headings of a page make, as the common renderers name them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def kept_files() -> list[Path]:
    """Every file that is committed, or would be."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in (link or picture for link, picture in LINK.findall(page.read_text(encoding="utf-8"))):
        if target.startswith(OUTSIDE):
            continue
        path, _, anchor = target.partition("#")
        goal = (page.parent / path).resolve() if path else page
        assert goal.exists(), f"{relative(page)} links to {target}, which is not there"
        if anchor:
            known = anchors(goal.read_text(encoding="utf-8"))
            assert anchor in known, f"{relative(page)} links to {target}, which has no such heading"


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_every_command_that_is_named_is_a_task(page: Path) -> None:
    tasks = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(named) <= tasks, f"{relative(page)} names a task that the Makefile does not have"


def test_the_readme_begins_with_the_two_commands() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^```sh\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    assert [command.strip() for command in commands[:2]] == ["make run", "make test"]


def test_every_page_of_the_documentation_can_be_reached() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "docs" / "index.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md" or not page.exists():
            continue
        reached.add(page)
        links = [link for link, _ in LINK.findall(page.read_text(encoding="utf-8"))]
        inside = [link.partition("#")[0] for link in links if not link.startswith(OUTSIDE)]
        waiting += [(page.parent / link).resolve() for link in inside]
    unreached = [relative(page) for page in PAGES if page.parent != ROOT and page not in reached]
    assert not unreached, "no link from docs/index.md leads to these"


def test_decision_records_are_numbered_without_a_gap() -> None:
    assert [path.name[:4] for path in RECORDS] == [f"{number:04}" for number in range(1, len(RECORDS) + 1)]


@pytest.mark.parametrize("record", RECORDS, ids=relative)
def test_a_decision_record_has_its_form(record: Path) -> None:
    text = record.read_text(encoding="utf-8")
    assert text.startswith(f"# {record.name[:4]}. ")
    assert STATUS.search(text), "its status is missing: accepted or replaced by, and the date"
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["To decide", "Decision", "What follows"]
    index = (record.parent / "index.md").read_text(encoding="utf-8")
    title = text.splitlines()[0].removeprefix(f"# {record.name[:4]}. ")
    assert f"| [{record.name[:4]}]({record.name}) | {title} |" in index


def test_every_table_has_its_word_in_the_glossary() -> None:
    words = set(re.findall(r"`(\w+)`", (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")))
    missing = sorted(set(schema.metadata.tables) - words)
    assert not missing, "tables without a word in docs/glossary.md"


def test_the_page_of_metrics_is_made_from_the_catalogue() -> None:
    written = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert written == metrics.page(), "docs/metrics.md is out of date: make fix writes it anew"


def test_nothing_names_one_machine_or_a_registry() -> None:
    faults = []
    for path in kept_files():
        text = path.read_bytes().decode("utf-8", errors="replace")
        if "\0" in text:
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            found = HOSTS.search(line) or MACHINE.search(line)
            if found:
                faults.append(f"{relative(path)}:{number}: {found[0]}")
    assert not faults, "\n".join(faults)


MACHINES_AND_REGISTRIES = (
    "see ~root/notes".replace("~", "/"),
    "in '~work/x'".replace("~", "/"),
    "pypi org".replace(" ", "."),
)


@pytest.mark.parametrize("line", MACHINES_AND_REGISTRIES)
def test_the_search_for_machines_and_registries_bites(line: str) -> None:
    assert HOSTS.search(line) or MACHINE.search(line)


@pytest.mark.parametrize("lock", ["requirements.lock", "ops/uv.lock"])
def test_a_lock_holds_names_versions_and_hashes_only(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.strip().startswith("#")]
    entries = re.split(r"\n(?=\S)", "\n".join(lines))
    form = re.compile(r"[\w.\[\],-]+==[\w.!+]+( ; [^\\]+)?( \\\s+--hash=sha256:[0-9a-f]{64})+\s*")
    assert [entry for entry in entries if not form.fullmatch(entry)] == []
