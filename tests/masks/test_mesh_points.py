"""The mesh in the picture is where slow sums of NumPy put it; loops seen from the side are as broad as cords are, and
left alone where they face the viewer."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from maskgen.core.kernels.arena import arena_of_thread
from maskgen.core.seeding import rng_for
from maskgen.masks import cloth_and_straps
from maskgen.masks.apply_mask import AnalysedFace, analyse_face, place_mask
from maskgen.masks.ear_and_head_occlusion import facing_triangles
from maskgen.masks.kinds import load_kind
from maskgen.masks.mask_mesh import MaskMesh, bare_head_model
from maskgen.masks.mesh_points import (
    _JOB,
    COVERS_CHIN,
    LID_REACH,
    LID_ROOM,
    MOST_UNSURE,
    MOUTH_DOWN,
    MOUTH_OUT,
    REACH,
    WIDER,
)
from maskgen.masks.plan import MaskPlan, plan_mask
from maskgen.masks.pose.camera import Camera
from maskgen.masks.pose.head import place
from maskgen.masks.render import PlacedMask, Window
from maskgen.people import sample_people

PIECES = 9
THICK, FINEST, ROOT, FLAT = 0.65, 0.8, 0.5, 4  # of `kernels/place.c`


def thicken(points: np.ndarray, widths: np.ndarray, scale: float, wide: float = 1.0, pieces: int = PIECES) -> None:
    """Straps alone through the kernel, in place: points (straps * pieces * breadth, 3) in pixels."""
    arena = arena_of_thread()
    arena.begin()
    at, placed = arena.room(points.shape, np.float64)
    job_at, job = arena.room((1,), _JOB.fields)
    job[0] = np.zeros((), _JOB.fields)
    for name, value in {
        **{"scale": scale, "rotation": np.eye(3).ravel(), "wide": wide, "count": len(points), "straps": len(widths)},
        **{"pieces": pieces, "breadth": len(points) // (pieces * len(widths)), "points": at},
        **{"modes": 1, "weights": arena.put(np.ones(1, np.float32)), "deformed": arena.space(12 * len(points))},
        **{"offsets": arena.put((points / scale).astype(np.float32))},
        **{"follows": arena.put(np.zeros(len(points))), "widths": arena.put(widths)},
        **{"across": arena.space(pieces * 24), "pixels": arena.space(8 * len(points)), "found": arena.space(20)},
    }.items():
        job[name] = value
    arena.call("place", job_at)
    points[...] = placed


def strap(breadth: float, tilt: float) -> np.ndarray:
    """A slanting band, 3 points across, turned away from the viewer by an angle in degrees; (PIECES * 3, 3)."""
    way, side = np.array([0.6, 0.8, 0.0]), np.array([-0.8, 0.6, 0.0])
    flat, deep = np.cos(np.radians(tilt)), np.sin(np.radians(tilt))
    across = breadth / 2 * (flat * side + deep * np.array([0, 0, 1.0]))
    return np.concatenate([[10 * at * way + step * across for step in (-1, 0, 1)] for at in range(PIECES)])


def breadths(points: np.ndarray) -> np.ndarray:
    rows = points.reshape(PIECES, 3, 3)[..., :2]
    return np.linalg.norm(rows[:, -1] - rows[:, 0], axis=1)


def test_a_band_that_faces_the_viewer_stays_as_it_is() -> None:
    points = strap(8.0, 0.0)
    before = points.copy()
    thicken(points, np.array([0.08]), 100.0)
    np.testing.assert_allclose(points, before, atol=2e-5)


@pytest.mark.parametrize("tilt", [0.0, 90.0])
def test_a_wide_strap_is_as_many_times_as_wide_from_all_sides(tilt: float) -> None:
    plain, wide = strap(8.0, tilt), strap(8.0, tilt)
    thicken(plain, np.array([0.08]), 100.0)
    thicken(wide, np.array([0.08]), 100.0, 1.5)
    np.testing.assert_allclose(breadths(wide), 1.5 * breadths(plain), rtol=1e-6)


def test_a_narrow_strap_has_no_gaps() -> None:
    points = strap(0.5, 90.0)
    thicken(points, np.array([0.02]), 20.0, 0.5)
    np.testing.assert_allclose(breadths(points), FINEST, rtol=1e-6)


@pytest.mark.parametrize("tilt", [60.0, 89.0, 90.0, 91.0, 120.0])
def test_a_band_on_its_edge_is_a_cord(tilt: float) -> None:
    points = strap(8.0, tilt)
    middle = points.reshape(PIECES, 3, 3)[:, 1].copy()
    thicken(points, np.array([0.08]), 100.0)
    flat = 8 * abs(np.cos(np.radians(tilt)))
    np.testing.assert_allclose(breadths(points)[FLAT:], np.maximum(flat, THICK * 8), rtol=1e-6)
    np.testing.assert_allclose(breadths(points)[0], max(flat, ROOT * THICK * 8), rtol=1e-6)  # welded to the cloth
    np.testing.assert_allclose(points.reshape(PIECES, 3, 3)[:, ::2].mean(1), middle, atol=2e-5)


def test_no_loop_is_finer_than_what_is_drawn_without_gaps() -> None:
    points = strap(0.1, 45.0)
    thicken(points, np.array([0.001]), 100.0)
    assert breadths(points).min() >= FINEST - 1e-9


def test_a_strap_that_turns_its_other_side_to_the_viewer_does_not_cross_itself() -> None:
    twisted = np.concatenate([strap(8.0, tilt).reshape(PIECES, 3, 3)[at] for at, tilt in enumerate(range(70, 115, 5))])
    thicken(twisted, np.array([0.08]), 100.0)
    rows = twisted.reshape(PIECES, 3, 3)[..., :2]
    across = rows[:, -1] - rows[:, 0]
    assert (across @ across[0] > 0).all()


def test_a_strap_of_no_length_does_no_harm() -> None:
    points = np.zeros((PIECES * 3, 3))
    thicken(points, np.array([0.05]), 50.0)
    assert np.isfinite(points).all()


@pytest.mark.parametrize("kind", ["surgical_green", "n95"])
def test_a_meshs_straps_are_where_it_says(kind: str) -> None:
    for scale in (40.0, 200.0):
        mesh = load_kind(kind).mesh_for(scale, "proper")
        rest = len(mesh.warp.points) - mesh.straps_from
        assert rest % (14 * len(mesh.strap_widths)) == 0
        assert rest > 0


def slow_thickness(rows: np.ndarray, widths: np.ndarray, scale: float, wide: float) -> None:
    """Widen straps (straps, pieces, breadth, 3) in place."""
    for strap, width in zip(rows, widths, strict=True):
        left, right = strap[:, 0, :2].copy(), strap[:, -1, :2].copy()
        path = np.concatenate([(left + right)[:1], left + right, (left + right)[-1:]])
        along = path[2:] - path[:-2]
        normal = np.stack([-along[:, 1], along[:, 0]], 1) / np.maximum(np.hypot(*along.T), 1e-6)[:, None]
        half = ((right - left) * normal).sum(1) / 2
        shares = np.minimum(ROOT + (1 - ROOT) / FLAT * np.arange(len(strap)), 1)
        broad = np.maximum(wide * np.maximum(np.abs(half), THICK / 2 * scale * width * shares), FINEST / 2)
        add = (np.copysign(1, half.sum()) * broad - half)[:, None] * normal
        strap[:, 0, :2] -= add
        strap[:, -1, :2] += add


def slow_points(mesh: MaskMesh, plan: MaskPlan, camera: Camera, shift: np.ndarray, eyes: np.ndarray, is_mask: bool):
    """`placed_points` one step after the other."""
    points = camera.project(np.tensordot(plan.deformation_weights, mesh.deformations.points, 1))
    points[:, :2] += mesh.warp.shifts(shift)
    if len(mesh.strap_widths):
        straps = points[mesh.straps_from :].reshape(len(mesh.strap_widths), cloth_and_straps.PIECES, -1, 3)
        slow_thickness(straps, mesh.strap_widths, camera.scale, plan.strap_width)
    xy, doubt, down = points[:, :2], min(plan.unsure, MOST_UNSURE), camera.rotation[:2, 1]
    mouth = camera.scale * (camera.rotation[:2] @ (0, MOUTH_DOWN, MOUTH_OUT)) + camera.shift
    angle, size = np.radians(plan.tilt), plan.size * (1 + WIDER * doubt)
    turn = size * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    xy += mesh.follows[:, None] * ((xy - mouth) @ turn.T + mouth - camera.scale * plan.up * down - xy)
    if is_mask and plan.wearing in COVERS_CHIN:
        below = np.maximum((xy - mouth) @ down / (down @ down), 0) / (place("chin")[1] - MOUTH_DOWN)
        xy += (REACH * doubt * mesh.follows * below)[:, None] * down
    if is_mask:
        edge = mesh.below_lids @ (xy[: mesh.columns] @ down)
        room = (edge.reshape(-1, len(eyes)) - eyes @ down).min()
        xy += mesh.follows[:, None] * down * max(0.0, (LID_ROOM + LID_REACH * doubt) * camera.scale - room)
    return points


@pytest.mark.parametrize("unsure", [0.0, 0.1, 0.9])
@pytest.mark.parametrize(
    "kind", ["surgical_green", "n95", "cloth_black", "gaiter_grey", "shield_blue", "sunglasses_gold", "world"]
)
def test_a_mesh_is_where_slow_steps_put_it(kind: str, unsure: float) -> None:
    for number, (_, _, portrait) in enumerate(sample_people(4, 1, size=60 + 80 * int(10 * unsure))):
        face = analyse_face(portrait.image, portrait.points68)
        wearing = ("proper", "nose_out", "under_chin", "proper")[number]
        plan = replace(plan_mask(rng_for(number, kind)), unsure=unsure, wearing=wearing, up=0.2 * (number == 3))
        arena = arena_of_thread()
        arena.begin()
        arena.room((1_000_000,), np.float64)[1][:] = np.nan
        placed = place_mask(portrait.image.shape[:2], face, plan, load_kind(kind))
        is_mask = placed.kind.template.role == "mask"
        slow = slow_points(placed.mesh, placed.plan, face.camera, face.shift, face.eyes, is_mask)
        np.testing.assert_allclose(placed.points.xyz, slow, rtol=0, atol=5e-4)
        seen_and_hidden(placed, face, portrait.image.shape)


def seen_and_hidden(placed: PlacedMask, face: AnalysedFace, shape: tuple[int, ...]) -> None:
    """The triangles that face the viewer, their window, the head before the mask, and the pixels at its straps."""
    mesh, camera, (height, width, _) = placed.mesh, face.camera, shape
    seen = facing_triangles(mesh.outward @ camera.rotation[2], mesh.triangles)
    np.testing.assert_array_equal(placed.points.seen, seen)
    corners = placed.points.xyz[seen.ravel(), :2].astype(np.float32)
    left, top, columns, rows = cv2.boundingRect(corners)
    assert placed.window == Window(
        max(0, left - 1), max(0, top - 1), min(width, left + columns + 2), min(height, top + rows + 2)
    )
    hides, bare = mesh.hidden_by(camera.rotation[2]), bare_head_model()
    head = bare.warp.of(hides.corners).project(camera, face.shift)
    moved = head - np.outer(mesh.back[hides.corners], (0, 0, camera.scale))
    np.testing.assert_allclose(placed.points.head, moved, atol=1e-9)
    column, row = np.clip(np.rint(placed.points.xyz[mesh.straps_from :, :2].T), 0, [[width - 1], [height - 1]])
    np.testing.assert_array_equal(placed.points.pixels, row * width + column)
