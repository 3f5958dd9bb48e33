"""Masks on faces whose landmarks are uncertain reach farther, and others stay as they are."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from maskgen.api import Masker, MaskerSettings, Output
from maskgen.core.images import read_photo
from maskgen.masker import masker as module
from maskgen.masks.apply_mask import (
    AnalysedFace,
    analyse_face,
    apply_mask,
    place_mask,
)
from maskgen.masks.cloth_and_straps import PIECES
from maskgen.masks.kind import Kind
from maskgen.masks.kinds import load_kind
from maskgen.masks.mesh_points import LID_REACH, MOST_UNSURE, MOUTH_DOWN, MOUTH_OUT, REACH, WIDER
from maskgen.masks.plan import MaskPlan
from maskgen.masks.pose.camera import Camera, rotation
from maskgen.masks.pose.head import mean68
from maskgen.masks.render import PlacedMask

SCALE, UNSURE = 60.0, 0.1


def rows_and_columns(unsure: float, kind: str = "surgical_blue", wearing: str = "proper") -> tuple[float, float, float]:
    """The first and the last row under a mask on the mean head below the nose, and the widest row's width."""
    points = Camera(SCALE, rotation(0, 0, 0), np.array([110.0, 110.0])).project(mean68())[:, :2].astype(np.float32)
    face = analyse_face(np.full((240, 220, 3), 128, np.uint8), points)
    plan = MaskPlan(unsure=unsure, wearing=wearing)
    solid = apply_mask(np.full((240, 220, 3), 128, np.uint8), face, plan, load_kind(kind)).coverage > 127
    middle = np.flatnonzero(solid[:, 105:116].all(1))
    return float(middle[0]), float(middle[-1]), float(solid.sum(1).max())


def test_an_uncertain_chin_is_covered_farther_down() -> None:
    _, sure, wide = rows_and_columns(0.0)
    _, low, wider = rows_and_columns(UNSURE)
    chin = 1.0  # about the distance in eye distances from the mouth to the cloth's lower edge
    assert low - sure == pytest.approx((REACH + WIDER * chin) * UNSURE * SCALE, abs=1.5)
    assert wider / wide == pytest.approx(1 + WIDER * UNSURE, abs=0.02)


def test_the_reach_has_a_limit_and_a_chin_left_out_stays_out() -> None:
    assert rows_and_columns(MOST_UNSURE) == rows_and_columns(5 * MOST_UNSURE)
    (_, sure, _), (_, low, _) = (rows_and_columns(unsure, wearing="chin_out") for unsure in (0.0, UNSURE))
    assert low - sure < 0.5 * REACH * UNSURE * SCALE


def test_uncertain_eyelids_keep_the_mask_farther_away() -> None:
    points = Camera(SCALE, rotation(0, 0, 0), np.array([110.0, 110.0])).project(mean68())[:, :2].astype(np.float32)
    image = np.full((240, 220, 3), 128, np.uint8)
    lids = points[[40, 41, 46, 47]]
    gaps = []
    for unsure in (0.0, UNSURE):
        solid = apply_mask(image, analyse_face(image, points), MaskPlan(up=0.4, unsure=unsure), load_kind("n95"))
        gaps.append(min(float(np.flatnonzero(solid.coverage[:, round(x)] > 127)[0] - y) for x, y in lids))
    assert gaps[1] - gaps[0] == pytest.approx(LID_REACH * UNSURE * SCALE, abs=1.2)


@pytest.mark.parametrize("name", ["surgical_blue", "n95"])
def test_only_the_part_below_the_mouth_is_stretched_and_straps_still_end_where_they_did(name: str) -> None:
    points = Camera(SCALE, rotation(0, 0, 0), np.array([110.0, 110.0])).project(mean68())[:, :2].astype(np.float32)
    face = analyse_face(np.full((240, 220, 3), 128, np.uint8), points)
    kind = load_kind(name)
    plain, reached = (place_mask((240, 220), face, MaskPlan(unsure=one), kind).points.xyz for one in (0.0, UNSURE))
    mesh, moved = kind.mesh_for(face.camera.scale, "proper"), reached - plain
    mouth = face.camera.scale * (face.camera.rotation[:2] @ (0, MOUTH_DOWN, MOUTH_OUT)) + face.camera.shift
    above = np.flatnonzero(plain[: mesh.straps_from, 1] < mouth[1] - 1)
    grown = WIDER * UNSURE * (plain[above, :2] - mouth)
    assert moved[above, :2] == pytest.approx(grown, abs=0.05)
    breadth = (len(plain) - mesh.straps_from) // (len(mesh.strap_widths) * PIECES)
    ends = moved[mesh.straps_from :].reshape(len(mesh.strap_widths), PIECES, breadth, 3)[:, -1]
    assert np.abs(ends).max() < 0.05


@pytest.mark.parametrize("kind", ["sunglasses_black", "shield_blue"])
def test_glasses_and_shields_stay_where_they_are(kind: str) -> None:
    points = Camera(SCALE, rotation(0, 0, 0), np.array([110.0, 110.0])).project(mean68())[:, :2].astype(np.float32)
    face = analyse_face(np.full((240, 220, 3), 128, np.uint8), points)
    plain, unsure = (
        place_mask((240, 220), face, MaskPlan(unsure=one), load_kind(kind)).points.xyz for one in (0.0, UNSURE)
    )
    assert np.array_equal(plain, unsure)


def test_an_error_below_0_is_refused() -> None:
    for wrong in (-0.1, float("nan")):
        with pytest.raises(ValueError, match="unsure"):
            MaskPlan(unsure=wrong)


@pytest.mark.parametrize("landmarks", ["dlib", "own"])
def test_a_masker_takes_the_landmarks_own_certainty(
    landmarks: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cv2.imwrite(str(tmp_path / "astronaut.png"), astronaut()[..., ::-1])
    photo, plans = read_photo(tmp_path / "astronaut.png"), []
    real = module.place_mask

    def noted(size: tuple[int, ...], analysed: AnalysedFace, plan: MaskPlan, kind: Kind) -> PlacedMask:
        plans.append(plan.unsure)
        return real(size, analysed, plan, kind)

    monkeypatch.setattr(module, "place_mask", noted)
    (results,) = Masker(MaskerSettings(("n95",), landmarks=landmarks)).process([photo.sha256], [photo])
    assert isinstance(results, list) and isinstance(results[0], Output)
    assert plans == [results[0].row.get("expected_error") or 0.0]
    assert (plans[0] > 0.01) == (landmarks == "own")
