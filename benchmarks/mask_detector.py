"""Do drawn masks teach what real ones look like: mask detectors learn from drawn masks and are tried on photographs.

    python benchmarks/mask_detector.py BARE_DIR REAL_DIR [--other NAME=FOLDER ...] [--kinds KINDS] [--quick]

BARE_DIR holds PERSON/PHOTO of bare faces, all for training. REAL_DIR holds SET/masked and SET/bare for each set of
photographs to be judged on. `--other` names another source of masks: FOLDER holds what another program, or an earlier
maskgen, made of BARE_DIR's photographs, uncropped, under the same names. All sources learn from the same photographs
(those that every source has), crops, augmentation and steps.

Two detectors are trained from nothing: a convolutional network on 64 x 64 pixels (CNN), and logistic regression on a
histogram of oriented gradients (HOG). A face is called masked where the logit is above 0. Prints, for each source,
detector and set, over the seeds: balanced accuracy and area under the ROC curve with 95 % intervals of 2,000 bootstrap
resamples of the test faces, the deviation between seeds, and the share of masked and of bare faces called wrong; then
the paired difference of maskgen to each other source on the same resamples.

One face of each photograph is judged, the largest. MTCNN looks for it three times, until it is found: as usual; with
low thresholds; with low thresholds in the photograph enlarged twice and with a margin about it, as a face that fills
its picture needs. No part of the masks takes part in this. Faces found by each search, and photographs without one, are
counted and printed.

Some photographs end at the chin, and the crop goes on below it. It is filled by the photograph's edge repeated, and the
results are of these crops. No photograph of LFW ends so near the face, so half of the crops that are learned from are
made to, on any side or all around, and each set is judged a second time with its edges mirrored ("NAME mirrored"): the
difference between the two is due to the crop, not to the masks.

Cost: 20 minutes of one processor for two sources and 1,500 photographs; `--quick` (one seed, 600 photographs, a third
of the steps) 3 minutes, to see where a change leads, not to report.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from mask_detector_models import EDGES, ROOM, SIDE, Effort, linear_scores, network_scores

from maskgen.api import Masker, MaskerSettings
from maskgen.core.images import read_photo
from maskgen.core.reasons import SetAsideError
from maskgen.core.records import Detection, Image
from maskgen.faces.detect import LENIENT_THRESHOLDS, MtcnnDetector
from maskgen.faces.upright_crop import similarity, warp

EYES = 21.0  # pixels between the eyes in what a detector sees
EYE_LINE = 0.36
RESAMPLES = 2000
FULL, QUICK = Effort(3, 1400, 10_000), Effort(1, 460, 600)
SEARCHES = ("as usual", "low thresholds", "enlarged")

Scores = dict[str, np.ndarray]  # of a set's "masked" and "bare" faces: (seeds, n) logits


class Locator:
    """Finds the face that a photograph is about, and counts by which search."""

    def __init__(self) -> None:
        self._usual, self._lenient = MtcnnDetector(), MtcnnDetector(thresholds=LENIENT_THRESHOLDS)
        self.counts = dict.fromkeys((*SEARCHES, "not at all"), 0)

    def crops(self, image: Image) -> dict[str, Image] | None:
        """The largest face by the names of EDGES, each (ROOM, ROOM, 3), or None where there is none."""
        for search in SEARCHES:
            detector = self._usual if search == "as usual" else self._lenient
            looked = {name: _enlarged(image, edge) if search == "enlarged" else image for name, edge in EDGES.items()}
            faces = detector.detect([looked[""]])[0]
            if faces:
                self.counts[search] += 1
                face = max(faces, key=box_area)
                return {name: crop(looked[name], face, edge) for name, edge in EDGES.items()}
        self.counts["not at all"] += 1
        return None


def _enlarged(image: Image, edge: int) -> Image:
    """The photograph with a margin about it, twice as large."""
    margin = round(0.3 * max(image.shape[:2]))
    return cv2.resize(cv2.copyMakeBorder(image, *[margin] * 4, edge), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)


def box_area(face: Detection) -> float:
    return float((face.box[2] - face.box[0]) * (face.box[3] - face.box[1]))


def crop(image: Image, face: Detection, edge: int = cv2.BORDER_REPLICATE) -> Image:
    """The face, upright as the photograph is, (ROOM, ROOM, 3), its eyes at one place and at one distance."""
    points = face.points5.astype(np.float64)
    across, down = points[1] - points[0], points[3:].mean(0) - points[:2].mean(0)
    eyes = max(np.hypot(*across), 0.85 * np.hypot(*down))  # what a level face has there
    target = np.array([ROOM / 2, (ROOM - SIDE) / 2 + EYE_LINE * SIDE]) - 0.5
    return warp(image, similarity(points[:2].mean(0), np.array([1.0, 0.0]), EYES / eyes, target), ROOM, edge)


def batches(paths: Sequence[Path]) -> Iterator[list[Path]]:
    yield from ([*paths[at : at + 64]] for at in range(0, len(paths), 64))


def partner(path: Path, top: Path, folder: Path) -> Path | None:
    """What another program made of a photograph."""
    return next((folder / path.parent.relative_to(top)).glob(f"{path.stem}.*"), None)


def faces(paths: Sequence[Path], settings: MaskerSettings, others: dict[str, Path], top: Path) -> dict[str, np.ndarray]:
    """Crops (n, ROOM, ROOM, 3) of the same faces: "bare", "maskgen", and by every other source."""
    masker, left_out = Masker(settings), 0
    found: dict[str, list[Image]] = {name: [] for name in ("bare", "maskgen", *others)}
    for some in batches(paths):
        photos = [read_photo(path) for path in some]
        for path, photo, result in zip(some, photos, masker.process([p.sha256 for p in photos], photos), strict=True):
            if isinstance(result, SetAsideError):
                left_out += 1
                continue
            pictures = {"maskgen": result[0].image, "bare": photo.image}
            for name, folder in others.items():
                pictures[name] = read_photo(partner(path, top, folder) or path).image
            where = _known(result[0].row)
            for name, picture in pictures.items():
                found[name].append(crop(picture, where))
    print(f"{len(found['bare'])} faces to train on, {left_out} photographs that maskgen sets aside", flush=True)
    return {name: np.stack(crops) for name, crops in found.items()}


def _known(row: dict[str, object]) -> Detection:
    """The face of a catalogue's row."""
    points = np.array(row["points5"], np.float32).reshape(5, 2)
    return Detection(np.concatenate([points.min(0), points.max(0)]), points, 1.0)


