"""How all 68 landmarks of our own move for what others say of a face: makes `own_detector.npz`.

    python benchmarks/own_landmarks_detector.py DRAWN maskgen/faces/landmarkers/own_detector.npz

DRAWN is what `benchmarks/own_landmarks.py` drew. The installed networks say the landmarks of every drawn face turned by
up to YAW degrees; their errors and those of the mirrored faces give the covariance of the 68 landmarks with the
detector's five points, with the eyes' corners and with the chin. How far above the chin the detector's box ends is
measured on PEOPLE people of `maskgen demo`. Of photographs only how exact the detector and dlib's predictor of the
eyes' corners are there takes part, and how much larger the networks' errors are there: `--photographs lfw --marked
landmarks68` prints these numbers.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from landmark_training.patch import MIRRORED
from landmark_training.samples import Drawn
from landmarks import marked_faces, nearest, trusted_faces

from maskgen.core.atomic_writes import write_atomic
from maskgen.core.records import Detection, Doubles, Image, floats
from maskgen.core.seeding import rng_for
from maskgen.faces.detect import MtcnnDetector
from maskgen.faces.landmarkers.detector_evidence import CHIN, LEVEL, Evidence
from maskgen.faces.landmarkers.eye_corners import CORNERS, corners_of
from maskgen.faces.landmarkers.face_frames import face_frames
from maskgen.faces.landmarkers.own import OwnLandmarker
from maskgen.faces.landmarkers.own_network import POINTS
from maskgen.faces.upright_crop import five_points
from maskgen.people import draw_person, draw_portrait, draw_scene

YAW = 35.0  # degrees up to which the detector sees all five points
KEPT = 0.95  # share of the faces, those with the smallest errors, that count: a few are wrong altogether
EVERY = 8  # of the photographs of --photographs
# Variances of each coordinate in face units squared, as printed: on photographs (the mean of LFW's, against dlib's 68
# landmarks, and HELEN's, against marked ones) divided by the ratio of the networks' at the same points there and on
# drawn faces: of the detector's points 0.0015 and 2.4, of the eyes' corners 0.00055 and 1.6, of the lower side of the
# detector's box, against the chin, 0.0070 and 2.4.
OF_POINTS, OF_CORNERS, OF_BOX = 0.0006, 0.00035, 0.003
PEOPLE, TOGETHER = 150, 64


def errors(drawn: Drawn) -> Doubles:
    """What the networks' landmarks lack of the true ones, (n, 68, 2), in face units along the face's axes."""
    rng, network = rng_for(0, "detector's points"), OwnLandmarker()
    some = np.flatnonzero(np.abs(drawn.poses[:, 0]) < YAW)
    fives = [drawn.five_of(at, rng) for at in some]
    faces = [
        (drawn.images[at], Detection(np.zeros(4, np.float32), floats(five), 1.0))
        for at, five in zip(some, fives, strict=True)
    ]
    groups = (faces[at : at + TOGETHER] for at in range(0, len(faces), TOGETHER))
    said = np.concatenate([network.places(group) for group in groups])
    axes, units = face_frames(five_points(said))
    lack: Doubles = (drawn.points[some, :POINTS] - said) @ axes.transpose(0, 2, 1) / units
    size = np.linalg.norm(lack.reshape(len(lack), -1), axis=1)
    return lack[size <= np.quantile(size, KEPT)]


def above_chin() -> float:
    """How far above the chin the detector's box ends on drawn people who look at the camera, in face units."""
    detector, above = MtcnnDetector(), []
    for number in range(PEOPLE):
        rng = rng_for(21, "box", number)
        scene = draw_scene(rng, 300)
        portrait = draw_portrait(draw_person(rng), replace(scene, yaw=float(rng.uniform(-20, 20))))
        face = nearest(detector.detect([portrait.image])[0], portrait.points68)
        axes, units = face_frames(five_points(floats(portrait.points68[None])))
        if face is not None and abs(np.degrees(np.arctan2(axes[0, 0, 1], axes[0, 0, 0]))) < LEVEL:
            above.append((portrait.points68[CHIN, 1] - face.box[3]) / units[0, 0, 0])
    return float(np.median(above))


def evidence_of(lack: Doubles, above: float) -> Evidence:
    """How the landmarks move: the mean of a Gaussian, given the points of others, and then given the chin."""
    every = np.concatenate([lack, lack[:, MIRRORED[:POINTS]] * [-1, 1]])
    # The five points are means of landmarks, so the five of the lacks are the lacks of the five.
    flat, five = every.reshape(len(every), -1), five_points(every).astype(np.float64).reshape(len(every), -1)
    flat, five = flat - flat.mean(0), five - five.mean(0)
    corners = every[:, CORNERS].reshape(len(every), -1)
    told = np.concatenate([five, corners - corners.mean(0)], 1)
    noise = np.repeat([OF_POINTS, OF_CORNERS], [five.shape[1], corners.shape[1]])
    shared = flat.T @ told / len(told)
    moves = shared @ np.linalg.inv(told.T @ told / len(told) + np.diag(noise))
    left = flat.T @ flat / len(flat) - moves @ shared.T
    down = 2 * CHIN + 1
    return Evidence(moves, left[:, down] / (left[down, down] + OF_BOX), above)


def exactness(faces: Iterable[tuple[Image, Detection, np.ndarray]]) -> None:
    """Print the variances of each coordinate, in face units squared, of what others say of photographs and of what the
    networks say of the same points, each without its mean."""
    network, rows = OwnLandmarker(), []
    for image, face, true in faces:
        (said,), (corners,) = network.places([(image, face)]), corners_of([(image, face)])
        axes, units = face_frames(five_points(floats(true))[None])
        five, (unit, axis) = five_points(true), (float(units[0, 0, 0]), axes[0])
        pairs = (
            face.points5 - five,
            five_points(said) - five,
            corners - true[list(CORNERS)],
            (said - true)[list(CORNERS)],
        )
        below = np.array([[face.box[3] - true[CHIN, 1], said[CHIN, 1] - true[CHIN, 1]]]) / unit
        rows.append([*((one @ axis.T / unit).ravel() for one in pairs), below[:, 0], below[:, 1]])
    names = ("detector's points", "networks' at these", "corners", "networks' at these", "box", "networks' chin")
    for name, column in zip(names, zip(*rows, strict=True), strict=True):
        print(f"{name}: {np.var(np.stack(column), axis=0).mean():.5f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("drawn", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--photographs", type=Path)
    parser.add_argument("--marked", type=Path)
    asked = parser.parse_args()
    if asked.photographs:
        exactness(trusted_faces(asked.photographs, EVERY))
    if asked.marked:
        exactness((image, face, points) for _, image, face, points in marked_faces(asked.marked))
    lack = errors(Drawn(asked.drawn))
    at_points = [five_points(lack.astype(np.float32)), lack[:, CORNERS], lack[:, [CHIN], 1:]]
    print("networks on drawn faces:", *(f"{np.var(one, axis=0).mean():.5f}" for one in at_points))
    made, held = evidence_of(lack, above_chin()), io.BytesIO()
    np.savez_compressed(held, **{name: np.float16(value) for name, value in made._asdict().items()})
    write_atomic(asked.out, held.getvalue())
    error = np.linalg.norm(lack, axis=2).mean()
    print(f"{len(lack)} drawn faces, mean error {error:.4f}; boxes end {made.above:.3f} above chins")
