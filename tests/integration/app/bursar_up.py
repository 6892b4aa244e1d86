"""A real `bursar up` in a folder of its own, driven like a person would: started, asked, signalled."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from tests.waiting import until

START = 90.0  # seconds that a busy machine may need
CHILDREN = ("server", "worker", "sandbox", "postgres")


class BursarUp:
    """One run of the command, and what it printed so far."""

    def __init__(self, folder: Path, port: int, **variables: str) -> None:
        self.folder = folder
        self.port = port
        self.lines: list[str] = []
        environment = {name: value for name, value in os.environ.items() if not name.startswith("BURSAR_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "up"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment | _settings(folder, port) | variables,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as printed:
            self.lines.extend(line.rstrip() for line in printed)

    @property
    def text(self) -> str:
        """Everything printed so far."""
        return "\n".join(self.lines)

    def until_ready(self) -> None:
        """Wait until it says that it is ready."""
        until(lambda: "Bursar is ready" in self.text or self.has_ended, "bursar is up", seconds=START)
        assert "Bursar is ready" in self.text, self.text

    @property
    def has_ended(self) -> bool:
        """Whether the command is over and all it printed is read."""
        return self.process.poll() is not None and not self._reader.is_alive()

    def ended_with(self) -> int:
        """Wait for the end; its exit code."""
        until(lambda: self.has_ended, "bursar ends", seconds=START)
        return self.process.returncode

    def stop(self) -> int:
        """Press Ctrl-C and wait."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.ended_with()

    def pid(self, name: str) -> int:
        """The process id of the server, worker, sandbox or database that it watches."""
        if name == "postgres":
            return int((self.folder / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
        return int((self.folder / "run" / f"{name}.pid").read_text().split()[0])

    def all_pids(self) -> set[int]:
        """Every process below the command."""
        return descendants(self.process.pid)

    def asks(self, path: str) -> tuple[int, dict[str, object]]:
        """What the server answers; status 0 when it does not."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, ValueError, http.client.HTTPException):
            return 0, {}
        finally:
            connection.close()

    def is_whole(self) -> bool:
        """Whether the server answers and reaches its database."""
        _, answer = self.asks("/readyz")
        checks = answer.get("checks")
        return isinstance(checks, dict) and checks.get("database") is True


def descendants(pid: int) -> set[int]:
    """Every process below one, its own children first."""
    parents = {int(stat.parent.name): _parent(stat) for stat in Path("/proc").glob("[0-9]*/stat")}
    found: set[int] = set()
    ring = {pid}
    while ring:
        ring = {child for child, parent in parents.items() if parent in ring} - found
        found |= ring
    return found


def are_gone(pids: set[int]) -> bool:
    """Whether none of the processes is left."""
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


def _parent(stat: Path) -> int:
    try:
        return int(stat.read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0


def _settings(folder: Path, port: int) -> dict[str, str]:
    return {"BURSAR_DATA_FOLDER": str(folder), "BURSAR_PORT": str(port), "BURSAR_DEMO": "false"}