def real(folder: Path) -> dict[str, dict[str, np.ndarray]]:
    """Crops of each set's "masked" and "bare" faces; for each set once by each of EDGES."""
    sets: dict[str, dict[str, np.ndarray]] = {}
    for inside in sorted(path for path in folder.iterdir() if (path / "masked").is_dir()):
        for kind in ("masked", "bare"):
            locator = Locator()
            found = [locator.crops(read_photo(path).image) for path in sorted((inside / kind).iterdir())]
            for name in EDGES:
                crops = np.stack([each[name] for each in found if each is not None])
                sets.setdefault(inside.name + name, {})[kind] = crops
            print(
                f"{inside.name}/{kind}: found " + ", ".join(f"{k} {n}" for k, n in locator.counts.items()), flush=True
            )
    return sets


def balanced(scores: Scores, masked: np.ndarray, bare: np.ndarray) -> float:
    """Mean over seeds of balanced accuracy, of the test faces with these numbers."""
    found, false = scores["masked"][:, masked] > 0, scores["bare"][:, bare] > 0
    return float((found.mean() + 1 - false.mean()) / 2)


def area(scores: Scores, masked: np.ndarray, bare: np.ndarray) -> float:
    """Mean over seeds of the area under the ROC curve: the share of pairs put right, ties half."""
    shares = []
    for positive, negative in zip(scores["masked"][:, masked], scores["bare"][:, bare], strict=True):
        ordered = np.sort(negative)
        below = np.searchsorted(ordered, positive, "left") + np.searchsorted(ordered, positive, "right")
        shares.append(below.mean() / 2 / len(negative))
    return float(np.mean(shares))


