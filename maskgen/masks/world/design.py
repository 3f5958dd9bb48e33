"""The design of one mask of `world`, drawn from the census: form, colours, print, transmission, wear, wrinkles, fit."""

from __future__ import annotations

import math
from dataclasses import replace
from operator import mul
from typing import NamedTuple

import numpy as np

from maskgen.core.records import Doubles
from maskgen.core.seeding import rng_for
from maskgen.masks.deformations import FLARE, LOWER_CORNERS, LOWER_EDGE, OUTLINE, PEAK, SIDES, UPPER_CORNERS, WAIST
from maskgen.masks.lighting.colour import Rgb, lab_to_rgb
from maskgen.masks.plan import MOST_OVERHEAD, MaskPlan
from maskgen.masks.template import built_in_template
from maskgen.masks.world.census import Census, FormCounts, Lab, census
from maskgen.masks.world.chances import Chances
from maskgen.masks.world.emblems import EMBLEMS, draw_emblem, draw_marks
from maskgen.masks.world.pleats import Pleats, draw_pleats
from maskgen.masks.world.repeating_prints import Print, draw_tile
from maskgen.masks.world.tile_families import TILES
from maskgen.masks.world.tile_shapes import Rng
from maskgen.masks.world.wrinkles import Wrinkles, draw_wrinkles

FIRST_TRIES, TRIES = 8, 3  # colours of which the farthest from the ground is the first ink, or another one
MORE_INKS = 0.75, 0.4  # shares of prints with a second and with a third ink
PLAIN_INK = 0.6  # share of prints in which one ink is black or white
CONTRAST = 1.6  # weight of lightness, beside a* and b*, in how far an ink is from the ground
LEAST_SHEER = 0.04  # transmission of light, 0..1, up to which a cloth counts as opaque
PALE = 70.0  # CIELAB lightness above which a cloth may transmit light
DARK = 40.0  # CIELAB lightness below which cloth is dark
# CIELAB lightness of cloth and the factor on its relief: pale cloth scatters light into its folds. Two thirds of the
# masks have a factor within RELIEF_SPREAD, a logarithm, of it.
RELIEF_OF_LIGHTNESS = (60.0, 80.0), (1.3, 0.7)
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
MARKED = {"n95": 0.6, "kn95": 0.7, "kf94": 0.3}  # shares, of masks without a print, with what makers put on them
VALVED = ("n95", "kn95", "pitta")  # forms with looks that have valves
STIFF = ("n95", "kn95", "kf94", "pitta")
WOVEN = ("cloth", "bandana")  # forms whose threads show
DARK_GLOSS = 0.2  # mean gloss that dark cloth has more than its form's
WELD = 1.0, 4.5  # strengths of the seam of foam, which shows on nearly every mask
SEAMED = ("cloth", "pitta")  # forms with a seam down the middle, which differs from mask to mask
# Shares of coloured surgical masks with a white hem, and with a white upper band: the inner layer, folded outward.
WHITE_HEMS, WHITE_BANDS = 0.15, 0.25
WHITE_HEM = lab_to_rgb((94.0, 0.0, -1.0))
COLOURED = 8.0  # CIELAB chroma from which cloth is coloured
OVERHEAD = 2.8  # factor on the light from above
# A crest down the middle, between two flat halves: by form, the share of masks that have one, and its mean slope.
CRESTED = {
    "pitta": (1.0, 0.25),
    "surgical": (0.6, 0.07),
    "cloth": (0.5, 0.11),
    "kf94": (0.5, 0.11),
    "kn95": (0.7, 0.13),
}
# Greatest slope, and the factor on the slope of dark cloth, which shows it less.
STEEPEST_CREST, ON_DARK = 0.35, 2.0
# Factors on the grain of coloured woven cloth and of fleece and foam; how much less grain dark cloth has per gloss.
GRAINED, FIBRES, GLITTER = 1.6, 0.8, 3.0
WRINKLED, WRINKLED_STIFF = 1.2, 0.5  # factors on the depth of wrinkles of soft and of stiff cloth
# Outlines that are less of a bowl than their template's, in weights of `deformations.OUTLINE`, whose limits hold for
# plans of any kind and not here. Mean and spread of how much straighter lower edges are between chin and corner, and
# of how much higher lower corners lie.
STRAIGHT = {"surgical": (0.5, 0.4), "cloth": (0.7, 0.4), "pitta": (0.8, 0.4), "kf94": (0.5, 0.4)}
RAISED = {"surgical": (-0.2, 0.5)}
# Upper corners that lie lower, mean and spread: an upper edge that falls from nose to cheek. Greatest additional peak.
FALLING = {"surgical": (0.8, 0.4)}
PEAKED = {"pitta": 0.8}
NEARER = {"surgical": 0.6, "cloth": 0.5}  # how much nearer to the ears sides end than the template's
# Pleats open more before the mouth than at the sides, which they draw in, and the lower corners stand out: the greatest
# weights of both.
WAISTED = {"surgical": (1.0, 0.7)}
# Least and greatest factor on the width of straps: of cords of 3 mm to bands of 5 mm, with 63 mm between the eyes.
STRAP_WIDTHS = {"surgical": (1.1, 2.0), "cloth": (0.5, 1.6), "kf94": (1.0, 1.5), "kn95": (1.0, 1.5)}
WIDER = {"n95": 1.08}  # factor on the size: real cups are 1.8 to 2.1 eye distances wide, the template's 1.75
RIBBED = {"n95": (0.15, 1.1)}  # least and greatest factor on the relief: some cups are smooth
LOWEST_WEIGHT = -1.7  # the least of these weights
ONCE = 0.75  # share of prints that appear once, in families that can also repeat


