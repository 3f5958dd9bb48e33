"""dlib's landmarks and those of our own, against truth and against each other.

    python benchmarks/landmarks.py --marked landmarks68
    python benchmarks/landmarks.py --photographs lfw --every 8
    python benchmarks/landmarks.py --drawn
    python benchmarks/landmarks.py --speed lfw

--marked: NAME.jpg with NAME.pts (68 lines "x y"). Mean error of each model, in distances between the eyes' middles: of
all points, of the jaw's 17, of the others and their parts; of all points in distances between the eyes' outer corners,
as articles state errors on 300-W; faces found; how our own expected error goes with the true.
--photographs: faces that dlib's model is trusted on (0.75 at least): the share whose pose, by the mean head's camera,
is within 10 degrees in yaw, pitch and roll, quantiles of the largest difference, the mean distance of the points of
both models by part, in distances between the eyes, that of the jaw along and across dlib's outline, and by how much
ours changes where dlib's does (the slope): the opening of the eyes, from lids to brows, the width of nose and mouth,
the gap of the lips.
--drawn: drawn people of `people.draw_person`, none of whom was trained on, 40 a step of yaw from 0 to 90: the error of
yaw and of the points that are seen, at the five points that the detector finds.
--speed: milliseconds of processor time a face, in batches of 64, the two models in turns.
"""

from __future__ import annotations

import argparse
import resource
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from maskgen.core.images import read_photo
from maskgen.core.reasons import SetAsideError
from maskgen.core.records import Detection, Face, Image
from maskgen.core.seeding import rng_for
from maskgen.faces.detect import MtcnnDetector
from maskgen.faces.landmarkers.by_name import landmarker_by_name
from maskgen.faces.landmarkers.own import OwnLandmarker
from maskgen.faces.trust import trust
from maskgen.masks.pose.camera import fit_camera
from maskgen.people.person import draw_person
from maskgen.people.portrait import draw_portrait
from maskgen.people.scene import draw_scene

NAMES = ("dlib", "own")
PARTS = {"brows": slice(17, 27), "nose": slice(27, 36), "eyes": slice(36, 48), "mouth": slice(48, 68)}
# Points at the two ends of what is small in a face.
SMALL = {
    "eyes": ([37, 38, 43, 44], [41, 40, 47, 46]),
    "brows": ([18, 19, 20, 23, 24, 25], [37, 37, 38, 43, 44, 44]),
    "nose": ([31], [35]),
    "mouth": ([48], [54]),
    "lips": ([61, 62, 63], [67, 66, 65]),
}
TRUSTED, NEAR = 0.75, 10.0


def eyes_apart(points: np.ndarray) -> float:
    """Pixels between the eyes' middles."""
    return float(np.linalg.norm(points[36:42].mean(0) - points[42:48].mean(0)))


def corners_apart(points: np.ndarray) -> float:
    """Pixels between the eyes' outer corners."""
    return float(np.linalg.norm(points[36] - points[45]))


def nearest(found: list[Detection], points: np.ndarray) -> Detection | None:
    """The found face whose five points lie nearest to the middle of the true ones, one of their size away at most."""
    size = float(np.ptp(points, axis=0).max())
    near = [one for one in found if np.linalg.norm(one.points5.mean(0) - points.mean(0)) < size / 2]
    return min(near, key=lambda one: float(np.linalg.norm(one.points5.mean(0) - points.mean(0))), default=None)


def angles(points: np.ndarray) -> np.ndarray:
    """Yaw, pitch and roll, in degrees."""
    pose = fit_camera(points)[0].pose()
    return np.array([pose.yaw, pose.pitch, pose.roll])


def marked_faces(folder: Path) -> Iterator[tuple[str, Image, Detection, np.ndarray]]:
    """The name, the picture, what the detector finds and the marked points of each photograph whose face is found."""
    detector = MtcnnDetector()
    for path in sorted(folder.glob("*.pts")):
        image, points = read_photo(path.with_suffix(".jpg")).image, np.loadtxt(path)
        face = nearest(detector.detect([image])[0], points)
        if face is not None:
            yield path.stem, image, face, points


