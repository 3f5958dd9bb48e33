"""The design of one mask of `world`, drawn from the census: form, colours, print, transmission, wear, wrinkles, fit."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles, Floats
from maskgen.core.seeding import rng_for
from maskgen.masks.lighting.colour import lab_to_rgb
from maskgen.masks.plan import MOST_OVERHEAD, MaskPlan
from maskgen.masks.template import built_in_template
from maskgen.masks.world.census import Census, FormCounts, census
from maskgen.masks.world.emblems import EMBLEMS, draw_emblem
from maskgen.masks.world.pleats import Pleats, draw_pleats
from maskgen.masks.world.repeating_prints import TILES, Print, Rng, draw_tile

FIRST_TRIES, TRIES = 8, 3  # colours of which the farthest from the ground is the first ink, or another one
MOST_INKS = 3  # most inks of one print
WRINKLES = 80  # number of different wrinkles, see `design_atlas`
PER_MASK = 12  # wrinkles per mask
CELLS = 40  # rows and columns of a wrinkle in the bank
BENT = 0.12  # greatest difference from the identity of the wrinkles' map, as a share of its side
LEAST_SHEER = 0.04  # transmission of light, 0..1, up to which a cloth counts as opaque
PALE = 70.0  # CIELAB lightness above which a cloth may transmit light
DARK = 40.0  # CIELAB lightness below which loops mostly have the cloth's colour
# CIELAB lightness of cloth and the factor on its relief: pale cloth scatters light into its folds. Two thirds of the
# masks have a factor within RELIEF_SPREAD, a logarithm, of it.
RELIEF_OF_LIGHTNESS = (35.0, 60.0, 80.0), (1.3, 1.3, 0.7)
RELIEF_SPREAD = 0.3
FLAT = ("surgical", "cloth")  # forms with a look "flat", on which seams and pleats are drawn for each mask
# Looks whose pleats are drawn for each mask: form and look, least and greatest number of pleats.
PLEATED = {
    ("surgical", "plain"): (3, 3),
    ("surgical", "four"): (4, 4),
    ("surgical", "pulled"): (2, 2),
    ("cloth", "pleated"): (1, 3),
}
# Factors on the skew of the texture. A stiff form, and one with pleats of its own, keeps its lines; no cloth is drawn
# out so far downwards (the last factor) that prints and valves would be flattened.
SKEWED, SKEWED_STIFF = (2.1, 2.1, 2.1, 1.5), (0.8, 0.8, 0.8, 0.7)
STIFF = ("n95", "kn95", "kf94", "pitta")
DARK_GLOSS = 0.2  # mean gloss that dark cloth has more than its form's
SEAMED = ("cloth", "pitta")  # forms with a seam down the middle, which differs from mask to mask
WHITE_HEMS = 0.3  # share of coloured surgical masks with a white hem
WHITE_HEM = lab_to_rgb(np.array([94.0, 0.0, -1.0]))
COLOURED = 8.0  # CIELAB chroma from which cloth is coloured
OVERHEAD = 2.8  # factor on the light from above
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
        flat: whether it is drawn on the look "flat" of its form; then `pleats` and `seam` are all that it has of them.
        pleats: the mask's own pleats, if any.
        valve: the colour of a valve, RGB 0..255.
        seam: strength of a seam down the middle, 0 for none, 1 for that of the template.
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
    flat: bool
    pleats: Pleats | None
    valve: Doubles
    seam: float


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
    hem, seam, valve = rng.random(3).tolist()
    if form == "surgical" and second is None and math.hypot(lab[1], lab[2]) > COLOURED and hem < WHITE_HEMS:
        second, part = WHITE_HEM.copy(), "trim"
    design = Design(
        form=form,
        ground=lab_to_rgb(lab),
        second=second,
        part=part,
        family=family,
        picture=picture,
        inks=inks,
        loops=_loops(rng, lab),
        gloss=worn_by.gloss * float(rng.uniform(0.2, 1.8)) + _dark_gloss(rng.exponential(), lab),
        worn=plan.worn,
        mirrored=bool(rng.random() < 0.5),
        wrinkles=(rng.integers(WRINKLES, size=PER_MASK), rng.exponential(_wrinkled(form), PER_MASK).astype(np.float32)),
        bent=np.eye(2, 3) + BENT * rng.uniform(-1, 1, (2, 3)) * (1, 1, CELLS),
        stains=rng.random((6, 12), np.float32) ** 4,
        flat=form in FLAT,
        pleats=(pleats := _pleats(rng, plan, form)),
        valve=_valve(valve, lab),
        seam=_seam(seam, form, pleats is not None),
    )
    skewed = SKEWED_STIFF if pleats is not None or form in STIFF else SKEWED
    return design, _sits(rng, tables, worn_by, lab, plan, skewed)


def _wrinkled(form: str) -> float:
    """Mean depth of the wrinkles."""
    return 0.6 if form in STIFF else 1.3


def _seam(drawn: float, form: str, pleated: bool) -> float:
    if form not in SEAMED or pleated:
        return 0.0 if form in FLAT else 1.0
    return max(1.5 * drawn - 0.3, 0.0)


def _dark_gloss(drawn: float, lab: Doubles) -> float:
    """Gloss that dark cloth has more: neoprene, satin, coated fleece beside dull cotton."""
    share = min(max((DARK - lab[0]) / 15, 0.0), 1.0)
    return DARK_GLOSS * share * min(drawn, 2.5)


def _pleats(rng: Rng, plan: MaskPlan, form: str) -> Pleats | None:
    """The pleats of a look of PLEATED."""
    template = built_in_template(form)
    look = template.looks[template.look_number(plan.look)].name
    if (form, look) not in PLEATED:
        return None
    least, most = PLEATED[form, look]
    return draw_pleats(rng, int(rng.integers(least, most + 1)), pulled=look == "pulled")


def _valve(drawn: float, lab: Doubles) -> Doubles:
    """The colour of a valve: white, grey or black plastic, or the cloth's colour."""
    white = 0.25 if lab[0] < DARK else 0.7
    if drawn < white:
        return lab_to_rgb(np.array([90 + 6 * drawn / white, 0.0, 1.0]))
    if drawn < white + 0.15:
        return lab_to_rgb(np.array([40 + 200 * (drawn - white), 0.0, 0.0]))
    return lab_to_rgb(lab if drawn > 0.9 else np.array([20.0, 0.0, -1.0]))


