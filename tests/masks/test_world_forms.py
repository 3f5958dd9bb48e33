"""What `world` gives each form beside its template: outline, crest, hem, seam and makers' marks."""

from __future__ import annotations

import numpy as np
import pytest

from maskgen.core.seeding import rng_for
from maskgen.masks.deformations import FLARE, LOWER_CORNERS, LOWER_EDGE, OUTLINE, PEAK, WAIST
from maskgen.masks.kinds import load_kind
from maskgen.masks.plan import plan_mask
from maskgen.masks.template import built_in_template
from maskgen.masks.world import emblems
from maskgen.masks.world.census import census
from maskgen.masks.world.design import (
    LOWEST_WEIGHT,
    MARKED,
    PEAKED,
    RELIEF_SPREAD,
    RIBBED,
    WAISTED,
    WELD,
    WHITE_BANDS,
    WHITE_HEM,
    WHITE_HEMS,
    draw_design,
)
from maskgen.masks.world.design_atlas import blank_cloth, design_level
from maskgen.masks.world.emblems import STRIP_AT, STRIPS, draw_marks
from maskgen.masks.world.flat_cloth import flat_map


def test_two_thirds_fall_away_from_a_crest() -> None:
    designs = (draw_design(plan_mask(rng_for(12, number)), "pitta")[0] for number in range(40))
    crested = next(design for design in designs if design.crest > 0.1)
    blank = blank_cloth(built_in_template("pitta"), 0, 2)
    with_it, without = (
        design_level(blank, crested._replace(crest=crest)).colours[: blank.rows, :, 3].astype(float)
        for crest in (crested.crest, 0.0)
    )
    more = (with_it - without)[32:-32].mean(0)
    middle = len(more) // 2
    assert (more[middle - 30 : middle - 4] > 3).all()
    assert (more[middle + 4 : middle + 30] < -3).all()
    assert abs(more.sum()) < 0.05 * np.abs(more).sum()


def test_lower_edges_stay_within_their_limits() -> None:
    drawn = [draw_design(plan_mask(rng_for(14, number)))[1].outline for number in range(600)]
    for at in (*LOWER_CORNERS, LOWER_EDGE):
        weights = np.array(drawn)[:, at]
        assert LOWEST_WEIGHT <= weights.min() < weights.max() <= OUTLINE[at][1]


