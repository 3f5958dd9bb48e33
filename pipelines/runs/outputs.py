"""Outputs of a shard: files in the source's folders, or one tar, renamed into place when the shard is finished."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from maskgen.core.kindspec import BARE, file_name, parse_kind
from maskgen.core.reasons import Reason, SetAsideError
from maskgen.formats.any_path import AnyPath, RemotePath
from maskgen.formats.local_or_remote_files import move_atomic, names_in

from ..mask.settings import MaskSettings
from ..sources.listing import Item
from .catalogue import Row
from .run_folder import RunFolder

if TYPE_CHECKING:
    from maskgen.formats.tars.writer import TarWriter

FACES, SEGMENTATION, CLASSES = "faces", "segmentation", "classes"
TOPS = (FACES, SEGMENTATION, CLASSES)


class Outputs(Protocol):
    """A writer of a shard's pictures. Paths are those of the catalogue, below the run's folder.

    Attributes:
        sizes: bytes of each file that is in place, by path below the run's folder.
    """

    sizes: dict[str, int]

    def check(self, name: str) -> None:
        """Raise SetAsideError (NAME_TOO_LONG) where the output name is too long."""
        ...

    def path(self, top: str, name: str, suffix: str) -> str:
        """The path of an output below one of TOPS."""
        ...

    def put(self, path: str, data: bytes) -> None:
        """Write an output."""
        ...

    def tell(self, rows: Sequence[Row]) -> None:
        """Write the rows of the last picture, one per masked face, if they are stored beside the pictures."""
        ...

    def forget(self, item: Item) -> None:
        """Remove outputs of an earlier attempt at a photograph whose worker died."""
        ...

    def commit(self, rows: Sequence[Row]) -> None:
        """Move the outputs of these rows into place, in this order."""
        ...


def outputs_of(run: RunFolder, settings: MaskSettings, shard: str) -> Outputs:
    """The writer that the settings select."""
    return TarOutputs(run, shard) if settings.write == "tar" else FileOutputs(run, settings)


class FileOutputs:
    """One file per picture, written immediately."""

    def __init__(self, run: RunFolder, settings: MaskSettings) -> None:
        self._run, self._settings = run, settings
        self.sizes: dict[str, int] = {}

    def check(self, name: str) -> None:
        """See `Outputs`."""
        longest, whole = _limits(self._run.root)
        most = max(len(os.fsencode(part)) for part in f"{name}.jpg".split("/"))
        if most > longest or len(os.fsencode(f"{self._run.root}/segmentation/{name}")) + 5 > whole:
            raise SetAsideError(Reason.NAME_TOO_LONG, f"{most} bytes; at most {longest} fit")

    def path(self, top: str, name: str, suffix: str) -> str:
        """See `Outputs`."""
        return f"{top}/{name}.{suffix}"

    def put(self, path: str, data: bytes) -> None:
        """See `Outputs`."""
        self._run.place(self._run.root / path, data)
        self.sizes[path] = len(data)

    def tell(self, rows: Sequence[Row]) -> None:
        """See `Outputs`; nothing to do, the catalogue has the rows."""

    def forget(self, item: Item) -> None:
        """See `Outputs`."""
        folder, _, stem = item.out.rpartition("/")
        kinds = [parse_kind(text).name for text in self._settings.kinds]
        names = {output_name(stem, kind, 0) for kind in (*kinds, BARE)}
        for top in self._run.tops:
            for name in names_in(top / folder):
                bare, _, _ = name.rpartition(".")
                if bare in names or re.sub(r"\.f[0-9]+$", "", bare) in names:
                    (top / folder / name).unlink(missing_ok=True)

    def commit(self, rows: Sequence[Row]) -> None:
        """See `Outputs`; nothing to do, the files are in place."""


class TarOutputs:
    """All pictures of a shard in faces/SHARD.tar, each with its catalogue row as .json; also segmentation/ and
    classes/."""

    def __init__(self, run: RunFolder, shard: str) -> None:
        self._run, self._shard = run, shard
        self._writers: dict[str, TarWriter] = {}
        self.sizes: dict[str, int] = {}

    def check(self, name: str) -> None:
        """See `Outputs`; a tar has no limit on names."""

    def path(self, top: str, name: str, suffix: str) -> str:
        """See `Outputs`."""
        from maskgen.formats.tars.writer import sample_name

        return f"{top}/{self._shard}.tar/{sample_name(name)}.{suffix}"

    def put(self, path: str, data: bytes) -> None:
        """See `Outputs`."""
        self._writer(path.partition("/")[0]).add(self._member(path), data)

    def tell(self, rows: Sequence[Row]) -> None:
        """See `Outputs`."""
        from maskgen.formats.tars.writer import json_of

        self.put(rows[0]["path"].rpartition(".")[0] + ".json", json_of(sample_record(rows)))

    def forget(self, item: Item) -> None:
        """See `Outputs`; nothing to do, an uncommitted tar is never read."""

    def commit(self, rows: Sequence[Row]) -> None:
        """See `Outputs`. The pictures of an earlier attempt's rows are in the tar that this one replaces."""
        pictures = [row for row in rows if not row["picture_face"]]
        for top in TOPS:
            self._commit(top, [path for row in pictures for path in _members(row, top)])

    def _commit(self, top: str, paths: Sequence[str]) -> None:
        """Move one of the tars into place, with these members."""
        final = self._final(top)
        written: list[str] = []
        if top in self._writers:
            self._writers[top].close()
            written = self._writers[top].names
        if not paths:
            final.unlink(missing_ok=True)
        else:
            as_written = [self._member(path) for path in paths] == written
            tar = self._part(top) if as_written else self._merged(top, paths)
            self.sizes[f"{top}/{self._shard}.tar"] = tar.stat().st_size
            move_atomic(tar, final)
        self._part(top).unlink(missing_ok=True)

    def _merged(self, top: str, paths: Iterable[str]) -> Path:
        """The pictures of both attempts in the order of the rows, as from a single attempt."""
        from maskgen.formats.containers import TarContainer
        from maskgen.formats.tars.writer import TarWriter

        held = [TarContainer(place) for place in (self._part(top), self._final(top)) if place.is_file()]
        merged = self._run.part(f"{self._shard}.{top}.merged.tar")
        with TarWriter(merged) as writer:
            for path in paths:
                member = self._member(path)
                writer.add(member, next(one for one in held if one.has(member)).read(member))
        return merged

    def _member(self, path: str) -> str:
        return path.partition(f"/{self._shard}.tar/")[2]

    def _final(self, top: str) -> AnyPath:
        return self._run.root / top / f"{self._shard}.tar"

    def _part(self, top: str) -> Path:
        return self._run.part(f"{self._shard}.{top}.tar")

    def _writer(self, top: str) -> TarWriter:
        if top not in self._writers:
            from maskgen.formats.tars.writer import TarWriter

            self._writers[top] = TarWriter(self._part(top))
        return self._writers[top]


