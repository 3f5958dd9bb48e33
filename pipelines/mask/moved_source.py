"""A run whose SOURCE is at another place than before: the names are compared, and the bytes of some photographs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from maskgen.core.reasons import SetAsideError

from ..runs.catalogue import load_rows
from ..runs.run_folder import SOURCE, RunFolder, SamePhotographs, check_folder, load_settings
from ..runs.shard_plan import Shard, cut
from ..sources.listing import Listing
from ..sources.output_names import escape
from .settings import MaskSettings
from .source_changes import plan_digest

SAMPLES = 16  # finished shards of which a photograph is compared
_COLUMNS = ["source", "source_sha256"]


def same_as(listing: Listing, max_pixels: int) -> SamePhotographs:
    """Whether the shards of a run at its last start are those of this listing, with the same photographs."""

    def same(run: RunFolder, size: int) -> bool:
        shards = cut(listing, size)
        if not run.plan.exists() or run.plan.read_bytes() != plan_digest(shards).encode():
            return False
        done = run.done()
        finished = [shard for shard in shards if shard.id in done]
        some = finished[:: max(1, len(finished) // SAMPLES)]
        return all(now == before for now, before in _hashes(run, listing, some, max_pixels))

    return same


def note_of_move(settings: MaskSettings) -> str:
    """What to tell where the run in this folder has had another SOURCE; else nothing.

    Raises:
        UserError: it is no folder of a run, or its settings are damaged.
    """
    run = RunFolder(settings.run)
    check_folder(run)
    stored = load_settings(run) if run.settings.exists() and not settings.overwrite else None
    before, now = stored and stored["settings"].get(SOURCE), settings.deciding()[SOURCE]
    if before in (None, now):
        return ""
    return f"SOURCE was {before} and is {now} now; it holds the same names, and the same photographs where compared."


def _hashes(run: RunFolder, listing: Listing, shards: Sequence[Shard], max_pixels: int) -> Iterator[tuple[str, str]]:
    """The hash of the first photograph of each shard that has a picture, "" if it cannot be read, and the run's."""
    from maskgen.formats.reading import photo_at

    for shard in shards:
        known = {row["source"]: row["source_sha256"] for row in load_rows(run.rows(shard.id), _COLUMNS)}
        for item in shard.items(listing):
            if (before := known.get(escape(item.key))) is None:
                continue
            try:
                yield photo_at(listing.root.absolute(), item.key, item.span, max_pixels).sha256, before
            except SetAsideError:
                yield "", before
            break
