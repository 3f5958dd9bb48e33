"""How dlib's landmarks move with the pose where places on the head do not: on drawn people, whose places are known, and
on LFW, where our networks say them.

    python benchmarks/jaw_convention.py DRAWN LFW_DIR [--every 16]

DRAWN is a folder of `own_landmarks.py`. On its people at yaws up to 30 degrees on whom dlib's model is right (mean
error below 0.12), a linear map from yaw and pitch is fitted to dlib's landmarks less the true ones; on photographs one
to dlib's landmarks less our networks', by our angles. Where both agree, the difference is a convention: landmarks of
photographs slide along the outline that is seen. What `own` makes of its networks' answers since (`jaw_outline.py`,
`brow_edges.py`, `detector_evidence.py`) is left out here. Prints both maps for some of the jaw's landmarks, and how far
the networks' are from dlib's without and with the map of drawn people. All in distances between the eyes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from landmark_training.samples import Drawn
from landmarks import angles, trusted_by_dlib

from maskgen.core.reasons import SetAsideError
from maskgen.core.records import Detection
from maskgen.faces.landmarkers.by_name import landmarker_by_name

RIGHT, TURNED = 0.12, 30.0
SHOWN = (0, 2, 4, 6, 8, 10, 12, 14, 16)


def in_eyes(frame: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points (n, 68, 2) from between the eyes of `frame`, x along its eyes' line, in distances between these eyes."""
    left, right = frame[:, 36:42].mean(1), frame[:, 42:48].mean(1)
    across = right - left
    turn = np.stack([across, np.stack([-across[:, 1], across[:, 0]], 1)], 1) / (across**2).sum(1)[:, None, None]
    return np.einsum("nij,nkj->nki", turn, points - ((left + right) / 2)[:, None])


def by_pose(off: np.ndarray, poses: np.ndarray) -> np.ndarray:
    """The linear map from 1, yaw and pitch in tens of degrees to differences (n, 68, 2), (3, 68, 2)."""
    return np.linalg.lstsq(terms(poses), off.reshape(len(off), -1), rcond=None)[0].reshape(3, 68, 2)


def terms(poses: np.ndarray) -> np.ndarray:
    return np.column_stack([np.ones(len(poses)), poses[:, :2] / 10])


def drawn_map(drawn: Drawn) -> np.ndarray:
    """dlib's landmarks less the true ones by the true pose."""
    model, kept, said = landmarker_by_name("dlib"), [], []
    for at in np.flatnonzero(np.isfinite(drawn.five[:, 0, 0]) & (np.abs(drawn.poses[:, 0]) < TURNED)):
        five = drawn.five[at]
        middle, half = five.mean(0), float(np.ptp(five, axis=0).max())
        (one,) = model.points68_of([(drawn.images[at], Detection(np.r_[middle - half, middle + half], five, 1.0))])
        if not isinstance(one, SetAsideError):
            kept.append(at)
            said.append(one.xy)
    true = drawn.points[kept, :68]
    off = in_eyes(true, np.stack(said)) - in_eyes(true, true)
    right = np.linalg.norm(off, axis=2).mean(1) < RIGHT
    print(f"{right.sum()} drawn people of {len(right)}")
    return by_pose(off[right], drawn.poses[kept][right])


def show(name: str, map_: np.ndarray) -> None:
    """Print the map of some landmarks of the jaw."""
    for row, term in enumerate(("at yaw and pitch 0", "10 degrees of yaw", "10 degrees of pitch")):
        for axis in (0, 1):
            print(f"{name}, {term}, {'xy'[axis]}:", *(f"{map_[row, at, axis]:+.3f}" for at in SHOWN))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("drawn", type=Path)
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--every", type=int, default=16)
    options = parser.parse_args()
    drawn = drawn_map(Drawn(options.drawn))
    said = trusted_by_dlib(options.photographs, options.every, places=True)
    dlib, own = np.stack([one for one in said if one[1] is not None], 1)
    poses, off = np.array([angles(one) for one in own]), in_eyes(dlib, dlib) - in_eyes(dlib, own)
    spreads = [float(np.std([angles(one)[1] for one in points])) for points in (dlib, own)]
    print("deviation of the pitch on photographs: dlib {:.1f}, own {:.1f} degrees".format(*spreads))
    show("drawn, dlib less true", drawn)
    show("photographs, dlib less own", by_pose(off, poses))
    mapped = off - (terms(poses) @ drawn.reshape(3, -1)).reshape(off.shape)
    for name, left in (("own", off), ("own with the map of drawn people", mapped)):
        away = np.linalg.norm(left, axis=2)
        print(f"{len(own)} photographs, dlib from {name}: {away.mean():.4f}, jaw {away[:, :17].mean():.4f}", end="")
        print(f", others {away[:, 17:].mean():.4f}")


if __name__ == "__main__":
    main()