class Design(NamedTuple):
    """The design of one mask.

    Attributes:
        form: a template's name.
        ground: the colour of the cloth, RGB 0..255.
        second: a second colour, RGB 0..255, or None.
        part: where the second colour is: "halves", "sides", "upper", "band" or "trim"; "" without one.
        family: the family of its print, "" for none; `picture` is the print itself.
        inks: the print's colours, RGB 0..255.
        loops: the colour of the loops, RGB 0..255, None for the template's colours.
        gloss: 0..1.
        worn: wear, 0 new to 1.
        mirrored: whether seams, pleats and folds are mirrored, as `MaskPlan.turned` says; the print is not.
        wrinkles: its wrinkles.
        stains: uniform numbers, 0..1, from which the darkness of stains is made in cells of equal size, (6, 12).
        flat: whether it is drawn on the look "flat" of its form; then `pleats` and `seam` are all that it has of them.
        pleats: the mask's own pleats, if any.
        valve: the colour of a valve, RGB 0..255; the cloth's for forms without one.
        seam: strength of a seam down the middle, 0 for none, 1 for that of the template.
        crest: slope of the two halves that fall away from a crest down the middle, 0 for none.
        rim: strength of the hem and its stitches, 0 for none, 1 for that of the template.
    """

    form: str
    ground: Rgb
    second: Rgb | None
    part: str
    family: str
    picture: Print | None
    inks: tuple[Rgb, ...]
    loops: Rgb | None
    gloss: float
    worn: float
    mirrored: bool
    wrinkles: Wrinkles
    stains: Doubles
    flat: bool
    pleats: Pleats | None
    valve: Rgb
    seam: float
    crest: float
    rim: float


def draw_design(plan: MaskPlan, form: str = "") -> tuple[Design, MaskPlan]:
    """The design for the seed `cloth` of a plan, of one form or, if it is "", of any; and the plan with its fit."""
    chances, tables = Chances(plan.cloth, "world"), census()
    form = form or tables.forms.at(chances.uniform())
    worn_by = tables.forms_worn[form]
    lab = _lab(tables.palette[worn_by.colours.at(chances.uniform())], chances)
    pleats = _pleats(chances, plan, form)
    lab, decoration = _decoration(chances, tables, plan, worn_by, lab)
    ground = lab_to_rgb(lab)
    decoration = _of_form(chances, plan, form, lab, decoration)
    loops = _loops(chances.uniform(), lab, ground)
    gloss = worn_by.gloss * (0.2 + 1.6 * chances.uniform()) + _dark_gloss(chances.exponential(), lab)
    design = Design(
        form,
        ground,
        *decoration,
        loops=loops,
        gloss=gloss,
        worn=plan.worn,
        mirrored=plan.turned,
        wrinkles=_wrinkles(chances, form, lab, gloss),
        stains=chances.uniforms(72).reshape(6, 12),
        flat=form in FLAT,
        pleats=pleats,
        valve=_valve(chances.uniform(), lab) if form in VALVED else ground,
        seam=_seam(chances.uniform(), form, pleats is not None),
        crest=_crest(chances, form, lab),
        rim=max(chances.uniform() ** 0.5, float(form in STIFF)),
    )
    skewed = SKEWED_STIFF if pleats is not None or form in STIFF else SKEWED
    return design, _sits(chances, tables, form, lab, plan, skewed)


