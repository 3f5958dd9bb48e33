"""Cloth without relief and in one shade, on which tests see what a design adds."""

from __future__ import annotations

import numpy as np

from maskgen.core.seeding import rng_for
from maskgen.masks.kind import LEVEL_GROUND, MEDIAN, AtlasLevel
from maskgen.masks.plan import plan_mask
from maskgen.masks.template import PARTS, built_in_template
from maskgen.masks.world.chances import Chances
from maskgen.masks.world.design import Design, draw_design
from maskgen.masks.world.design_atlas import BlankCloth, design_level
from maskgen.masks.world.wrinkles import PER_MASK, Wrinkles, draw_wrinkles


def smooth_cloth() -> Wrinkles:
    """No wrinkles, folds and grain."""
    some = draw_wrinkles(Chances(5, "cloth"), 1.0)
    return some._replace(depth=(0,) * PER_MASK, folds=(0, 0.0), grain=(0.0, 0.5, 0.5))


def plain_design(form: str) -> Design:
    """A design of one colour, 128, with nothing on it."""
    drawn, _ = draw_design(plan_mask(rng_for(3)), form)
    bare = drawn._replace(second=None, picture=None, pleats=None, wrinkles=smooth_cloth())
    return bare._replace(ground=(128.0, 128.0, 128.0), worn=0.0, crest=0.0, seam=0.0, rim=1.0)


def drawn_on_level_cloth(design: Design, rows: int, columns: int) -> AtlasLevel:
    """The atlas of a design on level cloth; its colours are those of the dye."""
    colours = np.full((rows, columns, 4), round(MEDIAN), np.uint8)
    colours[..., 3] = LEVEL_GROUND
    down, parts = np.full((rows, columns), LEVEL_GROUND, np.uint8), np.full((rows, columns), PARTS["cloth"], np.uint8)
    level, template = AtlasLevel(colours, down, None, parts), built_in_template("gaiter")  # without straps
    return design_level(BlankCloth(template, level, rows, (1, 1), 0, np.zeros((0, 2, 4)), 0.0, None), design)
