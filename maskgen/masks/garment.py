"""A mask's whole geometry, packed so that a face costs a few matrix products: head, cloth, ribbons."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib import resources

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles, Floats
from maskgen.masks.creases import ASKEW, CREASES, LOOPS, Modes, askew, creased, sagging
from maskgen.masks.lighting.light import Rest
from maskgen.masks.occlusion import Sight, View, hiding, sight_of, view_of
from maskgen.masks.pose.camera import Cameras
from maskgen.masks.pose.fit import Moulder
from maskgen.masks.pose.head import CENTRE, Triangles, bare_head, ear, mean68
from maskgen.masks.sheet import COLUMNS, PIECES, ROWS, Mesh, band, cloth, kept, mirror, narrowed, thinned
from maskgen.masks.template import Template

UNDER = 2  # rows and columns of cloth beyond which the skin below it can hide nothing
SHRINK = 0.97  # of the head that hides things, so that cloth on the skin is never behind it
LIDS = slice(36, 48)  # of the 68 points
BESIDE = np.linspace(-0.2, 0.2, 5)  # in eye distances
EARS = 2 * len(ear(1.0).triangles)  # the last of the head's triangles
AMPLE = 1.12  # of the outline in which shadow falls
NEAR = 0.26  # deviation, in eye distances, of the places on the skin whose light is a place's on the cloth
DOUBTED = 0.4  # how much skin without any shadow is believed to be beside the skin that is seen
ODD, EVEN = 0.9, 0.2  # how much shadows on one side, and those on both, as a beard, are believed to fall on cloth too
MOST_SHADE = 0.9  # logarithm of linear light
GOING = 0.45  # cosine of a strap's ray to the line of sight below which it goes out of sight
VIEWS = 128  # that are remembered of the bare head, in some 70 kB each


@dataclass(frozen=True, slots=True)
class Occluder:
    """Some triangles of the bare head, and the points that are their corners."""

    moulder: Moulder
    triangles: Triangles


@dataclass(frozen=True, slots=True)
class Garment:
    """Cloth and ribbons of both sides as one mesh.

    `rays` are the directions from the skull's middle, unit (n, 3); `uv` are coordinates in the kind's atlas, 0..1; the
    first `columns` points are the cloth's top edge, which `below_lids` (k, columns) takes to its places below the lids;
    `width` and `height` are the cloth's size along itself in eye distances; `occludes` (m,) says of each triangle of
    the bare head whether it can hide a part of it from somewhere: those under the cloth cannot, for the cloth hides
    whatever they would; `modes` are its points and normals and what a plan may add to them; the points from
    `ribbons_from` on are the ribbons', whose `breadths` (ribbons,) are in eye distances; `goes_round` (r,) says of each
    of these points whether its ribbon meets its other half behind the head, as a strap does and a loop does not;
    `beside` (2n, k) are weights of the skin's points that light is read at, first for all points, then for their mirror
    images.
    """

    moulder: Moulder
    rays: Doubles
    uv: Doubles
    triangles: Triangles
    columns: int
    below_lids: Doubles
    width: float
    height: float
    occludes: NDArray[np.bool_]
    modes: Modes
    ribbons_from: int
    breadths: Doubles
    goes_round: NDArray[np.bool_]
    beside: Doubles
    _hiding: dict[View, Occluder] = field(default_factory=dict, repr=False, compare=False)

    @property
    def fades(self) -> bool:
        """Whether any of its ribbons goes out of sight bit by bit."""
        return bool(self.goes_round.any())

    def hidden_by(self, line_of_sight: Doubles) -> Occluder:
        """The part of the head that can hide a part of it from the viewer's direction in head coordinates, (3,)."""
        view = view_of(line_of_sight)
        if view not in self._hiding:
            self._hiding[view] = self._before(view)
        return self._hiding[view]

    def opacity(self, line_of_sight: Doubles) -> Doubles:
        """How much is seen of the ribbons' points, 0..1, (r,): where a strap leaves sight round the head it lies in
        hair, of which nothing is known, so it goes out bit by bit."""
        toward = np.minimum(np.maximum(self.rays[self.ribbons_from :] @ line_of_sight / GOING, 0.0), 1.0)
        return np.where(self.goes_round, toward * toward * (3 - 2 * toward), 1.0)

    def shade(self, rest: Rest) -> Doubles:
        """The factor on linear light, (n,), at most 1, of shadows that the light's direction does not tell. What is
        brighter than it tells changes nothing: the lightness of white cloth would depend on the skin."""
        sums = self.beside @ np.stack([rest.off * rest.seen, rest.seen], 1)
        here, mirrored = (sums[:, 0] / (sums[:, 1] + DOUBTED)).reshape(2, -1)
        off = (EVEN + ODD) / 2 * here + (EVEN - ODD) / 2 * mirrored
        return np.exp(np.minimum(np.maximum(off, -MOST_SHADE), 0.0))

    def _before(self, view: View) -> Occluder:
        bare = skin()
        first_ear = len(bare.triangles) - EARS
        before = hiding(_sight(view), self.moulder.points, self.rays, self.triangles, first_ear)
        touched = np.zeros(len(bare.moulder.points), bool)
        touched[bare.triangles[before[self.occludes[before]]]] = True
        triangles = bare.triangles[self.occludes & touched[bare.triangles].any(1)]
        corners, own = np.unique(triangles.astype(np.intp), return_inverse=True)
        return Occluder(bare.moulder.of(corners), own.reshape(-1, 3).astype(np.int32))


