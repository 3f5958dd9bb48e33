"""The design of one mask of `world`, drawn from the census: form, colours, print, transmission, wear, wrinkles, fit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles, Floats
from maskgen.core.seeding import rng_for
from maskgen.masks.lighting.colour import lab_to_rgb
from maskgen.masks.plan import MaskPlan
from maskgen.masks.world.census import Census, FormCounts, census
from maskgen.masks.world.emblems import EMBLEMS, draw_emblem
from maskgen.masks.world.repeating_prints import TILES, Print, Rng, draw_tile

CONTRAST = 24.0  # least CIELAB distance of inks and second colour from the ground
MOST_INKS = 3  # most inks of one print
WRINKLES = 80  # number of different wrinkles, see `design_atlas`
PER_MASK = 8  # wrinkles per mask
CELLS = 40  # rows and columns of a wrinkle in the bank
BENT = 0.12  # greatest difference from the identity of the wrinkles' map, as a share of its side
LEAST_SHEER = 0.04  # transmission of light, 0..1, up to which a cloth counts as opaque
PALE = 70.0  # CIELAB lightness above which a cloth may transmit light
DARK = 40.0  # CIELAB lightness below which loops mostly have the cloth's colour
# CIELAB lightness of cloth and the factor on its relief: pale cloth scatters light into its folds. Two thirds of the
# masks have a factor within RELIEF_SPREAD, a logarithm, of it.
RELIEF_OF_LIGHTNESS = (35.0, 60.0, 80.0), (1.1, 0.85, 0.5)
RELIEF_SPREAD = 0.3
ONCE = 0.75  # share of prints that appear once, in families that can also repeat


@dataclass(frozen=True, slots=True)
class Design:
    """The design of one mask.

    Attributes:
        form: a template's name.
        ground: the colour of the cloth, RGB 0..255.
        second: a second colour, RGB 0..255, or None.
        part: where the second colour is: "halves", "sides", "upper" or "trim"; "" without one.
        family: the family of its print, "" for none; `picture` is the print itself.
        inks: the print's colours, RGB 0..255.
        loops: the colour of the loops, RGB 0..255, None for the template's colours.
        gloss: 0..1.
        worn: wear, 0 new to 1.
        mirrored: whether seams, pleats and folds of the template are mirrored; the print is not.
        wrinkles: indices into the bank of WRINKLES, and the depth of each, (PER_MASK,) both.
        bent: (2, 3), the affine map, near the identity, from places on the cloth to those in the bank, in its cells.
        stains: darkness of the stains, 0..1, in cells of equal size, (6, 12).
    """

    form: str
    ground: Doubles
    second: Doubles | None
    part: str
    family: str
    picture: Print | None
    inks: tuple[Doubles, ...]
    loops: Doubles | None
    gloss: float
    worn: float
    mirrored: bool
    wrinkles: tuple[NDArray[np.intp], Floats]
    bent: Doubles
    stains: Floats


def draw_design(plan: MaskPlan, form: str = "") -> tuple[Design, MaskPlan]:
    """The design for the seed `cloth` of a plan, of one form or, if it is "", of any; and the plan with its fit."""
    rng, tables = rng_for(plan.cloth, "world"), census()
    form = form or tables.forms.at(rng.random())
    worn_by = tables.forms_worn[form]
    lab = _lab(rng, tables, worn_by.colours.at(rng.random()))
    family, picture = "", None
    inks: tuple[Doubles, ...] = ()
    if rng.random() < worn_by.printed:
        family = tables.prints.at(rng.random())
        lab = lab if rng.random() < 0.5 else _any(rng, tables)
        picture, inks = _printed(rng, tables, family, lab)
    second, part = _second(rng, tables, lab, bool(family))
    design = Design(
        form=form,
        ground=lab_to_rgb(lab),
        second=second,
        part=part,
        family=family,
        picture=picture,
        inks=inks,
        loops=_loops(rng, lab),
        gloss=worn_by.gloss * float(rng.uniform(0.2, 1.8)),
        worn=plan.worn,
        mirrored=bool(rng.random() < 0.5),
        wrinkles=(rng.integers(WRINKLES, size=PER_MASK), rng.exponential(0.9, PER_MASK).astype(np.float32)),
        bent=np.eye(2, 3) + BENT * rng.uniform(-1, 1, (2, 3)) * (1, 1, CELLS),
        stains=rng.random((6, 12), np.float32) ** 4,
    )
    return design, _sits(rng, tables, worn_by, lab, plan)


def _lab(rng: Rng, tables: Census, name: str) -> Doubles:
    middle, spread = tables.palette[name]
    return np.asarray(middle + spread * np.minimum(np.maximum(rng.normal(size=3), -2.2), 2.2))


def _any(rng: Rng, tables: Census) -> Doubles:
    """A colour of the palette, all equally likely, in CIELAB."""
    names = list(tables.palette)
    return _lab(rng, tables, names[int(rng.integers(len(names)))])


def _apart(rng: Rng, tables: Census, ground: Doubles) -> Doubles:
    """A CIELAB colour with contrast to the ground: the first of six draws that has it, else near black or white."""
    for _ in range(6):
        lab = _any(rng, tables)
        if np.linalg.norm(lab - ground) > CONTRAST:
            return lab
    return np.array([8.0 if ground[0] > 50 else 94.0, 0.0, 0.0])


def _printed(rng: Rng, tables: Census, family: str, ground: Doubles) -> tuple[Print, tuple[Doubles, ...]]:
    count = int(rng.integers(1, MOST_INKS + 1))
    inks = [lab_to_rgb(_apart(rng, tables, ground)) for _ in range(count)]
    once = family in EMBLEMS and (family not in TILES or rng.random() < ONCE)
    picture = draw_emblem(family, rng, inks) if once else draw_tile(family, rng, lab_to_rgb(ground), inks)
    return picture, tuple(inks)


def _second(rng: Rng, tables: Census, ground: Doubles, printed: bool) -> tuple[Doubles | None, str]:
    chance, part = rng.random(2)
    if chance >= tables.two_tone:
        return None, ""
    return lab_to_rgb(_apart(rng, tables, ground)), "trim" if printed else tables.parts.at(part)


def _loops(rng: Rng, lab: Doubles) -> Doubles | None:
    """Colour of the loops: mostly the cloth's for dark masks, mostly the template's (None) for others."""
    alike = 0.85 if lab[0] < DARK else 0.25
    return lab_to_rgb(lab) if rng.random() < alike else None


def _sits(rng: Rng, tables: Census, form: FormCounts, lab: Doubles, plan: MaskPlan) -> MaskPlan:
    """The plan with a random fit: most masks have about the right size and height, some do not."""
    chance, far = rng.random(), rng.random(3)
    spread = np.minimum(np.maximum(rng.normal(size=5), -2.2), 2.2)
    size, up = 1.0 + 0.03 * spread[0], 0.035 * spread[1]
    large, small, low = (tables.fit[name] for name in ("large", "small", "low"))
    if chance < large:
        size = 1.08 + 0.10 * far[0]
    elif chance < large + small:
        size = 0.92 - 0.08 * far[0]
    elif chance < large + small + low:
        up = -0.08 - 0.14 * far[1]
    deep = float(np.exp(0.5 * spread[2]))
    return replace(
        plan,
        up=float(up),
        size=float(size),
        tilt=1.6 * plan.tilt,
        bright=plan.bright * float(1.0 + 0.03 * spread[3]),
        sheer=_sheer(form, lab, float(far[2])),
        relief=plan.relief * float(np.interp(lab[0], *RELIEF_OF_LIGHTNESS) * np.exp(RELIEF_SPREAD * spread[4])),
        creases=tuple(min(max(deep * depth, -3.0), 3.0) for depth in plan.creases),
        print_skew=tuple(3.5 * each for each in plan.print_skew),
        turned=False,
    )


def _sheer(form: FormCounts, lab: Doubles, chance: float) -> float:
    """Transmission of light through the cloth, 0..1: 0 for cloth that is not pale, and where it would be invisible."""
    low, high = form.thin
    sheer = low + (high - low) * chance**2
    return sheer if lab[0] > PALE and sheer > LEAST_SHEER else 0.0
