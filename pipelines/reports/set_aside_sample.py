"""A sample of what a run set aside, the same whatever the order in which shards were done."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..runs.records import SetAside

PHOTOGRAPH, FACE = "photograph", "face"
MOST_NAMES = 600  # told by name
MOST_PICTURES = 120  # shown


@dataclass(frozen=True, slots=True)
class SetAsideItem:
    """One that was set aside: `what` is a photograph, or a face of one that has others."""

    what: str
    path: str
    reason: str
    detail: str


@dataclass(slots=True)
class SetAsideSample:
    """Keeps of each reason those whose names have the lowest hashes: a sample without order and without chance."""

    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    _kept: dict[str, list[tuple[int, int, SetAsideItem]]] = field(default_factory=dict)
    _seen: int = 0

    def add(self, what: str, several: Iterable[SetAside]) -> None:
        """Count some, and keep what belongs to the sample."""
        for one in several:
            key = (what, one.reason)
            self.counts[key] = self.counts.get(key, 0) + 1
            kept = self._kept.setdefault(one.reason, [])
            self._seen += 1
            # The least of a heap is the next to go, so hashes are negated; the count tells equal ones apart.
            entry = (-_hash(one), -self._seen, SetAsideItem(what, one.path, one.reason, one.detail))
            if len(kept) < MOST_NAMES:
                heapq.heappush(kept, entry)
            else:
                heapq.heappushpop(kept, entry)

    @property
    def total(self) -> int:
        """All that were set aside, photographs and faces."""
        return sum(self.counts.values())

    def shown(self) -> list[SetAsideItem]:
        """At most MOST_NAMES, as many of each reason as there is room for; the first MOST_PICTURES have every reason.

        Reasons take turns, so that a rare one is not lost behind a common one.
        """
        by_reason = [
            [entry for _, _, entry in sorted(kept, reverse=True)] for _, kept in sorted(self._kept.items()) if kept
        ]
        return list(_in_turn(by_reason))[:MOST_NAMES]


def _in_turn(lists: Sequence[Sequence[SetAsideItem]]) -> Iterable[SetAsideItem]:
    for at in range(max(map(len, lists), default=0)):
        yield from (one[at] for one in lists if at < len(one))


def _hash(one: SetAside) -> int:
    text = f"{one.path}\0{one.detail}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")