def marked(folder: Path) -> None:
    models = {name: landmarker_by_name(name) for name in NAMES}
    errors: dict[str, list[np.ndarray]] = {name: [] for name in NAMES}
    by_corners: dict[str, list[float]] = {name: [] for name in NAMES}
    expected, total = [], len(list(folder.glob("*.pts")))
    for stem, image, face, points in marked_faces(folder):
        for name, model in models.items():
            (said,) = model.points68_of([(image, face)])
            if isinstance(said, SetAsideError):
                print(f"{stem}: {name}: {said}")
                continue
            off = np.linalg.norm(said.xy - points, axis=1)
            errors[name].append(off / eyes_apart(points))
            by_corners[name].append(off.mean() / corners_apart(points))
            if said.certainty is not None:
                expected.append((said.certainty.expected, errors[name][-1].mean()))
    for name, rows in errors.items():
        all_ = np.array(rows)
        parts = all_.mean(), all_[:, :17].mean(), all_[:, 17:].mean(), np.median(all_.mean(1))
        print(
            f"{name:6} {len(rows)} of {total} found, error "
            + "mean {:.4f} jaw {:.4f} others {:.4f} median {:.4f}".format(*parts)
            + "".join(f" {part} {all_[:, where].mean():.4f}" for part, where in PARTS.items())
            + f"; by outer corners {np.mean(by_corners[name]):.4f}"
        )
    both = np.array(expected).T
    print(f"expected and true error: means {both.mean(1).round(4)}, correlation {np.corrcoef(both)[0, 1]:.2f}")


def trusted_faces(folder: Path, every: int) -> Iterator[tuple[Image, Detection, np.ndarray]]:
    """The picture, what the detector finds and dlib's points, where its model is trusted, of the face in the middle of
    each photograph."""
    detector, dlib_model = MtcnnDetector(), landmarker_by_name("dlib")
    for path in sorted(folder.rglob("*.jpg"))[::every]:
        image = read_photo(path).image
        middle = np.array(image.shape[1::-1]) / 2
        found = detector.detect([image])[0]
        if not found:
            continue
        face = min(found, key=lambda one: float(np.linalg.norm(one.points5.mean(0) - middle)))
        (dlib,) = dlib_model.points68_of([(image, face)])
        if not isinstance(dlib, SetAsideError) and trust(Face(face, dlib.xy)) >= TRUSTED:
            yield image, face, dlib.xy


def trusted_by_dlib(folder: Path, every: int, places: bool = False) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """dlib's points of `trusted_faces`, and ours; None for ours where our model refuses the face. With `places`, what
    our networks alone say, as places on the head."""
    own_model = OwnLandmarker()
    for image, face, dlib in trusted_faces(folder, every):
        (own,) = own_model.points68_of([(image, face)])
        if isinstance(own, SetAsideError):
            yield dlib, None
        else:
            yield dlib, own_model.places([(image, face)])[0] if places else own.xy


def photographs(folder: Path, every: int) -> None:
    said = list(trusted_by_dlib(folder, every))
    both = [(own, dlib) for dlib, own in said if own is not None]
    apart, refused = [angles(own) - angles(dlib) for own, dlib in both], len(said) - len(both)
    off = np.abs(np.array(apart))
    far = off.max(1)
    total = len(far) + refused
    print(f"{total} faces that dlib's model is trusted on, {refused} refused by ours")
    print(f"within {NEAR:.0f} degrees: {(far <= NEAR).sum() / total:.4f}", end="; ")
    print(f"yaw, pitch, roll: {(off <= NEAR).mean(0).round(4)}")
    print(f"mean difference {np.array(apart).mean(0).round(2)}, largest of three: quantiles", end=" ")
    print(np.quantile(far, [0.5, 0.9, 0.95, 0.99, 1]).round(1))
    compare(*(np.stack(points) for points in zip(*both, strict=True)))


