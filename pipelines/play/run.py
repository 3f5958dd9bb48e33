"""`maskgen play` at work: the server until it is interrupted."""

from __future__ import annotations

import webbrowser

from ..reports.progress import Notify
from .server import PlayServer
from .settings import PlaySettings


def run_play(settings: PlaySettings, notify: Notify) -> None:
    """Serve the page until Ctrl+C.

    Raises:
        UserError: the address cannot be served on.
    """
    with PlayServer(settings) as server:
        notify(f"The page is at {server.url}")
        if not settings.local:
            notify("Everybody who reaches this machine can use it: there is no password.")
        notify("Ctrl+C ends it. Pictures stay in memory and are not kept.")
        if settings.browser:
            webbrowser.open(server.url)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            notify("\nEnded.")
