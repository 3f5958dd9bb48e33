"""One mask on one face: pose, fit, light, drawing and compositing in order, without any chance."""

from __future__ import annotations

import math
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
from maskgen.masks.composite import lay, reach
from maskgen.masks.cords import thickened
from maskgen.masks.creases import mixed
from maskgen.masks.front.keep import Front, front_of, left_in_front
from maskgen.masks.garment import Garment, skin
from maskgen.masks.kind import Kind
from maskgen.masks.lighting.grain import Grain, noise_on, read_grains, softened, spread
from maskgen.masks.lighting.light import Facing, Light, read_lights
from maskgen.masks.lighting.tone import IN_COLOUR
from maskgen.masks.occlusion import in_sight
from maskgen.masks.parts import whole_parts
from maskgen.masks.plan import MaskPlan
from maskgen.masks.pose.camera import Camera, Cameras, fit_cameras
from maskgen.masks.pose.fit import shifts_to
from maskgen.masks.render import RIBBON_COVER, Layer, render, window_of
from maskgen.masks.sheet import PIECES

AT_ONCE = 32  # faces whose arrays stay in the processor's cache together
SMALLEST_SCALE = 6.0  # pixels between the eyes
LID_ROOM = 0.05  # between the eyes' lids and the mask, in eye distances
MOUTH = np.array([0.0, 0.4, 0.3])


@dataclass(frozen=True, slots=True)
class Wearer:
    """A face understood once, for any number of masks: where the head is, how this face differs, how it is lit.

    `eyes` (12, 2) are the points about the eyes' lids; `outline`, float32 (n, 2), is a convex polygon in the picture
    that the head lies in; `fit_error` is the median distance of the 68 points to the head that explains them, in eye
    distances.
    """

    camera: Camera
    shift: Doubles
    light: Light
    grain: Grain
    eyes: Doubles
    outline: Floats
    fit_error: float


@dataclass(frozen=True, slots=True)
class Cloth:
    """What a mask is made of: its `form`, a template's name; what is printed on it, "" for nothing; "#rrggbb" of cloth
    and print; `translucency`, the mean share of light that comes through what is covered, and `wear`, 0..1."""

    form: str
    print: str
    colours: tuple[str, ...]
    translucency: float
    wear: float


@dataclass(frozen=True, slots=True)
class Worn:
    """A picture with a mask.

    Attributes:
        image: as given, but masked.
        coverage: uint8 (height, width), 0..255, what lies under the mask, however clear that is there.
        wearing, look: how it sits, and which make it is.
        cloth: what it is made of.
        parts: uint8 (height, width), values of `template.PARTS` where half a pixel or more is covered, 0 elsewhere;
            None where nobody asked.
        in_front: share of the mask, 0..1, that is left out because something stands before it.
    """

    image: Image
    coverage: Mask
    wearing: str
    look: str
    cloth: Cloth
    parts: Mask | None = None
    in_front: float = 0.0

    @property
    def outline(self) -> list[Floats]:
        """Closed polygons, float32 (n, 2), about the coverage above one half, largest first."""
        solid = (self.coverage > 127).astype(np.uint8)
        found, _ = cv2.findContours(solid, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_TC89_L1)
        polygons = [c.reshape(-1, 2).astype(np.float32) for c in found if len(c) >= 3]
        return sorted(polygons, key=lambda p: (-cv2.contourArea(p), p.tobytes()))


def study(image: Image, points68: NDArray[np.floating]) -> Wearer:
    """Understand a face.

    Raises:
        SetAsideError: Reason.TOO_SMALL or Reason.EXTREME_POSE.
    """
    wearer = study_all([image], [points68])[0]
    if isinstance(wearer, SetAsideError):
        raise wearer
    return wearer


def study_all(
    images: Sequence[Image], points68: Sequence[NDArray[np.floating]], wholes: Sequence[Image] | None = None
) -> list[Wearer | SetAsideError]:
    """`study` of many faces, several times as fast as one by one.

    Args:
        images: each face's picture, uint8 RGB (height, width, 3); sizes may differ.
        points68: each face's points (68, 2) in pixels of its picture.
        wholes: the photographs that the pictures were cut from, whose exposure and colours are theirs; None where the
            pictures are all there is.

    Returns:
        What is known of each face, the same, bit for bit, whichever others are in the call; or why it is set aside.
    """
    for image, points in zip(images, points68, strict=True):
        check_image(image)
        check_points(points, 68)
    wholes = images if wholes is None else wholes
    wearers: list[Wearer | SetAsideError] = []
    for at in range(0, len(images), AT_ONCE):
        some = slice(at, at + AT_ONCE)
        wearers += _studied(images[some], np.array(points68[some], np.float64), wholes[some])
    return wearers


