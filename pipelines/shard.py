"""One shard from end to end, in whatever process: read, mask, encode, write, then commit its report.

The masks of a photograph are drawn from the hash of its bytes, so they are the same wherever it lies and
whatever else is in the run.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskgen.core.kindspec import file_name, parse_kind
from maskgen.core.reasons import Reason, SetAsideError

from .catalogue import Row, load_rows
from .library import Masker, MaskerFactory
from .listing import Item
from .names import escape
from .reader import Batch, batches, batches_ahead
from .records import SetAside, ShardReport, forget_shard, load_report, save_shard
from .reuse import faces_known
from .runfolder import RunFolder
from .settings import BARE, MaskSettings

if TYPE_CHECKING:
    from maskgen.core.images import Photo
    from maskgen.core.records import Face
    from maskgen.formats.places import Place

BATCH = 64  # photographs; the networks' groups fill better than with fewer
BATCH_ON_CARD = 256


@dataclass(frozen=True, slots=True)
class ShardTask:
    """All that a worker needs to know to do one shard.

    `poisoned` are keys that a worker died on; `watched` has each photograph done alone and noted before it
    is begun, so that the one a worker dies on is known; `retry` are the keys to be done again, all where it
    is None; `parent` is the process without which a worker stops.
    """

    id: str
    items: tuple[Item, ...]
    root: Place
    settings: MaskSettings
    factory: MaskerFactory
    poisoned: frozenset[str] = frozenset()
    watched: bool = False
    retry: frozenset[str] | None = None
    parent: int | None = None

    @property
    def run(self) -> RunFolder:
        """Where it is written."""
        return RunFolder(self.settings.run)

    @property
    def note(self) -> Path:
        """Where the photograph at work is noted."""
        return self.run.scratch / f"{self.id}.at"


@dataclass(frozen=True, slots=True)
class ShardDone:
    """A finished shard: its report, seconds by stage, and the worker's peak memory in MB (0: unknown).

    `reused` counts photographs whose faces another run had found; `cpu` is the processor's seconds, those of loading
    left out; `worker` is the process, and `ready` the time at which it had loaded all (None where it never did).
    """

    id: str
    report: ShardReport
    seconds: dict[str, float] = field(default_factory=dict)
    peak_mb: float = 0.0
    reused: int = 0
    cpu: float = 0.0
    worker: int = 0
    ready: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one photograph: catalogue rows and faults of single faces, or why there are none."""

    item: Item
    rows: tuple[Row, ...] = ()
    faults: tuple[SetAside, ...] = ()

    def __post_init__(self) -> None:
        if not self.rows and len(self.faults) != 1:
            raise ValueError(f"{self.item.key!r} has neither rows nor one reason")


class PhotographError(RuntimeError):
    """A fault of the program's own, with the photograph on which it showed."""


def run_shard(task: ShardTask) -> ShardDone:
    """Do a shard and commit it.

    Raises:
        OSError: an output cannot be written.
        PhotographError: the library failed in a way that is no `Reason`; names the photograph.
    """
    begun = time.process_time()
    _settle(task)
    worker = _Worker(task)
    kept = _keep(task)
    worker.go_through([item for item in task.items if task.retry is None or item.key in task.retry])
    rows, report = _sum_up(task, [*kept, *worker.outcomes])
    task.note.unlink(missing_ok=True)
    save_shard(task.run, task.id, rows, report)
    cpu = time.process_time() - begun - worker.loading
    return ShardDone(task.id, report, dict(worker.seconds), _peak_mb(), worker.reused, cpu, os.getpid(), worker.ready)


