"""Labels for Ultralytics' YOLO: yolo/images, yolo/labels with the same names, train.txt, val.txt, data.yaml.

A line of a label is `class x y width height`, the centre and the size of the box as shares of the picture's sides.
The pictures are hard links to the run's, or copies if the disk does not support links. A tenth of the people is in
val.txt.
"""

from __future__ import annotations

import json
import os
import shutil
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from maskgen.core.atomic_writes import write_atomic

from .labels import Labelled, Seen

FOLDER, ABOUT = "yolo", "data.yaml"
_HELD_BACK = 10  # one in this number of people is in val.txt


def save_yolo(run: Path, pictures: Iterable[Labelled], names: Sequence[str]) -> None:
    """Write the folder into a run, in place of an earlier one.

    Args:
        names: the classes of `class_names`; numbered from 0 in the files.
    """
    top = run / FOLDER
    for name in ("images", "labels"):
        shutil.rmtree(top / name, ignore_errors=True)
    number = {name: at for at, name in enumerate(names)}
    parts: dict[bool, list[str]] = {False: [], True: []}
    for one in pictures:
        inside = PurePosixPath(one.path).relative_to("faces")
        _place(run / one.path, top / "images" / inside)
        lines = "".join(_line(number[seen.name], seen, one) for seen in one.seen)
        write_atomic(top / "labels" / inside.with_suffix(".txt"), lines.encode())
        held_back = zlib.crc32(one.person.encode("utf-8", "surrogateescape")) % _HELD_BACK == 0
        parts[held_back].append(f"./images/{inside}\n")
    for name, own, other in (("train", parts[False], parts[True]), ("val", parts[True], parts[False])):
        write_atomic(top / f"{name}.txt", "".join(own or other).encode("utf-8", "surrogateescape"))
    listed = "".join(f"  {at}: {json.dumps(name)}\n" for name, at in number.items())
    # Without `path`, Ultralytics resolves paths from this file's folder.
    write_atomic(top / ABOUT, f"train: train.txt\nval: val.txt\nnames:\n{listed}".encode())


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
