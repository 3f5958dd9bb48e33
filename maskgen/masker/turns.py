"""Threads that call one masker take turns."""

from __future__ import annotations

import os
import threading
from weakref import WeakSet


class Turns:
    """A lock that is open in a forked process, whichever thread held it there: that thread stayed behind.

    Attributes:
        lock: to be read at each use.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        _EVERY.add(self)


_EVERY: WeakSet[Turns] = WeakSet()


def _open_all() -> None:
    for turns in _EVERY:
        turns.lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_open_all)
