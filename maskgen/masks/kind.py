"""One kind of mask: a template in a colour or with a print, with its texture atlas and its mesh."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, NamedTuple, overload

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.cache.kept_files import kept_arrays
from maskgen.core.records import Floats
from maskgen.masks.cloth_and_straps import cloth_size
from maskgen.masks.ear_and_head_occlusion import KeptViews
from maskgen.masks.lighting.colour import parse_hex_colour
from maskgen.masks.mask_mesh import MaskMesh, build_mask_mesh
from maskgen.masks.plan import MaskPlan
from maskgen.masks.template import PARTS, ROLES, Look, LookPictures, Template, build_of_template
from maskgen.masks.wearing_position import in_wearing_position
from maskgen.masks.world.flat_cloth import flat_map, flat_size, printed

STRAP_ROWS = 32  # rows of the atlas for each strap's colour, below the cloth
MEDIAN = 232.0  # the textures' median value, which stands for the mask's colour
DARKEST = 15.0  # least level of a colour: black cloth reflects some light, otherwise its folds would be invisible
LEVELS = 5  # levels of detail of an atlas
KEPT_FROM = 2  # level from which on they are kept in the cache folder: half a megabyte for each look
COARSER = 0.65  # added to the exact level of detail: in a photograph cloth is slightly softer than the pixels
SMALL_FACE = 72.0  # distance between the eyes, in pixels, up to which the mesh has fewer rows and columns
# A slope is stored as the byte LEVEL_GROUND + STEEPNESS * slope; clipping affects few thousandths of any relief.
LEVEL_GROUND, STEEPNESS = 128, 50

Bytes = NDArray[np.uint8]


class AtlasLevel(NamedTuple):
    """A kind's texture atlas at one level of detail. Slopes are bytes, so that the atlas fits the processor's cache.

    Attributes:
        colours: uint8 (h, w, 4), the cloth in its colour, the straps' colours below it, and the slope across.
        slope_down: uint8 (h, w).
        material_and_clear: uint8 (h, w, 2), where there is material and how clear it is; None if all is opaque cloth.
        parts: uint8 (h, w), values of `template.PARTS`.
        job: the address of a job of the kernel `cloth` that has yet to draw colours and slopes, for which all memory up
            to the end of `slope_down` is needed; 0 of a level that is drawn.
    """

    colours: Bytes
    slope_down: Bytes
    material_and_clear: Bytes | None
    parts: Bytes
    job: int = 0


_ARRAYS = (*AtlasLevel._fields[:-1], "clear_parts")


@dataclass(frozen=True, slots=True)
class KindLook:
    """One look of a kind.

    Attributes:
        columns: width of the finest level, in texels.
        levels: its atlas, finest first.
    """

    name: str
    columns: int
    levels: Sequence[AtlasLevel]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of mask, ready to be rendered.

    Attributes:
        name: as in the catalogue: "n95", "surgical_green", "surgical:#ff8800".
        colour: "#rrggbb", the requested colour; "" for a print, and if each mask draws its own.
        straps_from: the atlas's v, 0..1, from which on it holds straps; 1 without any.
        print: the name of its print, "" without one: "picture" for one of the user's, else a family of `world.toml`.
        colours: "#rrggbb" of its cloth and of its print.
        draw_design: for kinds in which every mask differs (see `world`): returns the mask's own kind and plan.
        one_way: whether no mask is mirrored, since the user's picture on it may hold letters.
    """

    name: str
    title: str
    colour: str
    gloss: float
    straps_from: float
    looks: tuple[KindLook, ...]
    template: Template
    print: str = ""
    colours: tuple[str, ...] = ()
    draw_design: Callable[[MaskPlan], tuple[Kind, MaskPlan]] | None = None
    one_way: bool = False

    def drawn(self, plan: MaskPlan) -> tuple[Kind, MaskPlan]:
        """The kind and the plan of one mask: itself and the plan, unless `draw_design` makes others."""
        if self.draw_design is not None:
            return self.draw_design(plan)
        return self, replace(plan, turned=False) if self.one_way and plan.turned else plan

    def mesh_for(self, scale: float, wearing: str) -> MaskMesh:
        """The mesh for a face of `scale` pixels between the eyes, in a wearing position; made when first used."""
        return _mesh(self.template, wearing, scale <= SMALL_FACE)

    def look_at(self, look: float) -> KindLook:
        """The look that a draw of 0..1 selects."""
        return self.looks[self.template.look_number(look)]

    def colours_at(self, look: float, scale: float) -> AtlasLevel:
        """The atlas level of a look, for a face of `scale` pixels between the eyes."""
        chosen = self.look_at(look)
        return chosen.levels[self._level_number(chosen, scale)]

    def colours_for_mask(self, look: float, scale: float) -> AtlasLevel:
        """`colours_at`, valid, and maybe not drawn, as `AtlasLevels.level_for_mask` says."""
        chosen = self.look_at(look)
        levels, number = chosen.levels, self._level_number(chosen, scale)
        return levels.level_for_mask(number) if isinstance(levels, AtlasLevels) else levels[number]

    def _level_number(self, look: KindLook, scale: float) -> int:
        texels = look.columns / max(cloth_size(self.template)[0] * scale, 1e-3)
        return min(math.floor(math.log2(max(texels, 1.0)) + COARSER), LEVELS - 1)


