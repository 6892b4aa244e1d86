"""The wire between the gateway and the sandbox: writes down what passes, and fails as it is told to."""

import http.client
import json
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast
from urllib.parse import urlsplit

_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


class Fault(Enum):
    """What becomes of one request."""

    PASSED = auto()  # nothing: it is answered as it should be
    LOST_REQUEST = auto()  # it never arrives
    LOST_ANSWER = auto()  # it has its effect, and nobody hears of it
    TOO_MANY = auto()
    FAILED = auto()
    IN_PROGRESS = auto()


_ANSWERS: Mapping[Fault, tuple[int, dict[str, str]]] = {
    Fault.TOO_MANY: (429, {"type": "invalid_request_error", "code": "rate_limit", "message": "Too many."}),
    Fault.FAILED: (500, {"type": "api_error", "message": "An invented failure."}),
    Fault.IN_PROGRESS: (
        409,
        {"type": "idempotency_error", "code": "idempotency_key_in_use", "message": "In progress."},
    ),
}


@dataclass(frozen=True)
class Passed:
    """One request as it passed; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: str


class Wire:
    """A proxy on loopback before an address."""

    def __init__(self, upstream: str, url: str) -> None:
        self.upstream = urlsplit(upstream).netloc
        self.url = url
        self.passed: list[Passed] = []
        self.faults: deque[Fault] = deque()

    def posts(self) -> list[Passed]:
        """The requests that ask for a change, in order."""
        return [passed for passed in self.passed if passed.method == "POST"]

    def forward(self, request: Passed) -> tuple[int, dict[str, str], bytes]:
        """What the address answers."""
        connection = http.client.HTTPConnection(self.upstream, timeout=30)
        try:
            headers = {name: value for name, value in request.headers.items() if name not in _HOP}
            connection.request(request.method, request.path, request.body.encode(), headers)
            answer = connection.getresponse()
            kept = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP}
            return answer.status, kept, answer.read()
        finally:
            connection.close()


class _Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    @property
    def wire(self) -> Wire:
        """The wire that this request passes over."""
        return cast("_Listening", self.server).wire

    def do_GET(self) -> None:
        self._pass()

    def do_POST(self) -> None:
        self._pass()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Passed(self.command, self.path, headers, body)
        self.wire.passed.append(request)
        fault = self.wire.faults.popleft() if self.wire.faults else Fault.PASSED
        if fault in _ANSWERS:
            status, error = _ANSWERS[fault]
            self._answer(status, {"Content-Type": "application/json"}, json.dumps({"error": error}).encode())
            return
        if fault is not Fault.LOST_REQUEST:
            answer = self.wire.forward(request)
            if fault is not Fault.LOST_ANSWER:
                self._answer(*answer)
                return
        self.close_connection = True

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Listening(ThreadingHTTPServer):
    request_queue_size = 64
    daemon_threads = True

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.wire = Wire(upstream, f"http://127.0.0.1:{self.server_port}")


@contextmanager
def tap(upstream: str) -> Iterator[Wire]:
    """Stand between callers and an address until the block ends."""
    server = _Listening(upstream)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.wire
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
