"""A run of the pipelines in a process of its own that may die at one of its steps."""

import os
import signal
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipelines.run import Pipeline
from services.kernel.time import SetClock
from services.stripe.gateway import Gateway
from warehouse import checks

checks.warm()  # once, in the process that all of these are forked from


@dataclass(frozen=True)
class Scene:
    """Where the stores are, where the figures go, and at which step somebody dies."""

    database_url: str
    stripe_url: str
    secret_key: str
    folder: Path
    now: datetime
    dies_at: str | None = None
    times: int = 1


def run(scene: Scene) -> None:
    """Run the pipelines, perhaps not to the end."""

    def step(name: str) -> None:
        with (scene.folder / "steps.log").open("a") as log:
            log.write(f"{name}\n")
        if name == scene.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    with Pipeline(
        database_url=scene.database_url,
        folder=scene.folder,
        clock=SetClock(scene.now),
        processor=Gateway(scene.secret_key, scene.stripe_url),
        on_step=step,
    ) as pipeline:
        for _ in range(scene.times):
            pipeline.run()