@cache
def _mesh(template: Template, wearing: str, small: bool) -> MaskMesh:
    """The mesh, which all colours of a template share; of a built-in template from the cache folder if it was made
    before."""

    def built() -> dict[str, NDArray[Any]]:
        worn = in_wearing_position(template, wearing)
        return build_mask_mesh(worn, STRAP_ROWS, small, wearing == "under_chin").arrays()

    build = build_of_template(template)
    about = None if build is None else f"{wearing}\0{small}\0{build}"
    return MaskMesh.of_arrays(kept_arrays("mesh", about, built), KeptViews(about))


def _slope(template: Template, look: LookPictures) -> Floats:
    """Slope of the relief in eye distances per eye distance, 0 on the straps."""
    height, (wide, tall) = look.relief, cloth_size(template)
    rows, columns = height.shape
    across = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=columns / wide / 8)
    down = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=rows / tall / 8)
    level = np.zeros((STRAP_ROWS * len(template.straps), columns, 2), np.float32)
    return np.concatenate([cv2.merge([across, down]), level])


class AtlasLevels(Sequence[AtlasLevel], ABC):
    """The levels of one atlas, finest first, each made on request."""

    @abstractmethod
    def level(self, number: int) -> AtlasLevel:
        """Level number 0..LEVELS - 1."""

    def level_for_mask(self, number: int) -> AtlasLevel:
        """The level; its arrays may be valid only until `Arena.begin` of this thread's arena, and the kernel `render`
        may have to draw them first, see `AtlasLevel.job`."""
        return self.level(number)

    def __len__(self) -> int:
        return LEVELS

    @overload
    def __getitem__(self, at: int) -> AtlasLevel: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[AtlasLevel]: ...
    def __getitem__(self, at: int | slice) -> AtlasLevel | Sequence[AtlasLevel]:
        if isinstance(at, slice):
            return [self.level(number) for number in range(LEVELS)[at]]
        return self.level(range(LEVELS)[at])


class UndyedLevels(AtlasLevels):
    """A look's texture before it is dyed, with its slopes; the rows of straps have no colour.

    The finest levels are seldom read and take nearly all of the memory. So the requested level and the coarser ones are
    cached; for a finer one the levels are made again from the look's pictures.
    """

    def __init__(self, template: Template, look: Look) -> None:
        self._template, self._look = template, look
        self._kept: dict[int, tuple[AtlasLevel, Bytes | None]] = {}

    def level(self, number: int) -> AtlasLevel:
        """The level, made with all coarser ones if it is not kept."""
        return self._with_clear_parts(number)[0]

    def clear_parts(self, number: int) -> Bytes | None:
        """The colours of clear parts, which take no dye, uint8 (h, w, 4) as the level's, 0 elsewhere and in the fourth
        channel; None if nothing is clear."""
        return self._with_clear_parts(number)[1]

    def _with_clear_parts(self, number: int) -> tuple[AtlasLevel, Bytes | None]:
        kept = self._kept
        if number not in kept:  # another thread may replace what is kept
            kept = self._kept = dict(zip(range(number, LEVELS), self._made(number), strict=True))
        return kept[number]

    def _made(self, finest: int) -> list[tuple[AtlasLevel, Bytes | None]]:
        """The levels from `finest` on with their clear parts; those from KEPT_FROM on are kept in the cache folder."""
        build = build_of_template(self._template)
        if finest < KEPT_FROM or build is None:
            return self._drawn(finest)
        arrays = kept_arrays("atlas", f"{self._look.name}\0{build}", lambda: _by_name(self._drawn(KEPT_FROM)))
        return [_named(arrays, number) for number in range(finest - KEPT_FROM, LEVELS - KEPT_FROM)]

    def _drawn(self, finest: int) -> list[tuple[AtlasLevel, Bytes | None]]:
        template, look = self._template, self._look.pictures()
        rows, columns = look.height.shape
        texture = np.zeros((rows + STRAP_ROWS * len(template.straps), columns, 3), np.uint8)
        texture[:rows] = cv2.cvtColor(look.texture, cv2.COLOR_RGBA2RGB)
        clear_parts: list[Bytes | None] = [None] * (LEVELS - finest)
        if look.clear is not None:
            own = np.zeros((len(texture), columns, 4), np.uint8)
            cv2.copyTo(look.texture, look.clear, own[:rows])
            own[..., 3] = 0
            clear_parts = list(_pyramid(own, finest))
        parts, through = _parts(template, look), _through(template, look)
        slopes = _pyramid(_slope(template, look), finest)
        clear = [None] * len(slopes) if through is None else _pyramid(through, finest)
        levels = [_packed(*each, parts) for each in zip(_pyramid(texture, finest), slopes, clear, strict=True)]
        return list(zip(levels, clear_parts, strict=True))


