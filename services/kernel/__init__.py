"""Meanings that every domain shares, free of any library."""
