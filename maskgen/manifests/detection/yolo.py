"""Labels for Ultralytics' YOLO: yolo/images, yolo/labels with the same names, train.txt, val.txt, data.yaml.

A line of a label is `class x y width height`, the centre and the size of the box as shares of the picture's sides.
The pictures are hard links to the run's, or copies if the disk does not support links. Their names are the run's,
except for what Ultralytics' reader of lists takes for something else, see `listed_name`. A tenth of the people is in
val.txt; where that leaves one of the two lists empty, a tenth of the photographs.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from maskgen.core.atomic_writes import write_atomic

from .labels import Labelled, Seen

FOLDER, ABOUT = "yolo", "data.yaml"
# What `str.splitlines` cuts at, a folder's last dot, the i of a folder `images`, and what looks like an escape.
_AWKWARD = re.compile(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]|\.(?=/)|(?<![^/])i(?=mages/)|%(?=[0-9A-F]{2})")
_HELD_BACK = 10  # one in this number of people, or of photographs, is in val.txt


@dataclass(frozen=True, slots=True)
class Division:
    """How many pictures are in train.txt and in val.txt, and whether people were divided; photographs otherwise."""

    train: int
    val: int
    by_people: bool


def save_yolo(run: Path, pictures: Iterable[Labelled], names: Sequence[str]) -> Division:
    """Write the folder into a run, in place of an earlier one.

    Args:
        names: the classes of `class_names`; numbered from 0 in the files.
    """
    top = run / FOLDER
    for name in ("images", "labels"):
        shutil.rmtree(top / name, ignore_errors=True)
    number = {name: at for at, name in enumerate(names)}
    lines: list[str] = []
    people: list[int] = []
    photographs: list[int] = []
    for one in pictures:
        inside = PurePosixPath(listed_name(one.path.removeprefix("faces/")))
        _place(run / one.path, top / "images" / inside)
        labels = "".join(_line(number[seen.name], seen, one) for seen in one.seen)
        write_atomic(top / "labels" / inside.with_suffix(".txt"), labels.encode())
        lines.append(f"./images/{inside}\n")
        people.append(_hash(one.person))
        photographs.append(_hash(one.photograph))
    held_back, by_people = _held_back(people, photographs)
    for name, wanted in (("train", False), ("val", True)):
        own = [line for line, held in zip(lines, held_back, strict=True) if held is wanted]
        write_atomic(top / f"{name}.txt", "".join(own).encode("utf-8", "surrogateescape"))
    listed = "".join(f"  {at}: {json.dumps(name)}\n" for name, at in number.items())
    # Without `path`, Ultralytics resolves paths from this file's folder.
    write_atomic(top / ABOUT, f"train: train.txt\nval: val.txt\nnames:\n{listed}".encode())
    return Division(held_back.count(False), held_back.count(True), by_people)


def listed_name(path: str) -> str:
    """A path below images/ that Ultralytics' reader of lists takes as it is; different paths get different names.

    The reader cuts the list into lines at more than line feeds, replaces every "./" by the list's folder, and looks for
    the label where the last "/images/" of the path is "/labels/". A character that it would take so becomes %XX.

    Example:
        >>> listed_name("Harry Connick Jr./images/1__n95.jpg")
        'Harry Connick Jr%2E/%69mages/1__n95.jpg'
    """
    return _AWKWARD.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), path)


def _hash(name: str) -> int:
    return zlib.crc32(name.encode("utf-8", "surrogateescape"))


def _held_back(people: Sequence[int], photographs: Sequence[int]) -> tuple[list[bool], bool]:
    """Whether each picture is in val.txt, and whether people were divided.

    Args:
        people, photographs: the hashes of each picture's person and photograph.
    """
    held = [person % _HELD_BACK == 0 for person in people]
    if any(held) and not all(held):
        return held, True
    different = sorted(set(photographs))
    # Two photographs are enough for two lists; of one, no picture may be in val.txt.
    least = 1 if len(different) > 1 else 0
    chosen = set(different[: max(len(different) // _HELD_BACK, least)])
    return [photograph in chosen for photograph in photographs], False


def _place(picture: Path, link: Path) -> None:
    link.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(picture, link)
    except OSError:
        shutil.copyfile(picture, link)


def _line(number: int, seen: Seen, one: Labelled) -> str:
    x0, y0, x1, y1 = seen.box
    shares = (x0 + x1) / 2 / one.width, (y0 + y1) / 2 / one.height, (x1 - x0) / one.width, (y1 - y0) / one.height
    return f"{number} " + " ".join(f"{share:.6f}" for share in shares) + "\n"