class DyedLevels(AtlasLevels):
    """A look's texture on cloth of one or many colours. All colours of a look share its slopes, parts and material.

    Args:
        undyed: the look's levels.
        cloth: returns its colour (3,) or its colours (rows, columns, 3).
        colour: "#rrggbb", of the straps that have the mask's colour.
    """

    def __init__(self, undyed: UndyedLevels, template: Template, cloth: Callable[[], Floats], colour: str) -> None:
        self._undyed, self._template, self._cloth, self._colour = undyed, template, cloth, colour
        self._kept: dict[int, AtlasLevel] = {}

    def level(self, number: int) -> AtlasLevel:
        """The level, dyed when first requested."""
        if number not in self._kept:
            self._kept[number] = self._dyed(number)
        return self._kept[number]

    def _dyed(self, number: int) -> AtlasLevel:
        """A level in the cloth's colours and with a band of rows in each strap's."""
        undyed, own, straps = self._undyed.level(number), self._undyed.clear_parts(number), self._template.straps
        band = STRAP_ROWS >> number
        rows = len(undyed.colours) - band * len(straps)
        texture = undyed.colours if own is None else cv2.subtract(undyed.colours, own)
        colours = undyed.colours.copy()
        colours[:rows] = _on_cloth(texture[:rows], self._cloth())
        if own is not None:
            cv2.add(colours, own, dst=colours)
        for at, strap in enumerate(straps):
            colour = parse_hex_colour(self._colour if strap.colour == "mask" else strap.colour)
            colours[rows + at * band :][:band, :, :3] = np.clip(np.maximum(colour, DARKEST), 0, 255)
        return undyed._replace(colours=colours)


def _on_cloth(texture: Bytes, cloth: Floats) -> Bytes:
    """A texture (h, w, 4) on cloth of one colour (3,) or of many (rows, columns, 3); the fourth channel stays."""
    if cloth.ndim == 1:
        every = np.arange(256, dtype=np.float32)[:, None] / MEDIAN * np.append(np.maximum(cloth, DARKEST), MEDIAN)
        return np.asarray(cv2.LUT(texture, np.rint(np.clip(every, 0, 255)).astype(np.uint8)[None]))
    small = cv2.resize(cloth, texture.shape[1::-1], interpolation=cv2.INTER_AREA)
    dyed = texture.copy()
    exact = texture[..., :3] / np.float32(MEDIAN) * np.maximum(small, DARKEST)
    dyed[..., :3] = np.rint(np.clip(exact, 0, 255))
    return dyed