def within(wearers: Sequence[Wearer | SetAsideError], yaw: float, pitch: float) -> list[Wearer | SetAsideError]:
    """What `study_all` found, with a fault in the place of each head that is turned or nods by more degrees."""
    return [one if isinstance(one, SetAsideError) else _too_far(one, yaw, pitch) or one for one in wearers]


def _too_far(wearer: Wearer, yaw: float, pitch: float) -> SetAsideError | None:
    pose = wearer.camera.pose()
    for name, angle, most in (("yaw", pose.yaw, yaw), ("pitch", pose.pitch, pitch)):
        if abs(angle) > most:
            return SetAsideError(Reason.EXTREME_POSE, f"{name} {angle:.0f} degrees, more than {most:g}")
    return None


def _studied(images: Sequence[Image], points68: Doubles, wholes: Sequence[Image]) -> list[Wearer | SetAsideError]:
    """`study_all` of a few faces, points (n, 68, 2)."""
    cameras, residuals = fit_cameras(points68)
    wearers: list[Any] = [_fault(camera) for camera in cameras.each()]
    fit = [at for at, fault in enumerate(wearers) if fault is None]
    if fit:
        some = [images[at] for at in fit], [wholes[at] for at in fit]
        found = _understood(*some, points68[fit], cameras.of(fit), residuals[fit])
        for at, wearer in zip(fit, found, strict=True):
            wearers[at] = wearer
    return wearers


def _fault(camera: Camera) -> SetAsideError | None:
    if camera.scale < SMALLEST_SCALE:
        return SetAsideError(Reason.TOO_SMALL, f"{camera.scale:.1f} pixels between the eyes")
    yaw = camera.pose().yaw
    return SetAsideError(Reason.EXTREME_POSE, f"yaw {yaw:.0f} degrees") if abs(yaw) > FARTHEST_YAW else None


def _understood(
    images: Sequence[Image], wholes: Sequence[Image], points68: Doubles, cameras: Cameras, residuals: Doubles
) -> list[Wearer]:
    """Some faces by their cameras, none of them set aside."""
    shifts, bare = shifts_to(points68, cameras), skin()
    lights = read_lights(images, cameras, bare.lit.placed(cameras, shifts), _facing(), points68[:, 36:48], wholes)
    grains = read_grains(images, points68[:, 17:48])
    lights = [_seen_in(light, grain) for light, grain in zip(lights, grains, strict=True)]
    errors = np.sort(residuals, axis=1)[:, 34].tolist()
    eyes, outlines = points68[:, 36:48].copy(), bare.outlines(cameras, shifts)
    return list(map(Wearer, cameras.each(), shifts, lights, grains, eyes, outlines, errors))


@cache
def _facing() -> Facing:
    return Facing.over(skin().facing)


def _seen_in(light: Light, grain: Grain) -> Light:
    """The light, in colours where the picture is drawn, not photographed: grey is its colour then."""
    return replace(light, tone=IN_COLOUR) if light.tone.colour < 1 and grain.noise == 0.0 else light


def before(image: Image, wearer: Wearer) -> Front | None:
    """What stands before a face that was studied in this picture, for `dress`; None where nothing was found."""
    return front_of(image, wearer.camera, wearer.shift, wearer.light, wearer.outline)


