"""Tar archives for WebDataset: the members of one sample share a name up to the first dot."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any


class TarWriter:
    """Writes a tar with reproducible bytes: no dates, no owners. `names` are the members so far."""

    def __init__(self, path: Path) -> None:
        # GNU's format: names of any length and script, supported by every tar reader.
        self._archive = tarfile.open(path, "w", format=tarfile.GNU_FORMAT, encoding="utf-8")  # noqa: SIM115
        self.names: list[str] = []

    def __enter__(self) -> TarWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self._archive.close()

    def add(self, name: str, data: bytes) -> None:
        """Add a member."""
        info = tarfile.TarInfo(name)
        info.size = len(data)
        self.names.append(name)
        self._archive.addfile(info, io.BytesIO(data))

    def close(self) -> None:
        """Write the archive's end."""
        self._archive.close()


def sample_name(name: str) -> str:
    """A file's stem as a sample name without dots: WebDataset takes the part after a dot as the type.

    Example:
        >>> sample_name("ANNA/a.b__n95.f2")
        'ANNA/a%2Eb__n95%2Ef2'
    """
    folder, slash, stem = name.rpartition("/")
    return f"{folder}{slash}{stem.replace('%', '%25').replace('.', '%2E')}"


def json_of(row: Mapping[str, Any]) -> bytes:
    """A picture's metadata as the sample's .json."""
    return (json.dumps(row, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")
