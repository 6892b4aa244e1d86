"""The project's files as the house rules read them: text, syntax tree, and faults that name a line."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PACKAGES = ("app", "pipelines", "sandbox", "services", "warehouse")
PRODUCT = (*PACKAGES, "pages")
FOLDERS = (*PRODUCT, "ops", "tests")

AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Fault:
    """One broken rule at one place, said so that the place can be clicked."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


@dataclass(frozen=True)
class Source:
    """One Python file: its path from the project's root, and what it says."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed file."""
        return ast.parse(self.text, filename=self.path)

    @property
    def stem(self) -> str:
        """The module's own name, without folder and ending."""
        return Path(self.path).stem

    def functions(self) -> Iterator[AnyFunction]:
        """Every function and method of the file, nested ones included."""
        return (node for node in ast.walk(self.tree) if isinstance(node, AnyFunction))

    def classes(self) -> Iterator[ast.ClassDef]:
        """Every class of the file."""
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef))

    def calls(self) -> Iterator[ast.Call]:
        """Every call in the file."""
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.Call))

    def fault(self, node: ast.expr | ast.stmt | None, message: str) -> Fault:
        """A fault at the node, or at the top of the file without one."""
        return Fault(self.path, node.lineno if node else 1, message)


@dataclass(frozen=True)
class Project:
    """The working tree under one root, whether it is committed or not."""

    root: Path

    def files(self, folders: tuple[str, ...], ending: str) -> list[str]:
        """Paths from the root of all files below the folders with this ending, sorted."""
        found = (path for folder in folders for path in (self.root / folder).rglob(f"*{ending}"))
        return sorted(path.relative_to(self.root).as_posix() for path in found if path.is_file())

    def text(self, path: str) -> str:
        """What the file says."""
        return (self.root / path).read_text(encoding="utf-8")

    def sources(self, folders: tuple[str, ...] = FOLDERS) -> list[Source]:
        """The Python files below the folders."""
        return [Source(path, self.text(path)) for path in self.files(folders, ".py")]


def dotted(node: ast.expr) -> str:
    """The dotted name that an expression spells, such as `datetime.now`; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        left = dotted(node.value)
        return f"{left}.{node.attr}" if left else node.attr
    return ""
