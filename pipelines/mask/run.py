"""A run of `maskgen mask` from listing to report: the remaining shards are processed, then everything is summarised."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ..checks import digest_of
from ..load_models import MaskerFactory, load_masker
from ..reports.card import write_card
from ..reports.contact_sheet import write_contact_sheet
from ..reports.mask_page import write_mask_page
from ..reports.outcome import Outcome
from ..reports.progress import Notify, Progress, show_progress
from ..reports.run_report import TIMING, Report, Timing
from ..reports.set_aside_sample import SetAsideSample
from ..reports.summary import summarise
from ..runs.catalogue import import_arrow
from ..runs.given_faces import check_points
from ..runs.run_folder import (
    RunFolder,
    check_folder,
    check_settings,
    load_settings,
    open_run,
)
from ..runs.shard_plan import Shard, cut, shard_size
from ..runs.shard_records import load_report
from ..runs.task import ShardDone, ShardTask, Start
from ..runs.versions import other_versions, versions
from ..sources.listing import Listing
from ..sources.output_names import escape
from ..sources.source import check_apart, check_no_run, list_source
from ..workers.backends import open_pool
from ..workers.kernels_ahead import begin_ahead
from ..workers.pool import Pool
from ..workers.retry import run_with_retries
from .moved_source import note_of_move, same_as
from .settings import MaskSettings
from .source_changes import apply_source_changes, undo_damaged

LAST = 8

Todo = tuple[Shard, frozenset[str] | None]


def _silent(text: str) -> None:
    del text


def run_mask(settings: MaskSettings, factory: MaskerFactory = load_masker, notify: Notify = _silent) -> Report:
    """Start or resume a run and summarise it.

    Args:
        settings: of the run.
        factory: makes the masker of a worker; a function that a worker can import.
        notify: receives messages for the user.

    Raises:
        UserError: the source or the run folder cannot be used.
    """
    begin_ahead(settings)
    listing = _list(settings)
    for note in (*listing.notes, *check_points(settings, listing)):
        notify(note)
    move = note_of_move(settings)
    with open_run(settings, shard_size(len(listing)), same_as(listing, settings.max_pixels)) as (run, size):
        if move:
            notify(move)
        shards = cut(listing, size)
        aside_before = undo_damaged(run, notify)
        apply_source_changes(run, listing, shards, settings.prune, notify)
        todo = _todo(run, shards, settings.retry_set_aside)
        if not todo and (before := _finished(run)) is not None:
            notify("All photographs are already processed.")
            return before
        if todo and (others := _begun_otherwise(run)):
            notify(others)
        took = None if todo else _took(run)
        run.remove_summaries()
        with open_pool(settings, len(todo), notify) as pool:
            tasks = _tasks(_order(settings, factory, run, pool), listing, small_last(todo, settings.workers))
            timing = _do(run_with_retries(tasks, pool), _progress(run, shards, todo, aside_before))
        aside = SetAsideSample()
        report = summarise(run, listing.people, [shard.id for shard in shards], aside)
        measured = took or timing.stored(settings.workers)
        run.place_text(run.timing, json.dumps(measured, indent=2) + "\n")
        _write_pages(run, Outcome(settings, listing.root, report, aside, measured))
        run.place_text(run.report, report.to_json(settings.deciding(), run.summary_sizes()))
        return report


def _write_pages(run: RunFolder, outcome: Outcome) -> None:
    """Write what people look at."""
    with ThreadPoolExecutor(1) as beside:  # the sheet's pixels need no lock of the interpreter's
        sheet = beside.submit(write_contact_sheet, run, outcome.report.outputs)
        write_mask_page(run, outcome)
        write_card(run, outcome.settings, outcome.report)
        sheet.result()


def _finished(run: RunFolder) -> Report | None:
    """The report of a complete run; None if a summary is missing or damaged, so that all are made again."""
    try:
        report, sizes = Report.with_sizes(run.report.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return report if run.is_complete(sizes) else None


def _took(run: RunFolder) -> dict[str, object] | None:
    """The timing of the previous start, None if there is none."""
    try:
        stored = json.loads(run.timing.read_bytes())
    except (OSError, ValueError):
        return None
    return stored if isinstance(stored, dict) and set(stored) >= TIMING else None


def _begun_otherwise(run: RunFolder) -> str:
    """What to tell where finished shards may be of other versions than today's; else nothing."""
    stored = load_settings(run)
    if stored is None or not run.done():
        return ""
    others = other_versions(stored.get("versions", {}))
    return others and f"This run was begun with {others}: pictures made now may differ from what those would give."


def _list(settings: MaskSettings) -> Listing:
    check_apart(settings.source, settings.run)
    check_no_run(settings.source)
    return list_source(settings.source)