class Decoration(NamedTuple):
    """What a cloth has beside its ground, see `Design`: a second colour, a print."""

    second: Rgb | None = None
    part: str = ""
    family: str = ""
    picture: Print | None = None
    inks: tuple[Rgb, ...] = ()


def _decoration(
    chances: Chances, tables: Census, plan: MaskPlan, worn_by: FormCounts, lab: Lab
) -> tuple[Lab, Decoration]:
    """The ground's colour, which a print may change, and the decoration."""
    printed, two_tone = chances.uniform() < worn_by.printed, chances.uniform() < tables.two_tone
    if not printed and not two_tone:
        return lab, Decoration()
    other, found = Chances(plan.cloth, "other colours"), Decoration()
    if printed:
        family = tables.prints.at(other.uniform())
        lab = lab if other.uniform() < 0.5 else _any(other, tables)
        picture, inks = _printed(rng_for(plan.cloth, "print"), other, tables, family, lab)
        found = Decoration(family=family, picture=picture, inks=inks)
    if two_tone:
        part = "trim" if printed else tables.parts.at(other.uniform())
        found = found._replace(second=lab_to_rgb(_apart(other, tables, lab, TRIES)), part=part)
    return lab, found


def _of_form(chances: Chances, plan: MaskPlan, form: str, lab: Lab, found: Decoration) -> Decoration:
    """The decoration with what some forms have: the white hem of a surgical mask, the maker's marks of a respirator."""
    hem, marked = chances.uniform(), chances.uniform()
    coloured = math.hypot(lab[1], lab[2]) > COLOURED
    if form == "surgical" and found.second is None and coloured and hem < WHITE_HEMS + WHITE_BANDS:
        return found._replace(second=WHITE_HEM, part="trim" if hem < WHITE_HEMS else "band")
    if not found.family and found.second is None and marked < MARKED.get(form, 0.0):
        return found._replace(
            family="marks", picture=draw_marks(rng_for(plan.cloth, "print"), np.array(lab_to_rgb(lab)))
        )
    return found


def _wrinkles(chances: Chances, form: str, lab: Lab, gloss: float) -> Wrinkles:
    return draw_wrinkles(chances, WRINKLED_STIFF if form in STIFF else WRINKLED, _grained(lab, gloss, form in WOVEN))


def _seam(drawn: float, form: str, pleated: bool) -> float:
    if form not in SEAMED or pleated:
        return 0.0 if form in FLAT else 1.0
    if form == "pitta":
        return WELD[0] + (WELD[1] - WELD[0]) * drawn
    return max(1.5 * drawn - 0.3, 0.0)


def _crest(chances: Chances, form: str, lab: Lab) -> float:
    share, mean = CRESTED.get(form, (0.0, 0.0))
    has, steep = chances.uniform() < share, mean * (0.3 + 0.7 * chances.exponential())
    return min(steep, STEEPEST_CREST) * (ON_DARK if lab[0] < DARK else 1.0) if has else 0.0


def _grained(lab: Lab, gloss: float, woven: bool) -> float:
    """The factor on the grain of cloth: more on woven cloth with a colour; on dark cloth each slope glitters by its
    gloss."""
    if lab[0] < DARK:
        return 1 / (1 + GLITTER * gloss)
    return 1 + (GRAINED - 1) * min(math.hypot(lab[1], lab[2]) / 15, 1.0) if woven else FIBRES


