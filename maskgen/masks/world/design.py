"""The design of one mask of `world`, drawn from the counts: form, colours, print, thinness, wear, wrinkles and fit."""

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

CONTRAST = 24.0  # CIELAB distance of a print from its ground, at least
MOST_INKS = 3
WRINKLES = 80
PER_MASK = 8
LEAST_SHEER = 0.04
PALE = 70.0  # lightness from which on a cloth may let light through
DARK = 40.0  # lightness below which loops mostly have the cloth's colour
ONCE = 0.75  # share of lettering and logos that are there once


@dataclass(frozen=True, slots=True)
class Design:
    """One mask's cloth.

    Attributes:
        form: a template's name.
        ground: its colour, RGB 0..255.
        second: another colour beside it, and the part that has it: "halves", "sides", "upper" or "trim"; None, "".
        family: what is printed on it, "" for nothing; `picture` is the print itself.
        inks: the print's colours.
        loops: the colour of loops, None for those that the template says.
        gloss: 0..1.
        worn: 0..1.
        wrinkles: which of the bank's WRINKLES lie on it, and how deep each is, (PER_MASK,) both.
        stains: how dark its stains are, 0..1, in cells of equal size, (6, 12).
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
    wrinkles: tuple[NDArray[np.intp], Floats]
    stains: Floats


def draw_design(plan: MaskPlan, form: str = "") -> tuple[Design, MaskPlan]:
    """The mask that a plan's `cloth` means, of a form or of any, and the plan with how that mask sits."""
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
        wrinkles=(rng.integers(WRINKLES, size=PER_MASK), rng.exponential(0.9, PER_MASK).astype(np.float32)),
        stains=rng.random((6, 12), np.float32) ** 4,
    )
    return design, _sits(rng, tables, worn_by, lab, plan)


def _lab(rng: Rng, tables: Census, name: str) -> Doubles:
    middle, spread = tables.palette[name]
    return np.asarray(middle + spread * np.minimum(np.maximum(rng.normal(size=3), -2.2), 2.2))


def _any(rng: Rng, tables: Census) -> Doubles:
    """Any colour of the palette, each as likely."""
    names = list(tables.palette)
    return _lab(rng, tables, names[int(rng.integers(len(names)))])


def _apart(rng: Rng, tables: Census, ground: Doubles) -> Doubles:
    """A colour that shows on the ground: the first of a few that does, else the lightest or the darkest there is."""
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
    """Dark masks mostly have loops of their own colour, others mostly white ones."""
    alike = 0.85 if lab[0] < DARK else 0.25
    return lab_to_rgb(lab) if rng.random() < alike else None


def _sits(rng: Rng, tables: Census, form: FormCounts, lab: Doubles, plan: MaskPlan) -> MaskPlan:
    """Most masks are of about the right size and height, some are far from it."""
    chance, far = rng.random(), rng.random(3)
    spread = np.minimum(np.maximum(rng.normal(size=4), -2.2), 2.2)
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
        creases=tuple(min(max(deep * depth, -3.0), 3.0) for depth in plan.creases),
        print_skew=tuple(3.5 * each for each in plan.print_skew),
        turned=False,
    )


def _sheer(form: FormCounts, lab: Doubles, chance: float) -> float:
    """How much light a cloth lets through: pale ones only, and nothing where it would not be seen."""
    low, high = form.thin
    sheer = low + (high - low) * chance**2
    return sheer if lab[0] > PALE and sheer > LEAST_SHEER else 0.0