@dataclass(frozen=True, slots=True)
class DryRun:
    """The planned work, for `--dry-run`."""

    people: int
    photographs: int
    done: int
    settings: MaskSettings

    @property
    def images(self) -> int:
        """Pictures to be written, at most, if every remaining photograph has one usable face."""
        if self.settings.unmasked_share == 1:
            return self.photographs - self.done
        per_photo = {"all": len(self.settings.kinds), "random": 1}.get(
            str(self.settings.per_photo), self.settings.per_photo
        )
        return (self.photographs - self.done) * (int(per_photo) + self.settings.bare)

    def table(self) -> str:
        """The printed table."""
        cut = self.settings.faces == "all" and self.settings.crop != "none"
        note = "for each face" if cut else "if every photograph has a face"
        if self.settings.unmasked_share > 0 and self.images > self.photographs - self.done:
            note = f"at most, {note}"  # a photograph that stays bare gives one picture
        return "\n".join(
            [
                f"{'people':<16}{self.people:>12,}",
                f"{'photographs':<16}{self.photographs:>12,}",
                f"{'finished':<16}{self.done:>12,}",
                f"{'images to write':<16}{self.images:>12,}    {note}",
                f"Nothing was written. Without --dry-run they go to {self.settings.run}.",
            ]
        )


def dry_run(settings: MaskSettings) -> DryRun:
    """Count the work of a run and check its settings, without writing anything."""
    listing = _list(settings)
    check_points(settings, listing)
    run = RunFolder(settings.run)
    check_folder(run)
    size = check_settings(run, settings, same_as(listing, settings.max_pixels))
    finished = run.done() if size is not None else set()
    shards = cut(listing, size or shard_size(len(listing)))
    done = sum(shard.count for shard in shards if shard.id in finished)
    return DryRun(listing.people, len(listing), done, settings)


def _todo(run: RunFolder, shards: Sequence[Shard], retry: bool) -> list[Todo]:
    """The shards to process, each with the photographs to retry (as text), None for all."""
    done = run.done()
    todo: list[Todo] = []
    for shard in shards:
        if shard.id not in done:
            todo.append((shard, None))
        elif retry and (aside := frozenset(one.path for one in load_report(run, shard.id).set_aside)):
            todo.append((shard, aside))
    return todo


def small_last(todo: Sequence[Todo], workers: int) -> list[Todo]:
    """The shards in an order in which all workers end at nearly the same time: the last LAST of each worker begin with
    the largest ones. The others keep their order, in which photographs lie together."""
    at = max(len(todo) - LAST * max(workers, 1), 0)
    return [*todo[:at], *sorted(todo[at:], key=lambda one: -one[0].count)]


def _do(answers: Iterator[ShardDone], bar: Progress) -> Timing:
    timing = Timing()
    begun = time.perf_counter()
    with bar as progress:
        for done in answers:
            timing.add(done)
            progress.add(done.report.photographs, len(done.report.set_aside))
            import_arrow()
    timing.elapsed = time.perf_counter() - begun
    return timing


@dataclass(frozen=True, slots=True)
class _Order:
    """The part that all tasks of a start share."""

    settings: MaskSettings
    factory: MaskerFactory
    start: Start


def _order(settings: MaskSettings, factory: MaskerFactory, run: RunFolder, pool: Pool) -> _Order:
    start = Start(
        run.start,
        digest_of(settings.deciding()),
        parent=os.getpid() if pool.children else None,
        versions=() if pool.children else tuple(versions().items()),
        lives=pool.lives,
    )
    return _Order(settings if pool.children else settings.absolute(), factory, start)


def _tasks(order: _Order, listing: Listing, todo: Sequence[Todo]) -> Iterator[ShardTask]:
    """The tasks, created on demand: the photographs of only a few shards are in memory."""
    for shard, again in todo:
        items = shard.items(listing)
        retry = None
        if again is not None:
            retry = frozenset(item.key for item in items if escape(item.key) in again)
        yield ShardTask(
            shard.id, items, listing.root.absolute(), order.settings, order.factory, order.start, retry=retry
        )


def _progress(run: RunFolder, shards: Sequence[Shard], todo: Sequence[Todo], known: Mapping[str, int]) -> Progress:
    """The bar; `known` is how many photographs are set aside in shards whose report was read."""
    left = {shard.id for shard, _ in todo}
    before = [shard for shard in shards if shard.id not in left]
    aside = sum(known[one.id] if one.id in known else len(load_report(run, one.id).set_aside) for one in before)
    return show_progress(sum(shard.count for shard in shards), sum(shard.count for shard in before), aside)