def _packed(colours: Bytes, slopes: Floats, through: Bytes | None, parts: Bytes) -> AtlasLevel:
    steps = np.clip(np.rint(slopes * STEEPNESS) + LEVEL_GROUND, 0, 255).astype(np.uint8)
    four = np.ascontiguousarray(np.dstack([colours, steps[..., :1]]))
    own = cv2.resize(parts, colours.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    return AtlasLevel(four, np.ascontiguousarray(steps[..., 1]), through, own)


def _through(template: Template, look: LookPictures) -> Bytes | None:
    """Cut-outs and clear parts of the look, with opaque rows for the straps; None if all is opaque cloth."""
    through = look.material_and_clear
    if through is None:
        return None
    bands = np.zeros((STRAP_ROWS * len(template.straps), through.shape[1], 2), np.uint8)
    bands[..., 0] = 255
    return np.concatenate([through, bands])


def _parts(template: Template, look: LookPictures) -> Bytes:
    """The part label of each texel."""
    sheet = look.parts
    if sheet is None:
        sheet = np.full(look.height.shape, PARTS[ROLES[template.role]], np.uint8)
    strap = PARTS["glasses" if template.role == "glasses" else "strap"]
    return np.concatenate([sheet, np.full((STRAP_ROWS * len(template.straps), sheet.shape[1]), strap, np.uint8)])


@cache
def undyed_levels(template: Template) -> tuple[UndyedLevels, ...]:
    """The atlas of each look of a template before dyeing: unchanged textures, with slopes."""
    return tuple(UndyedLevels(template, look) for look in template.looks)


def _by_name(levels: Sequence[tuple[AtlasLevel, Bytes | None]]) -> dict[str, NDArray[Any]]:
    """The arrays of levels with their clear parts, for `_named`."""
    named = {
        f"{number} {name}": array
        for number, (level, own) in enumerate(levels)
        for name, array in zip(_ARRAYS, (*level[:-1], own), strict=True)
    }
    return {name: array for name, array in named.items() if array is not None}


def _named(arrays: Mapping[str, NDArray[Any]], number: int) -> tuple[AtlasLevel, Bytes | None]:
    """A level and its clear parts, of the arrays of `_by_name`."""
    *level, own = (arrays.get(f"{number} {name}") for name in _ARRAYS)
    return AtlasLevel(*level), own  # type: ignore[arg-type]


def _pyramid(picture: np.ndarray, finest: int) -> list[np.ndarray]:
    """The image pyramid of a picture, each level half the size of the one before, from level `finest` on."""
    levels = [picture]
    for _ in range(LEVELS - 1):
        height, width = levels[-1].shape[:2]
        levels.append(cv2.resize(levels[-1], (width // 2, height // 2), interpolation=cv2.INTER_AREA))
    return levels[finest:]


def make_kind(
    name: str, template: Template, colour: str, pattern: NDArray[np.uint8] | None = None, own: bool = False
) -> Kind:
    """A template in a colour, or with a picture printed on it.

    Args:
        colour: "#rrggbb"; of the straps alone if there is a pattern.
        pattern: uint8 RGB (height, width, 3), scaled without distortion so that it just covers the cloth.
        own: whether the template is the user's.
    """
    rows, columns = template.looks[0].size

    cloth = partial(_cloth, template, colour, pattern)
    each = zip(template.looks, undyed_levels(template), strict=True)
    looks = (KindLook(look.name, columns, DyedLevels(undyed, template, cloth, colour)) for look, undyed in each)
    return Kind(
        name=name,
        title=template.title,
        colour="" if pattern is not None else colour,
        gloss=template.gloss,
        straps_from=rows / (rows + STRAP_ROWS * len(template.straps)),
        looks=tuple(looks),
        template=template,
        print="" if pattern is None else "picture",
        colours=(colour,) if pattern is None else (),
        one_way=own or pattern is not None,
    )


def _cloth(template: Template, colour: str, pattern: NDArray[np.uint8] | None) -> Floats:
    """The cloth's colour (3,), or its colours (rows, columns, 3); at module level, so that kinds can be pickled."""
    if pattern is None:
        return np.asarray(parse_hex_colour(colour), np.float32)
    rows, columns = template.looks[0].size
    return _covered(template, pattern, (columns, rows)).astype(np.float32)


def _covered(template: Template, pattern: Bytes, size: tuple[int, int]) -> Bytes:
    """The cloth's texture of `size` (columns, rows) with a picture that covers the flat cloth."""
    height, width = pattern.shape[:2]
    across, down = flat_size(template)
    scale = min(width / across, height / down)
    finest = size[0] / across  # texels per eye distance
    if scale > finest:
        width, height = (max(1, round(side * finest / scale)) for side in (width, height))
        pattern = cv2.resize(pattern, (width, height), interpolation=cv2.INTER_AREA)
        scale = finest
    middle = flat_map(template).reshape(-1, 2)
    middle = 0.5 * (middle.min(0) + middle.max(0))
    shift = np.array([width - 1, height - 1]) / 2 - scale * middle
    return printed(pattern, flat_map(template), scale * np.eye(2), shift, size, cv2.BORDER_REPLICATE)
