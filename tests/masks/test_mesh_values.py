"""What the mesh's points carry, by the kernel, is what slow sums of NumPy say."""

from dataclasses import replace

import numpy as np
import pytest

from maskgen.core.kernels.arena import arena_of_thread
from maskgen.core.records import Image
from maskgen.core.seeding import rng_for
from maskgen.masks.apply_mask import AnalysedFace, analyse_face, place_mask
from maskgen.masks.cloth_and_straps import PIECES
from maskgen.masks.kinds import load_kind
from maskgen.masks.lighting.cloth_colour import BRIGHTEST
from maskgen.masks.lighting.colour import srgb_factor
from maskgen.masks.lighting.light import Light
from maskgen.masks.lighting.mesh_values import vertex_values
from maskgen.masks.lighting.tone import LUMA
from maskgen.masks.mask_mesh import MaskMesh
from maskgen.masks.plan import MaskPlan, plan_mask
from maskgen.people import sample_people

KINDS = ["surgical_green", "n95", "kn95", "cloth_black", "gaiter", "sunglasses", "shield", "world"]


def slow_light(mesh: MaskMesh, plan: MaskPlan, rotation: np.ndarray, light: Light) -> np.ndarray:
    normals = np.tensordot(plan.deformation_weights, mesh.deformations.normals, 1)
    facing = normals @ rotation.T
    facing *= np.copysign(1.0, facing[:, 2:])
    strength = light.on(facing) * (1 - 0.2 * np.maximum(normals[:, 1] - 0.18, 0))
    if plan.overhead:
        down = facing[:, 1] - np.median(facing[: mesh.straps_from, 1])
        strength *= np.maximum(1 - plan.overhead * down, 0.4)
    if light.unexplained is not None:
        sums = mesh.light_weights @ light.unexplained.off_and_seen
        here, mirrored = (sums[:, 0] / (sums[:, 1] + 0.4)).reshape(2, -1)
        strength *= np.exp(np.clip(0.55 * here - 0.35 * mirrored, -0.9, 0))
    return np.clip(srgb_factor(np.minimum(strength, 0.45 + 0.55 * strength)) / BRIGHTEST, 1 / 255, 1)


def smooth(share: np.ndarray) -> np.ndarray:
    held = np.clip(share, 0, 1)
    return held * held * (3 - 2 * held)


def slow_opacity(mesh: MaskMesh, sight: np.ndarray) -> np.ndarray:
    """Of the straps' points, (straps, PIECES, breadth)."""
    own = mesh.carried[mesh.straps_from :]
    toward = np.minimum(own["ray"] @ sight / own["fade_from"], own["under"] @ sight / 0.15)
    return np.minimum.accumulate(smooth(toward).reshape(len(mesh.strap_widths), PIECES, -1), axis=1)


def slow_visible(
    mesh: MaskMesh, points: np.ndarray, lit: np.ndarray, sight: np.ndarray, skin: np.ndarray, image: Image
):
    """How far the photograph lets straps be seen, (straps, PIECES)."""
    own = mesh.carried[mesh.straps_from :].reshape(len(mesh.strap_widths), PIECES, -1)
    x, y = (np.clip(np.rint(points[:, at]), 0, image.shape[1 - at] - 1).astype(int) for at in (0, 1))
    seen = np.maximum(image[y, x], 4).reshape(*own.shape, 3).mean(2)
    expected, bright = np.maximum(skin, 4), lit.reshape(own.shape).mean(2)
    share = seen @ LUMA / (expected @ LUMA) / np.minimum(bright, 1)
    tint = np.log(seen[..., ::2] / seen[..., 1:2]) - np.log(expected[::2] / expected[1])
    is_skin = smooth((share - 0.38) / 0.24) * smooth((0.55 - np.hypot(*np.moveaxis(tint, 2, 0))) / 0.3)
    high, piece = own["over_hair"][:, :1, 0] > 0, np.arange(PIECES)
    beside = np.clip((0.45 - own["under"][:, :, 0] @ sight) / 0.25, 0, 1)
    counts = np.where(high, beside * (piece < 3), np.maximum(np.clip((piece - 3) / 5, 0, 1), beside))
    soft = shown = 1 - (1 - is_skin) * counts
    soft = shown.copy()
    soft[:, 2:-2] = np.mean([shown[:, at : PIECES - 4 + at] for at in range(5)], axis=0)
    soft[:, -3:] *= np.where(high, 1, [0.75, 0.4, 0.1])
    soft = np.minimum.accumulate(soft, axis=1)
    soft[:, 0] *= 0.5
    return soft


