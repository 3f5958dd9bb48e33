"""Pleats of `world`: drawn for each mask, shaded and hiding cloth."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from level_cloth import drawn_on_level_cloth, plain_design

from maskgen.core.seeding import rng_for
from maskgen.masks.kinds import load_kind
from maskgen.masks.plan import plan_mask
from maskgen.masks.template import built_in_template
from maskgen.masks.world.chances import Chances
from maskgen.masks.world.design import (
    draw_design,
)
from maskgen.masks.world.design_atlas import STEEPER, blank_cloth, design_level
from maskgen.masks.world.pleats import HIDDEN, LEVEL, Pleats, draw_pleats
from maskgen.masks.world.repeating_prints import Print
from maskgen.masks.world.tile_shapes import SIDE


def shade_of(pleats: Pleats | None, size: int) -> np.ndarray:
    """The light on pleated cloth, LEVEL for that on cloth without pleats, (size, size)."""
    design = plain_design("surgical")._replace(pleats=pleats, ground=(float(LEVEL),) * 3)
    return drawn_on_level_cloth(design, size, size).colours[..., 1].astype(float)


def test_pleats_differ_from_mask_to_mask() -> None:
    kind = load_kind("world:surgical")
    drawn = [draw_design(plan_mask(rng_for(8, number)), "surgical")[0].pleats for number in range(40)]
    pleats = [each for each in drawn if each is not None]
    assert len(pleats) == len(drawn)
    assert {len(each.opens) for each in pleats} == {2, 3, 4}
    assert len({each.lines.tobytes() for each in pleats}) == len(pleats)
    assert len({each.panels for each in pleats}) == len(pleats)
    assert np.ptp([np.mean(each.opens) for each in pleats]) > 0.3
    assert kind.looks[-1].name == "flat"
    assert kind.look_at(0.9999999).name != "flat"


def test_the_darkest_shadow_of_a_pleat_has_no_bright_specks() -> None:
    """Of this design the shadow is stronger than all light: a byte below 0 would be a bright one."""
    pleats = draw_design(plan_mask(rng_for(0, "35", "world")), "surgical")[0].pleats
    assert pleats is not None
    assert shade_of(pleats, 128).max() < 1.3 * LEVEL


def test_a_pleat_is_dark_below_its_fold() -> None:
    pleats = draw_pleats(Chances(9, "pleats"), 3)
    shade = shade_of(pleats, 256)
    u = (np.arange(shade.shape[1]) * 2 + 1) / shade.shape[1] - 1
    lines = 256 * pleats.lines[1:-1] @ np.stack([np.ones_like(u), u, u * u])
    below = shade[np.rint(lines).astype(int) + 1, np.arange(len(u))]
    assert (below.min(1) < LEVEL - 8).all()  # somewhere: many folds are pulled flat in part
    assert below.max() > LEVEL - 4


def test_pleats_show_more_at_the_sides() -> None:
    down = []
    for number in range(60):
        design, _ = draw_design(plan_mask(rng_for(18, number)), "surgical")
        assert design.pleats is not None
        shade = shade_of(design.pleats, 128)
        down.append(np.abs(np.diff(shade, axis=0)).mean(0))
    shown = np.mean(down, axis=0)
    assert shown[[0, -1]].min() > 3.2 * shown[len(shown) // 2 - 1 : len(shown) // 2 + 1].max() > 0


def test_pleats_of_dark_cloth_are_steeper() -> None:
    blank = blank_cloth(built_in_template("surgical"), 3, 2)
    design, _ = draw_design(plan_mask(rng_for(18, 1)), "surgical")
    smooth = design._replace(worn=0.0, crest=0.0, wrinkles=design.wrinkles._replace(folds=(0, 0.0), grain=(0, 0, 0)))
    slopes = []
    for level in (80.0, 120.0):
        drawn = smooth._replace(ground=(float(level),) * 3, picture=None, second=None)
        with_pleats, without = (design_level(blank, each) for each in (drawn, drawn._replace(pleats=None)))
        slopes.append((with_pleats.slope_down.astype(float) - without.slope_down)[: blank.rows])
    dark, light = (np.quantile(np.abs(each), 0.9) for each in slopes)
    assert dark == pytest.approx(STEEPER * light, rel=0.15)


def test_a_print_jumps_where_a_pleat_hides_it() -> None:
    """A print that is brighter row by row, in red; green tells the light."""
    drawing = np.zeros((SIDE, SIDE, 3), np.uint8)
    drawing[..., 0], drawing[..., 1] = 2 * np.arange(SIDE)[:, None], 128
    ramp = Print(drawing, 4.0, mix=np.eye(3, 4))
    levels = 2 * SIDE / ramp.size  # per eye distance
    pleats = draw_pleats(Chances(9, "pleats"), 3)
    seen = []
    for each in (None, pleats):
        colours = drawn_on_level_cloth(plain_design("surgical")._replace(pleats=each, picture=ramp), 256, 256).colours
        seen.append(128 * colours[..., 0].astype(float) / colours[..., 1])
    moved = (seen[1] - seen[0])[:, 128] / levels
    assert abs(moved[128]) < 0.03
    assert (np.diff(moved) > -0.04).all()
    hidden = sum(HIDDEN * (1 - 0.6 * opened) for opened in pleats.opens)
    assert moved[-8:].mean() - moved[:8].mean() == pytest.approx(hidden, abs=0.03)
