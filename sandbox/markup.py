"""The frame of the sandbox's own pages."""

from html import escape
from pathlib import Path

from starlette.responses import HTMLResponse

_STYLE = Path(__file__).with_name("page.css").read_text()
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'"
)


def page(title: str, body: str, status: int = 200, *, wide: bool = False) -> HTMLResponse:
    """A whole page; the title is escaped here, the body by who wrote it."""
    kind = ' class="wide"' if wide else ""
    head = (
        f'<meta charset="utf-8"><title>{escape(title)} - Bursar sandbox</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<style>{_STYLE}</style>"
    )
    main = f'<main{kind}><span class="test">TEST MODE</span>{body}</main>'
    text = f'<!doctype html><html lang="en"><head>{head}</head><body>{main}</body></html>'
    return HTMLResponse(text, status, {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"})


def notice(headline: str, advice: str) -> str:
    """A short message instead of a form."""
    return f"<h2>{escape(headline)}</h2><p>{escape(advice)}</p>"