def _lab(rng: Rng, tables: Census, name: str) -> Doubles:
    middle, spread = tables.palette[name]
    return np.asarray(middle + spread * np.minimum(np.maximum(rng.normal(size=3), -2.2), 2.2))


def _any(rng: Rng, tables: Census) -> Doubles:
    """A colour of the palette, all equally likely, in CIELAB."""
    names = list(tables.palette)
    return _lab(rng, tables, names[int(rng.integers(len(names)))])


def _apart(rng: Rng, tables: Census, ground: Doubles, tries: int) -> Doubles:
    """A CIELAB colour with contrast to the ground: of so many draws the farthest from it."""
    drawn = [_any(rng, tables) for _ in range(tries)]
    return max(drawn, key=lambda lab: float(np.linalg.norm(lab - ground)))


def _printed(rng: Rng, tables: Census, family: str, ground: Doubles) -> tuple[Print, tuple[Doubles, ...]]:
    count = int(rng.integers(1, MOST_INKS + 1))
    inks = [lab_to_rgb(_apart(rng, tables, ground, TRIES if at else FIRST_TRIES)) for at in range(count)]
    once = family in EMBLEMS and (family not in TILES or rng.random() < ONCE)
    picture = draw_emblem(family, rng, inks) if once else draw_tile(family, rng, lab_to_rgb(ground), inks)
    return picture, tuple(inks)


def _second(rng: Rng, tables: Census, ground: Doubles, printed: bool) -> tuple[Doubles | None, str]:
    chance, part = rng.random(2)
    if chance >= tables.two_tone:
        return None, ""
    return lab_to_rgb(_apart(rng, tables, ground, TRIES)), "trim" if printed else tables.parts.at(part)


def _loops(rng: Rng, lab: Doubles) -> Doubles | None:
    """Colour of the loops: mostly the cloth's for dark masks, mostly the template's (None) for others."""
    alike = 0.85 if lab[0] < DARK else 0.25
    return lab_to_rgb(lab) if rng.random() < alike else None


def _sits(
    rng: Rng, tables: Census, form: FormCounts, lab: Doubles, plan: MaskPlan, skewed: tuple[float, ...]
) -> MaskPlan:
    """The plan with a random fit: most masks have about the right size and height, some do not; `skewed` are the
    factors on the skew of its texture."""
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
        overhead=min(OVERHEAD * plan.overhead, MOST_OVERHEAD),
        bright=plan.bright * float(1.0 + 0.03 * spread[3]),
        sheer=_sheer(form, lab, float(far[2])),
        relief=plan.relief * float(np.interp(lab[0], *RELIEF_OF_LIGHTNESS) * np.exp(RELIEF_SPREAD * spread[4])),
        creases=tuple(min(max(deep * depth, -3.0), 3.0) for depth in plan.creases),
        turned=False,
        print_skew=tuple(times * each for times, each in zip(skewed, plan.print_skew, strict=True)),
    )


def _sheer(form: FormCounts, lab: Doubles, chance: float) -> float:
    """Transmission of light through the cloth, 0..1: 0 for cloth that is not pale, and where it would be invisible."""
    low, high = form.thin
    sheer = low + (high - low) * chance**2
    return sheer if lab[0] > PALE and sheer > LEAST_SHEER else 0.0