@dataclass(frozen=True, slots=True)
class Skin:
    """The bare head: what hides, and where the light is read.

    `lit` are the points whose colour says what light falls on the face, `facing` (n, 3) their unit normals; `outermost`
    are corners of its convex hull, as many as an outline needs, moved out so far that no skin is outside.
    """

    moulder: Moulder
    triangles: Triangles
    lit: Moulder
    facing: Doubles
    outermost: Moulder

    def outlines(self, cameras: Cameras, shifts: Doubles) -> list[Floats]:
        """For each of some faces the convex polygon, float32 (n, 2), in its picture that the head lies in."""
        placed = self.outermost.placed(cameras, shifts).astype(np.float32)
        return [np.asarray(cv2.convexHull(points)[:, 0]) for points in placed]


@cache
def skin() -> Skin:
    """The mean head a little shrunk, and where the light is read: cheeks, nose, chin and brow, no eyes, no hair."""
    surface = bare_head()
    x, y, z = surface.points.T
    face = (np.abs(x) < 0.85) & (y > -1.25) & (y < 1.1) & (z > -0.5)
    eyes = (np.abs(np.abs(x) - 0.5) < 0.34) & (np.abs(y + 0.68) < 0.3)
    lips = (np.abs(x) < 0.45) & (np.abs(y - 0.5) < 0.17)
    points = CENTRE + (surface.points - CENTRE) * SHRINK
    lit = np.flatnonzero(face & ~eyes & ~lips)
    every = Moulder.over(points)
    outermost = Moulder.over((CENTRE + (points - CENTRE) * AMPLE)[hull_corners()[::3]])
    return Skin(every, surface.triangles, every.of(lit), surface.normals[lit], outermost)


def hull_corners() -> NDArray[np.intp]:
    """Which points of the bare head are corners of its convex hull; a test finds them anew."""
    text = resources.files("maskgen.mask_templates").joinpath("head/hull.json").read_text("utf-8")
    return np.array(json.loads(text), np.intp)


@lru_cache(VIEWS)
def _sight(view: View) -> Sight:
    """The bare head from there, for garments of every sort."""
    return sight_of(view, skin().moulder.points, skin().triangles)


def _into_atlas(mesh: Mesh, first: float, rows: float, total: float) -> Doubles:
    """Texture coordinates moved to a band of the atlas, half a texel inside it."""
    inside = 0.02 + 0.96 * mesh.uv[:, 1] if rows == total else 0.25 + 0.5 * mesh.uv[:, 1]
    return np.stack([mesh.uv[:, 0], (first + inside * rows) / total], 1)


def build_garment(template: Template, ribbon_rows: int, small: bool = False) -> Garment:
    """Cloth and ribbons of a template on the mean head, with fewer points for small faces."""
    fine = cloth(template)
    sheet = thinned(fine, small)
    tall = template.looks[0].size[0]
    total = tall + ribbon_rows * len(template.ribbons)
    parts, places = [sheet], [np.stack([sheet.uv[:, 0], sheet.uv[:, 1] * (tall - 1) / total], 1)]
    for number, ribbon in enumerate(template.ribbons):
        right = narrowed(band(ribbon, fine), small)
        at = _into_atlas(right, tall + number * ribbon_rows, ribbon_rows, total)
        parts += [right, mirror(right)]
        places += [at, at]
    starts = np.cumsum([0] + [len(part.points) for part in parts[:-1]])
    triangles = np.concatenate([part.triangles + start for part, start in zip(parts, starts, strict=True)])
    columns = len(kept(COLUMNS, small))
    grid = fine.points.reshape(ROWS, COLUMNS, 3)
    return Garment(
        moulder=Moulder.over(np.concatenate([part.points for part in parts])),
        rays=_unit(np.concatenate([part.points for part in parts]) - CENTRE),
        uv=np.concatenate(places),
        triangles=triangles.astype(np.int32),
        columns=columns,
        below_lids=_below_lids(sheet.points[:columns, 0]),
        width=float(np.linalg.norm(np.diff(grid, axis=1), axis=2).sum(1).mean()),
        height=float(np.linalg.norm(np.diff(grid, axis=0), axis=2).sum(0).mean()),
        occludes=_occludes(grid),
        modes=_modes(template, fine, small, parts),
        ribbons_from=len(sheet.points),
        breadths=np.repeat([ribbon.width for ribbon in template.ribbons], 2),
        goes_round=np.concatenate(
            [np.full(len(part.points), _meets_itself(part)) for part in parts[1:]] or [_NO_RIBBON]
        ),
        beside=_beside(np.concatenate([part.points for part in parts])),
    )


