"""A sample of the photographs that a run set aside, independent of the order of the shards."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..runs.shard_records import SetAside

PHOTOGRAPH, FACE = "photograph", "face"
MOST_NAMES = 600  # listed by name
MOST_PICTURES = 120  # shown as pictures


@dataclass(frozen=True, slots=True)
class SetAsideItem:
    """A photograph, or one face of a photograph with several, that was set aside; `what` says which."""

    what: str
    path: str
    reason: str
    detail: str


@dataclass(slots=True)
class SetAsideSample:
    """Keeps, for each reason, the names with the lowest hashes: a deterministic sample, independent of order.

    `counts` are by (what, reason); `folders` are those of all that was set aside.
    """

    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    _kept: dict[str, list[tuple[int, int, SetAsideItem]]] = field(default_factory=dict)
    _seen: int = 0

    def add(self, what: str, several: Iterable[SetAside]) -> None:
        """Count items, and keep those that belong to the sample."""
        for one in several:
            key = (what, one.reason)
            self.counts[key] = self.counts.get(key, 0) + 1
            kept = self._kept.setdefault(one.reason, [])
            self._seen += 1
            self.folders.add(one.path.rpartition("/")[0])
            # The smallest item of a heap is removed first, so hashes are negated; the count breaks ties.
            entry = (-_hash(one), -self._seen, SetAsideItem(what, one.path, one.reason, one.detail))
            if len(kept) < MOST_NAMES:
                heapq.heappush(kept, entry)
            else:
                heapq.heappushpop(kept, entry)

    @property
    def total(self) -> int:
        """The number of photographs and faces set aside."""
        return sum(self.counts.values())

    def by_reason(self) -> dict[str, int]:
        """The numbers set aside by reason."""
        return self._summed(1)

    def by_what(self) -> dict[str, int]:
        """The numbers of photographs and of faces set aside."""
        return self._summed(0)

    def _summed(self, part: int) -> dict[str, int]:
        summed: dict[str, int] = {}
        for key, count in self.counts.items():
            summed[key[part]] = summed.get(key[part], 0) + count
        return summed

    def shown(self) -> list[SetAsideItem]:
        """At most MOST_NAMES items, reasons in turn; the first MOST_PICTURES include every reason.

        Taking turns keeps rare reasons in the sample.
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