def dress(
    image: Image, wearer: Wearer, plan: MaskPlan, kind: Kind, parts: bool = False, front: Front | None = None
) -> Worn:
    """Put a mask on a face that was studied in this picture; with `parts` say what each of its pixels is, and leave out
    what is behind `front`, see `before`.

    Raises:
        SetAsideError: Reason.EXTREME_POSE or Reason.DOUBTFUL_FIT where nothing of its cloth would be seen.
    """
    kind, plan = kind.drawn(plan)
    garment = kind.garment_for(wearer.camera.scale, plan.wearing)
    points = _moved(_moulded(garment, wearer, plan), wearer.camera, plan)
    if kind.template.role == "mask":
        points[:, :2] += _off_the_eyes(points, garment, wearer)
    seen = in_sight(garment.rays @ wearer.camera.rotation[2], garment.triangles)
    if not len(seen):
        raise SetAsideError(Reason.EXTREME_POSE, "the mask would be behind the head")
    window = window_of(points, seen, *image.shape[:2])
    if window.empty:
        raise SetAsideError(Reason.DOUBTFUL_FIT, "the mask would lie outside the picture")
    hides = garment.hidden_by(wearer.camera.rotation[2])
    head = hides.moulder.project(wearer.camera, wearer.shift)
    outer = window.grown(reach(wearer.camera.scale) + spread(wearer.grain), *image.shape[:2])
    front = front if kind.template.role == "mask" else None
    named = parts or front is not None
    mask = kind, garment, plan, points, seen
    layer = render(*mask, head, hides.triangles, wearer.camera, wearer.light, window, outer, image, named)
    paint, alpha = softened((layer.paint, layer.alpha), wearer.grain)
    in_front = _left_out(front, layer, garment.fades, paint, alpha)
    noise = noise_on(paint, alpha, wearer.grain, plan.grain, wearer.light.top)
    masked, coverage = lay(
        image, Layer(outer, paint, alpha), noise, wearer.camera.scale, wearer.outline, wearer.light.direction
    )
    if coverage[outer.slices].max() < 128:
        raise SetAsideError(Reason.DOUBTFUL_FIT, "only the mask's loops would lie in the picture")
    whole = whole_parts(layer.parts, coverage, outer) if parts and layer.parts is not None else None
    cloth = Cloth(kind.template.name, kind.print, kind.colours, _through(paint, alpha), plan.worn)
    return Worn(masked, coverage, plan.wearing, kind.make_at(plan.look).name, cloth, whole, in_front)


def _left_out(front: Front | None, layer: Layer, straps: bool, paint: Floats, alpha: Floats) -> float:
    """Take what is behind `front` out of a mask's paint (h, w, 4) and alpha (h, w), in place; returns its share."""
    if front is None or layer.parts is None:
        return 0.0
    kept = 1 - left_in_front(front, layer.parts, layer.window, straps)
    whole = float(alpha.sum())
    alpha *= kept
    paint *= kept[..., None]
    return 1.0 - float(alpha.sum()) / max(whole, 1e-6)


def _through(paint: Floats, alpha: Floats) -> float:
    """The mean share of light that comes through what is covered; loops and straps do not count."""
    cloth = cv2.extractChannel(paint, 3)
    covered = cloth > RIBBON_COVER
    kept = float(np.minimum(alpha, cloth)[covered].sum())
    return max(0.0, 1.0 - kept / max(float(cloth[covered].sum()), 1.0))


def wear(image: Image, points68: NDArray[np.floating], plan: MaskPlan, kind: Kind) -> Worn:
    """`study` and `dress` in one call."""
    return dress(image, study(image, points68), plan, kind)


def _moulded(garment: Garment, wearer: Wearer, plan: MaskPlan) -> Doubles:
    """The garment's points in the picture with this mask's creases and slack loops, thick from every side."""
    points = garment.moulder.project(wearer.camera, wearer.shift, mixed(plan.modes, garment.modes.points))
    thickened(points[garment.ribbons_from :], garment.breadths, PIECES, wearer.camera.scale)
    return points


def _moved(points: Doubles, camera: Camera, plan: MaskPlan) -> Doubles:
    """The projected mask shifted, sized and tilted by the plan, about the point where the mouth is; in place."""
    mouth = camera.scale * (camera.rotation[:2] @ MOUTH) + camera.shift
    up = -camera.rotation[:2, 1] * (camera.scale * plan.up)
    tilt = math.radians(plan.tilt)
    c, s = math.cos(tilt) * plan.size, math.sin(tilt) * plan.size
    turn = np.array([[c, s], [-s, c]])
    points[:, :2] = points[:, :2] @ turn + (mouth + up - mouth @ turn)
    return points


def _off_the_eyes(points: Doubles, garment: Garment, wearer: Wearer) -> Doubles:
    """The shift down the face, (2,), that leaves room between a mask's top edge and the eyes' lids above it."""
    down = wearer.camera.rotation[:2, 1]
    below = garment.below_lids @ (points[: garment.columns, :2] @ down)
    room = float((below.reshape(-1, len(wearer.eyes)) - wearer.eyes @ down).min())
    return np.asarray(down * max(0.0, LID_ROOM * wearer.camera.scale - room))
