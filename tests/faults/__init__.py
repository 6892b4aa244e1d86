"""Killing a process at a named step between two writes, with the work that is in flight there."""
