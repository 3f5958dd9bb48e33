"""A page that is served, and what the tests send it."""

from __future__ import annotations

import base64
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from maskgen.pipelines.play.server import PlayServer
from maskgen.pipelines.play.settings import PlaySettings


@contextmanager
def served(settings: PlaySettings) -> Iterator[PlayServer]:
    with PlayServer(settings) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def file(name: str, data: bytes) -> dict[str, str]:
    return {"name": name, "data": base64.b64encode(data).decode()}


def send(server: PlayServer, path: str, body: bytes | None = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """A request's status, headers and body; `Content_Type` is the header Content-Type."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(server.url.rstrip("/") + path, body, named)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=60) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as fault:
        return fault.code, dict(fault.headers), fault.read()


def attempt(server: PlayServer, **asked: Any) -> dict[str, Any]:
    status, _, body = send(server, "/try", json.dumps(asked).encode(), Content_Type="application/json")
    answer: dict[str, Any] = json.loads(body)
    assert (status == 200) == ("error" not in answer)
    return answer
