"""Process one shard, in any process: read, mask, encode, write, then commit the report.

The masks of a photograph are drawn from the hash of its bytes, so they do not depend on its path or on the other
photographs of the run.
"""

from __future__ import annotations

import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from maskgen.core.reasons import Reason, SetAsideError, UserError
from maskgen.formats.any_path import RemotePath

from ..load_models import Masker, MaskerFactory
from ..mask.settings import MaskSettings
from ..sources.listing import Item
from ..sources.output_names import escape
from .attempts import History, Log
from .catalogue import Row, load_rows
from .given_faces import given_faces
from .outputs import CLASSES, FACES, SEGMENTATION, output_name, outputs_of
from .reader import Batch, batches, batches_ahead
from .reuse import stored_faces
from .shard_records import SetAside, ShardReport, load_report, retract_shard, save_shard
from .task import ShardDone, ShardReturned, ShardTask, Start
from .worker_process import ONE_AT_A_TIME, peak_mb, prepare_worker, release_memory, stop_if_orphaned, worker_name

if TYPE_CHECKING:
    from maskgen.core.images import Photo
    from maskgen.core.records import Face
    from maskgen.points.table import Given

BATCH = 64  # photographs per batch; fewer would leave the networks' groups partly empty
BATCH_ON_CARD = 256


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one photograph: catalogue rows, and faults of single faces. Without rows the first fault is that
    of the photograph."""

    item: Item
    rows: tuple[Row, ...] = ()
    faults: tuple[SetAside, ...] = ()

    def __post_init__(self) -> None:
        if not self.rows and not self.faults:
            raise ValueError(f"{self.item.key!r} has neither rows nor a reason")


class PhotographError(RuntimeError):
    """A bug of the program, with the photograph on which it occurred."""


def run_shard(task: ShardTask) -> ShardDone | ShardReturned:
    """Process a shard and commit it, unless too many workers died on it in this turn.

    Raises:
        OSError: an output cannot be written.
        PhotographError: the library raised an unexpected error; names the photograph.
        UserError: this process cannot work on the run.
    """
    with ONE_AT_A_TIME:
        prepare_worker(task)
        log = Log(task.log)
        history = log.history()
        history.check()
        if task.retry is None and task.run.shard(task.id).exists():
            # Finished by a worker that died, or was given up, before it answered.
            return ShardDone(task.id, load_report(task.run, task.id))
        if task.start.lives is not None and history.in_turn(task.turn) >= max(task.start.lives, 1):
            return ShardReturned(task.id)
        log.begin(task.turn)
        done = _run(task, history)
        log.end()
        release_memory(len(task.items))
        return done


def run_packed(packed: tuple[ShardTask]) -> ShardDone | ShardReturned:
    """`run_shard` for a task that travels in a tuple."""
    return run_shard(packed[0])


def _run(task: ShardTask, history: History) -> ShardDone:
    begun = time.process_time()
    worker = _Worker(task, history)
    kept, items = _take_back(task)
    worker.go_through(items)
    rows, report = _sum_up(task, [*kept, *worker.outcomes])
    with worker.clock("commit"):
        worker.outputs.commit(rows)
        save_shard(task.run, task.id, rows, report, worker.outputs.sizes)
    cpu = time.process_time() - begun - worker.loading
    return ShardDone(task.id, report, dict(worker.seconds), peak_mb(), worker.reused, cpu, worker_name(), worker.ready)


class _Worker:
    """The loop over a shard's photographs, with a timer for each stage."""

    def __init__(self, task: ShardTask, history: History) -> None:
        self.task = task
        self.log = Log(task.log)
        self.outputs = outputs_of(task.run, task.settings, task.id)
        self.poisoned = history.poisoned
        # After a worker died on the shard, the photographs are processed one at a time, each logged before it.
        self.places = {item: place for place, item in enumerate(task.items)} if history.attempts else {}
        self.outcomes: list[Outcome] = []
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.reused = 0
        self.loading = 0.0  # CPU seconds
        self.ready: float | None = None

    def go_through(self, items: Sequence[Item]) -> None:
        """Process these photographs in batches."""
        waiting = self._batches(items)
        while batch := self._next(waiting):
            self._batch(batch)

    def _batches(self, items: Sequence[Item]) -> Iterator[Batch]:
        if self.places:
            self._masker()  # first, so that a death during loading is not attributed to a photograph
            return batches(items, self._read, 1)
        if self.task.settings.device != "cpu":
            return batches_ahead(items, self._read, BATCH_ON_CARD)
        if isinstance(self.task.root, RemotePath):  # includes the wait for reads
            return batches_ahead(items, self._read, BATCH)
        return batches(items, self._read, BATCH)

    def _next(self, waiting: Iterator[Batch]) -> Batch:
        with self.clock("read"):
            return next(waiting, [])

    def _batch(self, batch: Batch) -> None:
        photos = dict(batch)
        readable = {item: photo for item, photo in photos.items() if not isinstance(photo, SetAsideError)}
        results = dict(zip(readable, self._mask(readable), strict=True))
        for item, photo in photos.items():
            if isinstance(photo, SetAsideError):
                self.outcomes.append(_set_aside(item, photo))
            else:
                self.outcomes.append(self._write(item, photo, results[item]))

    def _read(self, item: Item) -> Photo | SetAsideError:
        from maskgen.formats.reading import photo_at

        stop_if_orphaned(self.task.start)
        if self.places:
            if self.places[item] in self.poisoned:
                self.outputs.forget(item)
                return SetAsideError(Reason.CRASHED, "the worker died on it twice")
            self.log.at(self.places[item])
        if item.fault:
            return SetAsideError(Reason.UNREADABLE, item.fault)
        try:
            return photo_at(self.task.root, item.key, item.span, self.task.settings.max_pixels)
        except SetAsideError as error:
            return error

    def _masker(self) -> Masker:
        begun = time.process_time()
        with self.clock("load"):
            masker = _loaded(self.task.factory, self.task.settings, self.task.start.digest)
        self.loading += time.process_time() - begun
        self.ready = _ready_at(self.task.start)
        return masker

    def _mask(self, photos: dict[Item, Photo]) -> Sequence[Any]:
        if not photos:
            return []
        masker = self._masker()
        with self.clock("reuse"):
            keys, hashes = [item.key for item in photos], [photo.sha256 for photo in photos.values()]
            known = stored_faces(self.task.settings, self.task.start.token, keys, hashes)
            self.reused += sum(map(bool, known or ()))
            given = given_faces(self.task.settings, self.task.start.token, self.task.root, keys)
        before = dict(masker.timings)
        with self.clock("mask"):
            results = _process(masker, photos, known, given)
        for stage, seconds in masker.timings.items():
            self.seconds[stage] += seconds - before.get(stage, 0.0)
        return results

    def _write(self, item: Item, photo: Photo, results: Any) -> Outcome:
        if isinstance(results, SetAsideError):
            return _set_aside(item, results)
        outputs = [one for one in results if not isinstance(one, SetAsideError)]
        faults = [_set_aside(item, one).faults[0] for one in results if isinstance(one, SetAsideError)]
        if not outputs:
            return Outcome(item, faults=tuple(faults))
        try:
            rows = self._write_all(item, photo, outputs)
        except SetAsideError as error:
            return _set_aside(item, error)
        return Outcome(item, tuple(rows), tuple(faults))

    def _write_all(self, item: Item, photo: Photo, outputs: Sequence[Any]) -> list[Row]:
        names = [output_name(item.out, output.kind, output.face_index) for output in outputs]
        if len(set(names)) != len(names):
            raise PhotographError(f"{item.key}: two outputs of one name in {names}")
        for name in names:
            self.outputs.check(name)
        written = [self._write_one(item, photo, name, output) for name, output in zip(names, outputs, strict=True)]
        return [row for rows in written for row in rows]

    def _write_one(self, item: Item, photo: Photo, name: str, output: Any) -> list[Row]:
        """The rows of one picture, one per masked face."""
        settings = self.task.settings
        path = self.outputs.path(FACES, name, settings.format)
        segmentation = self.outputs.path(SEGMENTATION, name, "png") if settings.segmentation else None
        self._save(path, output.image, settings.format)
        if segmentation is not None:
            self._save(segmentation, output.coverage, "png")
        base: Row = {"path": path, "segmentation": segmentation, "source": escape(item.key)}
        if settings.classes:
            base["classes"] = self.outputs.path(CLASSES, name, "png")
            self._save(base["classes"], output.parts, "png")
        levels = "{}-{}".format(*photo.levels) if photo.levels else None
        base |= {"source_sha256": photo.sha256, "source_levels": levels, "person": item.person, "kind": output.kind}
        base |= {"variant": output.variant, "face": output.face_index}
        rows = [base | {"picture_face": at} | own for at, own in enumerate((output.row, *output.others))]
        if settings.keeps_crops:
            rows = [row | {"alignment": settings.alignment_of_crop(output.image.shape[1])} for row in rows]
        self.outputs.tell(rows)
        return rows

    def _save(self, path: str, image: Any, suffix: str) -> None:
        from maskgen.core.images import encode_image

        with self.clock("encode"):
            data = encode_image(image, suffix, self.task.settings.quality)
        with self.clock("write"):
            self.outputs.put(path, data)

    @contextmanager
    def clock(self, stage: str) -> Iterator[None]:
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] += time.perf_counter() - begun


