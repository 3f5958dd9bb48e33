"""Kinds of mask: a template in a colour or with a print, and all that can be worked out before the first face."""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.images import read_photo
from maskgen.core.kindspec import COLOUR, DEFAULT_KINDS, KindSpec, parse_kind
from maskgen.core.reasons import SetAsideError, UserError
from maskgen.core.records import Floats
from maskgen.masks.garment import Garment, build_garment
from maskgen.masks.lighting.colour import rgb
from maskgen.masks.template import PARTS, ROLES, Look, Template, built_in_template, read_template, template_names
from maskgen.masks.wearing import as_worn

RIBBON_ROWS = 32  # rows of the atlas for each ribbon's colour, below the cloth
MEDIAN = 232.0  # the textures' median value, which stands for the mask's colour
DARKEST = 15.0  # black cloth still sends back some light, or its folds could not be seen
LEVELS = 5
SMALL_FACE = 72.0  # pixels between the eyes up to which fewer rows and columns of cloth do
MOST_PATTERN = 64_000_000  # pixels of a printed picture
# A byte of slope is LEVEL_GROUND and STEEPNESS a unit of it; few thousandths of any relief are steeper than holds.
LEVEL_GROUND, STEEPNESS = 128, 50

Bytes = NDArray[np.uint8]


class Level(NamedTuple):
    """A kind's atlas at one level of detail. Slopes are bytes: what is read for each pixel should fit a cache.

    Attributes:
        colours: uint8 (h, w, 4), the cloth in its colour, the ribbons' colours below it, and the slope across.
        down: uint8 (h, w), the slope down.
        through: uint8 (h, w, 2), where there is material and how clear it is; None where all is cloth and opaque.
        parts: uint8 (h, w), values of `template.PARTS`.
    """

    colours: Bytes
    down: Bytes
    through: Bytes | None
    parts: Bytes


