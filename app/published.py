"""The version of the figures that pages read, switched when a newer one is published."""

from app.wiring import wired
from app.wording import t
from services.kernel.errors import Unavailable
from warehouse import files
from warehouse.files import Figures, NoFiguresError


def figures() -> Figures:
    """The published figures as they are now. Raises Unavailable before the first version."""
    try:
        return files.open_published(wired().warehouse_folder)
    except NoFiguresError:
        raise Unavailable(
            "figures_not_ready", t("The first figures are being prepared. This page fills by itself.")
        ) from None


def version() -> str:
    """The name of the published version; empty before the first one."""
    try:
        return files.published_version(wired().warehouse_folder)
    except NoFiguresError:
        return ""
