"""The page that a browser loads first: Streamlit's own, rewritten once at start."""

import base64
import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import cache

from streamlit import file_util

from app.configuration import options

TITLE = "Bursar"
LANGUAGE = "en"
_BASE = (
    "window.__streamlit={BACKEND_BASE_URL:location.origin,HOST_CONFIG:{allowedOrigins:[location.origin],"
    "useExternalAuthToken:false,enableCustomParentMessages:false,blockErrorDialogs:false}}"
)
"""Where Streamlit's script finds its server: no page's address is tried first, no other host is trusted."""
_FONT = "app/static/fonts/inter-latin-wght-normal.woff2"


@dataclass(frozen=True, slots=True)
class Document:
    """The rewritten page, plain and compressed, and the scripts inside it that may run."""

    plain: bytes
    zipped: bytes
    script_hashes: tuple[str, ...]


@cache
def document() -> Document:
    """The page with our title, icon, font, colours and language, and without what we do not offer."""
    with open(f"{file_util.get_static_dir()}/index.html", encoding="utf-8") as file:  # noqa: PTH123 - a path from Streamlit
        page = rewritten(file.read())
    plain = page.encode()
    return Document(plain, gzip.compress(plain, mtime=0), script_hashes(page))


def rewritten(page: str) -> str:
    """Streamlit's page made ours."""
    for pattern in (
        r"<!--.*?-->",
        r"<noscript>.*?</noscript>",
        r'<link\s+rel="preload".*?>',
        r'<link rel="service-desc".*?>',
    ):
        page = re.sub(pattern, "", page, flags=re.DOTALL)
    page = re.sub(r'<html lang="[^"]*"', f'<html lang="{LANGUAGE}"', page)
    page = re.sub(r"<title>.*?</title>", f"<title>{TITLE}</title>", page)
    page = re.sub(r'<link rel="shortcut icon"[^>]*>', "", page)
    page = page.replace(
        "<body>", "<body><noscript><p>Bursar needs JavaScript. Please turn it on.</p></noscript>"
    )
    return re.sub(r"\n\s*\n", "\n", page.replace("</title>", f"</title>{_head()}")).lstrip()


def script_hashes(page: str) -> tuple[str, ...]:
    """The content policy's name of every script written into the page."""
    inline = re.findall(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", page, flags=re.DOTALL)
    return tuple(
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in inline
    )


def _head() -> str:
    light, dark = (options()[f"theme.{mode}.backgroundColor"] for mode in ("light", "dark"))
    return f"""
    <link rel="icon" type="image/svg+xml" href="./app/static/brand/mark.svg" />
    <link rel="preload" href="./{_FONT}" as="font" type="font/woff2" crossorigin />
    <meta name="theme-color" media="(prefers-color-scheme: light)" content="{light}" />
    <meta name="theme-color" media="(prefers-color-scheme: dark)" content="{dark}" />
    <meta name="robots" content="noindex" />
    <script>{_BASE}</script>
    <style>:root{{color-scheme:light dark}}body{{background:light-dark({light},{dark})}}</style>"""