def test_sides_are_lower_than_the_template_s() -> None:
    """Both corners of a surgical mask come nearer to each other than the template's."""
    mesh, ratios = load_kind("surgical").mesh_for(200.0, "proper"), []
    for number in range(60):
        plan = plan_mask(rng_for(13, number))
        for each in (plan, draw_design(plan, "surgical")[1]):
            points = np.tensordot(each.deformation_weights, mesh.deformations.points, 1)[: mesh.straps_from]
            down = np.diff(points[:, 1].reshape(-1, mesh.columns)[[0, -1]], axis=0)[0]
            ratios.append((down[0] + down[-1]) / 2 / down[len(down) // 2])
    template, drawn = np.array(ratios).reshape(-1, 2).mean(0)
    assert drawn == pytest.approx(template - 0.10, abs=0.02)


def test_upper_edges_of_surgical_masks_fall_from_the_nose_to_the_cheek() -> None:
    mesh, falls = load_kind("surgical").mesh_for(200.0, "proper"), []
    for number in range(60):
        plan = plan_mask(rng_for(14, number))
        for each in (plan, draw_design(plan, "surgical")[1]):
            edge = np.tensordot(each.deformation_weights, mesh.deformations.points, 1)[: mesh.columns, 1]
            falls.append((edge[0] + edge[-1]) / 2 - edge[len(edge) // 2])
    template, drawn = np.array(falls).reshape(-1, 2).mean(0)
    assert drawn == pytest.approx(template + 0.14, abs=0.03)


def test_sides_of_surgical_masks_are_drawn_in_unevenly() -> None:
    drawn = np.array([draw_design(plan_mask(rng_for(19, number)), "surgical")[1].outline for number in range(300)])
    for pair, most in zip((WAIST, FLARE), WAISTED["surgical"], strict=True):
        left, right = drawn[:, pair].T
        assert left.min() == 0 and left.max() == most
        assert 0.3 < np.corrcoef(left, right)[0, 1] < 0.95
    assert not any(draw_design(plan_mask(rng_for(19, number)), "n95")[1].outline[WAIST[0]] for number in range(20))


def test_some_coloured_surgical_masks_have_a_white_band_or_hem() -> None:
    drawn = [draw_design(plan_mask(rng_for(20, number)), "surgical")[0] for number in range(800)]
    coloured = [one for one in drawn if np.ptp(one.ground) > 60 and not one.family]
    white = [one.part for one in coloured if one.second is not None and min(one.second) > 230]
    for part, share in (("trim", WHITE_HEMS), ("band", WHITE_BANDS)):
        assert white.count(part) / len(coloured) == pytest.approx(share, abs=0.06)
    other = sum(one.second is not None and one.second != WHITE_HEM for one in coloured)
    assert 0.08 < other / len(coloured) < 0.11  # a hem replaces no second colour: that would leave 0.06
    banded = next(one for one in coloured if one.part == "band")
    blank = blank_cloth(built_in_template("surgical"), 3, 1)
    colours = design_level(blank, banded._replace(worn=0.0)).colours[: blank.rows, :, :3].astype(int)
    rows = np.ptp(colours.mean(1), axis=1)
    assert rows[: int(0.07 * len(rows))].max() < 0.3 * np.median(rows) < rows[int(0.1 * len(rows)) :].min() / 0.3
    assert (rows[int(0.1 * len(rows)) :] > 0.5 * np.median(rows)).all()


def test_foam_masks_are_peaked_over_the_nose_and_welded() -> None:
    drawn = [draw_design(plan_mask(rng_for(15, number)), "pitta") for number in range(200)]
    peaks = [
        sits.outline[PEAK] - plan_mask(rng_for(15, number)).outline[PEAK] for number, (_, sits) in enumerate(drawn)
    ]
    most = PEAKED["pitta"]
    assert np.quantile(peaks, [0.05, 0.5, 0.95]) == pytest.approx([0.05 * most, 0.5 * most, 0.95 * most], abs=0.1)
    seams = [design.seam for design, _ in drawn]
    assert np.quantile(seams, [0.0, 0.5, 1.0]) == pytest.approx([WELD[0], sum(WELD) / 2, WELD[1]], abs=0.3)


def test_respirators_show_what_their_makers_put_on_them() -> None:
    """Some have a strip over the nose, some letters on one cheek, on the left or the right one; cloth masks neither."""
    for form, share in MARKED.items():
        drawn = [draw_design(plan_mask(rng_for(16, number)), form)[0] for number in range(200)]
        plain = [design.family for design in drawn if design.family in ("", "marks")]
        assert plain.count("marks") / len(plain) == pytest.approx(share, abs=0.1)
    assert "marks" not in {draw_design(plan_mask(rng_for(16, number)), "cloth")[0].family for number in range(200)}
    printed = [draw_design(plan_mask(rng_for(21, number)), "n95")[0] for number in range(400)]
    families = [one.family for one in printed if one.family != "marks"]
    assert 0.05 < np.mean([bool(family) for family in families]) < 0.5
    share = np.mean([bool(one.family) and one.family != "marks" for one in printed])
    assert share == pytest.approx(census().forms_worn["n95"].printed, abs=0.05)
    assert not any(one.family == "marks" and one.second is not None for one in printed)
    shown = {one.picture.picture.tobytes() for one in printed if one.family == "marks" and one.picture is not None}
    assert len(shown) == sum(one.family == "marks" for one in printed)
    opaque = [draw_marks(rng_for(17, number), np.full(3, 240.0)).picture[..., 3] > 0 for number in range(60)]
    assert all(each.any() for each in opaque)
    wide = emblems.MARKS_SIDE // 3
    strips = sum(bool(each[:wide].any()) for each in opaque)
    left, right = (sum(bool(part.any()) for part in (each[wide:] for each in sides)) for sides in _thirds(opaque))
    assert strips / 60 == pytest.approx(STRIPS, abs=0.15)
    assert min(left, right) > 10 and left + right < 60
    for form in MARKED:
        upper = flat_map(built_in_template(form))[0, 32, 1]
        assert upper + 0.05 < STRIP_AT < upper + 0.2
    bare = np.array([each[:wide].any(1) for each in opaque if each[:wide].any()])
    high = np.array([np.flatnonzero(rows)[[0, -1]] for rows in bare]) / emblems.MARKS_SCALE - emblems.MARKS_WIDE / 2
    assert high.mean(1) == pytest.approx(np.full(len(high), STRIP_AT), abs=0.03)
    assert np.ptp(high, axis=1).min() > 0.03 and np.ptp(high, axis=1).max() < 0.13


def test_ribs_of_cups_show_from_hardly_to_fully() -> None:
    for form, (least, most) in {"n95": RIBBED["n95"], "kn95": (1.0, 1.0)}.items():
        plans = [plan_mask(rng_for(26, number)) for number in range(300)]
        reliefs = np.array([draw_design(plan, form)[1].relief / plan.relief for plan in plans])
        low, high = np.quantile(reliefs, [0.05, 0.95])
        spread = np.exp(1.8 * RELIEF_SPREAD)
        assert (low < 0.45 * high / spread) == (least < most)


def test_lines_of_a_label_do_not_overlap() -> None:
    """Below each line of letters lies a row without ink; so the number of runs of inked rows is that of the lines."""
    lines = []
    for number in range(60):
        opaque = draw_marks(rng_for(22, number), np.full(3, 240.0)).picture[..., 3] > 0
        inked = opaque[emblems.MARKS_SIDE // 3 :].any(1).astype(int)
        starts = np.flatnonzero(np.diff(inked, prepend=0) == 1)
        ends = np.flatnonzero(np.diff(inked, append=0) == -1)
        assert (ends - starts < emblems.CAPITALS * emblems.LETTER_SIZES[1] + 6).all()
        lines.append(len(starts))
    assert set(lines) == {0, 1, 2, 3, 4}


def test_crests_of_foam_are_steep_and_cups_are_wider() -> None:
    crests = [draw_design(plan_mask(rng_for(23, number)), "pitta")[0].crest for number in range(200)]
    assert 0.15 < np.median(crests) < 0.35
    sizes = {
        form: np.median([draw_design(plan_mask(rng_for(24, n)), form)[1].size for n in range(200)])
        for form in ("n95", "kn95")
    }
    assert sizes["n95"] / sizes["kn95"] == pytest.approx(1.08, abs=0.02)
    widths = [draw_design(plan_mask(rng_for(25, number)), "cloth")[1].strap_width for number in range(200)]
    assert np.quantile(widths, [0.0, 0.5, 1.0]) == pytest.approx([0.5, 1.05, 1.6], abs=0.1)


def _thirds(pictures: list[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The left and the right third of pictures."""
    third = emblems.MARKS_SIDE // 3
    return [each[:, :third] for each in pictures], [each[:, -third:] for each in pictures]