def compare(own: np.ndarray, dlib: np.ndarray) -> None:
    """Print how far points (n, 68, 2) are from dlib's, and the slopes of what is small."""
    unit = np.array([eyes_apart(points) for points in dlib])
    off = np.linalg.norm(own - dlib, axis=2) / unit[:, None]
    parts = {"jaw": slice(0, 17), **PARTS}
    print(f"from dlib's {off.mean():.4f}" + "".join(f" {name} {off[:, at].mean():.4f}" for name, at in parts.items()))
    along, across = jaw_errors(own, dlib)
    print(f"jaw along dlib's outline {along.mean():.4f}, across it {across.mean():.4f}")
    slopes = {}
    for name, (one, other) in SMALL.items():
        ours, theirs = (np.linalg.norm(p[:, one] - p[:, other], axis=2).mean(1) / unit for p in (own, dlib))
        slopes[name] = np.cov(theirs, ours)[0, 1] / np.var(theirs, ddof=1)
    print("slopes" + "".join(f" {name} {slope:.2f}" for name, slope in slopes.items()))


def jaw_errors(own: np.ndarray, dlib: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far the jaw's points are off along dlib's outline and across it, each (n, 17), in eye distances."""
    unit = np.array([eyes_apart(points) for points in dlib])[:, None]
    along = np.gradient(dlib[:, :17], axis=1)
    along /= np.linalg.norm(along, axis=2, keepdims=True)
    off = own[:, :17] - dlib[:, :17]
    across = off[..., 0] * along[..., 1] - off[..., 1] * along[..., 0]
    return np.abs((off * along).sum(2)) / unit, np.abs(across) / unit


def drawn(people: int) -> None:
    detector, models = MtcnnDetector(), {name: landmarker_by_name(name) for name in NAMES}
    print("yaw    found " + "".join(f"{name + ' yaw off':>14}{'points':>8}{'refused':>8}" for name in NAMES))
    for yaw in range(0, 91, 10):
        rows: dict[str, list[tuple[float, float]]] = {name: [] for name in NAMES}
        found = 0
        for number in range(people):
            rng = rng_for(7, "landmarks", yaw, number)
            scene = draw_scene(rng, 250)
            sign = 1 if number % 2 else -1
            portrait = draw_portrait(draw_person(rng), replace(scene, yaw=float(sign * yaw), centre=(125.0, 130.0)))
            face = nearest(detector.detect([portrait.image])[0], portrait.points68)
            if face is None:
                continue
            found += 1
            for name, model in models.items():
                (said,) = model.points68_of([(portrait.image, face)])
                if isinstance(said, SetAsideError):
                    continue
                off = (
                    np.linalg.norm(said.xy - portrait.points68, axis=1)[portrait.visible68].mean() / portrait.pose.scale
                )
                rows[name].append((abs(angles(said.xy)[0] - portrait.pose.yaw), float(off)))
        line = "".join(
            "{:14.2f}{:8.4f}{:8d}".format(*np.mean(rows[name], 0), found - len(rows[name])) for name in NAMES
        )
        print(f"{yaw:4}{found:8}" + line, flush=True)


def speed(folder: Path) -> None:
    detector = MtcnnDetector()
    faces: list[tuple[Image, Detection]] = []
    for path in sorted(folder.rglob("*.jpg"))[:200]:
        image = read_photo(path).image
        faces += [(image, one) for one in detector.detect([image])[0][:1]]
    faces = faces[:128]
    models = {name: landmarker_by_name(name) for name in NAMES}
    times: dict[str, list[float]] = {name: [] for name in NAMES}
    for _ in range(12):
        for name, model in models.items():
            before = _cpu()
            for at in range(0, len(faces), 64):
                model.points68_of(faces[at : at + 64])
            times[name].append((_cpu() - before) / len(faces) * 1e3)
    print(
        "ms a face, processor time, median of 12 rounds in turns: "
        + ", ".join(f"{n} {np.median(t):.3f}" for n, t in times.items())
    )


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--marked", type=Path)
    parser.add_argument("--photographs", type=Path)
    parser.add_argument("--every", type=int, default=1, help="of the photographs, one in so many")
    parser.add_argument("--drawn", action="store_true")
    parser.add_argument("--people", type=int, default=40, help="drawn at each yaw")
    parser.add_argument("--speed", type=Path)
    options = parser.parse_args()
    if options.marked:
        marked(options.marked)
    if options.photographs:
        photographs(options.photographs, options.every)
    if options.drawn:
        drawn(options.people)
    if options.speed:
        speed(options.speed)


if __name__ == "__main__":
    main()
