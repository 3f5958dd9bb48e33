"""The kernel `cloth` against slow formulas in floating point, on cloth of any size, with all that a design may have."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from maskgen.core.kernels.arena import arena_of_thread
from maskgen.core.records import Doubles
from maskgen.core.seeding import rng_for
from maskgen.masks.kind import DARKEST, LEVEL_GROUND, MEDIAN, STEEPNESS, AtlasLevel
from maskgen.masks.plan import plan_mask
from maskgen.masks.template import PARTS, built_in_template
from maskgen.masks.world import pleats as pleats_module
from maskgen.masks.world import wrinkles as wrinkles_module
from maskgen.masks.world.design import STIFF, WOVEN, Design, draw_design
from maskgen.masks.world.design_atlas import (
    BEND,
    DARK_LEVEL,
    GLINT,
    OF_CLEAR,
    OF_VALVE,
    RIM,
    STAINED,
    STAINS_FROM,
    STEEPER,
    BlankCloth,
    DesignLevels,
    _boxes,
    _own_seam,
    _sewn,
    design_level,
)
from maskgen.masks.world.flat_cloth import CELLS as PLACES
from maskgen.masks.world.flat_cloth import flat_map, flat_size
from maskgen.masks.world.folds import fold_slopes
from maskgen.masks.world.pleats import HIDDEN, LEVEL, PANEL
from maskgen.masks.world.wrinkles import CELLS, DEPTHS, FINE, GRAIN_DRAWN, Wrinkles

BAND = 4
SHARPER = 0.9  # strength of the kernel's sharpening
FORMS = ("surgical", "cloth", "pitta", "n95", "bandana", "gaiter")
SIZES = ((128, 128), (8, 8), (37, 53), (9, 200), (130, 65), (64, 16))


def cloth_of(rows: int, columns: int, form: str = "surgical", own: bool = False, sewn: bool = False) -> BlankCloth:
    """Cloth of random texels, with rows for the template's straps below it."""
    template, rng = built_in_template(form), np.random.default_rng(rows + columns)
    below = BAND * len(template.straps)
    level = AtlasLevel(
        rng.integers(150, 256, (rows + below, columns, 4)).astype(np.uint8),
        rng.integers(80, 180, (rows + below, columns)).astype(np.uint8),
        None,
        np.full((rows + below, columns), PARTS["cloth"], np.uint8),
    )
    seam = (_sewn if sewn else _own_seam)(columns)
    dye = np.zeros((rows, columns, 4), np.uint8)
    dye[rows // 3 : rows // 2, columns // 3 :] = rng.integers(0, 256, (1, 1, 4))
    dye[rows // 3 : rows // 2, columns // 3 :, 3] = OF_VALVE
    dye[: rows // 4, : columns // 4] = *[round(MEDIAN)] * 3, OF_CLEAR
    rim = (max(1, round(RIM * rows)), max(1, round(RIM * columns)))
    middle = columns // 2 - len(seam) // 2
    return BlankCloth(template, level, rows, rim, middle, seam, 0.0 if sewn else 1.0, dye if own else None)


def between(size: int, cells: int) -> Doubles:
    """Weights (size, cells) of linear interpolation between the centres of cells."""
    place = np.clip((np.arange(size) + 0.5) * cells / size - 0.5, 0, cells - 1)
    first, out = place.astype(int), np.zeros((size, cells))
    np.add.at(out, (np.arange(size), first), 1 - (place - first))
    np.add.at(out, (np.arange(size), np.minimum(first + 1, cells - 1)), place - first)
    return out


def laid(coarse: Doubles, rows: int, columns: int) -> Doubles:
    """A coarse picture, interpolated to a size."""
    down = np.tensordot(between(rows, coarse.shape[0]), coarse, 1)
    return np.moveaxis(np.tensordot(between(columns, coarse.shape[1]), down, (1, 1)), 0, 1)


def sampled(picture: Doubles, x: Doubles, y: Doubles) -> Doubles:
    """A picture at places between its pixels, 0 beyond it."""
    padded = np.pad(picture, ((1, 2), (1, 2), (0, 0)))
    x, y = np.clip(x, -1, picture.shape[1]) + 1, np.clip(y, -1, picture.shape[0]) + 1
    left, top = x.astype(int), y.astype(int)
    later, lower = (x - left)[..., None], (y - top)[..., None]
    upper = padded[top, left] * (1 - later) + padded[top, left + 1] * later
    return upper * (1 - lower) + (padded[top + 1, left] * (1 - later) + padded[top + 1, left + 1] * later) * lower


def whole(levels: Doubles) -> Doubles:
    return np.clip(np.rint(levels), 0, 255)


def rimmed(picture: Doubles, rim: tuple[int, int], strength: float) -> Doubles:
    down, across = rim
    inner = picture[down:-down, across:-across]
    inside = np.pad(inner, ((down, down), (across, across), (0, 0)), "symmetric")
    return whole(strength * picture + (1 - strength) * inside)


def wrinkled(of: Wrinkles, crest: float, stiff: bool, woven: bool, rows: int, columns: int) -> Doubles:
    """What wrinkles, a crest, folds and grain add to the slopes, in levels."""
    bank = wrinkles_module._bank().reshape(-1, CELLS, CELLS, 2)
    total = np.tensordot(np.array(of.depth) / DEPTHS, bank[list(of.which)].astype(float), 1)
    y, x = np.mgrid[:CELLS, :CELLS]
    at = np.einsum("ij,jyx->iyx", np.reshape(of.bent, (2, 3)), np.stack([x, y, np.ones_like(x)]))
    total = sampled(total, at[0], at[1])
    down, across = wrinkles_module._crest(stiff)
    total[..., 0] += crest * down[:, None] * across
    (which, pulled), (steep, right, below) = of.folds, of.grain
    picture = wrinkles_module._grain(woven, columns, rows)
    top, left = int(below * (len(picture) - rows + 1)), int(right * (picture.shape[1] - columns + 1))
    grain = picture[top : top + rows, left : left + columns]
    folds = fold_slopes(which, columns, rows).astype(float) - LEVEL_GROUND
    uneven = (grain.astype(float) - LEVEL_GROUND) * steep / GRAIN_DRAWN
    return laid(total / FINE, rows, columns) + folds * pulled + uneven


def pleated(design: Design, rows: int, columns: int) -> tuple[Doubles, Doubles, Doubles]:
    """Factor on the light, slope down in levels, and hidden cloth in eye distances, (rows, columns) each."""
    pleats = design.pleats
    if pleats is None:
        return np.ones((rows, columns)), np.zeros((rows, columns)), np.zeros((rows, columns))
    coarse = max(columns // 8, 1)
    u = (np.arange(coarse) * 2 + 1) / coarse - 1
    ends = pleats.lines @ np.stack([np.ones_like(u), u, u * u])
    down = ((np.arange(rows) + 0.5) / rows)[:, None, None]
    part = (down - ends[:-1]) * PANEL / np.maximum(ends[1:] - ends[:-1], 0.02)
    panel = np.clip(part, 0, PANEL).sum(1)
    bank = pleats_module._bank(len(pleats.opens))[list(pleats.panels)].astype(float)
    bank = np.einsum("xc,rcd->rxd", between(coarse, pleats_module.COLUMNS), bank.reshape(-1, *bank.shape[2:]))
    first = np.minimum(panel, len(bank) - 1).astype(int)
    later = (np.minimum(panel, len(bank) - 1) - first)[..., None]
    at = np.arange(coarse)
    both = bank[first, at] * (1 - later) + bank[np.minimum(first + 1, len(bank) - 1), at] * later
    above = np.cumsum([0.0, *[HIDDEN * (1 - 0.6 * opened) for opened in pleats.opens], 0.0])
    hidden = above[(panel / PANEL + 1e-9).astype(int)]
    both, hidden = laid(both, rows, columns), laid(hidden, rows, columns)
    return both[..., 0] / LEVEL, both[..., 1] - LEVEL_GROUND, hidden


def cells_of(slopes: Doubles) -> Doubles:
    """Means of slopes in PLACES x PLACES cells."""
    ends = [np.arange(PLACES + 1) * size // PLACES for size in slopes.shape[:2]]
    parts = [[slice(a, max(b, a + 1)) for a, b in itertools.pairwise(each.tolist())] for each in ends]
    return np.array([[slopes[down, across].mean((0, 1)) for across in parts[1]] for down in parts[0]])


def printed(blank: BlankCloth, design: Design, slopes: Doubles, hidden: Doubles) -> Doubles:
    """The dye (rows, columns, 3) of cloth with a print."""
    rows, columns = slopes.shape[:2]
    picture, flat = design.picture, flat_map(blank.template)
    assert picture is not None
    finest = 1.5 * columns / flat_size(blank.template)[0]
    drawing = picture.halved(int(np.ceil(np.log2(max(len(picture.drawing) / picture.size / finest, 1.0)))))
    side = len(drawing)
    pixels = side / picture.size
    c, d = np.cos(picture.angle), np.sin(picture.angle)
    turn = pixels * np.array([[c, d], [-d, c]])
    shift = (side - 1) / 2 - turn @ picture.at
    if design.mirrored:
        turn[:, 0] *= -1
    moved = flat + BEND / STEEPNESS * (cells_of(slopes) - LEVEL_GROUND)
    places = laid(moved @ turn.T + shift, rows, columns)
    middle = hidden[rows // 2, columns // 2] if design.pleats is not None else 0.0
    x, y = np.moveaxis(places + (hidden - middle)[..., None] * turn[:, 1], 2, 0)
    if picture.mix is None:
        found = sampled(drawing.astype(float), x, y)
        opacity, ground = found[..., 3:] / 255, whole(np.maximum(design.ground, DARKEST))
        laid_on = whole(ground + opacity * (found[..., :3] - ground))
    else:
        colours = whole(drawing.astype(float) @ picture.mix[:, :3].T + picture.mix[:, 3])
        around = np.pad(colours, ((0, 1), (0, 1), (0, 0)), "wrap")
        laid_on = whole(sampled(around, x % side, y % side))
    return sharpened(laid_on)


def sharpened(picture: Doubles) -> Doubles:
    near = np.exp(-1 / (2 * 0.8**2))
    soft, weights = picture, np.array([near, 1, near]) / (1 + 2 * near)
    for axis in (0, 1):
        room = [(1, 1) if axis == at else (0, 0) for at in range(3)]
        padded = np.pad(soft, room, "reflect")
        shifted = [np.take(padded, np.arange(k, k + soft.shape[axis]), axis) for k in range(3)]
        soft = np.tensordot(weights, np.stack(shifted), 1)
    return whole(picture + SHARPER * (picture - soft))


def cubic(size: int, cells: int) -> Doubles:
    """Weights (size, cells) of cubic interpolation as OpenCV does it; the edges are repeated."""
    out = np.zeros((size, cells))
    for at in range(size):
        place = (at + 0.5) * cells / size - 0.5
        for near in range(int(np.floor(place)) - 1, int(np.floor(place)) + 3):
            away = abs(place - near)
            inner, outer = 1.25 * away**3 - 2.25 * away**2 + 1, -0.75 * (away**3 - 5 * away**2 + 8 * away - 4)
            out[at, min(max(near, 0), cells - 1)] += inner if away < 1 else outer
    return out


def dyed(blank: BlankCloth, design: Design, slopes: Doubles, hidden: Doubles) -> Doubles:
    rows, columns = slopes.shape[:2]
    dye = np.broadcast_to(whole(np.maximum(design.ground, DARKEST)), (rows, columns, 3)).copy()
    if design.picture is not None:
        dye = printed(blank, design, slopes, hidden)
    if design.second is not None:
        for top, left, bottom, right in np.reshape(_boxes(design.part, rows, columns), (2, 4)):
            dye[top:bottom, left:right] = whole(np.maximum(design.second, DARKEST))
    if design.worn > STAINS_FROM:
        dark = STAINED * design.worn * design.stains**4
        dark = laid(cubic(16, 6) @ dark @ cubic(24, 12).T, rows, columns)
        dye = dye * (1 - dark[..., None] * [0.7, 0.85, 1.0])
    if blank.own is not None:
        fourth = blank.own[..., 3]
        valve = np.minimum(whole(np.maximum(design.valve, DARKEST)) + blank.own[..., :3], 255)
        dye[fourth == OF_VALVE] = valve[fourth == OF_VALVE]
        dye[fourth == OF_CLEAR] = blank.own[fourth == OF_CLEAR][:, :3]
    return dye


def slow_level(blank: BlankCloth, design: Design) -> tuple[Doubles, Doubles]:
    """Colours with the slope across, (rows, columns, 4), and the slope down, (rows, columns), of the cloth."""
    rows, columns = blank.rows, blank.level.slope_down.shape[1]
    five = np.dstack([blank.level.colours, blank.level.slope_down])[:rows].astype(float)
    drawn = rimmed(five, blank.rim, design.rim)
    part = slice(blank.middle, blank.middle + len(blank.seam))
    factor, more = np.moveaxis(blank.seam, 1, 0) * (design.seam - blank.plain)
    drawn[:, part, :4] = whole(drawn[:, part, :4] + factor * five[:, part, :4] + more)
    more = wrinkled(design.wrinkles, design.crest, design.form in STIFF, design.form in WOVEN, rows, columns)
    slopes = whole(drawn[..., 3:] + more)
    light, rise, hidden = pleated(design, rows, columns)
    steep = STEEPER if max(design.ground) < DARK_LEVEL else 1.0
    undyed = np.minimum(drawn[..., :3] * dyed(blank, design, slopes, hidden) / MEDIAN, 255)
    colours = whole(undyed * light[..., None])
    return np.dstack([colours, slopes[..., 0]]), whole(slopes[..., 1] + rise * steep)


def off_by(blank: BlankCloth, design: Design) -> tuple[Doubles, Doubles]:
    """How far colours and slopes are from `slow_level`, in levels."""
    level = design_level(blank, design)
    colours, down = slow_level(blank, design)
    fast = np.dstack([level.colours, level.slope_down])[: blank.rows].astype(float)
    off = np.abs(fast - np.dstack([colours, down]))
    return off[..., :3], off[..., 3:]


def design_of(form: str, number: int = 0) -> Design:
    """A design without a print and a second colour, new."""
    drawn = draw_design(plan_mask(rng_for(number, "cloth", form)), form)[0]
    return drawn._replace(picture=None, second=None, worn=0.0)


@pytest.mark.parametrize("rows_and_columns", SIZES)
@pytest.mark.parametrize("form", FORMS)
def test_cloth_of_any_size_is_what_slow_formulas_say(form: str, rows_and_columns: tuple[int, int]) -> None:
    blank = cloth_of(*rows_and_columns, form, sewn=form in ("surgical", "cloth"))
    for number in range(3):
        colours, slopes = off_by(blank, design_of(form, number)._replace(worn=0.4 * number))
        assert colours.max() <= 2 and colours.mean() < 0.3
        assert slopes.max() <= 2 and slopes.mean() < 0.15


def test_fine_cloth() -> None:
    colours, slopes = off_by(cloth_of(1024, 1024), design_of("surgical")._replace(worn=0.8))
    assert colours.max() <= 2 and slopes.max() <= 2


@pytest.mark.parametrize("rim", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("seam", [0.0, 1.0, 4.5])
@pytest.mark.parametrize("sewn", [False, True])
def test_rims_and_seams_of_any_strength(rim: float, seam: float, sewn: bool) -> None:
    for size in ((64, 48), (31, 45)):
        blank = cloth_of(*size, "cloth", sewn=sewn)
        colours, slopes = off_by(blank, design_of("cloth")._replace(rim=rim, seam=min(seam, 1.2) if sewn else seam))
        assert colours.max() <= 2 and slopes.max() <= 2


@pytest.mark.parametrize("part", ["halves", "sides", "band", "upper", "trim"])
def test_a_second_colour_stains_and_parts_with_their_own_dye(part: str) -> None:
    second = design_of("surgical")._replace(second=np.array([250.0, 3.0, 90.0]), part=part, worn=1.0)
    for size in ((128, 128), (33, 71)):
        colours, _ = off_by(cloth_of(*size, own=True), second)
        assert colours.max() <= 2


def test_dark_and_bright_cloth() -> None:
    for ground in (np.zeros(3), np.full(3, 70.0), np.full(3, 255.0)):
        for number in range(4):
            colours, slopes = off_by(cloth_of(64, 64), design_of("surgical", number)._replace(ground=ground))
            assert colours.max() <= 2 and slopes.max() <= 2


def printed_designs() -> list[Design]:
    """Designs of each family, with and without pleats, mirrored and not."""
    found: dict[tuple[str, bool, bool], Design] = {}
    for number in range(1500):
        design, _ = draw_design(plan_mask(rng_for(number, "print")))
        found.setdefault((design.family, design.pleats is not None, design.mirrored), design)
    return [design for (family, _, _), design in found.items() if family]


def test_prints_lie_where_slow_formulas_say() -> None:
    designs = printed_designs()
    assert {design.picture.drawing.shape[2] for design in designs if design.picture is not None} == {3, 4}
    for number, design in enumerate(designs):
        size = ((128, 128), (64, 96), (100, 60))[number % 3]
        colours, _ = off_by(cloth_of(*size, design.form), design)
        # A slope that is rounded the other way moves an ink's edge, a pleat's line the whole print.
        assert np.mean(colours > 4) < 0.01, design.family
        assert colours.mean() < 0.6, design.family


@pytest.mark.parametrize("filled", [0, 0x47, 0xFF])
def test_cloth_does_not_depend_on_what_was_in_the_memory(filled: int) -> None:
    arena = arena_of_thread()
    for design in [*printed_designs()[:12], *(design_of(form) for form in FORMS)]:
        for size in ((64, 64), (37, 53), (8, 8)):
            blank = cloth_of(*size, design.form, own=True)
            first = design_level(blank, design._replace(worn=0.9))
            arena._bytes[arena._first :] = filled
            again = design_level(blank, design._replace(worn=0.9))
            assert np.array_equal(first.colours, again.colours)
            assert np.array_equal(first.slope_down, again.slope_down)


def test_a_level_stays_while_others_are_drawn() -> None:
    design, blank = design_of("cloth"), cloth_of(32, 32, "cloth")
    kept = design_level(blank, design)
    other = design_level(blank, design._replace(ground=(10.0, 200.0, 30.0)))
    assert np.abs(kept.colours.astype(int) - other.colours).max() > 50, "the first level was not overwritten"


def test_straps_lie_below_the_cloth() -> None:
    blank = cloth_of(32, 40, "surgical")
    design = design_of("surgical")._replace(loops=np.array([200.0, 30.0, 40.0]))
    level = design_level(blank, design)
    assert (level.colours[32:] == [200, 30, 40, LEVEL_GROUND]).all() and (level.slope_down[32:] == LEVEL_GROUND).all()
    plain = design_level(blank, design._replace(loops=None)).colours[32:]
    assert len(plain) == BAND * len(blank.template.straps)
    bands = np.split(plain, len(blank.template.straps))
    assert all(len(np.unique(band.reshape(-1, 4), axis=0)) == 1 for band in bands)


def test_what_is_lighter_than_a_valve_is_saturated() -> None:
    assert GLINT > 255
    blank = cloth_of(40, 40, own=True)
    assert blank.own is not None
    blank.own[blank.own[..., 3] == OF_VALVE, :3] = 255
    colours, _ = off_by(blank, design_of("surgical")._replace(valve=np.full(3, 90.0)))
    assert colours.max() <= 2


def test_a_level_that_render_draws_is_the_same() -> None:
    kept = arena_of_thread()
    for design in printed_designs()[:6]:
        levels = DesignLevels(built_in_template(design.form), 0, design)
        ready, to_draw = levels.level(3), levels.level_for_mask(3)
        assert not ready.job and to_draw.job
        kept.begin_after(to_draw.slope_down)
        kept.put(np.full(1 << 20, 255, np.uint8))  # what comes after it does not matter
        kept.call("draw_cloth", to_draw.job)
        assert np.array_equal(ready.colours, to_draw.colours)
        assert np.array_equal(ready.slope_down, to_draw.slope_down)