def sample_record(rows: Sequence[Row]) -> Row:
    """The .json of a sample: every key in every sample with one type, masked or bare.

    Loaders infer types from the first samples. So missing values are empty strings, and lists that may be empty
    (`outline`, `other_faces`) are JSON strings.
    """
    first, *others = ({name: _text(name, value) for name, value in row.items()} for row in rows)
    return {**first, "other_faces": json.dumps(others, ensure_ascii=False)}


def _text(name: str, value: object) -> object:
    if name == "outline":
        return json.dumps(value)
    return "" if value is None else value


@lru_cache(maxsize=1)
def _limits(root: AnyPath) -> tuple[int, int]:
    """The maximum bytes of a file name and of a path there."""
    if isinstance(root, RemotePath):
        return 1024, 1024 + len("s3://")  # the limit of S3 and Google Cloud Storage for a whole name
    if not hasattr(os, "pathconf"):
        return 255, 32_000
    longest, whole = (os.pathconf(root, name) for name in ("PC_NAME_MAX", "PC_PATH_MAX"))
    return (longest if longest > 0 else 255), (whole if whole > 0 else 4096)  # -1 for no limit


def _members(row: Row, top: str) -> list[str]:
    """The paths of a row's members in one of the tars."""
    if top != FACES:
        return [row[top]] if row.get(top) else []
    path: str = row["path"]
    return [path, path.rpartition(".")[0] + ".json"]


def output_name(out: str, kind: str, face: int) -> str:
    """The path of an output below each of TOPS, without the suffix.

    Example:
        >>> output_name("Ann/01", "n95", 0), output_name("Ann/01", "bare", 1)
        ('Ann/01__n95', 'Ann/01__bare.f2')
        >>> output_name("Ann/01", "surgical:#ff8800", 0)
        'Ann/01__surgical-ff8800'
    """
    return f"{out}__{file_name(kind)}" + (f".f{face + 1}" if face else "")
