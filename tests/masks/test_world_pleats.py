"""Pleats of `world`: drawn for each mask, shaded and hiding cloth."""

from __future__ import annotations

import numpy as np
import pytest

from maskgen.core.seeding import rng_for
from maskgen.masks.kinds import load_kind
from maskgen.masks.plan import plan_mask
from maskgen.masks.template import built_in_template
from maskgen.masks.world.chances import Chances
from maskgen.masks.world.design import (
    draw_design,
)
from maskgen.masks.world.design_atlas import STEEPER, blank_cloth, design_level
from maskgen.masks.world.flat_cloth import flat_map, printed
from maskgen.masks.world.pleats import LEVEL, draw_pleats, pleat_fields


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
    assert pleat_fields(pleats, 128, 128).shade_and_slope[..., 0].max() < 1.3 * LEVEL


def test_a_pleat_is_dark_below_its_fold_and_hides_cloth() -> None:
    pleats = draw_pleats(Chances(9, "pleats"), 3)
    fields = pleat_fields(pleats, 256, 256)
    shade = fields.shade_and_slope[..., 0].astype(int)
    u = (np.arange(shade.shape[1]) * 2 + 1) / shade.shape[1] - 1
    lines = 256 * pleats.lines[1:-1] @ np.stack([np.ones_like(u), u, u * u])
    below = shade[np.rint(lines).astype(int) + 1, np.arange(len(u))]
    assert (below.min(1) < LEVEL - 8).all()  # somewhere: many folds are pulled flat in part
    assert below.max() > LEVEL - 4
    hidden = fields.hidden(pleats, 256)[:, 128]
    assert (np.diff(hidden) > -1e-6).all()
    assert hidden[-1] > 0.05


def test_pleats_show_more_at_the_sides() -> None:
    down = []
    for number in range(60):
        design, _ = draw_design(plan_mask(rng_for(18, number)), "surgical")
        assert design.pleats is not None
        shade = pleat_fields(design.pleats, 128, 128).shade_and_slope[..., 0].astype(float)
        down.append(np.abs(np.diff(shade, axis=0)).mean(0))
    shown = np.mean(down, axis=0)
    assert shown[[0, -1]].min() > 3.2 * shown[len(shown) // 2 - 1 : len(shown) // 2 + 1].max() > 0


def test_pleats_of_dark_cloth_are_steeper() -> None:
    blank = blank_cloth(built_in_template("surgical"), 3, 2)
    design, _ = draw_design(plan_mask(rng_for(18, 1)), "surgical")
    smooth = design._replace(worn=0.0, crest=0.0, wrinkles=design.wrinkles._replace(folds=(0, 0.0), grain=(0, 0, 0)))
    slopes = []
    for level in (80.0, 120.0):
        drawn = smooth._replace(ground=np.full(3, level), picture=None, second=None)
        with_pleats, without = (design_level(blank, each) for each in (drawn, drawn._replace(pleats=None)))
        slopes.append((with_pleats.slope_down.astype(float) - without.slope_down)[: len(blank.slopes)])
    dark, light = (np.quantile(np.abs(each), 0.9) for each in slopes)
    assert dark == pytest.approx(STEEPER * light, rel=0.15)


def test_a_print_jumps_where_a_pleat_hides_it() -> None:
    template = built_in_template("surgical")
    rows = np.broadcast_to((np.arange(512, dtype=np.float32) % 256)[:, None, None], (512, 512, 3)).astype(np.uint8)
    hidden = np.zeros((256, 256), np.float32)
    hidden[128:] = 0.1
    scale = 80.0
    plain, moved = (
        printed(rows, flat_map(template), scale * np.eye(2), np.array([256, 200]), (256, 256), 0, lower)
        for lower in (None, hidden)
    )
    step = moved[..., 0].astype(int) - plain[..., 0]
    assert (step[:128] == 0).all()
    assert np.median(step[128:]) == pytest.approx(0.1 * scale, abs=1)
