"""The page at `/`: the latest objects, events and deliveries, for a developer's eyes."""

from html import escape

from starlette.responses import Response

from sandbox.markup import page
from sandbox.running import Sandbox

_OBJECTS = (
    "SELECT id, kind, created, json_extract(body, '$.status') AS status, "
    "json_extract(body, '$.amount') AS amount "
    "FROM object WHERE kind != 'event' ORDER BY seq DESC LIMIT 50"
)
_EVENTS = (
    "SELECT id, json_extract(body, '$.type') AS type, created, "
    "json_extract(body, '$.data.object.id') AS object "
    "FROM object WHERE kind = 'event' ORDER BY seq DESC LIMIT 50"
)
_DELIVERIES = (
    "SELECT delivery.event, json_extract(object.body, '$.url') AS url, delivery.state, delivery.attempts, "
    "delivery.last_status, delivery.last_error "
    "FROM delivery LEFT JOIN object ON object.id = delivery.endpoint "
    "ORDER BY delivery.id DESC LIMIT 50"
)


def answer(box: Sandbox) -> Response:
    """The viewer page."""
    clock = "frozen" if box.clock.frozen_at is not None else "real time"
    head = f"<h1>Stripe sandbox</h1><p>Clock: {box.clock.now()} ({clock})</p>"
    parts = (("Objects", _OBJECTS), ("Events", _EVENTS), ("Deliveries", _DELIVERIES))
    tables = "".join(f"<h2>{title}</h2>{_table(box, sql)}" for title, sql in parts)
    return page("Viewer", head + tables, wide=True)


def _table(box: Sandbox, sql: str) -> str:
    rows = box.store.rows(sql)
    if not rows:
        return "<p>None yet.</p>"
    head = "".join(f"<th>{escape(name)}</th>" for name in rows[0].keys())  # noqa: SIM118 - a Row iterates its values
    body = "".join(
        "<tr>" + "".join(f"<td>{'' if value is None else escape(str(value))}</td>" for value in row) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
