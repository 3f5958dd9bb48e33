"""The named prints, such as `cloth:red+dots`: a fixed drawing on cloth of a given colour."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from maskgen.core.records import Doubles
from maskgen.core.seeding import rng_for
from maskgen.masks.kind import Kind, make_kind
from maskgen.masks.lighting.colour import parse_hex_colour
from maskgen.masks.template import Template
from maskgen.masks.world.flat_cloth import flat_size
from maskgen.masks.world.tile_families import TILES
from maskgen.masks.world.tile_shapes import SIDE, Bytes

PALE = 150.0  # luma of the cloth, 0..255, above which the default ink is black
LUMA = np.array([0.299, 0.587, 0.114])
WHITE, BLACK = "#ffffff", "#202020"


@dataclass(frozen=True, slots=True)
class _Motif:
    """A print's family of TILES, the seed of its drawing (chosen by eye), and a tile's width in eye distances."""

    family: str
    seed: int
    size: float


_MOTIFS = {
    "dots": _Motif("dots", 0, 1.3),
    "stripes": _Motif("stripes", 10, 1.0),
    "checks": _Motif("checks", 8, 0.9),
    "flowers": _Motif("flowers", 3, 1.2),
    "paisley": _Motif("paisley", 8, 1.2),
    "leopard": _Motif("leopard", 1, 1.2),
    "hearts": _Motif("motifs", 4, 1.2),
    "stars": _Motif("motifs", 11, 1.2),
}


def named_print_kind(name: str, template: Template, colour: str, motif: str, ink: str = "") -> Kind:
    """A template's cloth in a colour with a print in one ink on it.

    Args:
        colour, ink: "#rrggbb"; without an ink the print is white, or black on pale cloth.
        motif: one of `core.kindspec.PRINTS`.
    """
    ground = parse_hex_colour(colour)
    ink = ink or (BLACK if float(LUMA @ ground) > PALE else WHITE)
    picture = _over(template, _MOTIFS[motif], ground, parse_hex_colour(ink))
    printed = make_kind(name, template, colour, picture)
    return replace(printed, colour=colour, print=motif, colours=(colour, ink), one_way=False)


def _over(template: Template, motif: _Motif, ground: Doubles, ink: Doubles) -> Bytes:
    """The tile repeated over the size of the flat cloth, uint8 (h, w, 3)."""
    draw, _, _ = TILES[motif.family]
    tile = draw(rng_for(motif.seed, "motif", motif.family), ground, [ink])
    width, height = (max(1, round(side * SIDE / motif.size)) for side in flat_size(template))
    times = math.ceil(height / SIDE), math.ceil(width / SIDE), 1
    return np.ascontiguousarray(np.tile(tile, times)[:height, :width])
