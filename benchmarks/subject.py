"""Whose face is taken: photographs in which another found face is nearer to the middle than the one that is chosen.

    python benchmarks/subject.py FACES_DIR                    # counts for each way of choosing, and what is left
    python benchmarks/subject.py FACES_DIR --sheet left.png   # a picture of what `--faces subject` leaves

FACES_DIR holds portraits whose subject stands in the middle, as LFW's do. A photograph counts where the centre of the
chosen face is nearer to the place of another found face than to the picture's middle.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from maskgen.core.atomic_writes import write_atomic
from maskgen.core.contact_sheets import contact_sheet
from maskgen.core.images import encode_image, read_photo
from maskgen.core.reasons import SetAsideError
from maskgen.core.records import Detection, Image
from maskgen.faces.choose import choose_faces
from maskgen.faces.detect import MtcnnDetector
from maskgen.faces.locate import detect_for

WAYS = ("largest", "central", "subject")
TOGETHER = 64
GREEN, RED = (0, 220, 0), (220, 0, 0)


def is_another(chosen: Detection, found: Sequence[Detection], shape: tuple[int, int]) -> bool:
    """Whether the chosen face's centre is nearer to another found face's than to the picture's middle."""
    centre = _centre(chosen)
    off = float(np.hypot(*(centre - np.array([shape[1], shape[0]]) / 2)))
    # A second search finds the chosen face again, in almost the same place.
    apart = 0.25 * float(chosen.box[2] - chosen.box[0])
    return any(apart < float(np.hypot(*(centre - _centre(face)))) < off for face in found)


def _centre(face: Detection) -> np.ndarray:
    return np.asarray((face.box[:2] + face.box[2:]) / 2)


def batches(folder: Path) -> Iterator[tuple[list[Path], list[Image]]]:
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    for at in range(0, len(paths), TOGETHER):
        some = paths[at : at + TOGETHER]
        yield some, [read_photo(path).image for path in some]


def measure(folder: Path) -> tuple[dict[str, list[Path]], int, int]:
    """The photographs that each way gets wrong, how many hold several faces, and how many there are."""
    detector, wrong, several, total = MtcnnDetector(), {way: [] for way in WAYS}, 0, 0
    for paths, images in batches(folder):
        every = detector.detect(images, include_small=True)
        for way in WAYS:
            found = every if way == "central" else detect_for(detector, images, way)
            several += sum(len(faces) > 1 for faces in found) if way == "subject" else 0
            for path, image, own, all_faces in zip(paths, images, found, every, strict=True):
                try:
                    (chosen,) = choose_faces(image, own, way)
                except SetAsideError:
                    continue
                if isinstance(chosen, Detection) and is_another(chosen, all_faces, image.shape[:2]):
                    wrong[way].append(path)
        total += len(paths)
    return wrong, several, total


def sheet(paths: Sequence[Path]) -> bytes:
    """The photographs with the chosen face in green and the other ones in red."""
    detector, shown = MtcnnDetector(), []
    for path in paths:
        image = read_photo(path).image
        found = detect_for(detector, [image], "subject")[0]
        (chosen,) = choose_faces(image, found, "subject")
        drawn = image.copy()
        for face in found:
            x0, y0, x1, y1 = (round(float(v)) for v in face.box)
            cv2.rectangle(drawn, (x0, y0), (x1, y1), GREEN if face is chosen else RED, 2)
        shown.append(drawn)
    return encode_image(contact_sheet({"left": shown}, 8, 200), "png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sheet", type=Path)
    asked = parser.parse_args()
    wrong, several, total = measure(asked.folder)
    print(f"{total:,} photographs, {several:,} with several faces")
    for way, paths in wrong.items():
        print(f"--faces {way}: {len(paths)} chosen faces are not the one in the middle")
    for path in wrong["subject"]:
        print(f"  {path.relative_to(asked.folder)}")
    if asked.sheet:
        write_atomic(asked.sheet, sheet(wrong["subject"]))
