"""How well a face mesh of 468 points would serve as landmark model: a .tflite file that OpenVINO reads.

    python benchmarks/mesh_landmarks.py face_landmark.tflite landmarks68

The file is `mediapipe/modules/face_landmark/face_landmark.tflite` of the wheel mediapipe 0.10.21 (Apache-2.0). For each
of the 68 points the vertex is taken that lies nearest to it on drawn people up to a yaw of 30 degrees, and the mean
offset that is left there, in eye distances of an upright face. Prints the vertices, the error on FACES_DIR (NAME.jpg,
NAME.pts) in distances between the eyes, for all points, the jaw's and the others, and the error of yaw on drawn people.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from maskgen.core.images import read_photo
from maskgen.core.records import Image
from maskgen.core.seeding import rng_for
from maskgen.faces.detect import MtcnnDetector
from maskgen.faces.mtcnn.openvino_core import compiled_for_one_thread
from maskgen.faces.upright_crop import face_right, five_points, frontal_eye_distance, similarity, warp
from maskgen.masks.pose.camera import fit_camera
from maskgen.people.person import draw_person
from maskgen.people.portrait import Portrait, draw_portrait
from maskgen.people.scene import draw_scene

SIDE = 192
AROUND = 3.6  # side of the crop in face units


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("faces", type=Path)
    options = parser.parse_args()
    mesh, detector = Mesh(options.file), MtcnnDetector()
    vertices, offsets = map_of(mesh, detector)
    print("vertices", vertices.tolist())
    errors: dict[str, list[np.ndarray]] = {"nearest vertex": [], "with the offset": []}
    for path in sorted(options.faces.glob("*.pts")):
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
    main()