def resamples(masked: int, bare: int) -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(0)
    return [(rng.integers(masked, size=masked), rng.integers(bare, size=bare)) for _ in range(RESAMPLES)]


def interval(values: Sequence[float]) -> str:
    low, high = np.quantile(values, [0.025, 0.975])
    return f"({low:.3f} to {high:.3f})"


def report(results: dict[str, Scores], head: str) -> list[dict[str, object]]:
    """Print one detector's results on one set, and give them as rows."""
    first = next(iter(results.values()))
    counts = first["masked"].shape[1], first["bare"].shape[1]
    everyone, drawn = tuple(map(np.arange, counts)), resamples(*counts)
    rows, spreads = [], {}
    for name, scores in results.items():
        values = [(balanced(scores, *some), area(scores, *some)) for some in (everyone, *drawn)]
        alone = [
            balanced({key: each[[at]] for key, each in scores.items()}, *everyone) for at in range(len(scores["bare"]))
        ]
        spreads[name] = np.array(values)
        (right, auc), rest = values[0], list(zip(*values[1:], strict=True))
        missed, false = (scores["masked"] <= 0).mean(), (scores["bare"] > 0).mean()
        print(
            f"{head} {name:<14} balanced {right:.3f} {interval(rest[0])} +- {np.std(alone):.3f}, AUC {auc:.3f} "
            f"{interval(rest[1])}, missed {missed:.3f}, false {false:.3f}",
            flush=True,
        )
        rows.append(
            {"test": head.strip(), "source": name, "balanced": right, "auc": auc, "missed": missed, "false": false}
        )
    for name in [name for name in results if name != "maskgen"]:
        apart = spreads["maskgen"] - spreads[name]
        print(
            f"{head} maskgen less {name}: balanced {apart[0, 0]:+.3f} {interval(apart[1:, 0])}, "
            f"AUC {apart[0, 1]:+.3f} {interval(apart[1:, 1])}",
            flush=True,
        )
    return rows


def judge(
    learnt: dict[str, np.ndarray], tests: dict[str, dict[str, np.ndarray]], effort: Effort
) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    places = [(name, kind) for name, both in tests.items() for kind in both]
    for label, train_and_score in (("CNN", network_scores), ("HOG", linear_scores)):
        results: dict[str, dict[str, Scores]] = {name: {} for name in tests}
        for source in (name for name in learnt if name != "bare"):
            crops = [tests[name][kind] for name, kind in places]
            for (name, kind), scores in zip(
                places, train_and_score(learnt["bare"], learnt[source], crops, effort), strict=True
            ):
                results[name].setdefault(source, {})[kind] = scores
        for name, scores_of in results.items():
            rows += report(scores_of, f"{label} {name:<14}")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bare", type=Path)
    parser.add_argument("real", type=Path)
    parser.add_argument("--other", action="append", default=[], metavar="NAME=FOLDER")
    parser.add_argument("--kinds", default="", help="as of maskgen mask; the five default ones where empty")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--csv", type=Path, help="write the figures of each source, detector and set here")
    asked = parser.parse_args()
    started, effort = time.process_time(), QUICK if asked.quick else FULL
    cv2.setNumThreads(1)
    others = {name: Path(folder) for name, _, folder in (text.partition("=") for text in asked.other)}
    photographs = sorted(path for path in asked.bare.rglob("*") if path.is_file())
    shared = [path for path in photographs if all(partner(path, asked.bare, folder) for folder in others.values())]
    settings = MaskerSettings(tuple(filter(None, asked.kinds.split(","))), crop="none")
    learnt = faces(shared[:: -(-len(shared) // effort.most)], settings, others, asked.bare)
    rows = judge(learnt, real(asked.real), effort)
    if asked.csv:
        with asked.csv.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    print(f"{time.process_time() - started:.0f} s of processor time")


if __name__ == "__main__":
    main()