class _Worker:
    """The loop over a shard's photographs, with a clock for each stage."""

    def __init__(self, task: ShardTask) -> None:
        self.task = task
        self.outcomes: list[Outcome] = []
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.reused = 0
        self.loading = 0.0  # the processor's seconds
        self.ready: float | None = None

    def go_through(self, items: Sequence[Item]) -> None:
        """Do these photographs, in batches."""
        waiting = self._batches(items)
        while batch := self._next(waiting):
            self._batch(batch)

    def _batches(self, items: Sequence[Item]) -> Iterator[Batch]:
        if self.task.watched:
            return batches(items, self._read, 1)
        if self.task.settings.device == "cpu":
            return batches(items, self._read, BATCH)
        return batches_ahead(items, self._read, BATCH_ON_CARD)

    def _next(self, waiting: Iterator[Batch]) -> Batch:
        with self._clock("read"):
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

        _stop_if_orphaned(self.task)
        if self.task.watched:
            self.task.note.write_bytes(os.fsencode(item.key))
        if item.key in self.task.poisoned:
            _remove_outputs_of(self.task, item)
            return SetAsideError(Reason.CRASHED, "the worker died on it twice")
        if item.fault:
            return SetAsideError(Reason.UNREADABLE, item.fault)
        try:
            return photo_at(self.task.root, item.key, item.span, self.task.settings.max_pixels)
        except SetAsideError as error:
            return error

    def _mask(self, photos: dict[Item, Photo]) -> Sequence[Any]:
        if not photos:
            return []
        begun = time.process_time()
        with self._clock("load"):
            masker = _masker(self.task.factory, self.task.settings)
        self.loading += time.process_time() - begun
        self.ready = _ready_at(os.getpid())
        with self._clock("reuse"):
            keys, hashes = [item.key for item in photos], [photo.sha256 for photo in photos.values()]
            known = faces_known(self.task.settings, keys, hashes)
            self.reused += sum(map(bool, known or ()))
        before = dict(masker.timings)
        with self._clock("mask"):
            results = _process(masker, photos, known)
        for stage, seconds in masker.timings.items():
            self.seconds[stage] += seconds - before.get(stage, 0.0)
        return results

    def _write(self, item: Item, photo: Photo, results: Any) -> Outcome:
        if isinstance(results, SetAsideError):
            return _set_aside(item, results)
        outputs = [one for one in results if not isinstance(one, SetAsideError)]
        faults = [_set_aside(item, one).faults[0] for one in results if isinstance(one, SetAsideError)]
        if not outputs:
            return Outcome(item, faults=tuple(faults[:1]))
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
            check_name(self.task.run.root, name)
        return [self._write_one(item, photo, name, output) for name, output in zip(names, outputs, strict=True)]

    def _write_one(self, item: Item, photo: Photo, name: str, output: Any) -> Row:
        settings, run = self.task.settings, self.task.run
        path = f"faces/{name}.{settings.format}"
        segmentation = f"segmentation/{name}.png" if settings.segmentation else None
        self._save(run.root / path, output.image, settings.format)
        if segmentation is not None:
            self._save(run.root / segmentation, output.coverage, "png")
        row: Row = {"path": path, "segmentation": segmentation, "source": escape(item.key)}
        row |= {"source_sha256": photo.sha256, "person": item.person, "kind": output.kind}
        row |= {"variant": output.variant, "face": output.face_index}
        return row | {name: value for name, value in output.row.items() if name not in row}

    def _save(self, path: Path, image: Any, suffix: str) -> None:
        from maskgen.core.images import encode_image

        with self._clock("encode"):
            data = encode_image(image, suffix, self.task.settings.quality)
        with self._clock("write"):
            self.task.run.place(path, data)

    @contextmanager
    def _clock(self, stage: str) -> Iterator[None]:
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] += time.perf_counter() - begun


def output_name(out: str, kind: str, face: int) -> str:
    """Where an output goes below faces/ and segmentation/, without the suffix.

    Example:
        >>> output_name("Ann/01", "n95", 0), output_name("Ann/01", "bare", 1)
        ('Ann/01__n95', 'Ann/01__bare.f2')
        >>> output_name("Ann/01", "surgical:#ff8800", 0)
        'Ann/01__surgical-ff8800'
    """
    return f"{out}__{file_name(kind)}" + (f".f{face + 1}" if face else "")


def check_name(root: Path, name: str) -> None:
    """Raise SetAsideError (NAME_TOO_LONG) where the file system at `root` cannot hold a name."""
    longest, whole = _limits(root)
    most = max(len(os.fsencode(part)) for part in f"{name}.jpg".split("/"))
    if most > longest or len(os.fsencode(root / "segmentation" / name)) + 5 > whole:
        raise SetAsideError(Reason.NAME_TOO_LONG, f"{most} bytes; at most {longest} fit")


@lru_cache(maxsize=1)
def _limits(root: Path) -> tuple[int, int]:
    """How many bytes a file's name and a path may have there."""
    if not hasattr(os, "pathconf"):
        return 255, 32_000
    longest, whole = (os.pathconf(root, name) for name in ("PC_NAME_MAX", "PC_PATH_MAX"))
    return (longest if longest > 0 else 255), (whole if whole > 0 else 4096)  # -1 where there is no limit


