"""A training list with its pictures as an LMDB for SOTA-Face-Recognition-Train-and-Test.

b"0", b"1", ...   msgpack of [encoded picture, target]
b"__keys__"       msgpack of the list of these keys
b"__len__", b"__classnum__"   msgpack of a number

Source: `LMDB` of data/data_loader_train_lmdb.py and utils/imagelist2lmdb.py of
HaiyuWu/SOTA-Face-Recognition-Train-and-Test, commit b8c42fe.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Iterable, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from maskgen.core.atomic_writes import atomic_path
from maskgen.core.extras import need

from ..schema import Ints

FILE = "train.lmdb"
_TOGETHER = 1000  # pictures per transaction
_PAGES = 3 * 4096  # maximum overhead of an entry in bytes


def save_lmdb(folder: Path, pictures: Iterable[bytes], targets: Ints) -> None:
    """Write train.lmdb, one file, atomically.

    Args:
        pictures: encoded pictures in the order of the list.
        targets: int64 (n,), of each, from 0.

    Raises:
        UserError: the package lmdb is not installed.
        OSError: the disk is full, ...; names the file.
    """
    lmdb = need("lmdb", "lmdb")
    with atomic_path(folder / FILE) as part:
        try:
            with lmdb.open(str(part), subdir=False, map_size=1 << 20, lock=False) as database:
                _fill(database, pictures, targets)
        except lmdb.Error as error:
            raise _systems(error, part) from error


def _systems(error: Exception, part: Path) -> Exception:
    """The OSError that LMDB reports only in its message; its own errors unchanged."""
    code = next((code for code in errno.errorcode if str(error).endswith(f": {os.strerror(code)}")), 0)
    if code == errno.EIO:  # also of a write that a full disk cut short: the next one tells which it was
        try:
            with part.open("ab") as file:
                file.write(bytes(1 << 20))
        except OSError as fault:
            return fault
    return OSError(code, os.strerror(code), str(part)) if code else error


def _fill(database: Any, pictures: Iterable[bytes], targets: Ints) -> None:
    keys = [str(row).encode() for row in range(len(targets))]
    people = int(targets.max()) + 1 if len(targets) else 0
    entries = (
        (key, packed([picture, target])) for key, picture, target in zip(keys, pictures, targets.tolist(), strict=True)
    )
    about = [(b"__keys__", packed(keys)), (b"__len__", packed(len(keys))), (b"__classnum__", packed(people))]
    size = 1 << 20
    waiting = chain(entries, about)
    while some := list(islice(waiting, _TOGETHER)):
        size += sum(len(value) + _PAGES for _, value in some)
        database.set_mapsize(size)
        with database.begin(write=True) as transaction:
            for key, value in some:
                transaction.put(key, value)
    database.sync(True)


def packed(value: bytes | int | Sequence[Any]) -> bytes:
    """Bytes, whole numbers from 0 and lists of them as msgpack.

    Example:
        >>> packed([b"ab", 300]).hex()
        '92c4026162cd012c'
    """
    if isinstance(value, bytes):
        return _head(len(value), ((0xC4, "B"), (0xC5, "H"), (0xC6, "I"))) + value
    if isinstance(value, int):
        return bytes([value]) if value < 128 else _head(value, ((0xCC, "B"), (0xCD, "H"), (0xCE, "I"), (0xCF, "Q")))
    head = bytes([0x90 | len(value)]) if len(value) < 16 else _head(len(value), ((0xDC, "H"), (0xDD, "I")))
    return head + b"".join(map(packed, value))


def _head(number: int, forms: Sequence[tuple[int, str]]) -> bytes:
    """A number in the smallest msgpack integer format."""
    mark, form = next((mark, form) for mark, form in forms if number < 1 << (8 * struct.calcsize(form)))
    return bytes([mark]) + struct.pack(f">{form}", number)
