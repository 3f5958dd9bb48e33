"""Kinds of mask: a template in a colour, with everything that can be worked out before the first face."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.reasons import UserError
from maskgen.core.records import Floats
from maskgen.masks.colour import rgb
from maskgen.masks.garment import Garment, build_garment
from maskgen.masks.template import COLOUR, Template, built_in_template, template_names

RIBBON_ROWS = 32  # rows of the atlas for each ribbon's colour, below the cloth
MEDIAN = 232.0  # the textures' median value, which stands for the mask's colour
DARKEST = 15.0  # black cloth still sends back some light, or its folds could not be seen
LEVELS = 5
SMALL_FACE = 72.0  # pixels between the eyes up to which half the rows and columns of cloth do


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of mask, ready to be worn.

    Attributes:
        name: as on the command line: "n95", "surgical_green", "surgical:#ff8800".
        colour: "#rrggbb", the colour that was asked for.
        garment: its geometry, and `small` the same in fewer triangles, for small faces.
        ribbons_from: the atlas's v, 0..1, from which on it holds ribbons; 1 without any.
        atlas: for each level of detail uint8 (h, w, 3), the cloth in its colour and the ribbons' colours below it.
        slopes: for each level float32 (h, w, 2), the cloth's slope across and down.
    """

    name: str
    title: str
    colour: str
    gloss: float
    garment: Garment
    small: Garment
    ribbons_from: float
    atlas: tuple[NDArray[np.uint8], ...]
    slopes: tuple[Floats, ...]

    def garment_at(self, scale: float) -> Garment:
        """The geometry for a face of so many pixels between the eyes."""
        return self.small if scale <= SMALL_FACE else self.garment


def _dyed(template: Template, colour: str) -> NDArray[np.uint8]:
    """The atlas: the texture in the mask's colour, and a band in each ribbon's colour."""
    dye = np.maximum(rgb(colour), DARKEST)
    cloth = template.texture[..., :3].astype(np.float32) / MEDIAN * dye
    bands = [
        np.full(
            (RIBBON_ROWS, cloth.shape[1], 3),
            np.maximum(rgb(colour if r.colour == "mask" else r.colour), DARKEST),
        )
        for r in template.ribbons
    ]
    return np.clip(np.concatenate([cloth, *bands]), 0, 255).astype(np.uint8)


def _slope(template: Template, garment: Garment) -> Floats:
    """Slope of the relief in eye distances per eye distance, level on the ribbons."""
    height = template.relief
    rows, columns = height.shape
    across = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=columns / garment.width / 8)
    down = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=rows / garment.height / 8)
    level = np.zeros((RIBBON_ROWS * len(template.ribbons), columns, 2), np.float32)
    return np.concatenate([np.stack([across, down], -1), level])


def _pyramid(picture: np.ndarray) -> tuple[np.ndarray, ...]:
    """The picture and its halves, each filtered before it is thinned."""
    levels = [picture]
    for _ in range(LEVELS - 1):
        height, width = levels[-1].shape[:2]
        levels.append(cv2.resize(levels[-1], (width // 2, height // 2), interpolation=cv2.INTER_AREA))
    return tuple(levels)


def make_kind(name: str, template: Template, colour: str) -> Kind:
    """A template in a colour."""
    garment = build_garment(template, RIBBON_ROWS)
    return Kind(
        name=name,
        title=template.title,
        colour=colour,
        gloss=template.gloss,
        garment=garment,
        small=build_garment(template, RIBBON_ROWS, step=2),
        ribbons_from=template.texture.shape[0] / (template.texture.shape[0] + RIBBON_ROWS * len(template.ribbons)),
        atlas=_pyramid(_dyed(template, colour)),
        slopes=_pyramid(_slope(template, garment)),
    )


@cache
def kind_names() -> tuple[str, ...]:
    """The names of the built-in kinds: the template's, with its colour where it has several or the colour is dark."""
    names = []
    for template in (built_in_template(name) for name in template_names()):
        colours = list(template.colours)
        plain = colours == ["white"]
        names += [template.name] if plain else [f"{template.name}_{colour}" for colour in colours]
    return tuple(names)


def _parse(name: str) -> tuple[str, str] | None:
    """Template and "#rrggbb" of a kind's name, or None."""
    form, _, dye = name.partition(":")
    if dye:
        return (form, dye.lower()) if form in template_names() and COLOUR.fullmatch(dye) else None
    for template in template_names():
        colours = built_in_template(template).colours
        if name == template:
            return template, next(iter(colours.values()))
        if name.startswith(template + "_") and name[len(template) + 1 :] in colours:
            return template, colours[name[len(template) + 1 :]]
    return None


@cache
def load_kind(name: str) -> Kind:
    """A kind by name, made once a process.

    Raises:
        UserError: there is no such kind; the sentence offers the nearest names.
    """
    parsed = _parse(name)
    if parsed is None:
        near = difflib.get_close_matches(name, [*kind_names(), *template_names()], 2)
        hint = f"did you mean {' or '.join(near)}?" if near else f"the kinds are {', '.join(kind_names())}"
        raise UserError(f"there is no mask kind {name!r}: {hint}")
    return make_kind(name, built_in_template(parsed[0]), parsed[1])


def load_kinds(names: Sequence[str]) -> list[Kind]:
    """Several kinds by name, in this order."""
    return [load_kind(name) for name in names]