@dataclass(frozen=True, slots=True)
class Make:
    """One look of a kind: up to `until` of 0..1 a plan's `look` means it; `levels` are its atlas, finest first."""

    name: str
    until: float
    levels: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of mask, ready to be worn.

    Attributes:
        name: as in the catalogue: "n95", "surgical_green", "surgical:#ff8800".
        colour: "#rrggbb", the colour that was asked for; "" for a print.
        garment: its geometry when worn properly.
        ribbons_from: the atlas's v, 0..1, from which on it holds ribbons; 1 without any.
    """

    name: str
    title: str
    colour: str
    gloss: float
    garment: Garment
    ribbons_from: float
    makes: tuple[Make, ...]
    template: Template

    def garment_for(self, scale: float, wearing: str) -> Garment:
        """The geometry for a face of so many pixels between the eyes, and a way of wearing it; made when first used."""
        return _garment(self.template, wearing, scale <= SMALL_FACE)

    def make_at(self, look: float) -> Make:
        """Which of its looks a draw of 0..1 means."""
        return next((make for make in self.makes if look < make.until), self.makes[-1])

    def dyed_at(self, look: float, pixels: float) -> Level:
        """The atlas of one of its looks, for cloth of so many pixels from side to side."""
        make = self.make_at(look)
        texels = make.levels[0].down.shape[1] / max(pixels, 1e-3)
        return make.levels[min(math.floor(math.log2(max(texels, 1.0)) + 0.35), LEVELS - 1)]


@cache
def _garment(template: Template, wearing: str, small: bool) -> Garment:
    """The geometry, which all colours of a template share."""
    return build_garment(as_worn(template, wearing), RIBBON_ROWS, small)


def _dyed(template: Template, look: Look, cloth: Floats, colour: str) -> Bytes:
    """The atlas's colours: the texture on cloth of a colour, or of many, and a band in each ribbon's colour."""
    shaded = look.texture[..., :3].astype(np.float32) / MEDIAN * np.maximum(cloth, DARKEST)
    bands = [
        np.full((RIBBON_ROWS, shaded.shape[1], 3), np.maximum(rgb(colour if r.colour == "mask" else r.colour), DARKEST))
        for r in template.ribbons
    ]
    return np.clip(np.concatenate([shaded, *bands]), 0, 255).astype(np.uint8)


def _slope(template: Template, look: Look, garment: Garment) -> Floats:
    """Slope of the relief in eye distances per eye distance, level on the ribbons."""
    height = look.relief
    rows, columns = height.shape
    across = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=columns / garment.width / 8)
    down = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=rows / garment.height / 8)
    level = np.zeros((RIBBON_ROWS * len(template.ribbons), columns, 2), np.float32)
    return np.concatenate([np.stack([across, down], -1), level])


def _levels(colours: Bytes, slopes: Floats, through: Bytes | None, parts: Bytes) -> tuple[Level, ...]:
    """The atlas in all its levels of detail."""
    clear: Sequence[Bytes | None] = [None] * LEVELS if through is None else _pyramid(through)
    sized = zip(_pyramid(colours), _pyramid(slopes), clear, strict=True)
    return tuple(_packed(*each, parts) for each in sized)


def _packed(colours: Bytes, slopes: Floats, through: Bytes | None, parts: Bytes) -> Level:
    steps = np.clip(np.rint(slopes * STEEPNESS) + LEVEL_GROUND, 0, 255).astype(np.uint8)
    four = np.ascontiguousarray(np.dstack([colours, steps[..., :1]]))
    own = cv2.resize(parts, colours.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    return Level(four, np.ascontiguousarray(steps[..., 1]), through, own)


def _through(template: Template, look: Look) -> Bytes | None:
    """What the look cuts out and lets through, and ribbons that do neither."""
    through = look.through
    if through is None:
        return None
    bands = np.zeros((RIBBON_ROWS * len(template.ribbons), through.shape[1], 2), np.uint8)
    bands[..., 0] = 255
    return np.concatenate([through, bands])


def _parts(template: Template, look: Look) -> Bytes:
    """Of every texel the part of the mask that it is."""
    sheet = look.parts
    if sheet is None:
        sheet = np.full(look.height.shape, PARTS[ROLES[template.role]], np.uint8)
    strap = PARTS["glasses" if template.role == "glasses" else "strap"]
    return np.concatenate([sheet, np.full((RIBBON_ROWS * len(template.ribbons), sheet.shape[1]), strap, np.uint8)])


def _pyramid(picture: np.ndarray) -> list[np.ndarray]:
    """The picture and its halves, each filtered before it is thinned."""
    levels = [picture]
    for _ in range(LEVELS - 1):
        height, width = levels[-1].shape[:2]
        levels.append(cv2.resize(levels[-1], (width // 2, height // 2), interpolation=cv2.INTER_AREA))
    return levels


def make_kind(name: str, template: Template, colour: str, pattern: NDArray[np.uint8] | None = None) -> Kind:
    """A template in a colour, or with a picture printed on it.

    Args:
        colour: "#rrggbb"; of the ribbons alone where there is a pattern.
        pattern: uint8 RGB (height, width, 3), stretched over the cloth.
    """
    garment = _garment(template, "proper", False)
    rows, columns = template.looks[0].texture.shape[:2]
    cloth = np.asarray(rgb(colour), np.float32)
    if pattern is not None:
        shrinks = pattern.shape[0] > rows
        way = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
        cloth = cv2.resize(pattern, (columns, rows), interpolation=way).astype(np.float32)
    makes, until = [], 0.0
    for look in template.looks:
        until += look.share
        planes = _dyed(template, look, cloth, colour), _slope(template, look, garment)
        levels = _levels(*planes, _through(template, look), _parts(template, look))
        makes.append(Make(look.name, until, levels))
    return Kind(
        name=name,
        title=template.title,
        colour="" if pattern is not None else colour,
        gloss=template.gloss,
        garment=garment,
        ribbons_from=rows / (rows + RIBBON_ROWS * len(template.ribbons)),
        makes=tuple(makes),
        template=template,
    )


@cache
def kind_names() -> tuple[str, ...]:
    """The names of the built-in kinds, the default ones first: a template's name with its colour, or alone where that
    is the default."""
    names = list(DEFAULT_KINDS)
    for template in (built_in_template(name) for name in template_names()):
        first, *others = template.colours
        names += [template.name if template.name in DEFAULT_KINDS else f"{template.name}_{first}"]
        names += [f"{template.name}_{colour}" for colour in others]
    return tuple(dict.fromkeys(names))


@cache
def load_kind(text: str) -> Kind:
    """A kind as typed, see `core.kindspec`; its weight is not looked at. Made once a process.

    Raises:
        UserError: there is no such kind, with the nearest names; or a fault in a template or a picture of the user's.
    """
    spec = parse_kind(text)
    template, colour = _template(spec)
    if spec.pattern is None and spec.dye:
        if not COLOUR.fullmatch(spec.dye):
            raise UserError(
                f"mask kind {text!r}: {spec.dye!r} is no colour: give six digits, as in {spec.form}:#ff8800"
            )
        colour = spec.dye.lower()
    return make_kind(spec.name, template, colour, _pattern(spec))


def _template(spec: KindSpec) -> tuple[Template, str]:
    """The template that a kind's name means, and the colour that the name implies."""
    if spec.folder is not None:
        template = read_template(spec.folder)
        if template.name in (*kind_names(), *template_names()):
            raise UserError(
                f"{spec.folder}: a built-in mask is called {template.name!r} too: give the folder another name"
            )
        return template, next(iter(template.colours.values()))
    for name in template_names():
        colours = built_in_template(name).colours
        if spec.form == name:
            return built_in_template(name), next(iter(colours.values()))
        if spec.form.startswith(name + "_") and spec.form[len(name) + 1 :] in colours:
            return built_in_template(name), colours[spec.form[len(name) + 1 :]]
    near = difflib.get_close_matches(spec.form, {*kind_names(), *template_names()}, 2)
    hint = f"did you mean {' or '.join(near)}?" if near else f"the kinds are {', '.join(kind_names())}"
    raise UserError(f"there is no mask kind {spec.form!r}: {hint}")


def _pattern(spec: KindSpec) -> NDArray[np.uint8] | None:
    """The picture that is printed on a mask."""
    if spec.pattern is None:
        return None
    if not any(mark in spec.dye for mark in "./\\") and not spec.pattern.is_file():
        raise UserError(
            f"mask kind {spec.text!r}: {spec.dye!r} is no picture's file; a colour is six digits, "
            f"as in {spec.form}:#ff8800"
        )
    try:
        return read_photo(spec.pattern, max_pixels=MOST_PATTERN).image
    except SetAsideError as fault:
        raise UserError(f"mask kind {spec.text!r}: {spec.pattern} cannot be printed on it: {fault}") from None


def load_kinds(texts: Sequence[str]) -> list[Kind]:
    """Several kinds as typed, in this order.

    Raises:
        UserError: as `load_kind`, or two of them have one name.
    """
    kinds = [load_kind(parse_kind(text).text) for text in texts]
    names = [kind.name for kind in kinds]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UserError(f"two masks are called {twice!r}: name each once, and rename one of two files of the same name")
    return kinds
