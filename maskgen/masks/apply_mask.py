"""One mask on one face: head pose, shape, light, rendering and compositing, in this order; no random draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.kindspec import FARTHEST_YAW
from maskgen.core.reasons import Reason, SetAsideError
from maskgen.core.records import Doubles, Floats, Image, Mask, check_image, check_points
from maskgen.masks.composite import composite_mask, shadow_reach
from maskgen.masks.kind import Kind
from maskgen.masks.lighting.blur_and_noise import (
    BlurAndNoise,
    blur_reach,
    estimate_blur_and_noise,
)
from maskgen.masks.lighting.light import Light, SkinNormals, estimate_lights
from maskgen.masks.lighting.tone import IN_COLOUR
from maskgen.masks.mask_mesh import bare_head_model
from maskgen.masks.mesh_points import Placement, placed_points
from maskgen.masks.occluders.find import Occluders, find_occluders, occluded_share
from maskgen.masks.occluders.photograph_edge import PhotographEdge
from maskgen.masks.part_labels import part_labels
from maskgen.masks.plan import MaskPlan
from maskgen.masks.pose.camera import Camera, Cameras, fit_cameras
from maskgen.masks.pose.shape_warp import fit_shape_warps
from maskgen.masks.render import Layer, PlacedMask, render, window_of

AT_ONCE = 64  # faces per batch
SMALLEST_SCALE = 6.0  # least distance between the eyes, in pixels
LEAST_COVERAGE = 128  # least coverage, 0..255, that some pixel of a mask must have


@dataclass(frozen=True, slots=True)
class AnalysedFace:
    """The analysis of one face, used for any number of masks: head pose, shape, light, blur and noise.

    Attributes:
        shift: coefficients of the shape warp, (keys + 4, 2), see `pose.shape_warp`.
        eyes: (12, 2), the landmarks of the eyelids.
        outline: float32 (n, 2), a convex polygon in the picture that contains the head.
        fit_error: median distance of the 68 landmarks to the fitted mean head, in eye distances.
    """

    camera: Camera
    shift: Doubles
    light: Light
    grain: BlurAndNoise
    eyes: Doubles
    outline: Floats
    fit_error: float


@dataclass(frozen=True, slots=True)
class MaskMaterial:
    """The material of a rendered mask.

    Attributes:
        form: the template's name.
        print: the name of the print, "" without one.
        colours: "#rrggbb" of cloth and print.
        translucency: mean share of light that the covered pixels let through, 0..1.
        wear: 0 (new) to 1 (most worn).
    """

    form: str
    print: str
    colours: tuple[str, ...]
    translucency: float
    wear: float


@dataclass(frozen=True, slots=True)
class MaskedPicture:
    """A picture with a mask.

    Attributes:
        image: the masked picture, uint8 RGB.
        coverage: uint8 (height, width), 0..255, the share of each pixel under the mask, also where the mask is clear.
        wearing: the wearing position, one of `core.kindspec.WEARINGS`.
        look: the name of the template's look.
        cloth: the material.
        parts: uint8 (height, width), values of `template.PARTS` where half a pixel or more is covered, 0 elsewhere;
            None if not asked for.
        in_front: share of the mask, 0..1, that occluders in front of it hide.
    """

    image: Image
    coverage: Mask
    wearing: str
    look: str
    cloth: MaskMaterial
    parts: Mask | None = None
    in_front: float = 0.0

    @property
    def outline(self) -> list[Floats]:
        """Outlines of the area with a coverage above one half: closed polygons through the pixels at its edge, of which
        none is more than half a pixel from them, float32 (n, 2), largest first."""
        solid = cv2.threshold(self.coverage, 127, 1, cv2.THRESH_BINARY)[1]
        found, _ = cv2.findContours(solid, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        fewer = (cv2.approxPolyDP(contour, 0.5, True) for contour in found)
        polygons = [c.reshape(-1, 2).astype(np.float32) for c in fewer if len(c) >= 3]
        return sorted(polygons, key=lambda p: (-cv2.contourArea(p), p.tobytes()))


def analyse_face(image: Image, points68: NDArray[np.floating]) -> AnalysedFace:
    """Analyse one face.

    Raises:
        SetAsideError: Reason.TOO_SMALL or Reason.EXTREME_POSE.
    """
    analysed = analyse_faces([image], [points68])[0]
    if isinstance(analysed, SetAsideError):
        raise analysed
    return analysed


def analyse_faces(
    images: Sequence[Image], points68: Sequence[NDArray[np.floating]], wholes: Sequence[Image] | None = None
) -> list[AnalysedFace | SetAsideError]:
    """Analyse many faces, several times as fast as one by one.

    Args:
        images: each face's picture, uint8 RGB (height, width, 3); sizes may differ.
        points68: each face's landmarks (68, 2) in pixels of its picture.
        wholes: the photographs that the pictures were cut from, for exposure and colour cast; None if `images` are
            whole photographs.

    Returns:
        For each face its analysis or the reason why it is set aside. Results are the same, bit for bit, whichever
        other faces are in the call.
    """
    for image, points in zip(images, points68, strict=True):
        check_image(image)
        check_points(points, 68)
    wholes = images if wholes is None else wholes
    analysed_faces: list[AnalysedFace | SetAsideError] = []
    for at in range(0, len(images), AT_ONCE):
        some = slice(at, at + AT_ONCE)
        analysed_faces += _analysed(images[some], np.array(points68[some], np.float64), wholes[some])
    return analysed_faces


def within_pose_limits(
    analysed_faces: Sequence[AnalysedFace | SetAsideError], yaw: float, pitch: float
) -> list[AnalysedFace | SetAsideError]:
    """The analyses; a head whose yaw or pitch exceeds its limit, in degrees, has an error instead."""
    return [one if isinstance(one, SetAsideError) else _pose_fault(one, yaw, pitch) or one for one in analysed_faces]


def _pose_fault(analysed: AnalysedFace, yaw: float, pitch: float) -> SetAsideError | None:
    pose = analysed.camera.pose()
    for name, angle, most in (("yaw", pose.yaw, yaw), ("pitch", pose.pitch, pitch)):
        if abs(angle) > most:
            return SetAsideError(Reason.EXTREME_POSE, f"{name} {angle:.0f} degrees, more than {most:g}")
    return None


def _analysed(
    images: Sequence[Image], points68: Doubles, wholes: Sequence[Image]
) -> list[AnalysedFace | SetAsideError]:
    """`analyse_faces` for one batch, points (n, 68, 2)."""
    cameras, residuals = fit_cameras(points68)
    analysed_faces: list[Any] = [_fault(camera) for camera in cameras.each()]
    fit = [at for at, fault in enumerate(analysed_faces) if fault is None]
    if fit:
        some = [images[at] for at in fit], [wholes[at] for at in fit]
        found = _analysed_by_cameras(*some, points68[fit], cameras.of(fit), residuals[fit])
        for at, analysed in zip(fit, found, strict=True):
            analysed_faces[at] = analysed
    return analysed_faces


def _fault(camera: Camera) -> SetAsideError | None:
    if camera.scale < SMALLEST_SCALE:
        return SetAsideError(Reason.TOO_SMALL, f"{camera.scale:.1f} pixels between the eyes")
    yaw = camera.pose().yaw
    return SetAsideError(Reason.EXTREME_POSE, f"yaw {yaw:.0f} degrees") if abs(yaw) > FARTHEST_YAW else None


def _analysed_by_cameras(
    images: Sequence[Image], wholes: Sequence[Image], points68: Doubles, cameras: Cameras, residuals: Doubles
) -> list[AnalysedFace]:
    """The analyses of faces whose cameras are fitted; none of them is set aside."""
    shifts, bare = fit_shape_warps(points68, cameras), bare_head_model()
    lights = estimate_lights(
        images, cameras, bare.lit.project_faces(cameras, shifts), _facing(), points68[:, 36:48], wholes
    )
    grains = estimate_blur_and_noise(images, points68[:, 17:48])
    lights = [_seen_in(light, grain) for light, grain in zip(lights, grains, strict=True)]
    errors = np.sort(residuals, axis=1)[:, 34].tolist()
    eyes, outlines = points68[:, 36:48].copy(), bare.outlines(cameras, shifts)
    return list(map(AnalysedFace, cameras.each(), shifts, lights, grains, eyes, outlines, errors))


@cache
def _facing() -> SkinNormals:
    return SkinNormals.prepare(bare_head_model().facing)


def _seen_in(light: Light, grain: BlurAndNoise) -> Light:
    """The light; in a picture without noise its tone is in colour: a drawing may be grey without a tint."""
    return replace(light, tone=IN_COLOUR) if light.tone.colour < 1 and grain.noise == 0.0 else light


def occluders_of(image: Image, analysed: AnalysedFace) -> Occluders | None:
    """The occluders in front of an analysed face, for `apply_mask`; None if none was found."""
    return find_occluders(image, analysed.camera, analysed.shift, analysed.light)


def apply_mask(
    image: Image,
    analysed: AnalysedFace,
    plan: MaskPlan,
    kind: Kind,
    parts: bool = False,
    occluders: Occluders | None = None,
    edge: PhotographEdge | None = None,
) -> MaskedPicture:
    """Render a mask onto an analysed face of this picture; `parts` requests part labels, `occluders` stay in front, and
    no strap goes beyond the `edge` of the photograph in a crop.

    Raises:
        SetAsideError: Reason.EXTREME_POSE or Reason.DOUBTFUL_FIT if none of the mask's cloth would be visible.
    """
    check_image(image)
    return wear_mask(image, analysed, place_mask(image.shape[:2], analysed, plan, kind), parts, occluders, edge)


def wear_mask(
    image: Image,
    analysed: AnalysedFace,
    placed: PlacedMask,
    parts: bool = False,
    occluders: Occluders | None = None,
    edge: PhotographEdge | None = None,
) -> MaskedPicture:
    """`apply_mask` of a mask that `place_mask` has placed on this face in a picture of this size.

    Masks of many faces cost a tenth less if all are placed before the first one is rendered: code and data of either
    step stay in the processor's cache.

    Raises:
        SetAsideError: Reason.DOUBTFUL_FIT, see `no_cloth_visible`.
    """
    kind, plan, outer = placed.kind, placed.plan, placed.outer
    occluders = occluders if kind.template.role == "mask" else None
    named = parts or occluders is not None
    layer = render(placed, analysed.camera, analysed.light, analysed.grain, image, named, edge)
    kept, in_front = _behind(occluders, layer, placed.mesh.has_head_straps)
    face = analysed.camera.scale, analysed.outline, analysed.light
    masked, coverage, translucency = composite_mask(image, layer, analysed.grain, plan.grain, *face, plan.sheer)
    if kept is not None:
        _put_in_front(image[outer.slices], masked[outer.slices], coverage[outer.slices], kept)
    if cv2.norm(coverage[outer.slices], cv2.NORM_INF) < LEAST_COVERAGE:  # the greatest
        raise no_cloth_visible()
    whole = part_labels(layer.parts, coverage, outer) if parts and layer.parts is not None else None
    cloth = _material(kind, plan, translucency)
    return MaskedPicture(masked, coverage, plan.wearing, kind.look_at(plan.look).name, cloth, whole, in_front)


def place_mask(size: tuple[int, ...], analysed: AnalysedFace, plan: MaskPlan, kind: Kind) -> PlacedMask:
    """Place a mask on an analysed face of a picture with `size`, rows and columns.

    Raises:
        SetAsideError: as `apply_mask`, but for `no_cloth_visible`, which only the rendered mask shows.
    """
    kind, plan = kind.drawn(plan)
    camera, is_mask = analysed.camera, kind.template.role == "mask"
    if not is_mask:
        plan = replace(plan, unsure=0.0, wearing="proper")  # glasses and shields cover no chin, and are worn in one way
    mesh = kind.mesh_for(camera.scale, plan.wearing)
    hides = mesh.hidden_by(camera.rotation[2])
    placement = Placement(mesh, plan, camera, analysed.shift, analysed.eyes, is_mask, hides, size)
    placed = placed_points(placement)
    if not len(placed.seen):
        raise SetAsideError(Reason.EXTREME_POSE, "the mask would be behind the head")
    window = window_of(placed.box, *size)
    if window.empty:
        raise SetAsideError(Reason.DOUBTFUL_FIT, "the mask would lie outside the picture")
    outer = window.grown(shadow_reach(camera.scale) + blur_reach(analysed.grain), *size)
    return PlacedMask(kind, plan, mesh, placed, hides.triangles, window, outer)


def no_cloth_visible() -> SetAsideError:
    """The fault of a rendered mask with no coverage of LEAST_COVERAGE or more."""
    return SetAsideError(Reason.DOUBTFUL_FIT, "only the mask's loops would lie in the picture")


def _behind(occluders: Occluders | None, layer: Layer, straps: bool) -> tuple[Floats | None, float]:
    """The share of each pixel of the layer that nothing in front hides, None if nothing does; the hidden share of the
    mask."""
    if occluders is None or layer.parts is None:
        return None, 0.0
    kept = 1 - occluded_share(occluders, layer.parts, layer.window, straps)
    return kept, 1.0 - float((layer.alpha * kept).sum()) / max(float(layer.alpha.sum()), 1e-6)


def _put_in_front(image: Image, masked: Image, coverage: Mask, kept: Floats) -> None:
    """Put what is in front of a mask on the picture with it, in place: on neither cloth nor its shadow."""
    masked[...] = np.rint(image + (masked.astype(np.float32) - image) * kept[..., None])
    coverage[...] = np.rint(coverage * kept)


def _material(kind: Kind, plan: MaskPlan, translucency: float) -> MaskMaterial:
    return MaskMaterial(kind.template.name, kind.print, kind.colours, translucency, plan.worn)


def analyse_and_apply(image: Image, points68: NDArray[np.floating], plan: MaskPlan, kind: Kind) -> MaskedPicture:
    """`analyse_face` and `apply_mask` in one call."""
    return apply_mask(image, analyse_face(image, points68), plan, kind)