@lru_cache(maxsize=1)
def _loaded(factory: MaskerFactory, settings: MaskSettings, digest: str) -> Masker:
    """This process's masker: networks are loaded once per worker, not once per shard.

    The digest distinguishes edited files (a template, print or model) behind equal settings.
    """
    del digest
    masker = factory(settings)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)
    if cv2 := sys.modules.get("cv2"):
        cv2.setNumThreads(1)
    return masker


@lru_cache(maxsize=1)
def _ready_at(start: Start) -> float:
    """The time at which this process had loaded its masker in this start."""
    del start
    return time.time()


def _process(
    masker: Masker,
    photos: dict[Item, Photo],
    known: Sequence[Sequence[Face]] | None,
    given: Sequence[Given] | None,
) -> Sequence[Any]:
    """The library's results, one per photograph; after an error each is processed alone to find the photograph."""
    keys = [photo.sha256 for photo in photos.values()]
    try:
        return masker.process(keys, list(photos.values()), known, given)
    except UserError:  # a model that is missing or damaged: no photograph's fault
        raise
    except Exception as error:
        for at, (item, photo) in enumerate(photos.items()):
            try:
                masker.process([photo.sha256], [photo], known and [known[at]], given and [given[at]])
            except Exception as alone:
                raise PhotographError(f"{item.key}: {type(alone).__name__}: {alone}") from alone
        raise PhotographError(f"{next(iter(photos)).key} and those after it: {error}") from error


