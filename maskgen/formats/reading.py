"""Read any picture by its address: `read_bytes(root, "faces/shard-00003.tar/ANNA/1__n95.jpg")`.

An address is a path in which a container file counts as a folder: `ANNA/1.jpg`, `train.rec/17`, `lfw.bin/0`,
`s3://bucket/shards/a.tar/ANNA/1.jpg`. Nothing is unpacked to disk, and a name in a container is looked up in its index,
never used as a path.
"""

from __future__ import annotations

import os
import re
import threading
from collections import OrderedDict
from collections.abc import Container as Names
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from maskgen.core.images import DEFAULT_MAX_PIXELS, Photo, photo_of, read_file
from maskgen.core.reasons import Reason, SetAsideError

from .any_path import AnyPath, RemotePath, is_remote
from .containers import Container, open_container, read_picture, read_span
from .faults import ContainerError
from .range_reads import open_random

_INSIDE = re.compile(r"\.(?:tar|tar\.gz|tgz|rec|bin)(?=/)", re.IGNORECASE)
_MOST_HELD = 1 << 29  # memory limit of open containers in bytes: the index of 20 million members


def read_bytes(root: AnyPath | str, address: str) -> bytes:
    """The bytes of one picture's file. Thread- and process-safe; containers stay open between calls.

    Args:
        root: base of the address, unless it is absolute.
        address: see above.

    Raises:
        SetAsideError: UNREADABLE or NOT_A_PICTURE, with a detail.
        OSError: an object store cannot be reached.
    """
    whole = join(root, address)
    inside = split(whole)
    if inside is None:
        return _read_remote(RemotePath(whole)) if is_remote(whole) else read_file(Path(whole))
    container, name = inside
    with _reasons(container):
        return _opened(container).read(name)


def read_photo(root: AnyPath | str, address: str, max_pixels: int = DEFAULT_MAX_PIXELS) -> Photo:
    """Read and decode one picture; see `core.images.read_photo`."""
    data = read_bytes(root, address)
    return photo_of(data, max_pixels)


def photo_at(root: AnyPath, address: str, span: tuple[int, int] | None, max_pixels: int) -> Photo:
    """As `read_photo`, with the byte range of the picture in its container if already known."""
    data = read_bytes(root, address) if span is None else _bytes_at(join(root, address), *span)
    return photo_of(data, max_pixels)


def _bytes_at(whole: str, offset: int, size: int) -> bytes:
    inside = split(whole)
    if inside is None:
        raise SetAsideError(Reason.UNREADABLE, "its container is gone")
    container = inside[0]
    pieces = open_random(RemotePath(container) if is_remote(container) else Path(container))
    read = read_picture if container.lower().endswith(".rec") else read_span
    with _reasons(container):
        return read(pieces, offset, size)


@contextmanager
def _reasons(container: str) -> Iterator[None]:
    """Turn errors of a container into reasons of the requested picture."""
    name = container.rpartition("/")[2]
    try:
        yield
    except KeyError:
        raise SetAsideError(Reason.UNREADABLE, f"{name} does not hold it") from None
    except ContainerError as fault:
        raise SetAsideError(Reason.UNREADABLE, f"{name}: {fault}") from None
    except (FileNotFoundError, PermissionError) as fault:
        raise SetAsideError(Reason.UNREADABLE, fault.strerror or str(fault)) from None


def names_in(root: AnyPath | str, folder: str) -> Names[str]:
    """The names of the pictures directly in a folder, which may be in a container; supports `in`."""
    whole = join(root, folder.rstrip("/"))
    inside = split(whole + "/")
    if inside is None:
        return _files_in(whole)
    container, within = inside
    try:
        return _Within(_opened(container), within)
    except (OSError, ContainerError):
        return frozenset()


class _Within:
    """The pictures of a container below one of its folders."""

    def __init__(self, container: Container, folder: str) -> None:
        self._container, self._folder = container, folder.rstrip("/") + "/" if folder else ""

    def __contains__(self, name: object) -> bool:
        return self._container.has(f"{self._folder}{name}")


def _files_in(folder: str) -> frozenset[str]:
    if is_remote(folder):
        return frozenset(RemotePath(folder).names())
    try:
        with os.scandir(folder or ".") as entries:
            return frozenset(entry.name for entry in entries if entry.is_file())
    except OSError:
        return frozenset()


def join(root: AnyPath | str, address: str) -> str:
    """The absolute address, as text."""
    if is_remote(address) or os.path.isabs(address):  # noqa: PTH117  a Path would take an address's second "/"
        return address
    return f"{root}/{address}"


def split(whole: str) -> tuple[str, str] | None:
    """The container and the name in it, None if the address has no container."""
    for match in _INSIDE.finditer(whole):
        container = whole[: match.end()]
        if is_remote(whole) or os.path.isfile(container):  # noqa: PTH113  asked for every picture
            return container, whole[match.end() + 1 :]
    return None


def _read_remote(place: RemotePath) -> bytes:
    with _reasons(place.name):
        return place.read_bytes()


class _Cache:
    """An LRU cache of open containers; a container whose file was replaced is opened again."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.held: OrderedDict[str, tuple[object, Container]] = OrderedDict()
        self.weight = 0

    def get(self, container: str) -> Container:
        """The container, opened if needed; one opens at a time, because two threads may need the same."""
        state = _state(container)
        with self.lock:
            known = self.held.pop(container, None)
            if known is not None and known[0] != state:
                self.weight -= known[1].weight
                known = None
            if known is None:
                known = state, open_container(RemotePath(container) if is_remote(container) else Path(container))
                self.weight += known[1].weight
            self.held[container] = known
            while self.weight > _MOST_HELD and len(self.held) > 1:
                self.weight -= self.held.popitem(last=False)[1][1].weight
            return known[1]

    def after_fork(self) -> None:
        """Reset the lock in a forked process, which lacks the parent's other threads that may hold it."""
        self.lock = threading.Lock()
        self.held = OrderedDict((name, one) for name, one in self.held.items() if one[1].forks)
        self.weight = sum(one.weight for _, one in self.held.values())


def _state(container: str) -> object:
    """A value that changes when a file is replaced; objects in a store are assumed not to change."""
    if is_remote(container):
        return None
    found = os.stat(container)  # noqa: PTH116
    return found.st_size, found.st_mtime_ns, found.st_ino


_cache = _Cache()
_opened = _cache.get

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_cache.after_fork)
