"""Every tidy rule holds over the whole tree, and every rule bites where its fault is planted."""

import tomllib
from pathlib import Path
from textwrap import dedent

import pytest

from tests.house.rules import RULES, Rule
from tests.house.tree import Project
from warehouse import build, checks

ROOT = Path(__file__).parents[2]

PLANTED = {
    "file_length": ("services/long.py", '"""Long."""\n' + "X = 1\n" * 400, 401),
    "function_length": ("app/tall.py", '"""Tall."""\n\n\ndef tall():\n' + "    x = 1\n" * 60, 4),
    "positional_arguments": ("services/wide.py", '"""Wide."""\n\n\ndef pay(a, b, c, d, e): ...\n', 4),
    "base_classes": ("services/heir.py", '"""Heir."""\n\n\nclass Heir(A, B, C): ...\n', 4),
    "vague_modules": ("services/payments/service.py", '"""Everything."""\n', 1),
    "vague_functions": ("services/payments/charge.py", '"""Charge."""\n\n\ndef _handle_charge(): ...\n', 4),
    "module_docstrings": ("warehouse/silent.py", "X = 1\n", 1),
    "one_commit": ("services/payments/refund.py", '"""Refund."""\nwork.connection.commit()\n', 2),
    "one_clock": ("pipelines/load.py", '"""Load."""\nimport datetime\n\nX = datetime.datetime.now()\n', 4),
    "shell_names": ("app/calendar.py", '"""Months."""\n', 1),
    "page_stories": ("pages/payouts.py", '"""Payouts."""\n', 1),
    "pages_hold_no_sql": ("pages/sales.py", '"""Sales."""\n\nX = f"SELECT * FROM sale WHERE id = {id}"\n', 3),
    "trusted_markup": ("pages/logo.py", '"""Logo."""\nst.markdown("<b>", unsafe_allow_html=True)\n', 2),
    "real_tests": ("tests/unit/test_fake.py", '"""Fake."""\nfrom unittest.mock import Mock\n', 2),
    "sql_headers": (
        "warehouse/models/marts/mart_sales.sql",
        "-- grain: a sale\n-- key: sale_id\nSELECT 1\n",
        1,
    ),
    "reasoned_exceptions": ("services/excuse.py", '"""Excuse."""\nX = 1  # ' + "noqa\n", 2),
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_tree_is_tidy(rule: Rule) -> None:
    faults = "\n".join(f"  {fault}" for fault in rule(Project(ROOT)))
    assert not faults, f"{rule.__doc__}\n{faults}"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_rule_bites(rule: Rule, tmp_path: Path) -> None:
    path, text, line = PLANTED[rule.__name__]
    target = tmp_path / path
    target.parent.mkdir(parents=True)
    target.write_text(text, encoding="utf-8")
    faults = list(rule(Project(tmp_path)))
    assert [(fault.path, fault.line) for fault in faults] == [(path, line)]
    assert str(faults[0]).startswith(f"{path}:{line}: ")


def test_reasons_are_accepted(tmp_path: Path) -> None:
    target = tmp_path / "services" / "reasoned.py"
    target.parent.mkdir()
    reasoned = dedent('''
        """Reasoned."""
        X = 1  # NOQA: BLE001 - a crash here must not end the worker
        Y = 2  # TYPE: ignore[no-untyped-call]  # the driver carries no types
    ''')
    target.write_text(reasoned.replace("NOQA", "noqa").replace("TYPE", "type"), encoding="utf-8")
    (rule,) = (rule for rule in RULES if rule.__name__ == "reasoned_exceptions")
    assert list(rule(Project(tmp_path))) == []


def test_the_key_of_every_kept_model_is_checked() -> None:
    named = {check.name for check in checks.catalogue()}
    kept = [model.name for model in build.models() if model.refresh == "full"]
    unchecked = [name for name in kept if not any(name in check for check in named)]
    assert kept
    assert not unchecked, "models whose key no check holds"


def test_every_folder_of_tests_is_run() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]
    run = {*settings["ini_options"]["testpaths"], "tests/performance"}
    found = {
        f"tests/{path.relative_to(ROOT / 'tests').parts[0]}" for path in ROOT.glob("tests/*/**/test_*.py")
    }
    assert found <= run, "a folder of tests that `make test` does not run"


def test_ruff_holds_the_limits_of_the_house() -> None:
    ruff = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
    assert ruff["select"] == ["ALL"]
    assert ruff["mccabe"]["max-complexity"] == 8
    assert ruff["pylint"]["max-positional-args"] == 4
    assert not {"C901", "PLR0917"} & {code for codes in ruff["per-file-ignores"].values() for code in codes}