@lru_cache(maxsize=1)
def _masker(factory: MaskerFactory, settings: MaskSettings) -> Masker:
    """This process's masker: networks are loaded once a worker, not once a shard."""
    masker = factory(settings)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)
    if cv2 := sys.modules.get("cv2"):
        cv2.setNumThreads(1)
    return masker


@lru_cache(maxsize=1)
def _ready_at(worker: int) -> float:
    """When this process first had its masker."""
    del worker
    return time.time()


def _process(masker: Masker, photos: dict[Item, Photo], known: Sequence[Sequence[Face]] | None) -> Sequence[Any]:
    """The library's results, one a photograph; a failure is pinned on its photograph by doing each alone."""
    keys = [photo.sha256 for photo in photos.values()]
    try:
        return masker.process(keys, list(photos.values()), known)
    except Exception as error:
        for at, (item, photo) in enumerate(photos.items()):
            try:
                masker.process([photo.sha256], [photo], known and [known[at]])
            except Exception as alone:
                raise PhotographError(f"{item.key}: {type(alone).__name__}: {alone}") from alone
        raise PhotographError(f"{next(iter(photos)).key} and those after it: {error}") from error


def _keep(task: ShardTask) -> list[Outcome]:
    """What a shard that is tried again already has, as outcomes; its commit is taken back.

    Its report goes first: should this process be killed, the shard is done again whole.
    """
    if task.retry is None:
        forget_shard(task.run, task.id)
        return []
    report = load_report(task.run, task.id)
    rows = load_rows(task.run.rows(task.id))
    forget_shard(task.run, task.id)
    return [
        Outcome(
            item,
            tuple(row for row in rows if row["source"] == escape(item.key)),
            tuple(fault for fault in (*report.set_aside, *report.faces_set_aside) if fault.path == escape(item.key)),
        )
        for item in task.items
        if item.key not in task.retry
    ]


def _sum_up(task: ShardTask, outcomes: Sequence[Outcome]) -> tuple[list[Row], ShardReport]:
    found = {outcome.item: outcome for outcome in outcomes}
    ordered = [found[item] for item in task.items]  # a photograph without an outcome is a KeyError here
    written = [outcome for outcome in ordered if outcome.rows]
    rows = [row for outcome in written for row in outcome.rows]
    return rows, ShardReport(
        photographs=len(task.items),
        written=len(written),
        set_aside=tuple(fault for outcome in ordered if not outcome.rows for fault in outcome.faults),
        faces_set_aside=tuple(fault for outcome in written for fault in outcome.faults),
        outputs=dict(sorted(Counter(row["kind"] for row in rows).items())),
        people=tuple(dict.fromkeys(outcome.item.person for outcome in written)),
    )


def _set_aside(item: Item, error: SetAsideError) -> Outcome:
    return Outcome(item, faults=(SetAside(escape(item.key), str(error.reason), escape(error.detail)),))


def _remove_outputs_of(task: ShardTask, item: Item) -> None:
    """Remove what an earlier attempt at a photograph may have written before its worker died."""
    folder, _, stem = item.out.rpartition("/")
    kinds = [parse_kind(text).name for text in task.settings.kinds]
    names = [output_name(stem, kind, 0) for kind in (*kinds, BARE)]
    for top in (task.run.faces, task.run.segmentation):
        for path in (top / folder).iterdir() if (top / folder).is_dir() else ():
            if path.stem in names or re.sub(r"\.f[0-9]+$", "", path.stem) in names:
                path.unlink(missing_ok=True)


def _settle(task: ShardTask) -> None:
    """Make this process a quiet worker: one thread, and interrupts left to the one that started it."""
    if task.parent is not None and task.parent != os.getpid():
        import signal

        signal.signal(signal.SIGINT, signal.SIG_IGN)
    _stop_if_orphaned(task)


def _stop_if_orphaned(task: ShardTask) -> None:
    """End a worker whose run was killed, lest it write into a folder that another run now holds."""
    if task.parent is not None and hasattr(os, "getppid") and task.parent not in (os.getppid(), os.getpid()):
        os._exit(1)


def _peak_mb() -> float:
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak / 2**20 if sys.platform == "darwin" else peak / 2**10)
