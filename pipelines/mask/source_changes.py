"""Changes of the source since a run's last start: process new photographs, remove outputs on request only."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from maskgen.core.reasons import UserError, counted

from ..runs.catalogue import load_rows
from ..runs.outputs import TOPS
from ..runs.run_folder import RunFolder, remove_outputs
from ..runs.shard_plan import Shard
from ..runs.shard_records import DamagedShardError, check_shard, retract_shard
from ..sources.listing import Listing
from ..sources.output_names import escape

_PLAN = re.compile(rb"[0-9a-f]{32}\n")


def apply_source_changes(
    run: RunFolder, listing: Listing, shards: Sequence[Shard], prune: bool, notify: Callable[[str], None]
) -> None:
    """Update the run folder to the current source: remove outputs that belong to no shard of the plan.

    New photographs are in shards that are not finished. Outputs that no finished shard lists are removed, because an
    unfinished shard of an earlier plan may have left some under names that are no longer used.

    Raises:
        UserError: processed photographs are missing from the source, and `prune` is False.
    """
    digest = plan_digest(shards)
    known = _known_plan(run, notify)
    if known != digest and known is not None:
        stale = sorted(run.done() - {shard.id for shard in shards})
        _check_gone(run, listing, stale, prune, notify)
        run.remove_summaries()
        for shard in stale:
            retract_shard(run, shard)
        remove_outputs(run, keep=Listed(run))
        run.faces.mkdir(exist_ok=True)
    if known != digest:
        run.place_text(run.plan, digest, durable=True)


def undo_damaged(run: RunFolder, notify: Callable[[str], None]) -> dict[str, int]:
    """Retract the finished shards that are damaged or lack an output, so that they are processed again.

    Returns:
        How many photographs were set aside in each of the others.
    """
    aside: dict[str, int] = {}
    damaged: list[str] = []
    for shard in sorted(run.done()):
        try:
            aside[shard] = len(check_shard(run, shard).set_aside)
        except DamagedShardError as error:
            damaged.append(f"{run.shard(shard)}: {error.why}")
            retract_shard(run, shard)
    if damaged:
        shards = counted(len(damaged), "finished shard is", "finished shards are")
        notify(f"{shards} damaged, and processed again: {damaged[0]}.")
    return aside


def _known_plan(run: RunFolder, notify: Callable[[str], None]) -> str | None:
    """The digest of the last start's shards; "" if it is damaged or lost, None of a run without a finished shard."""
    stored = run.plan.read_bytes() if run.plan.exists() else b""
    if not stored and not run.done():
        return None
    if not _PLAN.fullmatch(stored):
        notify(f"{run.plan} is lost or damaged, and is written again; outputs of no finished shard are removed.")
        return ""
    return stored.decode("ascii")


def plan_digest(shards: Sequence[Shard]) -> str:
    """What a run keeps of its shards, a line of text."""
    digest = hashlib.blake2b(digest_size=16)
    for shard in shards:
        digest.update(shard.id.encode())
    return digest.hexdigest() + "\n"


def _check_gone(
    run: RunFolder, listing: Listing, stale: Sequence[str], prune: bool, notify: Callable[[str], None]
) -> None:
    gone = _gone(run, listing, stale)
    if gone and not prune:
        raise UserError(
            f"SOURCE no longer holds {counted(len(gone), 'photograph')} that this run has processed (such as "
            f"{gone[0]}): put back what is missing, or give --prune to remove its outputs."
        )
    if gone:
        notify(
            f"{counted(len(gone), 'photograph is', 'photographs are')} missing from SOURCE: the outputs are removed."
        )


def _gone(run: RunFolder, listing: Listing, stale: Sequence[str]) -> list[str]:
    """The photographs with outputs that SOURCE lacks. One that was set aside has none to remove: it may have been the
    damaged rest of an archive that is whole now."""
    recorded = {row["source"] for shard in stale for row in load_rows(run.rows(shard), ["source"])}
    if recorded:
        for folder in listing.folders:
            recorded.difference_update(escape(item.key) for item in listing.items(folder))
    return sorted(recorded)


class Listed:
    """The outputs of all finished shards, below the run's folder: their files, and the tars that hold them.

    Paths are kept as 64-bit hashes, because the paths of millions of photographs take gigabytes. A hash collision,
    which is very unlikely, only leaves a stale file in place.
    """

    def __init__(self, run: RunFolder) -> None:
        self._hashes = np.sort(np.fromiter(map(hash, _paths(run)), np.int64))

    def __contains__(self, path: object) -> bool:
        sought = hash(path)
        at = int(np.searchsorted(self._hashes, sought))
        return at < len(self._hashes) and bool(self._hashes[at] == sought)


def _paths(run: RunFolder) -> Iterator[str]:
    for shard in run.done():
        yield from (f"{top}/{shard}.tar" for top in TOPS)
        for row in load_rows(
            run.rows(shard), ["path", "segmentation", "classes"]
        ):  # the last one only if it was written
            yield from filter(None, row.values())
