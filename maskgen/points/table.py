"""An annotation file: its format, and the matching of rows to photographs."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from maskgen.core.reasons import Reason, SetAsideError, UserError
from maskgen.points.celeba import CelebA
from maskgen.points.csv_points import CsvPoints
from maskgen.points.insightface_lst import InsightFaceLst
from maskgen.points.mark import Mark, PointsFormat
from maskgen.points.wider_face import RetinaFace, WiderFace

FORMATS: tuple[type[PointsFormat], ...] = (RetinaFace, CelebA, InsightFaceLst, CsvPoints, WiderFace)
_HEAD = 3  # lines from which the format is recognised
_ROW = "\x1e"  # separator of the rows of one photograph

Given = list[Mark | SetAsideError]


class PointsTable:
    """The given faces of a file, by photograph. Rows are kept as text and parsed on demand.

    A row matches a photograph by its whole path, or by the end of it: `000001.jpg` matches `celeba/000001.jpg`. Of
    several rows, the one with the longest common path counts. Leading folders that all rows share may be those of
    another machine. `nameless` counts the rows without a photograph's name.

    Raises:
        UserError: the file cannot be read, has an unknown format, or is truncated.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rows: dict[str, str] = {}
        try:
            with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
                self._format = _format_of(path, file)
                file.seek(0)
                self._read(self._format.rows(file))
        except OSError as error:
            raise UserError(f"--points {path} cannot be read: {error.strerror or error}.") from None
        except (ValueError, csv.Error) as error:
            raise UserError(f"--points {path} cannot be used: {error}.") from None
        self.nameless = self._rows.pop("", "").count(_ROW) + 1 if "" in self._rows else 0
        if not self._rows:
            raise UserError(f"--points {path} marks no face: it is {self._format.title} without a row.")
        self._start = _common_folder(self._rows)

    def _read(self, rows: Iterable[tuple[str, str | None]]) -> None:
        for name, text in rows:
            name = name.strip().replace("\\", "/").removeprefix("./")
            if text is None:
                self._rows.setdefault(name, "")
                continue
            before = self._rows.get(name)
            self._rows[name] = f"{before}{_ROW}{text}" if before else text

    @property
    def example(self) -> str:
        """The name of one of its photographs."""
        return next(iter(self._rows))

    @property
    def format(self) -> str:
        """A description of the file's format."""
        return self._format.title

    def __len__(self) -> int:
        return len(self._rows)

    def name_of(self, parts: Sequence[str]) -> str | None:
        """The name of a photograph in the file; None if it has none.

        Args:
            parts: the folders of the photograph's absolute path and its name.
        """
        for at in range(len(parts)):
            tail = "/".join(parts[at:])
            for name in (tail, self._start + tail):
                if name in self._rows:
                    return name
        return None

    def faces(self, parts: Sequence[str]) -> Given:
        """The given faces of a photograph, in the file's order, with a fault in place of each that cannot be used."""
        name = self.name_of(parts)
        if name is None:
            return [SetAsideError(Reason.NO_POINTS, f"{self.path.name} has no row for it")]
        if not self._rows[name]:
            return [SetAsideError(Reason.NO_FACE, f"{self.path.name} says that it shows none")]
        return [self._mark(text) for text in self._rows[name].split(_ROW)]

    def _mark(self, text: str) -> Mark | SetAsideError:
        try:
            return self._format.mark(text)
        except ValueError as error:
            return SetAsideError(Reason.BAD_POINTS, f"{self.path.name}: {error}")


def _format_of(path: Path, lines: Iterator[str]) -> PointsFormat:
    head = list(islice((line for line in lines if line.strip()), _HEAD))
    if not head:
        raise ValueError("it is empty")
    for known in FORMATS:
        if known.recognises(head):
            return known(head)
    raise UserError(f"--points {path} has an unknown format: give {'; '.join(known.title for known in FORMATS)}.")


def _common_folder(names: Iterable[str]) -> str:
    """The leading folders that all names share, with a / at the end."""
    names = list(names)
    return os.path.commonprefix([min(names), max(names)]).rpartition("/")[0] + "/"


def path_parts(root: str, key: str) -> list[str]:
    """The folders and the name of a photograph, from its source's absolute path and its address."""
    return f"{root}/{key}".replace("\\", "/").split("/")
