"""A shape predictor as this program uses it, kept in the cache folder: memory-mapped, so that processes share it.

Reading dlib's own file takes seconds; mapping what was read takes milliseconds. The name of the kept file tells apart
the model's path, size and time of change. It is on the disk before it has its name. Where it is cut, or another file,
dlib's is read again; other damage is not noticed: a checksum of 67 MB would cost each start a tenth of its time.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from maskgen.core.atomic_writes import atomic_file
from maskgen.core.cache.folder import cache_folder, remove_all_but_newest
from maskgen.faces.shape_predictor_file import LANDMARKS, RegressionForests, load_forests

MAGIC = np.frombuffer(b"MGFOREST", np.int64)[0]
VERSION = 2  # of the layout below
HEAD = 8  # integers: MAGIC, VERSION, cascades, trees, leaves, pixels, points, and a 0
PREFIX, MOST = "forests-", 8  # of the kept files: how their names begin, and how many there are
FLOATS, INTS = np.dtype("<f4"), np.dtype("<i8")


def cached_forests(model: Path, points: int = LANDMARKS) -> RegressionForests:
    """Read a shape predictor of so many points, from the cache if it was read before.

    Raises:
        ValueError: the file is none.
        OSError: it cannot be read.
    """
    kept = _kept(model)
    with contextlib.suppress(OSError, ValueError):  # none yet, or not whole
        return _mapped(kept, points)
    forests = load_forests(model, points)
    with contextlib.suppress(OSError):  # a home that cannot be written: nothing is kept
        _keep(forests, kept)
        remove_all_but_newest(PREFIX, MOST)
    return forests


def _kept(model: Path) -> Path:
    state = model.stat()
    about = f"{model.resolve()}\0{state.st_size}\0{state.st_mtime_ns}"
    name = hashlib.sha256(about.encode("utf-8", "surrogatepass")).hexdigest()[:24]
    return cache_folder() / f"{PREFIX}{VERSION}-{name}"


def _parts(
    cascades: int, trees: int, leaves: int, pixels: int, points: int
) -> Iterator[tuple[str, np.dtype, tuple[int, ...]]]:
    """The arrays in the order of the file; integers first, for their alignment."""
    for name in ("first", "second"):
        yield name, INTS, (cascades, trees, leaves - 1)
    yield "anchors", INTS, (cascades, pixels)
    yield "mean", FLOATS, (2 * points,)
    yield "threshold", FLOATS, (cascades, trees, leaves - 1)
    yield "deltas", FLOATS, (cascades, pixels, 2)
    yield "leaves", FLOATS, (cascades, trees, leaves, 2 * points)


def _keep(forests: RegressionForests, path: Path) -> None:
    cascades, trees, leaves, _ = forests.leaves.shape
    sizes = cascades, trees, leaves, forests.anchors.shape[1], len(forests.mean) // 2
    with atomic_file(path) as file:
        file.write(np.array([MAGIC, VERSION, *sizes, 0], INTS).tobytes())
        for name, kind, _ in _parts(*sizes):
            file.write(np.ascontiguousarray(getattr(forests, name), kind).data)


def _mapped(path: Path, points: int) -> RegressionForests:
    size = path.stat().st_size
    if size < HEAD * INTS.itemsize:
        raise ValueError("too short")
    data = np.asarray(np.memmap(path, np.uint8, "r"))
    head = data[: HEAD * INTS.itemsize].view(INTS)
    if head[0] != MAGIC or head[1] != VERSION or head[6] != points or head[2:6].min() < 1 or head[2:6].max() > 1 << 20:
        raise ValueError("another file")
    parts, at = {}, HEAD * INTS.itemsize
    for name, kind, shape in _parts(*head[2:7].tolist()):
        end = at + kind.itemsize * int(np.prod(shape))
        if end > size:
            raise ValueError("it ends early")
        parts[name], at = data[at:end].view(kind).reshape(shape), end
    if at != size:
        raise ValueError("more follows")
    return RegressionForests(**parts)
