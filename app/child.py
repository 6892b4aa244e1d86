"""One process of Bursar's that runs beside this one: started, watched, started again, ended."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from services.runtime import tether

MODULE: Final = (sys.executable, "-P", "-m")
NEWS: Final = "· "
_LOG_KEPT = 16 * 1024 * 1024  # bytes
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 10.0  # seconds before a dead process is started again
_STEADY = 30.0  # seconds after which a process counts as having started well
_INSISTING = 2.0  # seconds between being asked to end and being ended


@dataclass
class Child:
    """A process by name: what runs, where its output goes, and how often it has died lately."""

    name: str
    module: Sequence[str]
    folder: Path
    report: Callable[[str], None]
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    deaths: int = 0
    _begun: float = 0.0
    _read: int = 0

    @property
    def log(self) -> Path:
        """The file that takes everything the process prints."""
        return self.folder / "logs" / f"{self.name}.log"

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self.process is not None and self.process.poll() is None

    def start(self, environment: Mapping[str, str]) -> None:
        """Start the process with our environment and these variables; it ends when we do."""
        self.environment = environment
        self.log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.log.exists() and self.log.stat().st_size > _LOG_KEPT:
            self.log.replace(self.log.with_suffix(".log.1"))
        self._read = self.log.stat().st_size if self.log.exists() else 0
        self.log.touch(mode=0o600)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own module, run by our own interpreter
                [*tether.words(signal.SIGKILL), *MODULE, *self.module],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **environment, "PYTHONUNBUFFERED": "1"},
                start_new_session=True,
            )
        self._begun = time.monotonic()
        _remember(self.folder, self.name, self.process.pid)

    def tend(self) -> None:
        """Start the process again if it has died, after a pause that doubles with every early death."""
        if self.process is None or self.is_running:
            return
        lived = time.monotonic() - self._begun
        if self.process.returncode is not None and lived > _STEADY:
            self.deaths = 0
        if lived < min(_FIRST_PAUSE * 2**self.deaths, _LONGEST_PAUSE):
            return
        self.deaths += 1
        self.report(f"The {self.name} ended ({_way(self.process.returncode)}): starting it again")
        self.start(self.environment)

    def ask_to_end(self) -> None:
        """Tell the process to end in good order."""
        if self.process is not None and self.is_running:
            self.process.terminate()

    def end(self) -> None:
        """Wait a little for the process to end in good order, then end it."""
        if self.process is None:
            return
        self.ask_to_end()
        try:
            self.process.wait(_INSISTING)
        except subprocess.TimeoutExpired:
            self.kill()
        _forget(self.folder, self.name)
        self.process = None

    def kill(self) -> None:
        """End the process at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def next_news(self) -> str | None:
        """The newest line that the process printed for people, marked by a bullet, if it is a new one."""
        with self.log.open("rb") as log:
            log.seek(self._read)
            fresh = log.read()
            self._read += len(fresh)
        lines = fresh.decode(errors="replace").splitlines()
        return next((line.removeprefix(NEWS) for line in reversed(lines) if line.startswith(NEWS)), None)

    def last_words(self, count: int = 5) -> str:
        """The last lines that the process printed."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])


def end_orphans(folder: Path, *, report: Callable[[str], None]) -> None:
    """End what a killed run left behind: only processes that were recorded, and are still the same ones."""
    for record in sorted((folder / "run").glob("*.pid")):
        pid, birth = record.read_text().split()
        if _birth(int(pid)) == birth:
            report(f"Ending the {record.stem} that an earlier run left behind")
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
            while _birth(int(pid)) == birth:
                time.sleep(0.02)
        record.unlink()


def _remember(folder: Path, name: str, pid: int) -> None:
    record = folder / "run" / f"{name}.pid"
    record.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    record.write_text(f"{pid} {_birth(pid)}")


def _forget(folder: Path, name: str) -> None:
    (folder / "run" / f"{name}.pid").unlink(missing_ok=True)


def _birth(pid: int) -> str | None:
    """When a living process began, by the system's count; with the number it names one process for good."""
    try:
        state, *words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if state == "Z" else words[18]


def _way(code: int) -> str:
    return f"by signal {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
