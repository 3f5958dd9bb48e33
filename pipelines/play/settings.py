"""Settings of `maskgen play`."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from ..checks import check_range

LOCAL = "127.0.0.1"
PORT = 8765


@dataclass(frozen=True, slots=True)
class PlaySettings:
    """Everything that `maskgen play` can be told.

    Attributes:
        host: the address that the page is served on; this machine alone can reach the default one.
        port: 0 for any free one.
        browser: open the page in the browser.
        max_megabytes: of one picture's file.
        max_pixels: of one picture, told from its header before it is decoded.

    Example:
        maskgen play --port 0

    Cost: 0.3 s to start; the first picture waits some seconds for the networks.

    Raises:
        UserError: a value that cannot be used.
    """

    host: str = LOCAL
    port: int = PORT
    browser: bool = True
    max_megabytes: int = 32
    max_pixels: int = 50_000_000

    def __post_init__(self) -> None:
        check_range("--port", self.port, 0, 65535)
        check_range("--max-megabytes", self.max_megabytes, 1, 1024)
        check_range("--max-pixels", self.max_pixels, 1, 2**31)

    @property
    def local(self) -> bool:
        """Whether only this machine can reach it."""
        return is_local(self.host)


def is_local(host: str) -> bool:
    """Whether a host's name or address is of this machine alone.

    Example:
        >>> is_local("localhost"), is_local("127.0.0.5"), is_local("::1"), is_local("0.0.0.0")
        (True, True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
