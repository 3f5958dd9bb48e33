"""What the cloth of `world` has beside colour and print: folds, grain, and a rim that shows more or less."""

from __future__ import annotations

import numpy as np
import pytest

from maskgen.core.seeding import rng_for
from maskgen.masks.kind import LEVEL_GROUND, STEEPNESS
from maskgen.masks.plan import plan_mask
from maskgen.masks.template import built_in_template
from maskgen.masks.world.chances import Chances
from maskgen.masks.world.design import draw_design
from maskgen.masks.world.design_atlas import RIM, blank_cloth, design_level
from maskgen.masks.world.folds import DRAWN, _fold, fold_slopes
from maskgen.masks.world.wrinkles import GRAIN_MOST, Wrinkles, draw_wrinkles, wrinkle_slopes


def slopes_of(wrinkles: Wrinkles, columns: int = 128) -> np.ndarray:
    drawn = wrinkle_slopes(wrinkles, 0.0, False, (columns, columns)).astype(float)
    return (drawn - LEVEL_GROUND) / STEEPNESS


def smooth_cloth() -> Wrinkles:
    some = draw_wrinkles(Chances(5, "cloth"), 1.0)
    return some._replace(depth=0 * some.depth, folds=(0, 0.0), grain=(0.0, 0.5, 0.5))


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


@pytest.mark.parametrize("columns", [16, 64, 128, 512])
def test_folds_are_as_deep_whatever_the_atlas(columns: int) -> None:
    one, two = (slopes_of(smooth_cloth()._replace(folds=(3, depth)), columns) for depth in (1.0, 2.0))
    assert two.std() == pytest.approx(2 * one.std(), rel=0.15)
    fine = slopes_of(smooth_cloth()._replace(folds=(3, 1.0)), 256)
    assert (0.3 if columns == 16 else 0.7) * fine.std() < one.std() < 1.1 * fine.std()


def test_grain_is_as_steep_as_it_was_drawn_and_even() -> None:
    fine = slopes_of(smooth_cloth()._replace(grain=(0.2, 0.3, 0.6)), 256)
    assert np.sqrt((fine**2).sum(2).mean()) == pytest.approx(0.2, rel=0.2)
    squares = (fine**2).sum(2).reshape(8, 32, 8, 32).mean((1, 3))
    assert squares.max() < 1.5 * squares.min()
    coarse = slopes_of(smooth_cloth()._replace(grain=(0.2, 0.3, 0.6)), 64)
    assert coarse.std() < 0.5 * fine.std()  # from afar cloth looks smoother


def test_grain_stays_within_its_limits() -> None:
    drawn = [draw_design(plan_mask(rng_for(15, number)))[0].wrinkles.grain[0] for number in range(400)]
    assert 0 < min(drawn) < max(drawn) <= GRAIN_MOST


@pytest.mark.parametrize("form", ["surgical", "cloth", "kf94"])
def test_a_rim_of_strength_0_is_the_cloth_inside_it(form: str) -> None:
    template = built_in_template(form)
    flat = [look.name for look in template.looks].index("flat") if form != "kf94" else 0
    blank = blank_cloth(template, flat, 2)
    plain = draw_design(plan_mask(rng_for(3)), form)[0]._replace(
        wrinkles=smooth_cloth(), worn=0.0, pleats=None, second=None, picture=None, seam=blank.plain, crest=0.0
    )
    rimmed, rimless = (design_level(blank, plain._replace(rim=rim)) for rim in (1.0, 0.0))
    rows, columns = blank.slopes.shape[:2]
    down, across = round(RIM * rows), round(RIM * columns)
    inside = np.s_[down : rows - down, across : columns - across]
    assert np.abs(rimmed.colours[inside].astype(int) - rimless.colours[inside]).max() <= 1
    mirrored = rimless.colours[down : 2 * down, across : columns - across][::-1]
    np.testing.assert_array_equal(rimless.colours[:down, across : columns - across, :3], mirrored[..., :3])
    off = np.abs(rimmed.colours[:down].astype(int) - rimless.colours[:down])
    assert off.max() > 5
