"""The members of a tar archive: name, offset and size of each, read from the headers.

Our own reader, because nothing is unpacked and members are only read as bytes; it takes a tenth of the standard
library's time. It supports the formats of tar, GNU tar and POSIX pax.

Source: POSIX.1-2008, pax; the GNU tar manual, "Basic Tar Format".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..faults import ContainerError
from ..range_reads import RangeReader
from .archive_end import BLOCK, check_end

NUL = "\udc00"  # in names, in place of NUL: NUL parts names elsewhere
_ZEROS = bytes(BLOCK)
_MOST_NAME = 1 << 16  # maximum bytes of a long name or a pax header, as a protection against hostile archives
_REGULAR = b"0\07"
_LINKS_AND_DEVICES = b"12346"  # hard link, symbolic link, character and block device, pipe
_FOLDER = b"5"


class Member(NamedTuple):
    """One member that is not a folder: its name as UTF-8 (other bytes as lone surrogates), and its byte range.

    Only a pax header can give a name with NUL, which no file can have; it stands there as `NUL`, which no name has.

    `plain` is False for links, devices and sparse files, whose bytes are not a photograph's.
    """

    name: str
    offset: int
    size: int
    plain: bool


class _Extra:
    """Values of pax and GNU headers for the members after them."""

    def __init__(self) -> None:
        self.of_all: dict[str, str] = {}
        self.of_next: dict[str, str] = {}

    def take(self) -> dict[str, str]:
        """The values for the current member."""
        values = {**self.of_all, **self.of_next}
        self.of_next = {}
        return values


def members(pieces: RangeReader) -> Iterator[Member]:
    """All members except folders, in the archive's order.

    Raises:
        ContainerError: it is not a tar, is damaged, or ends early; after the members before, and a truncated one.
    """
    at, extra = 0, _Extra()
    last = ("", 0, 0)
    while True:
        header = pieces.read(at, BLOCK)
        if len(header) < BLOCK or header == _ZEROS:
            check_end(pieces, header, at, last)
            return
        _check(header, at)
        kind, size = header[156:157], _number(header[124:136], at)
        at += BLOCK
        if kind in b"xgLK":
            _note(extra, kind, _values(pieces, at, size))
            at += _padded(size)
            continue
        values = extra.take()
        name, size = values.get("path") or _name(header), _size(values, size, at)
        if kind in _LINKS_AND_DEVICES:
            size = 0
        if not (kind == _FOLDER or (name.endswith("/") and kind in _REGULAR)):
            yield Member(name, at, size, kind in _REGULAR and not any(key.startswith("GNU.sparse") for key in values))
            last = name, at, size
        at += _padded(size) if kind != _FOLDER else 0


def _check(header: bytes, at: int) -> None:
    wanted, rest = _octal(header[148:156]), header[:148] + header[156:]
    plain = sum(rest) + 256
    if wanted == plain or wanted == plain - 256 * sum(byte > 127 for byte in rest):  # some programs sum signed bytes
        return
    raise ContainerError(f"it is damaged at byte {at}" if at else "it is no tar archive")


def _number(field: bytes, at: int) -> int:
    """Octal digits, or base 256 if the first bit is set."""
    value = int.from_bytes(field, "big") - (1 << 95) if field[0] == 0x80 else _octal(field)
    if value is None or value < 0 or field[0] == 0xFF:
        raise ContainerError(f"it is damaged at byte {at}")
    return value


def _octal(field: bytes) -> int | None:
    digits = field.partition(b"\0")[0].strip()
    try:
        return int(digits or b"0", 8)
    except ValueError:
        return None


def _size(values: dict[str, str], size: int, at: int) -> int:
    if "size" not in values:
        return size
    if not (values["size"].isdecimal() and len(values["size"]) < 20):
        raise ContainerError(f"it is damaged before byte {at}")
    return int(values["size"])


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def _name(header: bytes) -> str:
    name = header[:100].partition(b"\0")[0]
    prefix = header[345:500].partition(b"\0")[0] if header[257:263] == b"ustar\0" else b""
    return _text(prefix + b"/" + name if prefix else name)


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _values(pieces: RangeReader, at: int, size: int) -> bytes:
    if size > _MOST_NAME:
        raise ContainerError(f"it has a name of {size} bytes at byte {at}")
    return read_whole(pieces, at, size)


def read_whole(pieces: RangeReader, at: int, size: int) -> bytes:
    """So many bytes from `at` on.

    Raises:
        ContainerError: the archive ends before.
    """
    data = pieces.read(at, size)
    if len(data) < size:
        raise ContainerError("it ends early")
    return data


def _note(extra: _Extra, kind: bytes, data: bytes) -> None:
    if kind == b"L":
        extra.of_next["path"] = _text(data.partition(b"\0")[0])
    elif kind == b"x":
        extra.of_next.update(_pax(data))
    elif kind == b"g":
        extra.of_all.update(_pax(data))


def _pax(data: bytes) -> Iterator[tuple[str, str]]:
    """The records "LENGTH KEY=VALUE\\n" of a pax header."""
    at = 0
    while at < len(data):
        digits, _, _ = data[at:].partition(b" ")
        length = int(digits) if digits.isdigit() and len(digits) < 8 else 0
        record = data[at + len(digits) + 1 : at + length]
        if length <= len(digits) or not record.endswith(b"\n"):
            raise ContainerError("it has a pax header that is damaged")
        key, _, value = record[:-1].partition(b"=")
        yield _text(key), _text(value).replace("\0", NUL)
        at += length
