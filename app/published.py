"""The version of the figures that pages read, switched when a newer one is published."""

from app.wiring import wired


def version() -> str:
    """The name of the published version; empty before the first one."""
    try:
        return (wired().warehouse_folder / "published" / "current").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""
