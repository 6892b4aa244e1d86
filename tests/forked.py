"""Processes that are forked from one that has imported what they need, and may be killed at will."""

import multiprocessing

processes = multiprocessing.get_context("forkserver")
_wanted = ["pytest"]  # each of them looks at the main module, which is pytest


def preload(module: str) -> None:
    """Let a module be imported once for all processes; there is one server of them for a whole test run."""
    _wanted.append(module)
    processes.set_forkserver_preload(_wanted)
