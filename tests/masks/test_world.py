"""`world`: every mask drawn for itself, from what was counted, and written down."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from drawn_people import drawn_people

from maskgen.core.reasons import UserError
from maskgen.core.seeding import rng_for
from maskgen.masks.apply_mask import analyse_and_apply
from maskgen.masks.cloth_and_straps import cloth_mesh
from maskgen.masks.deformations import FLARE, LOWER_CORNERS, LOWER_EDGE, OUTLINE, PEAK, WAIST
from maskgen.masks.kind import LEVELS
from maskgen.masks.kinds import load_kind, load_kinds
from maskgen.masks.lighting.colour import hex_colour, lab_to_rgb
from maskgen.masks.plan import plan_mask
from maskgen.masks.template import PARTS, built_in_template, template_names
from maskgen.masks.world import emblems, tile_families, tile_shapes
from maskgen.masks.world.census import FrequencyTable, census
from maskgen.masks.world.chances import FARTHEST, Chances
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
from maskgen.masks.world.design_atlas import STEEPER, blank_cloth, design_level
from maskgen.masks.world.emblems import EMBLEMS, STRIP_AT, STRIPS, draw_emblem, draw_marks
from maskgen.masks.world.flat_cloth import flat_map, flat_size, flattened, printed
from maskgen.masks.world.pleats import LEVEL, draw_pleats, pleat_fields
from maskgen.masks.world.repeating_prints import draw_tile
from maskgen.masks.world.tile_families import TILES
from maskgen.masks.world.tile_shapes import SIDE
from maskgen.masks.world.world_kinds import world_forms

INKS = [np.array([200.0, 20.0, 30.0]), np.array([20.0, 60.0, 180.0])]
GROUND = np.array([240.0, 230.0, 210.0])


def test_no_two_of_2500_masks_are_the_same() -> None:
    seen = Counter()
    for number in range(2500):
        design, sits = draw_design(plan_mask(rng_for(0, "world", number)))
        seen[(design.form, design.family, hex_colour(design.ground), design.stains.tobytes(), sits.size)] += 1
    assert seen.most_common(1)[0][1] == 1
    assert {form for form, *_ in seen} == set(world_forms())
    assert {family for _, family, *_ in seen} == {"", "marks", *census().prints.names}


def test_draws_follow_the_counts() -> None:
    forms = Counter(draw_design(plan_mask(rng_for(1, "world", number)))[0].form for number in range(4000))
    for form in world_forms():
        assert forms[form] / 4000 == pytest.approx(census().forms.share(form), abs=0.03)


def test_chances_have_their_distributions() -> None:
    drawn = [Chances(number, "world") for number in range(400)]
    uniform = np.array([[each.uniform() for _ in range(20)] for each in drawn]).ravel()
    normal = np.array([[each.normal() for _ in range(20)] for each in drawn]).ravel()
    exponential = np.array([[each.exponential() for _ in range(20)] for each in drawn]).ravel()
    block = np.concatenate([each.uniforms(20) for each in drawn])
    for numbers in (uniform, block):
        assert np.quantile(numbers, [0.0, 0.25, 0.75, 1.0]) == pytest.approx([0.0, 0.25, 0.75, 1.0], abs=0.03)
    assert np.quantile(normal, [0.0, 0.1587, 0.5, 0.8413]) == pytest.approx([-FARTHEST, -1, 0, 1], abs=0.06)
    assert exponential.mean() == pytest.approx(1.0, abs=0.05)
    assert len({*uniform, *block}) == 2 * len(uniform)


def test_counts_that_are_0_are_drawn_too() -> None:
    table = FrequencyTable.of({"seen": 9.0, "never": 0.0}, unseen=1.0)
    assert table.share("never") == pytest.approx(1 / 11)
    assert (table.at(0.5), table.at(0.95), table.at(1.0)) == ("seen", "never", "never")


def test_every_form_is_a_template_and_every_colour_is_in_the_palette() -> None:
    tables = census()
    assert set(world_forms()) <= set(template_names())
    for form in tables.forms_worn.values():
        assert set(form.colours.names) == set(tables.palette)


def test_one_form_is_asked_for() -> None:
    kind = load_kind("world:surgical")
    assert kind.name == "world:surgical"
    forms = {kind.drawn(plan_mask(rng_for(2, number)))[0].template.name for number in range(40)}
    assert forms == {"surgical"}


@pytest.mark.parametrize("text", ["world:surgicl", "world:#ff8800", "world:print.png"])
def test_what_world_cannot_be_narrowed_to_is_one_sentence(text: str) -> None:
    with pytest.raises(UserError, match="is no form of world"):
        load_kinds([text])


def test_the_same_plan_is_the_same_mask_whatever_was_drawn_before() -> None:
    _, _, person = drawn_people(1, 1)[0]
    plan = plan_mask(rng_for(3, "world"))
    first = analyse_and_apply(person.image, person.points68, plan, load_kind("world"))
    analyse_and_apply(person.image, person.points68, plan_mask(rng_for(4, "world")), load_kind("world"))
    again = analyse_and_apply(person.image, person.points68, plan, load_kind("world"))
    np.testing.assert_array_equal(first.image, again.image)
    assert first.cloth == again.cloth
    other = analyse_and_apply(person.image, person.points68, replace(plan, cloth=plan.cloth + 1), load_kind("world"))
    assert np.any(other.image != first.image)


def test_the_cloth_has_the_colour_that_is_written_down() -> None:
    """Of plain masks in one colour, at every level of detail."""
    looked = 0
    for number in range(60):
        kind, _ = load_kind("world").drawn(plan_mask(rng_for(5, number)))
        if kind.print or len(kind.colours) > 1:
            continue
        looked += 1
        said = np.array([int(kind.colours[0][at : at + 2], 16) for at in (1, 3, 5)])
        for level in (1, 3, LEVELS - 1):
            atlas = kind.looks[0].levels[level].colours
            found = np.median(atlas[: int(kind.straps_from * len(atlas)), :, :3].reshape(-1, 3), axis=0)
            assert np.abs(found - np.maximum(said, 15)).max() < 40
    assert looked > 20


@pytest.mark.parametrize("draw", ["disc", "leaf", "shape"])
def test_what_crosses_the_edge_of_a_tile_comes_in_on_the_other_side(draw: str) -> None:
    def drawn(x: float, y: float) -> np.ndarray:
        tile = np.full((SIDE, SIDE, 3), 255, np.uint8)
        if draw == "disc":
            tile_shapes.draw_disc(tile, x, y, 15.0, (9.0, 9.0, 9.0))
        elif draw == "leaf":
            tile_shapes.draw_leaf(tile, x, y, (20.0, 8.0), 0.5, (9.0, 9.0, 9.0))
        else:
            tile_shapes.draw_shape(tile, x, y, tile_families._star(5, 20.0, 0.4, 0.3), (9.0, 9.0, 9.0))
        return tile

    whole = drawn(64.0, 64.0)
    for across, down in ((60, 0), (0, 61), (-58, 62)):
        found = drawn(64.0 + across, 64.0 + down).astype(int)
        assert np.abs(found - np.roll(whole, (down, across), (0, 1))).mean() < 0.3


@pytest.mark.parametrize("family", TILES)
def test_tiles_fit_to_themselves(family: str) -> None:
    """The step over the seam is mostly smaller than the greatest step within: edges of a pattern may lie there too."""
    larger = []
    for number in range(8):
        tile = draw_tile(family, rng_for(number, family), GROUND, INKS).picture.astype(float)
        assert tile.shape == (SIDE, SIDE, 3)
        for axis in (0, 1):
            steps = np.abs(np.diff(tile, axis=axis, append=np.take(tile, [0], axis))).mean((1 - axis, 2))
            larger.append(steps[-1] > steps[:-1].max() + 1e-6)
    assert np.mean(larger) < 0.2


@pytest.mark.parametrize("family", census().prints.names)
def test_families_show_and_differ(family: str) -> None:
    drawn = []
    for number in range(3):
        rng = rng_for(number, family)
        once = family in EMBLEMS
        picture = (draw_emblem(family, rng, INKS) if once else draw_tile(family, rng, GROUND, INKS)).picture
        shown = (
            picture[..., 3] > 128 if once else np.abs(picture.astype(float) - np.median(picture, (0, 1))).sum(2) > 12
        )
        assert shown.mean() > 0.005
        drawn.append(picture)
    assert np.any(drawn[0] != drawn[1])
    assert np.any(drawn[1] != drawn[2])


@pytest.mark.parametrize("form", template_names())
def test_cloth_is_laid_flat_without_stretch(form: str) -> None:
    """Circles on the flat cloth are circles on the mask: of 95 % of triangles the axes differ by an eighth at most."""
    sheet = cloth_mesh(built_in_template(form))
    flat = flattened(sheet.points, sheet.triangles)[sheet.triangles]
    solid = sheet.points[sheet.triangles]
    edges = solid[:, 1:] - solid[:, :1]
    first = edges[:, 0] / np.linalg.norm(edges[:, 0], axis=1, keepdims=True)
    across = edges[:, 1] - (edges[:, 1] * first).sum(1, keepdims=True) * first
    second = across / np.linalg.norm(across, axis=1, keepdims=True)
    own = np.stack([(edges * axis[:, None]).sum(2) for axis in (first, second)], 1)
    map_ = (flat[:, 1:] - flat[:, :1]).transpose(0, 2, 1) @ np.linalg.inv(own)
    axes = np.linalg.svd(map_, compute_uv=False)
    assert np.quantile(axes[:, 0] / axes[:, 1], 0.95) < 1.125
    middle = flat_map(built_in_template(form))
    np.testing.assert_allclose(middle, middle[:, ::-1] * [-1, 1], atol=1e-5)


@pytest.mark.parametrize("form", ["cloth", "surgical"])
def test_circles_of_a_users_print_stay_circles(form: str, tmp_path: Path) -> None:
    picture = np.full((300, 640, 3), 255, np.uint8)
    cv2.circle(picture, (320, 150), 60, (0, 0, 0), -1)
    cv2.imwrite(str(tmp_path / "disc.png"), picture)
    kind = load_kind(f"{form}:{tmp_path / 'disc.png'}")
    colours = kind.looks[0].levels[1].colours
    rows = int(kind.straps_from * len(colours))
    black = (colours[:rows, :, 0] < 60).astype(np.uint8)
    x, y, wide, tall = cv2.boundingRect(black)
    sheet = cloth_mesh(kind.template)
    steps = sheet.points.reshape(21, 33, 3)
    width = np.linalg.norm(np.diff(steps[10], axis=0), axis=1).sum() / colours.shape[1]
    height = np.linalg.norm(np.diff(steps[:, 16], axis=0), axis=1).sum() / rows
    assert wide * width == pytest.approx(tall * height, rel=0.08)


def test_colours_of_cielab() -> None:
    assert hex_colour(lab_to_rgb(np.array([100.0, 0.0, 0.0]))) == "#ffffff"
    assert hex_colour(lab_to_rgb(np.array([53.24, 80.09, 67.20]))) == "#ff0000"
    assert hex_colour(lab_to_rgb(np.array([0.0, 0.0, 0.0]))) == "#000000"


def test_the_stated_aspects_are_those_of_the_cloth() -> None:
    """docs/masks.md says which shape of a picture is used as a whole."""
    text = (Path(__file__).parents[2] / "docs" / "masks.md").read_text("utf-8")
    table = text.partition("## Prints of your own")[2].partition("\n## ")[0]
    rows = [line.split("|")[1:3] for line in table.splitlines() if line.startswith("|")][2:]
    stated = {form.strip(): float(aspect) for form, aspect in rows}
    masks = {name for name in template_names() if built_in_template(name).role == "mask"}
    assert set(stated) == masks
    for form, aspect in stated.items():
        width, height = flat_size(built_in_template(form))
        assert width / height == pytest.approx(aspect, abs=0.06)


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


def test_two_halves_fall_away_from_a_crest() -> None:
    designs = (draw_design(plan_mask(rng_for(12, number)), "pitta")[0] for number in range(40))
    crested = next(design for design in designs if design.crest > 0.1)
    blank = blank_cloth(built_in_template("pitta"), 0, 2)
    with_it, without = (
        design_level(blank, crested._replace(crest=crest)).colours[: len(blank.colours), :, 3].astype(float)
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
    mesh, ratios = load_kind("surgical").mesh, []
    for number in range(60):
        plan = plan_mask(rng_for(13, number))
        for each in (plan, draw_design(plan, "surgical")[1]):
            points = np.tensordot(each.deformation_weights, mesh.deformations.points, 1)[: mesh.straps_from]
            down = np.diff(points[:, 1].reshape(-1, mesh.columns)[[0, -1]], axis=0)[0]
            ratios.append((down[0] + down[-1]) / 2 / down[len(down) // 2])
    template, drawn = np.array(ratios).reshape(-1, 2).mean(0)
    assert drawn == pytest.approx(template - 0.10, abs=0.02)


def test_upper_edges_of_surgical_masks_fall_from_the_nose_to_the_cheek() -> None:
    mesh, falls = load_kind("surgical").mesh, []
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
    white = [one.part for one in coloured if one.second is not None and one.second.min() > 230]
    for part, share in (("trim", WHITE_HEMS), ("band", WHITE_BANDS)):
        assert white.count(part) / len(coloured) == pytest.approx(share, abs=0.06)
    other = sum(one.second is not None and not np.array_equal(one.second, WHITE_HEM) for one in coloured)
    assert 0.08 < other / len(coloured) < 0.11  # a hem replaces no second colour: that would leave 0.06
    banded = next(one for one in coloured if one.part == "band")
    blank = blank_cloth(built_in_template("surgical"), 3, 1)
    colours = design_level(blank, banded._replace(worn=0.0)).colours[: len(blank.colours), :, :3].astype(int)
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
    left, right = (sum(bool(part.any()) for part in (each[wide:] for each in sides)) for sides in _halves(opaque))
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
        assert (ends - starts < emblems.LETTERS_HIGH * emblems.LETTERS[1] + 6).all()
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


def _halves(pictures: list[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The left and the right third of pictures."""
    third = emblems.MARKS_SIDE // 3
    return [each[:, :third] for each in pictures], [each[:, -third:] for each in pictures]


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


def test_prints_are_not_mirrored_with_the_cloth() -> None:
    plan = next(
        plan
        for plan in (plan_mask(rng_for(11, number)) for number in range(400))
        if draw_design(plan, "cloth")[0].family == "lettering"
    )
    blank = blank_cloth(built_in_template("cloth"), 0, 3)
    worn, mirrored = (
        design_level(blank, draw_design(replace(plan, turned=turned), "cloth")[0]).colours[..., :3].astype(float)
        for turned in (False, True)
    )
    assert np.abs(mirrored[:, ::-1] - worn).mean() < 0.5 * np.abs(mirrored - worn).mean()


def test_valves_have_their_own_colour_and_a_reflection() -> None:
    for number in range(400):
        design, _ = draw_design(plan_mask(rng_for(10, number)), "pitta")
        if design.ground.mean() < 60 and design.valve.mean() > 200:
            break
    template = built_in_template("pitta")
    look = [each.name for each in template.looks].index("valve")
    level = design_level(blank_cloth(template, look, 2), design)
    on = level.parts == PARTS["valve"]
    assert np.median(level.colours[on, 1]) > np.median(level.colours[~on, 1]) + 80
