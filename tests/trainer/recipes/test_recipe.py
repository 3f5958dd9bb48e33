"""Recipes: what comes with the program, what is typed over it, and what is refused."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from maskgen.core.reasons import UserError
from maskgen.trainer.recipes.loading import load_recipe, recipe_from_dict, recipe_names, recipe_to_dict
from maskgen.trainer.recipes.recipe import Recipe


def test_the_recipes_of_the_reference_are_there() -> None:
    assert {"model1", "model2", "model3", "effnet-b2", "effnet-b3", "effnet-b4", "small", "adapter"} <= set(
        recipe_names()
    )


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_survives_its_dictionary(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    assert recipe_from_dict(recipe_to_dict(recipe)) == recipe


def test_the_reference_settings_of_model1() -> None:
    recipe = load_recipe("model1")
    assert (recipe.loss.scale, recipe.loss.margin, recipe.loss.focal_gamma) == (45, 0.4, 2)
    assert (recipe.optimizer.lr, recipe.optimizer.weight_decay, recipe.optimizer.nesterov) == (0.1, 5e-4, True)
    assert recipe.schedule.milestones == (5, 10, 15, 20)
    assert (recipe.train.epochs, recipe.train.batch_size, recipe.data.size) == (25, 128, 128)


def test_overrides_take_every_type() -> None:
    changed = ["optimizer.lr=1e-3", "schedule.milestones=[2, 4]", "data.flip=false", "train.epochs=3", "model.dim=8"]
    changed += ["data.mask_kinds=n95,kn95", "data.mean=0,0,0", "model.backbone=timm:resnet18", "model.pretrained="]
    recipe = load_recipe("model1", changed)
    assert recipe.optimizer.lr == 1e-3
    assert recipe.schedule.milestones == (2, 4)
    assert recipe.data.flip is False
    assert recipe.data.mask_kinds == ("n95", "kn95")
    assert recipe.data.mean == (0, 0, 0)
    assert (recipe.model.backbone, recipe.model.pretrained) == ("timm:resnet18", "")


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("optimizer: {lr: 5e-4}\n")  # YAML 1.1 takes this for text
    recipe = load_recipe(str(path))
    assert (recipe.name, recipe.optimizer.lr) == ("mine", 5e-4)


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("optimizer.lrr=1", "did you mean optimizer.lr?"),
        ("optimzer.lr=1", "did you mean optimizer?"),
        ("optimizer.lr=fast", "recipe model1: optimizer.lr must be a number, not 'fast'"),
        ("optimizer.lr=nan", "optimizer.lr must be finite"),
        ("optimizer.lr=0", "above 0"),
        ("lr=1", "optimizer.lr=0.01"),
        ("loss.kind=arcfac", "did you mean arcface?"),
        ("data.flip=maybe", "true or false"),
        ("train.epochs=1.5", "a whole number"),
        ("schedule.milestones=5,x", "a list of whole numbers"),
        ("schedule.milestones=0", "at least 1"),
        ("data.mean=1,2", "a list of 3 numbers"),
        ("data.std=0,1,1", "data.std must be above 0"),
        ("loss.kind=triplet", "data.sampler=pk"),
        ("data.sampler=pk", "8 x 4 = 32"),
        ("optimizer.momentum=0", "nesterov"),
        ("train.seed=12345678901234567890123", "train.seed must be at least 0 and at most 9223372036854775807"),
        ("train.seed=-1", "train.seed must be at least 0"),
        ("train.epochs=99999999999999999999", "train.epochs must be at least 1 and at most 1000000000"),
        ("model.dim=10000000000", "model.dim must be at least 1 and at most 65536"),
        ("data.features=dlib", "set model.backbone=adapter:dlib"),
        ("model.backbone=adapter:dlib", "set data.features=dlib"),
    ],
)
def test_what_is_wrong_is_said(override: str, says: str) -> None:
    with pytest.raises(UserError, match=says.replace("?", r"\?")):
        load_recipe("model1", [override])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("optimizer: 3\n", "optimizer must be a section"),
        ("- 1\n", "has sections model, loss"),
        ("a: [\n", "is no YAML"),
        ("[" * 3000, "is no YAML (it is nested deeper than any recipe is)"),
        ("[" * 3000 + "]" * 3000, "is no YAML (it is nested deeper than any recipe is)"),
        ("{a: " * 3000, "is no YAML (it is nested deeper than any recipe is)"),
        ("a: &a [1]\nb: [" + "*a, " * 40 + "]\n", "too many aliases"),
        ("#" * 300_000, "300000 letters"),
        ("a: 2001-99-99\n", "is no YAML (month must be in 1..12"),
        ("optimizer: {lr: 1" + "0" * 400 + "}\n", "optimizer.lr must be a number"),
        ("modl: {}\n", "did you mean model?"),
        ("train: {epochs: true}\n", "train.epochs must be a whole number, not True"),
    ],
)
def test_a_wrong_file_is_named(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=re.escape(says)) as fault:
        load_recipe(str(path))
    assert len(str(fault.value)) < 400
    assert "mine.yaml" in str(fault.value)


def test_an_unknown_recipe_has_a_neighbour() -> None:
    with pytest.raises(UserError, match="did you mean model1"):
        load_recipe("modle1")
    with pytest.raises(UserError, match=r"^There is no recipe file nowhere/mine\.yaml"):
        load_recipe("nowhere/mine.yaml")


def test_features_wear_no_new_masks() -> None:
    with pytest.raises(UserError, match="data.masks must be stored"):
        load_recipe("adapter", ["data.masks=online"])


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (["data.renderer=torch"], "data.renderer=torch is for data.masks=online"),
        (["data.renderer=torch", "data.masks=online", "data.align=dlib", "data.size=150"], "data.renderer must be cpu"),
    ],
)
def test_the_devices_renderer_needs_masks_and_pictures_that_no_one_else_changes(
    settings: list[str], sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        load_recipe("small", settings)


def test_the_docs_name_every_setting_and_every_recipe() -> None:
    docs = (Path(__file__).parents[3] / "docs" / "training.md").read_text("utf-8")
    named = set(re.findall(r"`([^`\n]*)`", docs))
    parts = {part for name in named for part in re.split(r"[.=\s]", name)}
    settings = {
        one.name for section in fields(Recipe)[1:] for one in fields(getattr(load_recipe("small"), section.name))
    }
    assert settings - parts == set()
    assert {name for name in recipe_names() if not name.startswith("effnet")} <= named
