"""How well a face mesh of 468 points would serve as landmark model: a .tflite file that OpenVINO reads.

    python benchmarks/mesh_landmarks.py face_landmark.tflite landmarks68 [--limit lfw]

The file is `mediapipe/modules/face_landmark/face_landmark.tflite` of the wheel mediapipe 0.10.21 (Apache-2.0). For each
of the 68 points the vertex is taken that lies nearest to it on drawn people up to a yaw of 30 degrees, and the mean
offset that is left there, in eye distances of an upright face. Prints the vertices, the error on FACES_DIR (NAME.jpg,
NAME.pts) in distances between the eyes, for all points, the jaw's and the others, and the error of yaw on drawn people.

--limit: instead, how near to the marked points the mesh's points and those of `own` can lead at best: by a linear map
(ridge regression) from them to dlib's points, learned on these photographs, every 12th, where dlib is trusted. No model
may be made so, for dlib's licence holds for its answers; what it leaves is not in these points.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from landmarks import eyes_apart, marked_faces, trusted_faces

from maskgen.core.images import read_photo
from maskgen.core.networks.openvino_core import compiled_for_one_thread
from maskgen.core.reasons import SetAsideError
from maskgen.core.records import Detection, Image
from maskgen.core.seeding import rng_for
from maskgen.faces.detect import MtcnnDetector
from maskgen.faces.landmarkers.by_name import landmarker_by_name
from maskgen.faces.upright_crop import face_right, five_points, frontal_eye_distance, similarity, warp
from maskgen.masks.pose.camera import fit_camera
from maskgen.people.person import draw_person
from maskgen.people.portrait import Portrait, draw_portrait
from maskgen.people.scene import draw_scene

SIDE = 192
AROUND = 3.6  # side of the crop in face units
RIDGE = 1e-5  # of the regression, for each photograph and number


class Mesh:
    """Finds the 468 points in an upright crop around five points."""

    def __init__(self, file: Path) -> None:
        self._request: Any = compiled_for_one_thread(str(file)).create_infer_request()

    def points(self, image: Image, points5: np.ndarray) -> np.ndarray:
        """The points in the picture, (468, 2)."""
        middle = (points5[0] + points5[1] + points5[3] + points5[4]) / 4
        scale = SIDE / (AROUND * max(frontal_eye_distance(points5), 1e-3))
        matrix = similarity(middle, face_right(points5), scale, np.full(2, SIDE / 2 - 0.5))
        self._request.infer({0: warp(image, matrix, SIDE)[None].astype(np.float32) / 255})
        said = np.array(self._request.get_output_tensor(0).data).reshape(-1, 3)[:, :2]
        back = cv2.invertAffineTransform(matrix)
        return np.asarray(said @ back[:, :2].T + back[:, 2])


def drawn(detector: MtcnnDetector, yaws: list[float], name: str) -> Iterator[tuple[Portrait, np.ndarray]]:
    """Drawn people at some yaws with the five points found in each."""
    for number, yaw in enumerate(yaws):
        rng = rng_for(7, name, number)
        portrait = draw_portrait(draw_person(rng), replace(draw_scene(rng, 250), yaw=yaw, centre=(125.0, 130.0)))
        found = detector.detect([portrait.image])[0]
        if found:
            yield portrait, found[0].points5


def axes(points5: np.ndarray) -> np.ndarray:
    """The face's own right and down in the picture, an eye distance long, as rows."""
    right = face_right(points5) * frontal_eye_distance(points5)
    return np.array([right, [-right[1], right[0]]])


def map_of(mesh: Mesh, detector: MtcnnDetector) -> tuple[np.ndarray, np.ndarray]:
    """For each of the 68 points a vertex, and where the point lies from there in the face's own axes, (68, 2)."""
    yaws = np.random.default_rng(0).uniform(-30, 30, 60).tolist()
    vertices, points = [], []
    for portrait, five in drawn(detector, yaws, "mesh map"):
        own = np.linalg.inv(axes(five_points(portrait.points68)))
        vertices.append((mesh.points(portrait.image, five) - portrait.points68.mean(0)) @ own)
        points.append((portrait.points68 - portrait.points68.mean(0)) @ own)
    seen, true = np.array(vertices), np.array(points)
    apart = np.linalg.norm(seen[:, None] - true[:, :, None], axis=3).mean(0)
    nearest = apart.argmin(1)
    return nearest, (true - seen[:, nearest]).mean(0)