def _dark_gloss(drawn: float, lab: Lab) -> float:
    """Gloss that dark cloth has more: neoprene, satin, coated fleece beside dull cotton."""
    share = min(max((DARK - lab[0]) / 15, 0.0), 1.0)
    return DARK_GLOSS * share * min(drawn, 2.5)


def _pleats(chances: Chances, plan: MaskPlan, form: str) -> Pleats | None:
    """The pleats of a look of PLEATED."""
    template = built_in_template(form)
    look = template.looks[template.look_number(plan.look)].name
    if (form, look) not in PLEATED:
        return None
    least, most = PLEATED[form, look]
    count = least + int(chances.uniform() * (most + 1 - least))
    return draw_pleats(chances, count, pulled=look == "pulled")


def _valve(drawn: float, lab: Lab) -> Rgb:
    """The colour of a valve: white, grey or black plastic, or the cloth's colour."""
    white = 0.25 if lab[0] < DARK else 0.7
    if drawn < white:
        return lab_to_rgb((90 + 6 * drawn / white, 0.0, 1.0))
    if drawn < white + 0.15:
        return lab_to_rgb((40 + 200 * (drawn - white), 0.0, 0.0))
    return lab_to_rgb(lab if drawn > 0.9 else (20.0, 0.0, -1.0))


def _lab(colour: tuple[Lab, Lab], chances: Chances) -> Lab:
    """A colour of the palette, given by its mean and spread."""
    (lightness, a, b), (of_lightness, of_a, of_b) = colour
    normal = chances.normal
    return lightness + of_lightness * normal(), a + of_a * normal(), b + of_b * normal()


def _any(chances: Chances, tables: Census) -> Lab:
    """A colour of the palette, all equally likely."""
    return _lab(tables.colours[int(chances.uniform() * len(tables.colours))], chances)


def _apart(chances: Chances, tables: Census, ground: Lab, tries: int) -> Lab:
    """A colour with contrast to the ground: of so many draws the farthest from it."""
    farthest, most = ground, -1.0
    lightness, a, b = ground
    for _ in range(tries):
        lab = _any(chances, tables)
        far = math.hypot(CONTRAST * (lab[0] - lightness), lab[1] - a, lab[2] - b)
        if far > most:
            farthest, most = lab, far
    return farthest


def _printed(rng: Rng, chances: Chances, tables: Census, family: str, ground: Lab) -> tuple[Print, tuple[Rgb, ...]]:
    """A print of a family and its inks."""
    inks = [lab_to_rgb(ink) for ink in _inks(chances, tables, ground)]
    each = [np.array(ink) for ink in inks]
    once = family in EMBLEMS and (family not in TILES or chances.uniform() < ONCE)
    picture = draw_emblem(family, rng, each) if once else draw_tile(family, rng, np.array(lab_to_rgb(ground)), each)
    return picture, tuple(inks)


def _inks(chances: Chances, tables: Census, ground: Lab) -> list[Lab]:
    """The inks of a print: the first is far from the ground, and of the others some are black or white, as the
    outlines and the small shapes of prints are."""
    several, plain = chances.uniform(), chances.uniform()
    count = 1 + sum(several < share for share in MORE_INKS)
    inks = [
        _apart(chances, tables, ground, FIRST_TRIES),
        *(_apart(chances, tables, ground, TRIES) for _ in range(count - 1)),
    ]
    if plain < PLAIN_INK:
        dark = (ground[0] > 50) == (chances.uniform() < 0.7)
        own = (12 + 8 * chances.uniform(), 0.0, 0.0) if dark else (90 + 6 * chances.uniform(), 0.0, 2.0)
        inks[min(1, count - 1)] = own
    return inks


def _loops(drawn: float, lab: Lab, ground: Rgb) -> Rgb | None:
    """Colour of the loops: mostly the cloth's for dark masks, mostly the template's (None) for others."""
    return ground if drawn < (0.85 if lab[0] < DARK else 0.25) else None


