"""Meshes, views and banks from the cache folder are those that would be made anew."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from maskgen.masks import kind as kind_module
from maskgen.masks.ear_and_head_occlusion import FEWEST_NEW, KeptViews
from maskgen.masks.kind import STRAP_ROWS
from maskgen.masks.mask_mesh import MaskMesh, build_mask_mesh
from maskgen.masks.pose.camera import rotation
from maskgen.masks.template import Template, built_in_template, read_template
from maskgen.masks.wearing_position import in_wearing_position
from maskgen.masks.world import flat_cloth, folds, pleats, wrinkles

COUNT = 21  # triangles


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache folder, and nothing in memory that was made from another or outlives this one."""
    monkeypatch.setenv("MASKGEN_CACHE", str(tmp_path / "cache"))
    kind_module._mesh.cache_clear()
    yield tmp_path / "cache"
    kind_module._mesh.cache_clear()


def kept_mesh(template: Template, wearing: str, small: bool) -> MaskMesh:
    """As at a new start."""
    kind_module._mesh.cache_clear()
    return kind_module._mesh(template, wearing, small)


def drawn(number: int) -> np.ndarray:
    """Some triangles."""
    return np.random.default_rng(number).random(COUNT) < 0.5


def computed_again() -> np.ndarray:
    pytest.fail("computed again")


@pytest.mark.parametrize(("form", "wearing", "small"), [("cloth", "proper", False), ("n95", "under_chin", True)])
def test_a_kept_mesh_is_the_built_one(
    form: str, wearing: str, small: bool, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = built_in_template(form)
    built = build_mask_mesh(in_wearing_position(template, wearing), STRAP_ROWS, small, wearing == "under_chin").arrays()
    assert kept_mesh(template, wearing, small).arrays().keys() == built.keys()
    assert len(list(cache.glob("mesh-*"))) == 1
    monkeypatch.setattr(kind_module, "build_mask_mesh", lambda *of: pytest.fail("built again"))
    again = kept_mesh(template, wearing, small)
    for name, array in again.arrays().items():
        assert array.dtype == built[name].dtype, name
        np.testing.assert_array_equal(array, built[name], name)
    assert again.columns == built["columns"] and isinstance(again.has_head_straps, bool)
    line_of_sight = rotation(30.0, -10.0, 0.0)[2]
    np.testing.assert_array_equal(
        again.hidden_by(line_of_sight).triangles,
        MaskMesh.of_arrays(built, KeptViews(None)).hidden_by(line_of_sight).triangles,
    )


def test_meshes_of_a_users_template_are_not_kept(cache: Path) -> None:
    folder = Path(kind_module.__file__).parents[1] / "mask_templates" / "cloth"
    kept_mesh(read_template(folder), "proper", True)
    assert not list(cache.glob("mesh-*"))


def test_views_are_written_when_enough_are_new_and_found_again(cache: Path) -> None:
    views = KeptViews("about")
    for number in range(FEWEST_NEW - 1):
        np.testing.assert_array_equal(views.hides((number, -3), COUNT, partial(drawn, number)), drawn(number))
    assert not list(cache.glob("views-*"))
    views.hides((-40, 0), COUNT, partial(drawn, 40))
    assert len(list(cache.glob("views-*"))) == 1
    later = KeptViews("about")
    for view, number in [((at, -3), at) for at in range(FEWEST_NEW - 1)] + [((-40, 0), 40)]:
        for kept in (views, later):
            np.testing.assert_array_equal(kept.hides(view, COUNT, computed_again), drawn(number))
    np.testing.assert_array_equal(KeptViews("another").hides((0, -3), COUNT, partial(drawn, 7)), drawn(7))


def test_views_of_two_processes_are_kept_together() -> None:
    first, second = KeptViews("about"), KeptViews("about")
    for number in range(FEWEST_NEW):
        for way, views in ((1, first), (-1, second)):
            views.hides((number, way), COUNT, partial(drawn, number))
    both = KeptViews("about")
    for number in range(FEWEST_NEW):
        for way in (1, -1):
            np.testing.assert_array_equal(both.hides((number, way), COUNT, computed_again), drawn(number))


def test_damaged_views_are_computed_again(cache: Path) -> None:
    views = KeptViews("about")
    for number in range(FEWEST_NEW):
        views.hides((number, 0), COUNT, partial(drawn, number))
    (path,) = cache.glob("views-*")
    path.write_bytes(path.read_bytes()[:-1])
    np.testing.assert_array_equal(KeptViews("about").hides((0, 0), COUNT, partial(drawn, 9)), drawn(9))


def test_without_a_name_or_a_place_views_are_kept_in_memory(cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    for views in (KeptViews(None), KeptViews("about")):
        for number in range(2 * FEWEST_NEW):
            views.hides((number, 0), COUNT, partial(drawn, number))
        for number in range(2 * FEWEST_NEW):
            np.testing.assert_array_equal(views.hides((number, 0), COUNT, computed_again), drawn(number))


def test_banks_and_flat_cloth_of_world_are_those_that_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    template = built_in_template("surgical")
    cases: list[tuple[Any, tuple[Any, ...], ModuleType, str]] = [
        (flat_cloth.flat_map, (template,), flat_cloth, "_flat_map"),
        (pleats._bank, (3,), pleats, "_drawn_bank"),
        (folds._bank, (), folds, "_drawn_bank"),
        (wrinkles._bank, (), wrinkles, "_drawn_bank"),
    ]
    for kept, of, module, name in cases:
        expected = getattr(module, name)(*of)
        np.testing.assert_array_equal(kept.__wrapped__(*of), expected)
        monkeypatch.setattr(module, name, lambda *of: pytest.fail("drawn again"))
        found = kept.__wrapped__(*of)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