_NO_RIBBON = np.zeros(0, np.bool_)


def _meets_itself(ribbon: Mesh) -> bool:
    """Whether a ribbon ends in the head's middle."""
    return abs(float(ribbon.points[-1, 0])) < 0.05


def _beside(points: Doubles) -> Doubles:
    """The weights of the skin's points for points (n, 3) and their mirror images, (2n, k)."""
    both = np.concatenate([points, points * [-1, 1, 1]])
    away = ((both[:, None] - skin().lit.points[None]) ** 2).sum(2)
    return np.asarray(np.exp(-away / (2 * NEAR**2)))


def _below_lids(top: Doubles) -> Doubles:
    """What interpolates between points of an edge, (columns,) to the right on the head, where it is below the lids'
    points or BESIDE them: (places * lids, columns).

    Which part of the edge is below a lid is asked on the head, not in the picture, so that a turning head never changes
    the answer.
    """
    lids = np.add.outer(BESIDE, mean68()[LIDS, 0]).ravel()
    return np.stack([np.interp(lids, top, one) for one in np.eye(len(top))], axis=1)


def _modes(template: Template, fine: Mesh, small: bool, parts: list[Mesh]) -> Modes:
    """All points and their movements, as in `build_garment`: cloth, then each ribbon's right and left side."""
    shape = (ROWS, COLUMNS, -1)
    moves, turns = creased(fine.points.reshape(shape), fine.uv.reshape(shape), template.crease)
    rows, columns = kept(ROWS, small), kept(COLUMNS, small)
    moves, turns = (each[:, rows[:, None], columns].reshape(CREASES, -1, 3) for each in (moves, turns))
    cloth_points, each = len(parts[0].points), len(parts[-1].points)
    points = np.zeros((1 + CREASES + LOOPS, sum(len(part.points) for part in parts), 3))
    normals = np.zeros_like(points)
    points[0], normals[0] = (np.concatenate(own) for own in zip(*((p.points, p.normals) for p in parts), strict=True))
    points[1 : 1 + CREASES, :cloth_points], normals[1 : 1 + CREASES, :cloth_points] = moves, turns
    for number, ribbon in enumerate(template.ribbons):
        for side in range(LOOPS):
            first = cloth_points + (2 * number + side) * each
            points[1 + CREASES + side, first : first + each] = ribbon.slack * sagging(each, PIECES)
    v = np.zeros((ASKEW, points.shape[1]))
    v[:, :cloth_points] = askew(thinned(fine, small).uv)
    return Modes(points, normals, v)


def _unit(vectors: Doubles) -> Doubles:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _occludes(grid: Doubles) -> NDArray[np.bool_]:
    """Of each of the bare head's triangles whether not all its corners lie well under the cloth (rows, columns, 3)."""
    inner = grid[UNDER:-UNDER, UNDER:-UNDER]
    rim = np.concatenate([inner[0], inner[1:, -1], inner[-1, -2::-1], inner[-2:0:-1, 0]])
    outline = _seen_from_within(rim).astype(np.float32)
    corners = _seen_from_within(skin().moulder.points).astype(np.float32)
    under = np.array([cv2.pointPolygonTest(outline, (float(x), float(y)), False) > 0 for x, y in corners])
    hides = np.asarray(~under[skin().triangles].all(1))
    hides[-EARS:] = True  # an ear stands out through cloth that goes round it
    return hides


def _seen_from_within(points: Doubles) -> Doubles:
    """Directions from the skull's middle as places on a map, (n, 2): the distance from its origin is the angle from
    straight ahead (azimuthal equidistant projection)."""
    rays = points - CENTRE
    away = np.arccos(np.clip(rays[:, 2] / np.linalg.norm(rays, axis=1), -1, 1))
    return np.asarray(rays[:, :2] / np.maximum(np.linalg.norm(rays[:, :2], axis=1), 1e-9)[:, None] * away[:, None])
