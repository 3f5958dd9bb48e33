"""Small containers for tests, written by hand or by the standard library, never by the code under test."""

from __future__ import annotations

import io
import struct
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path

MAGIC = struct.pack("<I", 0xCED7230A)


def record(label: float, number: int, picture: bytes, labels: Sequence[float] = ()) -> bytes:
    """A picture's record as MXNet's documentation describes it."""
    many = struct.pack(f"<{len(labels)}f", *labels)
    return struct.pack("<IfQQ", len(labels), 0.0 if labels else label, number, 0) + many + picture


def frame(data: bytes, flag: int = 0) -> bytes:
    """One part of a record as it stands in the file."""
    return MAGIC + struct.pack("<I", flag << 29 | len(data)) + data + bytes(-len(data) % 4)


def write_rec(path: Path, records: Sequence[tuple[int, bytes]], idx: bool = True) -> Path:
    """A .rec of (number, record) with its .idx."""
    data, lines = b"", []
    for number, one in records:
        lines.append(f"{number}\t{len(data)}\n")
        data += frame(one)
    path.write_bytes(data)
    if idx:
        path.with_suffix(".idx").write_text("".join(lines))
    return path


def tar_bytes(files: Iterable[tuple[str, bytes]], form: int = tarfile.PAX_FORMAT, mode: str = "w") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, format=form) as archive:  # type: ignore[call-overload]
        for name, data in files:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()
