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
from maskgen.masks.kind import LEVELS
from maskgen.masks.kinds import load_kind, load_kinds
from maskgen.masks.lighting.colour import hex_colour, lab_to_rgb
from maskgen.masks.plan import plan_mask
from maskgen.masks.template import PARTS, built_in_template, template_names
from maskgen.masks.world import tile_families, tile_shapes
from maskgen.masks.world.census import FrequencyTable, census
from maskgen.masks.world.chances import FARTHEST, Chances
from maskgen.masks.world.design import (
    draw_design,
)
from maskgen.masks.world.design_atlas import blank_cloth, design_level
from maskgen.masks.world.emblems import EMBLEMS, draw_emblem
from maskgen.masks.world.flat_cloth import flat_map, flat_size, flattened
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
        if max(design.ground) < 60 and min(design.valve) > 200:
            break
    template = built_in_template("pitta")
    look = [each.name for each in template.looks].index("valve")
    level = design_level(blank_cloth(template, look, 2), design)
    on = level.parts == PARTS["valve"]
    assert np.median(level.colours[on, 1]) > np.median(level.colours[~on, 1]) + 80
