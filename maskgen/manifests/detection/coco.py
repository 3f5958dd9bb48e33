"""Labels in COCO's detection format: faces by wearing position, masks by kind with outlines.

A face's polygon is that of its box: readers such as pycocotools' annToMask fail on an annotation without any. Each
annotation also has `attributes`, as in CVAT and other tools, and the number of its face in the picture.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from maskgen.core.atomic_writes import atomic_file

from .labels import FACE_CLASSES, Labelled, Seen

FILE = "coco.json"


def save_coco(path: Path, pictures: Iterable[Labelled], names: Sequence[str]) -> None:
    """Write the file.

    Args:
        names: the classes of `class_names`; numbered from 1 in the file.
    """
    number = {name: at for at, name in enumerate(names, 1)}
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for one in pictures:
        images.append(
            {"id": len(images) + 1, "file_name": one.path, "width": one.width, "height": one.height}
            | {"unlabelled_faces": one.unlabelled}
        )
        for seen in one.seen:
            annotations.append(_annotation(len(annotations) + 1, len(images), number[seen.name], seen))
    categories = [
        {"id": at, "name": name, "supercategory": "face" if name in FACE_CLASSES else "mask"}
        for name, at in number.items()
    ]
    about = {"images": images, "annotations": annotations, "categories": categories}
    with atomic_file(path) as file:
        file.write((json.dumps(about, ensure_ascii=False) + "\n").encode())


def _annotation(number: int, image: int, category: int, seen: Seen) -> dict[str, Any]:
    x0, y0, x1, y1 = seen.box
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "bbox": [round(value, 2) for value in (x0, y0, x1 - x0, y1 - y0)],
        "area": round(sum(map(_area, seen.outline)) if seen.outline else (x1 - x0) * (y1 - y0), 2),
        "segmentation": [
            [round(value, 2) for value in polygon] for polygon in seen.outline or [(x0, y0, x1, y0, x1, y1, x0, y1)]
        ],
        "iscrowd": 0,
        "attributes": {**seen.about, "face": seen.face},
    }


def _area(polygon: Sequence[float]) -> float:
    """The area of a polygon, x0, y0, x1, y1, ..., by the shoelace formula."""
    xs, ys = polygon[::2], polygon[1::2]
    return abs(sum(xs[at - 1] * y - x * ys[at - 1] for at, (x, y) in enumerate(zip(xs, ys, strict=True)))) / 2
