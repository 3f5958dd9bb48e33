"""What the cloth of `world` has beside colour and print: folds, grain, and a rim that shows more or less."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from level_cloth import drawn_on_level_cloth, plain_design, smooth_cloth

from maskgen.core.seeding import rng_for
from maskgen.masks.kind import LEVEL_GROUND, STEEPNESS
from maskgen.masks.plan import plan_mask
from maskgen.masks.template import built_in_template
from maskgen.masks.world.design import FIBRES, GRAINED, STIFF, WOVEN, Design, _grained, draw_design
from maskgen.masks.world.design_atlas import RIM, blank_cloth, design_level
from maskgen.masks.world.folds import COLUMNS, DRAWN, HIGH, WIDE, _fold, _slopes_of, fold_slopes
from maskgen.masks.world.repeating_prints import Print
from maskgen.masks.world.wrinkles import GRAIN_MOST, Wrinkles


def slopes_of(wrinkles: Wrinkles, columns: int = 128, woven: bool = False) -> np.ndarray:
    """Slopes across and down, (columns, columns, 2)."""
    design = plain_design("bandana" if woven else "gaiter")._replace(wrinkles=wrinkles)
    drawn = drawn_on_level_cloth(design, columns, columns)
    return (np.dstack([drawn.colours[..., 3], drawn.slope_down]).astype(float) - LEVEL_GROUND) / STEEPNESS


def test_cloth_without_anything_is_level() -> None:
    assert not slopes_of(smooth_cloth()).any()


def test_a_fold_is_steep_on_one_side_and_wide_on_the_other() -> None:
    for number in range(20):
        y, x = np.mgrid[-100:101, 0:150] * 0.01
        across = _fold(rng_for(number, "fold"), x, y, 0.0)[:, 30]
        top, above = int(across.argmax()), np.flatnonzero(across > across.max() / 2)
        sides = sorted((top - above[0], above[-1] - top))
        assert sides[1] > 2 * max(sides[0], 1)
        assert not _fold(rng_for(number, "fold"), -x, y, 0.0)[:, 1:].any()  # it begins where the cloth is held


def test_half_of_the_folds_are_the_others_mirrored() -> None:
    drawn = np.stack([fold_slopes(which, 128, 128) for which in range(2 * DRAWN)]).astype(int) - LEVEL_GROUND
    assert np.abs(drawn[DRAWN:] - drawn[:DRAWN, :, ::-1] * [-1, 1]).max() <= 1
    assert len(np.unique(drawn.reshape(len(drawn), -1), axis=0)) == 2 * DRAWN
    assert np.abs(drawn).max() < 100  # none is clipped


@pytest.mark.parametrize("columns", [16, 64, 128, 512])
def test_folds_are_as_deep_whatever_the_atlas(columns: int) -> None:
    one, two = (slopes_of(smooth_cloth()._replace(folds=(3, depth)), columns) for depth in (1.0, 2.0))
    assert two.std() == pytest.approx(2 * one.std(), rel=0.15)
    fine = slopes_of(smooth_cloth()._replace(folds=(3, 1.0)), 256)
    assert (0.3 if columns == 16 else 0.7) * fine.std() < one.std() < 1.1 * fine.std()


@pytest.mark.parametrize("woven", [False, True])
def test_grain_is_as_steep_as_it_was_drawn_and_even(woven: bool) -> None:
    fine = slopes_of(smooth_cloth()._replace(grain=(0.2, 0.3, 0.6)), 256, woven)
    assert np.sqrt((fine**2).sum(2).mean()) == pytest.approx(0.2, rel=0.2)
    squares = (fine**2).sum(2).reshape(8, 32, 8, 32).mean((1, 3))
    assert squares.max() < 1.5 * squares.min()
    coarse = slopes_of(smooth_cloth()._replace(grain=(0.2, 0.3, 0.6)), 64, woven)
    assert coarse.std() < (0.65 if woven else 0.5) * fine.std()  # from afar cloth looks smoother


def test_threads_go_on_and_fibres_do_not() -> None:
    for woven in (False, True):
        across, down = np.moveaxis(slopes_of(smooth_cloth()._replace(grain=(0.2, 0.3, 0.6)), 256, woven), 2, 0)
        along = [np.corrcoef(one[:-4].ravel(), one[4:].ravel())[0, 1] for one in (across, down.T)]
        beside = [np.corrcoef(one[:-4].ravel(), one[4:].ravel())[0, 1] for one in (across.T, down)]
        assert min(along) > 0.3 if woven else max(np.abs(along)) < 0.1
        assert max(np.abs(beside)) < 0.1


@cache
def designs() -> list[Design]:
    return [draw_design(plan_mask(rng_for(15, number)))[0] for number in range(500)]


def test_masks_differ_in_folds_and_in_grain() -> None:
    folds, grain = ([getattr(each.wrinkles, name) for each in designs()] for name in ("folds", "grain"))
    assert {which for which, _ in folds} == set(range(2 * DRAWN))
    depths, steep = np.array([deep for _, deep in folds]), np.array([each[0] for each in grain])
    assert 0 < depths.min() < 0.5 * np.median(depths) < 2 * np.median(depths) < depths.max()
    assert 0 < steep.min() < 0.5 * np.median(steep) < steep.max() <= GRAIN_MOST
    places = np.array([each[1:] for each in grain])
    assert (np.quantile(places, 0.1, axis=0) < 0.2).all() and (np.quantile(places, 0.9, axis=0) > 0.8).all()


def test_coloured_cloth_has_more_grain_and_dark_glossy_cloth_less() -> None:
    white, red, black = (90.0, 0.0, 2.0), (50.0, 50.0, 20.0), (15.0, 0.0, 0.0)
    assert _grained(white, 0.3, True) == pytest.approx(1.0, abs=0.1)
    assert _grained(red, 0.3, True) == pytest.approx(GRAINED)
    assert _grained(red, 0.3, False) == FIBRES
    assert _grained(black, 0.0, True) == 1.0 > 1.5 * _grained(black, 0.3, True)
    drawn = [each for each in designs() if each.form in WOVEN and max(each.ground) > 150]
    bright, pale = ([each for each in drawn if bool(np.ptp(each.ground) > 70) is so] for so in (True, False))
    medians = [np.median([each.wrinkles.grain[0] for each in some]) for some in (bright, pale)]
    assert medians[0] > 1.1 * medians[1]
    soft = [each.wrinkles.grain[0] for each in designs() if each.form not in STIFF]
    assert np.median(soft) > 1.2 * np.median([each.wrinkles.grain[0] for each in designs() if each.form in STIFF])


def test_rims_of_soft_forms_show_more_or_less_and_stiff_ones_always() -> None:
    soft, stiff = ([each.rim for each in designs() if (each.form in STIFF) is so] for so in (False, True))
    assert set(stiff) == {1.0}
    assert 0 < min(soft) < 0.2 and np.quantile(soft, [0.25, 0.5, 0.75]) == pytest.approx([0.5, 0.71, 0.87], abs=0.08)


def test_slopes_of_folds_point_right_and_down() -> None:
    y, x = np.mgrid[:40, :50] * (WIDE / COLUMNS)
    slopes = _slopes_of(0.3 * x - 0.1 * y)
    np.testing.assert_allclose(slopes, np.broadcast_to([0.3, -0.1], slopes.shape), atol=1e-9)


def test_folds_begin_at_the_corners_and_at_the_nose() -> None:
    """Where the cloth is held the slopes of all pictures are steep, in the middle of its edges they are not."""
    rows = round(HIGH / WIDE * COLUMNS)
    every = np.stack([fold_slopes(which, COLUMNS, rows) for which in range(2 * DRAWN)]).astype(float)
    steep = np.abs(every - LEVEL_GROUND).sum(-1).mean(0)

    def near(x: float, y: float) -> float:
        column, row = int(x / WIDE * COLUMNS), int(y / HIGH * rows)
        return float(steep[max(row - 6, 0) : row + 6, max(column - 6, 0) : column + 6].mean())

    held = [near(0.35, 0.35), near(0.35, HIGH - 0.35), near(WIDE - 0.35, 0.35), near(WIDE / 2, 0.3)]
    assert min(held) > 1.5 * max(near(0.1, HIGH / 2), near(WIDE / 2, HIGH - 0.1))


@pytest.mark.parametrize("form", ["surgical", "cloth"])
def test_a_rim_of_strength_0_is_the_cloth_inside_it(form: str) -> None:
    template = built_in_template(form)
    flat = [look.name for look in template.looks].index("flat")
    blank = blank_cloth(template, flat, 2)
    plain = draw_design(plan_mask(rng_for(3)), form)[0]._replace(
        wrinkles=smooth_cloth(), worn=0.0, pleats=None, second=None, picture=None, seam=blank.plain, crest=0.0
    )
    rimmed, rimless = (design_level(blank, plain._replace(rim=rim)) for rim in (1.0, 0.0))
    rows, columns = blank.rows, blank.level.slope_down.shape[1]
    down, across = round(RIM * rows), round(RIM * columns)
    inside = np.s_[down : rows - down, across : columns - across]
    assert np.abs(rimmed.colours[inside].astype(int) - rimless.colours[inside]).max() <= 1
    mirrored = rimless.colours[down : 2 * down, across : columns - across][::-1]
    np.testing.assert_array_equal(rimless.colours[:down, across : columns - across, :3], mirrored[..., :3])
    for one, other in ((rimmed.colours, rimless.colours), (rimmed.slope_down, rimless.slope_down)):
        assert np.abs(one[:down].astype(int) - other[:down]).max() > 5
    assert (
        np.abs(
            rimless.slope_down[:down, across:-across].astype(int)
            - rimless.slope_down[down : 2 * down, across:-across][::-1]
        ).max()
        <= 1
    )


def test_a_print_is_equally_wide_however_finely_it_is_drawn() -> None:
    """The strip and the letters of makers are drawn more finely than other prints."""
    widths = []
    for side in (64, 128, 256):
        drawing = np.zeros((side, side, 4), np.uint8)
        drawing[side // 4 : 3 * side // 4, side // 4 : 3 * side // 4] = 255
        printed = plain_design("cloth")._replace(picture=Print(drawing, 1.0), family="logo")
        widths.append(int((drawn_on_level_cloth(printed, 128, 256).colours[64, :, 0] > 190).sum()))
    assert min(widths) > 20 and max(widths) - min(widths) <= 2
