"""Step times, and the share of them in which the network waits for data."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import torch


@dataclass(frozen=True, slots=True)
class StepTimes:
    """Timing of several steps: `images` in `seconds`, of which `waited` seconds were spent waiting for data."""

    images: int
    seconds: float
    waited: float

    @property
    def rate(self) -> float:
        """Images per second."""
        return self.images / max(self.seconds, 1e-9)

    @property
    def rate_without_wait(self) -> float:
        """Images per second without waiting for data."""
        return self.images / max(self.seconds - self.waited, 1e-9)

    def __add__(self, other: StepTimes) -> StepTimes:
        return StepTimes(self.images + other.images, self.seconds + other.seconds, self.waited + other.waited)


@dataclass(slots=True)
class Clock:
    """Times steps on a device.

    On a GPU the wait is the gap between two steps in the GPU's stream: waiting in the program costs nothing while the
    GPU is busy.
    """

    device: torch.device
    _images: int = 0
    _begun: float = 0.0
    _done: Any = None
    _gaps: list[tuple[Any, Any]] = field(default_factory=list)

    def start(self) -> None:
        """Start, or restart after work that is not timed."""
        self._images, self._gaps = 0, []
        self._begun, self._done = time.perf_counter(), self._now()

    def ready(self) -> None:
        """The data is ready; its step starts."""
        self._gaps.append((self._done, self._now()))

    def done(self, images: int) -> None:
        """The step was submitted to the device."""
        self._images += images
        self._done = self._now()

    def lap(self) -> StepTimes:
        """The timing since `start` or the previous lap."""
        if self.device.type == "cuda":
            self._done.synchronize()
        now = time.perf_counter()
        waited = sum(self._between(end, begin) for end, begin in self._gaps)
        lap = StepTimes(self._images, now - self._begun, waited)
        self._images, self._begun, self._gaps = 0, now, []
        return lap

    def _now(self) -> Any:
        if self.device.type != "cuda":
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        event.record(torch.cuda.current_stream(self.device))
        return event

    def _between(self, end: Any, begin: Any) -> float:
        return end.elapsed_time(begin) / 1000 if self.device.type == "cuda" else begin - end