def _sits(chances: Chances, tables: Census, form: str, lab: Lab, plan: MaskPlan, skewed: tuple[float, ...]) -> MaskPlan:
    """The plan with a random fit: most masks have about the right size and height, some do not; `skewed` are the
    factors on the skew of its texture."""
    chance, far = chances.uniform(), chances.uniform()
    size, up = 1.0 + 0.03 * chances.normal(), 0.035 * chances.normal()
    large, small, low = (tables.fit[name] for name in ("large", "small", "low"))
    if chance < large:
        size = 1.08 + 0.10 * far
    elif chance < large + small:
        size = 0.92 - 0.08 * far
    elif chance < large + small + low:
        up = -0.08 - 0.14 * far
    deep = math.exp(0.5 * chances.normal())
    deeper = [deep * depth for depth in plan.creases]
    return replace(
        plan,
        up=up,
        size=size * WIDER.get(form, 1.0),
        tilt=1.6 * plan.tilt,
        overhead=min(OVERHEAD * plan.overhead, MOST_OVERHEAD),
        outline=_outline(chances, form, plan.outline),
        strap_width=_strap_width(chances.uniform(), form),
        bright=plan.bright * (1.0 + 0.03 * chances.normal()),
        sheer=_sheer(tables.forms_worn[form], lab, chances.uniform()),
        relief=plan.relief * _relief(lab[0]) * math.exp(RELIEF_SPREAD * chances.normal()) * _ribbed(chances, form),
        creases=tuple([-3.0 if each < -3.0 else 3.0 if each > 3.0 else each for each in deeper]),
        print_skew=tuple(map(mul, skewed, plan.print_skew)),
    )


def _outline(chances: Chances, form: str, drawn: tuple[float, ...]) -> tuple[float, ...]:
    """The weights of a plan's deformations of the outline, changed by STRAIGHT, RAISED, FALLING, NEARER, WAISTED and
    PEAKED."""
    if form not in STRAIGHT:
        return drawn
    weights, (mean, spread) = list(drawn), STRAIGHT[form]
    less: list[tuple[tuple[int, ...], float]] = [((LOWER_EDGE,), mean + spread * chances.normal())]
    mean, spread = RAISED.get(form, (0.0, 0.0))
    less.append((LOWER_CORNERS, mean + spread * chances.normal()))
    if form in FALLING:
        mean, spread = FALLING[form]
        less.append((UPPER_CORNERS, mean + spread * chances.normal()))
    for places, each in less:
        for at in places:
            weights[at] = min(max(weights[at] - each, LOWEST_WEIGHT), OUTLINE[at][1])
    nearer = NEARER.get(form, 0.0)
    for at in SIDES:
        weights[at] = min(weights[at] + nearer, OUTLINE[at][1])
    for pair, most in zip((WAIST, FLARE), WAISTED.get(form, (0.0, 0.0)), strict=True):
        both = chances.uniform()
        for at in pair:
            weights[at] = most * min(max(both + 0.2 * chances.normal(), 0.0), 1.0)
    weights[PEAK] += PEAKED.get(form, 0.0) * chances.uniform()
    return tuple(weights)


def _ribbed(chances: Chances, form: str) -> float:
    """The factor on the relief of a form whose moulded ribs show from hardly to fully, by RIBBED; 1 for others."""
    least, most = RIBBED.get(form, (1.0, 1.0))
    return least + (most - least) * chances.uniform()


def _strap_width(drawn: float, form: str) -> float:
    least, most = STRAP_WIDTHS.get(form, (1.0, 1.0))
    return least + (most - least) * drawn


def _relief(lightness: float) -> float:
    """The factor on the relief of cloth of this lightness, by RELIEF_OF_LIGHTNESS."""
    (start, end), (dark, light) = RELIEF_OF_LIGHTNESS
    return dark + (light - dark) * min(max((lightness - start) / (end - start), 0.0), 1.0)


def _sheer(form: FormCounts, lab: Lab, chance: float) -> float:
    """Transmission of light through the cloth, 0..1: 0 for cloth that is not pale, and where it would be invisible."""
    low, high = form.thin
    sheer = low + (high - low) * chance**2
    return sheer if lab[0] > PALE and sheer > LEAST_SHEER else 0.0
