"""A kind's atlas: colours of one look share what colour does not change, and each level is a reduced finest one."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from maskgen.core.kindspec import DEFAULT_KINDS
from maskgen.masks import cloth_and_straps
from maskgen.masks.cloth_and_straps import cloth_mesh
from maskgen.masks.kind import KEPT_FROM, LEVELS, MEDIAN, STRAP_ROWS, AtlasLevel, UndyedLevels, make_kind
from maskgen.masks.kinds import load_kind
from maskgen.masks.template import build_of_template, built_in_template


def test_colours_of_a_look_share_what_colour_does_not_change() -> None:
    template = built_in_template("surgical")
    blue, green = (make_kind(colour, template, colour).looks[0].levels[3] for colour in ("#4a90d9", "#2fa58a"))
    assert blue.slope_down is green.slope_down and blue.parts is green.parts
    assert not np.array_equal(blue.colours[..., :3], green.colours[..., :3])
    assert np.array_equal(blue.colours[..., 3], green.colours[..., 3])


@pytest.mark.parametrize("name", [*DEFAULT_KINDS, "window", "shield", "sunglasses"])
def test_a_coarse_level_is_the_finest_one_reduced(name: str) -> None:
    for look in load_kind(name).looks:
        number = LEVELS - 2
        coarse = look.levels[number].colours[..., :3]
        reduced = look.levels[0].colours[..., :3].copy()
        for _ in range(number):
            reduced = cv2.resize(reduced, (reduced.shape[1] // 2, reduced.shape[0] // 2), interpolation=cv2.INTER_AREA)
        off = np.abs(coarse.astype(int) - reduced)
        assert off.max() <= 5 and off.mean() < 1, "white cloth is clipped once reduced, not texel by texel"


def test_a_colour_is_multiplied_with_the_texture_and_no_darker_than_cloth_can_be() -> None:
    template = built_in_template("n95")
    white, red = (make_kind("n95", template, colour).looks[0].levels[3].colours for colour in ("#e8e8e8", "#c80000"))
    cloth = len(white) - (STRAP_ROWS >> 3) * len(template.straps)
    assert MEDIAN == 0xE8  # so that `white` is the texture itself
    expected = white[:cloth, :, :3] / MEDIAN * (200.0, 15.0, 15.0)
    assert np.abs(red[:cloth, :, :3] - expected).max() <= 0.51


def test_a_print_is_as_fine_as_its_level() -> None:
    stripes = np.repeat(np.tile(np.array([[20, 220]], np.uint8), (64, 32))[..., None], 3, axis=2)
    levels = make_kind("cloth", built_in_template("cloth"), "#ffffff", stripes).looks[0].levels
    fine, coarse = (levels[number].colours[: len(levels[number].colours) // 2, :, 1] for number in (2, 4))
    assert fine.std() > 40 and coarse.shape[1] == fine.shape[1] // 4
    assert coarse.mean() == pytest.approx(fine.mean(), abs=3)


class TakenAway(UndyedLevels):
    """Levels of which another thread keeps others as soon as some are kept."""

    @property
    def _kept(self) -> dict[int, Any]:
        return {}

    @_kept.setter
    def _kept(self, made: dict[int, Any]) -> None:
        pass


def test_a_level_is_there_though_another_thread_keeps_others() -> None:
    template = built_in_template("n95")
    levels = TakenAway(template, template.looks[0])
    np.testing.assert_array_equal(levels[3].colours, UndyedLevels(template, template.looks[0])[3].colours)


@pytest.mark.parametrize("name", ["surgical", "window"])
def test_kept_levels_are_those_that_are_drawn(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASKGEN_CACHE", str(tmp_path))
    template = built_in_template(name)
    drawn = UndyedLevels(template, template.looks[0])._drawn(1)

    def only_finer(levels: UndyedLevels, finest: int) -> list[tuple[AtlasLevel, Any]]:
        assert finest < KEPT_FROM, "drawn again"
        return drawn

    for _ in range(2):
        levels = UndyedLevels(template, template.looks[0])
        for number in (3, 2, 1):
            level, own = levels.level(number), levels.clear_parts(number)
            for ours, theirs in zip((*level, own), (*drawn[number - 1][0], drawn[number - 1][1]), strict=True):
                np.testing.assert_array_equal(ours, theirs)
        monkeypatch.setattr(UndyedLevels, "_drawn", only_finer)
    assert any(path.name.startswith("atlas-") for path in tmp_path.iterdir())


def test_what_is_made_of_a_users_template_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASKGEN_CACHE", str(tmp_path))
    template = replace(built_in_template("cloth"))
    assert build_of_template(template) is None
    UndyedLevels(template, template.looks[0]).level(3)
    cloth_mesh(template)
    assert not list(tmp_path.iterdir())


def test_kept_cloth_is_that_which_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASKGEN_CACHE", str(tmp_path))
    template = built_in_template("n95")
    made = cloth_mesh.__wrapped__(replace(template))
    for _ in range(2):
        kept = cloth_mesh.__wrapped__(template)
        for name in ("points", "normals", "uv", "triangles"):
            np.testing.assert_array_equal(getattr(kept, name), getattr(made, name))
        monkeypatch.setattr(cloth_and_straps, "_cloth_arrays", lambda template: pytest.fail("made again"))