@dataclass(frozen=True)
class Row:
    """One face in the frame of its detected points: what the models say, the truth, and the distance between the
    eyes."""

    said: dict[str, np.ndarray]
    true: np.ndarray
    eyes: float


def rows_of(mesh: Mesh, faces: Iterable[tuple[Image, Detection, np.ndarray]]) -> Iterator[Row]:
    """Faces whose landmarks `own` finds."""
    own = landmarker_by_name("own")
    for image, face, true in faces:
        (found,) = own.points68_of([(image, face)])
        if isinstance(found, SetAsideError):
            continue
        middle, back = face.points5.mean(0), np.linalg.inv(axes(face.points5))
        said = {"mesh": mesh.points(image, face.points5), "own": found.xy}
        placed = {name: ((points - middle) @ back).ravel() for name, points in said.items()}
        unit = float(np.linalg.norm(axes(face.points5)[0]))
        yield Row(placed, ((true - middle) @ back).ravel(), eyes_apart(true) / unit)


def limit(mesh: Mesh, photographs: Path, marked: Path) -> None:
    learnt = list(rows_of(mesh, trusted_faces(photographs, 12)))
    judged = list(rows_of(mesh, (each[1:] for each in marked_faces(marked))))
    true, eyes = (np.array([getattr(row, name) for row in judged]) for name in ("true", "eyes"))
    for names in (("mesh",), ("own",), ("mesh", "own")):
        x, y = (
            np.array([np.concatenate([row.said[name] for name in names]) for row in rows]) for rows in (learnt, judged)
        )
        middle, spread = x.mean(0), x.std(0) + 1e-3
        x, y = (x - middle) / spread, (y - middle) / spread
        answers = np.array([row.true for row in learnt])
        pull = RIDGE * len(x) * x.shape[1] * np.eye(x.shape[1])
        weights = np.linalg.solve(x.T @ x + pull, x.T @ (answers - answers.mean(0)))
        off = np.linalg.norm((y @ weights + answers.mean(0) - true).reshape(-1, 68, 2), axis=2) / eyes[:, None]
        parts = f"{off.mean():.4f}, jaw {off[:, :17].mean():.4f}, others {off[:, 17:].mean():.4f}"
        print(f"{' and '.join(names)}, best map of {len(learnt)} photographs: {len(off)} faces, {parts}")


def nearest_vertices(mesh: Mesh, folder: Path) -> None:
    detector = MtcnnDetector()
    vertices, offsets = map_of(mesh, detector)
    print("vertices", vertices.tolist())
    errors: dict[str, list[np.ndarray]] = {"nearest vertex": [], "with the offset": []}
    for path in sorted(folder.glob("*.pts")):
        image, true = read_photo(path.with_suffix(".jpg")).image, np.loadtxt(path)
        found = detector.detect([image])[0]
        if not found:
            continue
        face = min(found, key=lambda one: float(np.linalg.norm(one.points5.mean(0) - true.mean(0))))
        points = mesh.points(image, face.points5)[vertices]
        moved = points + offsets @ axes(five_points(points))
        apart = float(np.linalg.norm(true[36:42].mean(0) - true[42:48].mean(0)))
        for name, one in (("nearest vertex", points), ("with the offset", moved)):
            errors[name].append(np.linalg.norm(one - true, axis=1) / apart)
    for name, rows in errors.items():
        off = np.array(rows)
        print(f"{name}: {len(off)} faces, {off.mean():.4f}, jaw {off[:, :17].mean():.4f}", end=", ")
        print(f"others {off[:, 17:].mean():.4f}")
    for yaw in range(0, 91, 15):
        rows = []
        for portrait, five in drawn(detector, [float(yaw), -float(yaw)] * 10, f"mesh yaw {yaw}"):
            points = mesh.points(portrait.image, five)[vertices]
            moved = points + offsets @ axes(five_points(points))
            rows.append(abs(fit_camera(moved)[0].pose().yaw - portrait.pose.yaw))
        print(f"yaw {yaw}: {len(rows)} found, yaw off by {np.mean(rows):.1f} degrees")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("faces", type=Path)
    parser.add_argument("--limit", type=Path, metavar="LFW_DIR")
    options = parser.parse_args()
    if options.limit:
        limit(Mesh(options.file), options.limit, options.faces)
    else:
        nearest_vertices(Mesh(options.file), options.faces)
