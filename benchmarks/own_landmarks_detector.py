"""How all 68 landmarks of our own move for what the detector says of a face: makes `own_detector.npz`.

    python benchmarks/own_landmarks_detector.py DRAWN maskgen/faces/landmarkers/own_detector.npz

DRAWN is what `benchmarks/own_landmarks.py` drew. The installed networks say the landmarks of every drawn face turned by
up to YAW degrees; their errors and those of the mirrored faces give the covariance of the 68 landmarks with the five
points and with the chin. How far above the chin the detector's box ends is measured on PEOPLE people of `maskgen demo`.
Of photographs only how exact the detector is there takes part, and how much larger the networks' errors are there.
"""

from __future__ import annotations

import argparse
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
from landmark_training.samples import Drawn
from landmarks import nearest

from maskgen.core.atomic_writes import write_atomic
from maskgen.core.records import Detection, Doubles, floats
from maskgen.core.seeding import rng_for
from maskgen.faces.detect import MtcnnDetector
from maskgen.faces.landmarkers.detector_evidence import CHIN, LEVEL, Evidence
from maskgen.faces.landmarkers.face_frames import face_frames
from maskgen.faces.landmarkers.own import OwnLandmarker
from maskgen.faces.landmarkers.own_network import MIRRORED, POINTS
from maskgen.faces.upright_crop import five_points
from maskgen.people import draw_person, draw_portrait, draw_scene

YAW = 35.0  # degrees up to which the detector sees all five points
KEPT = 0.95  # share of the faces, those with the smallest errors, that count: a few are wrong altogether
# Variance of each coordinate of the detector's points on photographs, in face units squared, 0.0009 against dlib's
# landmarks on LFW and 0.0019 against marked ones on HELEN, divided by 1.9, the ratio of the variances of the networks'
# errors at these points on the same photographs (0.0016 and 0.0021) and on drawn faces (0.0010).
OF_POINTS = 0.0007
# The same of the lower side of its box, 0.0064 against the chin on both, and 3.6 (0.0104 and 0.0028).
OF_BOX = 0.0018
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
    return lack


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
    """How the landmarks move: the mean of a Gaussian, given the five points, and then given the chin."""
    every = np.concatenate([lack, lack[:, MIRRORED[:POINTS]] * [-1, 1]])
    flat = every.reshape(len(every), -1)
    size = np.linalg.norm(flat, axis=1)
    near = size <= np.quantile(size, KEPT)
    # The five points are means of landmarks, so the five of the lacks are the lacks of the five.
    five = five_points(every[near]).astype(np.float64).reshape(near.sum(), -1)
    flat, five = flat[near] - flat[near].mean(0), five - five.mean(0)
    shared = flat.T @ five / len(five)
    moves = shared @ np.linalg.inv(five.T @ five / len(five) + OF_POINTS * np.eye(five.shape[1]))
    left = flat.T @ flat / len(flat) - moves @ shared.T
    down = 2 * CHIN + 1
    return Evidence(moves, left[:, down] / (left[down, down] + OF_BOX), above)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("drawn", type=Path)
    parser.add_argument("out", type=Path)
    asked = parser.parse_args()
    lack = errors(Drawn(asked.drawn))
    made, held = evidence_of(lack, above_chin()), io.BytesIO()
    np.savez_compressed(held, **{name: np.float16(value) for name, value in made._asdict().items()})
    write_atomic(asked.out, held.getvalue())
    error = np.linalg.norm(lack, axis=2).mean()
    print(f"{len(lack)} drawn faces, mean error {error:.4f}; boxes end {made.above:.3f} above chins")