def _take_back(task: ShardTask) -> tuple[list[Outcome], list[Item]]:
    """Retract a shard's commit: returns the outcomes to keep and the photographs to process.

    The report is removed first: if this process is killed, the whole shard is processed again.
    """
    retry = task.retry if task.run.shard(task.id).exists() else None
    if retry is None:
        retract_shard(task.run, task.id)
        return [], list(task.items)
    report = load_report(task.run, task.id)
    rows = load_rows(task.run.rows(task.id))
    retract_shard(task.run, task.id)
    kept = [
        Outcome(
            item,
            tuple(row for row in rows if row["source"] == escape(item.key)),
            tuple(fault for fault in (*report.set_aside, *report.faces_set_aside) if fault.path == escape(item.key)),
        )
        for item in task.items
        if item.key not in retry
    ]
    return kept, [item for item in task.items if item.key in retry]


def _sum_up(task: ShardTask, outcomes: Sequence[Outcome]) -> tuple[list[Row], ShardReport]:
    found = {outcome.item: outcome for outcome in outcomes}
    ordered = [found[item] for item in task.items]  # a photograph without an outcome is a KeyError here
    written = [outcome for outcome in ordered if outcome.rows]
    rows = [row for outcome in written for row in outcome.rows]
    return rows, ShardReport(
        photographs=len(task.items),
        written=len(written),
        set_aside=tuple(fault for outcome in ordered if not outcome.rows for fault in outcome.faults[:1]),
        faces_set_aside=tuple(fault for outcome in ordered for fault in outcome.faults[0 if outcome.rows else 1 :]),
        outputs=dict(sorted(Counter(row["kind"] for row in rows if not row["picture_face"]).items())),
        rows=len(rows),
        people=tuple(dict.fromkeys(outcome.item.person for outcome in written)),
        several_faces=sum(outcome.rows[0]["faces_found"] > 1 for outcome in written),
    )


def _set_aside(item: Item, error: SetAsideError) -> Outcome:
    return Outcome(item, faults=(SetAside(escape(item.key), str(error.reason), escape(error.detail)),))
