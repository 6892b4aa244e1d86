"""Who may import whom: the contracts of pyproject.toml and the rules beside them hold, and bite."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.import_rules import IMPORT_RULES
from tests.house.rules import Rule
from tests.house.tree import PACKAGES, Project

ROOT = Path(__file__).parents[2]

PLANTED = {
    "placed_folders": ("billing/charge.py", '"""Charge."""\n'),
    "pure_files": ("services/ledger/journal.py", "import sqlalchemy\n"),
    "pages_look_down": ("pages/sales.py", "from services.payments import tables\n"),
    "pages_are_not_imported": ("app/main.py", "from pages import sales\n"),
    "pipelines_see_facts": ("pipelines/load.py", "from services.payments.refund import issue\n"),
    "api_on_top": ("services/reactions.py", "from services.payments import api\n"),
    "tables_below": ("services/payments/tables.py", "from services.payments.refund import issue\n"),
}
CONTRACTS = {
    "Rooms": ("services/kernel/upward.py", "import warehouse\n"),
    "Services": ("services/coupons/__init__.py", ""),
    "No two modules": ("sandbox/ring/__init__.py", "import sandbox.bell\n"),
    "The sandbox knows": ("sandbox/curious.py", "import services\n"),
    "Bursar knows": ("services/kernel/curious.py", "import sandbox\n"),
    "Only the shell draws": ("services/kernel/drawing.py", "import streamlit\n"),
    "Only the gateway": ("app/paying.py", "import stripe\n"),
}


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    """Import-linter over the packages below the root, by the contracts of the root's pyproject.toml."""
    tool = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [tool, "--no-cache", "--no-logo"], cwd=root, check=False, capture_output=True, text=True, timeout=60
    )


def test_every_import_contract_is_kept() -> None:
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The packages and their contracts, copied so that faults can be planted."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.mark.parametrize("contract", CONTRACTS)
def test_the_contract_bites(contract: str, copied: Path) -> None:
    path, text = CONTRACTS[contract]
    target = copied / path
    target.parent.mkdir(exist_ok=True)
    target.write_text(text, encoding="utf-8")
    if contract == "No two modules":
        (copied / "sandbox" / "bell.py").write_text("import sandbox.ring\n", encoding="utf-8")
    done = lint_imports(copied)
    broken = [line for line in done.stdout.splitlines() if " BROKEN" in line]
    assert any(line.startswith(contract) for line in broken), done.stdout + done.stderr


@pytest.mark.parametrize("rule", IMPORT_RULES, ids=lambda rule: rule.__name__)
def test_imports_keep_the_order_of_the_house(rule: Rule) -> None:
    faults = "\n".join(f"  {fault}" for fault in rule(Project(ROOT)))
    assert not faults, f"{rule.__doc__}\n{faults}"


@pytest.mark.parametrize("rule", IMPORT_RULES, ids=lambda rule: rule.__name__)
def test_the_rule_bites(rule: Rule, tmp_path: Path) -> None:
    path, text = PLANTED[rule.__name__]
    target = tmp_path / path
    target.parent.mkdir(parents=True)
    target.write_text(text, encoding="utf-8")
    assert [(fault.path, fault.line) for fault in rule(Project(tmp_path))] == [(path, 1)]