def slowly(
    mesh: MaskMesh, plan: MaskPlan, rows: int, columns: int, points: np.ndarray, face: AnalysedFace, image: Image
):
    """`vertex_values` without the head."""
    sight = face.camera.rotation[2]
    x, y = mesh.carried["u"] * columns - 0.5, mesh.carried["v"] * rows - 0.5
    y = y + rows * (mesh.carried["skew"] @ np.array(plan.print_skew))
    x = columns - 1 - x if plan.turned else x
    lit = slow_light(mesh, plan, face.camera.rotation, face.light)
    if len(mesh.strap_widths):
        straps = slice(mesh.straps_from, None)
        opacity = slow_opacity(mesh, sight)
        if face.light.skin is not None:
            shown = slow_visible(mesh, points[straps], lit[straps] * BRIGHTEST, sight, face.light.skin, image)
            opacity = opacity * shown[..., None]
        x[straps] = columns * opacity.ravel() - 0.5
    return np.stack([x, y, lit], 1)


def compared(kind_name: str, plan: MaskPlan, image: Image, face: AnalysedFace, behind: int) -> None:
    placed = place_mask(image.shape[:2], face, plan, load_kind(kind_name))
    level = placed.kind.colours_at(placed.plan.look, face.camera.scale)
    arena = arena_of_thread()
    arena.begin()
    arena.room((1_000_000,), np.float32)[1][:] = np.nan
    job = placed.mesh, placed.plan, level, placed.points.pixels, behind, face.camera, face.light, image
    values = vertex_values(*job)
    slow = slowly(placed.mesh, placed.plan, *level.slope_down.shape, placed.points.xyz, face, image)
    assert values.shape == (len(slow) + behind, 3)
    assert not values[len(slow) :].any()
    np.testing.assert_allclose(values[: len(slow), :2], slow[:, :2], atol=2e-3)  # of up to 1000 texels
    np.testing.assert_allclose(values[: len(slow), 2], slow[:, 2], atol=2e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [37, 112, 401])
def test_values_are_those_of_slow_sums(kind: str, size: int) -> None:
    for number, (_, _, portrait) in enumerate(sample_people(3, 1, size=size)):
        face = analyse_face(portrait.image, portrait.points68)
        plan = replace(plan_mask(rng_for(size, kind, number)), turned=number % 2 == 0)
        compared(kind, plan if number else replace(plan, overhead=0.0), portrait.image, face, 5 * number)


@pytest.mark.parametrize("kind", KINDS)
def test_so_are_those_of_faces_of_which_little_is_known_and_of_grey_pictures(kind: str) -> None:
    _, _, portrait = next(iter(sample_people(1, 1, size=90)))
    face = analyse_face(portrait.image, portrait.points68)
    grey = np.repeat(portrait.image[..., :1], 3, axis=2)
    compared(kind, MaskPlan(overhead=0.6), grey, face, 0)
    compared(kind, MaskPlan(), grey[:60, :50], face, 1)  # straps beyond the picture's edge
    compared(kind, MaskPlan(), np.zeros_like(grey), face, 1)
    for less in ({"unexplained": None}, {"skin": None}, {"unexplained": None, "skin": None}, {"skin": np.zeros(3)}):
        compared(kind, MaskPlan(overhead=0.3), grey, replace(face, light=replace(face.light, **less)), 2)
