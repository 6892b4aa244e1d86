"""What the process was started with; opened by the starter, reached by pages through `read` and `perform`."""

from dataclasses import dataclass
from pathlib import Path

from services.runtime.settings import Settings
from services.runtime.work import Works
from services.stripe.gateway import Gateway


@dataclass(frozen=True, slots=True)
class Wiring:
    """Everything that a running shell holds on to."""

    settings: Settings
    works: Works
    gateway: Gateway

    @property
    def warehouse_folder(self) -> Path:
        """The folder of the published figures and of the record of runs."""
        return self.settings.data_folder / "warehouse"


class NotWiredError(RuntimeError):
    """A page was run in a process that nobody wired."""


_installed: list[Wiring] = []


def install(wiring: Wiring) -> None:
    """Make this the wiring of the process."""
    _installed[:] = [wiring]


def wired() -> Wiring:
    """The wiring of the process. Raises NotWiredError before `install`."""
    if not _installed:
        raise NotWiredError("start the shell through app.server")
    return _installed[0]
