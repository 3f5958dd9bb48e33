"""The page's server: a few fixed files and one call, for this machine alone unless asked otherwise.

Guards: a name in Host that is not this machine's is refused, or a page elsewhere could have its own name point here and
read the answers (DNS rebinding); a call must be JSON and of the page's own origin, so that no other page can make one;
bodies are bounded before they are read; no path of a file is taken from a call.
"""

from __future__ import annotations

import errno
import ipaddress
import json
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any
from urllib.parse import SplitResult, urlsplit

from maskgen.core.reasons import UserError

from ..load_models import portrait
from ..reports.page.page import script_json
from .choices import offered
from .settings import PlaySettings, is_local
from .trying import Studio

AT_ONCE = 8  # calls that are read or worked on
PATIENCE = 30.0  # seconds that a connection may be silent
_REACHED = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  "every address" is none that a browser opens
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}


class _RefusalError(Exception):
    """A call that is not answered, with its status and a sentence."""

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class PlayServer(ThreadingHTTPServer):
    """The server of `maskgen play`; a context manager that ends it.

    Raises:
        UserError: the address cannot be served on.
    """

    daemon_threads = True

    def __init__(self, settings: PlaySettings) -> None:
        self.settings = settings
        self.studio = Studio(settings)
        self.slots = threading.BoundedSemaphore(AT_ONCE)
        try:
            family, *_, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
            self.address_family = family
            super().__init__(address[:2], _Handler)  # type: ignore[arg-type]
        except OSError as error:
            raise UserError(_why(error, settings)) from None

    def server_bind(self) -> None:
        """As the base's, without its look-up of the machine's name, which may wait for a network."""
        socket.socket.bind(self.socket, self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.settings.host), int(self.server_address[1])

    def server_close(self) -> None:
        """As the base's, once the try at work is done."""
        super().server_close()
        self.studio.close()

    @property
    def url(self) -> str:
        """Where the page is."""
        host = _REACHED.get(self.settings.host, self.settings.host)
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{self.server_port}/"

    @property
    def most_bytes(self) -> int:
        """Of a call's body: a picture and a texture in base64, and the rest."""
        return 2 * (4 * self.settings.max_megabytes * 1_000_000 // 3) + 100_000

    def knows(self, host: str) -> bool:
        """Whether a Host header names this machine: on loopback its own names, else also its name or any address,
        which no name elsewhere can be made to mean."""
        name = _parts(f"//{host}").hostname or ""
        if is_local(name):
            return True
        if self.settings.local:
            return False
        return _is_address(name) or name in (self.settings.host.lower(), socket.gethostname().lower())

    @cached_property
    def pages(self) -> dict[str, tuple[str, Callable[[], bytes]]]:
        """The files that there are, by their paths: type and content."""
        return {
            "/": ("text/html; charset=utf-8", lambda: _page(self.settings.max_megabytes * 1_000_000)),
            "/play.css": ("text/css; charset=utf-8", lambda: _file("play.css")),
            "/play.js": ("text/javascript; charset=utf-8", lambda: _file("play.js")),
            "/portrait.png": ("image/png", _portrait),
        }


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: PlayServer
    timeout = PATIENCE
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:  # noqa: N802 - the base's name
        """Answer with one of the files."""
        self._answer(self._get)

    def do_POST(self) -> None:  # noqa: N802 - the base's name
        """Answer a try."""
        self._answer(self._post)

    def version_string(self) -> str:
        """Nothing of versions."""
        return "maskgen"

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: a terminal is no place for what somebody tries."""

    def _answer(self, work: Callable[[], tuple[str, bytes]]) -> None:
        status = HTTPStatus.OK
        try:
            if not self.server.knows(self.headers.get("Host", "")):
                raise _RefusalError(HTTPStatus.FORBIDDEN, "This page is of another machine.")
            kind, data = work()
        except _RefusalError as fault:
            self.close_connection = True  # its body was not read
            status, kind, data = fault.status, "application/json", _json({"error": str(fault)})
        except UserError as fault:
            status, kind, data = HTTPStatus.BAD_REQUEST, "application/json", _json({"error": str(fault)})
        except (TimeoutError, ConnectionError):
            self.close_connection = True
            return
        # The page gives up what it no longer shows.
        with suppress(ConnectionError):
            self._send(status, kind, data)

    def _send(self, status: HTTPStatus, kind: str, data: bytes) -> None:
        self.send_response(status)
        for name, value in {**_HEADERS, "Content-Type": kind, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def _get(self) -> tuple[str, bytes]:
        found = self.server.pages.get(self.path.partition("?")[0])
        if found is None:
            raise _RefusalError(HTTPStatus.NOT_FOUND, "There is no such page.")
        kind, content = found
        return kind, content()

    def _post(self) -> tuple[str, bytes]:
        if self.path != "/try":
            raise _RefusalError(HTTPStatus.NOT_FOUND, "There is no such page.")
        self._check_origin()
        length = self._length()
        if not self.server.slots.acquire(blocking=False):
            raise _RefusalError(HTTPStatus.SERVICE_UNAVAILABLE, "The page is busy: try again.")
        try:
            asked = _parsed(self.rfile.read(length))
            return "application/json", _json(self.server.studio.attempt(asked))
        finally:
            self.server.slots.release()

    def _check_origin(self) -> None:
        origin = self.headers.get("Origin")
        if origin is not None and _parts(origin).netloc.lower() != self.headers.get("Host", "").lower():
            raise _RefusalError(HTTPStatus.FORBIDDEN, "The call is of another page.")
        if self.headers.get_content_type() != "application/json":
            raise _RefusalError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "A call is JSON.")

    def _length(self) -> int:
        text = self.headers.get("Content-Length", "")
        if not text.isdecimal() or self.headers.get("Transfer-Encoding"):
            raise _RefusalError(HTTPStatus.LENGTH_REQUIRED, "A call says how long it is.")
        if len(text) > 15 or int(text) > self.server.most_bytes:  # int() itself refuses thousands of digits
            most = self.server.settings.max_megabytes
            raise _RefusalError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The file is larger than {most} MB: give a smaller one."
            )
        return int(text)


def _parts(address: str) -> SplitResult:
    """The parts of an address; empty ones of what is none, such as an open bracket."""
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(data)
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        raise UserError("The page sent nothing that can be read: load it again.")
    return asked


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _file(name: str) -> bytes:
    if name == "play.css":  # the look of all pages, then what this one has of its own
        shared = files(f"{__package__.rpartition('.')[0]}.reports.page")
        return (shared / "page.css").read_bytes() + _own(name)
    return _own(name)


def _own(name: str) -> bytes:
    return (files(__package__) / "page" / name).read_bytes()


def _page(most: int) -> bytes:
    choices = {**offered(), "most": most}
    return _own("play.html").replace(b"{{choices}}", script_json(choices).encode())


def _portrait() -> bytes:
    from maskgen.core.images import encode_image

    return encode_image(portrait().image, "png")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _why(error: OSError, settings: PlaySettings) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {settings.port} is in use: give another with --port, or --port 0 for any free one."
    if error.errno == errno.EACCES:
        return f"Port {settings.port} may not be used: give another with --port."
    return f"--host {settings.host} cannot be served on: {error.strerror or error}."
