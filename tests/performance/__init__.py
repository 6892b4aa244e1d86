"""Benchmarks: whole flows against the floor of the same work done bare."""
