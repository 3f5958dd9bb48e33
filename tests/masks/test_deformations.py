"""What makes one mask of a kind differ from the next: its outline, and the straps that follow it."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from maskgen.core.seeding import rng_for
from maskgen.masks.apply_mask import analyse_face, apply_mask
from maskgen.masks.cloth_and_straps import PIECES
from maskgen.masks.deformations import CREASES, DRAWN, FLARE, OUTLINE, WAIST
from maskgen.masks.kinds import load_kind
from maskgen.masks.plan import MaskPlan, plan_mask
from maskgen.masks.pose.camera import Camera, rotation
from maskgen.masks.pose.head import mean68

FIRST = 1 + CREASES  # number of the first deformation of the outline


@pytest.mark.parametrize("kind", ["surgical_green", "kn95", "cloth_black", "n95"])
@pytest.mark.parametrize("small", [False, True])
def test_a_strap_begins_where_its_corner_has_moved_to(kind: str, small: bool) -> None:
    mesh = load_kind(kind).mesh_for(50.0 if small else 200.0, "proper")
    moves = mesh.deformations.points[FIRST : FIRST + len(OUTLINE)]
    cloth, straps = moves[:, : mesh.straps_from], moves[:, mesh.straps_from :]
    at = mesh.deformations.points[0]
    roots = straps.reshape(len(OUTLINE), -1, PIECES, straps.shape[1] // PIECES // len(mesh.strap_widths), 3)[:, :, 0]
    assert np.abs(moves).max() > 0.01
    for strap, root in enumerate(at[mesh.straps_from :].reshape(roots.shape[1], PIECES, -1, 3)[:, 0].mean(1)):
        near = np.argsort(np.linalg.norm(at[: mesh.straps_from] - root, axis=1))[:4]
        assert np.linalg.norm(roots[:, strap].mean(1) - cloth[:, near].mean(1), axis=1).max() < 0.05


@pytest.mark.parametrize("kind", ["pitta_grey", "gaiter_grey"])
def test_sides_that_go_round_the_head_do_not_move(kind: str) -> None:
    moves = load_kind(kind).mesh_for(200.0, "proper").deformations.points[FIRST : FIRST + 8]
    assert (moves == 0).all()


def test_glasses_and_shields_keep_their_outline() -> None:
    for kind in ("sunglasses_black", "shield_white"):
        assert (load_kind(kind).mesh_for(200.0, "proper").deformations.points[FIRST : FIRST + len(OUTLINE)] == 0).all()


def test_weights_are_within_their_limits_and_use_them() -> None:
    drawn = np.array([plan_mask(rng_for(seed)).outline for seed in range(300)])
    low, high = np.array(OUTLINE).T
    assert (drawn >= low).all() and (drawn <= high).all()
    assert (np.ptp(drawn, axis=0) >= 0.9 * (high - low)).all()
    assert not drawn[:, DRAWN:].any()


def test_sides_are_drawn_in_and_lower_corners_stand_out() -> None:
    image, kind = np.full((160, 160, 3), 128, np.uint8), load_kind("surgical_blue")
    face = analyse_face(image, Camera(46.0, rotation(0, 0, 0), np.array([80.0, 88.0])).project(mean68())[:, :2])
    edges = []
    for places in ((), WAIST[:1], FLARE[:1]):
        outline = tuple(float(at in places) for at in range(len(OUTLINE)))
        solid = apply_mask(image, face, MaskPlan(outline=outline), kind).coverage > 127
        edges.append(np.where(solid.any(1), solid.argmax(1), -1))
    plain, waist, flare = (edge[edges[0] > 0] for edge in edges)
    inward, outward = waist - plain, plain - flare
    assert 2 <= inward.max() <= 7 and inward.argmax() < 0.7 * len(plain)
    assert 2 <= outward.max() <= 7 and outward.argmax() > inward.argmax()
    mesh = kind.mesh_for(200.0, "proper")
    moves = mesh.deformations.points[FIRST + FLARE[0], : mesh.straps_from].reshape(-1, mesh.columns, 3)[:, 0]
    far = np.linalg.norm(moves, axis=1)
    assert far[len(far) // 2] < 0.15 * far[-1]  # only the corner stands out, not all of the side
    assert max(abs(inward[0]), abs(inward[-1]), abs(outward[0])) <= 1


def test_a_plan_has_all_weights() -> None:
    with pytest.raises(ValueError, match="3 deformations of the outline"):
        MaskPlan(outline=(0.0, 0.0, 0.0))


def test_outlines_differ_as_much_as_the_limits_let_them() -> None:
    image, kind = np.full((160, 160, 3), 128, np.uint8), load_kind("surgical_blue")
    camera = Camera(46.0, rotation(0, 0, 0), np.array([80.0, 88.0]))
    face = analyse_face(image, camera.project(mean68())[:, :2].astype(np.float32))
    plain = apply_mask(image, face, MaskPlan(), kind).coverage > 127
    for seed in range(6):
        bent = replace(MaskPlan(), outline=plan_mask(rng_for(seed)).outline)
        other = apply_mask(image, face, bent, kind).coverage > 127
        unlike = (plain ^ other).sum() / plain.sum()
        assert 0.02 < unlike < 0.25
        assert cv2.connectedComponents(other.astype(np.uint8))[0] == 2
