"""Recipes read from YAML, by name or from a file, with overrides; and written as plain values."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from maskgen.core.extras import need
from maskgen.core.reasons import UserError, why_unreadable

from .cross_checks import check_together
from .recipe import DataSpec, LossSpec, ModelSpec, OptimizerSpec, Recipe, ScheduleSpec, TrainSpec
from .typed_settings import parse_text, read_settings, refuse_unknown, shortened

_DEEPEST, _MOST_ALIASES, _MOST_TEXT = 8, 16, 1 << 18
_SECTIONS: dict[str, type] = {
    "model": ModelSpec,
    "loss": LossSpec,
    "optimizer": OptimizerSpec,
    "schedule": ScheduleSpec,
    "data": DataSpec,
    "train": TrainSpec,
}


def recipe_names() -> tuple[str, ...]:
    """The recipes that come with the program, sorted."""
    folder = resources.files(__package__)
    return tuple(sorted(Path(one.name).stem for one in folder.iterdir() if one.name.endswith(".yaml")))


def load_recipe(name_or_file: str, overrides: Sequence[str] = ()) -> Recipe:
    """A recipe by its name, or from the user's YAML file, with overrides.

    Args:
        overrides: as "optimizer.lr=0.01"; lists as "schedule.milestones=5,10".

    Raises:
        UserError: no such recipe or setting, a value of the wrong type or outside its range, settings that do not
            go together.
    """
    text, where, name = _text(name_or_file)
    values = _parse(text, where)
    values = {"name": name, **values} if isinstance(values, dict) else values
    for override in overrides if isinstance(values, dict) else ():
        _override(values, override)
    return recipe_from_dict(values, where)


def _parse(text: str, where: str) -> Any:
    """A recipe's text as plain values; large or deeply nested texts are refused."""
    yaml = need("yaml", "train")
    try:
        _refuse_nesting(yaml, text)
        return yaml.safe_load(text)
    except Exception as error:  # PyYAML raises various errors for invalid numbers and dates
        mark = getattr(error, "problem_mark", None)
        detail = f" (line {mark.line + 1})" if mark else "" if isinstance(error, yaml.YAMLError) else f" ({error})"
        raise UserError(f"{where} is no YAML{detail}: see the recipes in docs/training.md.") from None


def _refuse_nesting(yaml: Any, text: str) -> None:
    """Raise UserError for a text that is large, deeply nested, or has many aliases."""
    if len(text) > _MOST_TEXT:
        raise UserError(f"it has {len(text)} letters, and a recipe a few hundred")
    depth = aliases = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        aliases += isinstance(event, yaml.AliasEvent)
        if depth > _DEEPEST or aliases > _MOST_ALIASES:
            raise UserError("it is nested deeper than any recipe is" if depth > _DEEPEST else "it has too many aliases")


def recipe_to_dict(recipe: Recipe) -> dict[str, Any]:
    """All settings as plain values for JSON and YAML."""
    return {"name": recipe.name, **{key: _plain(getattr(recipe, key)) for key in _SECTIONS}}


def recipe_from_dict(values: Any, where: str = "the recipe") -> Recipe:
    """The recipe from the values of `recipe_to_dict` or a YAML file; see `load_recipe` for the errors."""
    if not isinstance(values, dict):
        raise UserError(f"{where}: a recipe has sections {', '.join(_SECTIONS)}, this is {shortened(values)}.")
    refuse_unknown(values, ("name", *_SECTIONS), where)
    name = values.get("name", "")
    if not isinstance(name, str) or not name:
        raise UserError(f"{where}: name must be text, not {shortened(name)}.")
    parts: dict[str, Any] = {
        key: read_settings(kind, values[key], where, f"{key}.") for key, kind in _SECTIONS.items() if key in values
    }
    recipe = Recipe(name, **parts)
    check_together(recipe, where)
    return recipe


def _plain(spec: Any) -> dict[str, Any]:
    values = dataclasses.asdict(spec)
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}


def _text(name_or_file: str) -> tuple[str, str, str]:
    """A recipe's text, its name in messages, and its name."""
    if not name_or_file:
        raise UserError("RECIPE is empty: give a name, or a file NAME.yaml.")
    path = Path(name_or_file)
    if re.search(r"[/\\]|\.ya?ml$", name_or_file):
        try:
            return path.read_text("utf-8"), str(path), path.stem
        except FileNotFoundError:
            raise UserError(
                f"There is no recipe file {path}: correct its path, or give one of {', '.join(recipe_names())}."
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"The recipe {path} cannot be read: {why_unreadable(error)}.") from None
    names = recipe_names()
    if name_or_file not in names:
        near = difflib.get_close_matches(name_or_file, names, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}, or a file NAME.yaml."
        raise UserError(f"There is no recipe {name_or_file}: {hint}")
    file = resources.files(__package__) / f"{name_or_file}.yaml"
    return file.read_text("utf-8"), f"recipe {name_or_file}", name_or_file


def _override(values: dict[str, Any], override: str) -> None:
    """Put "section.key=text" into the values of a recipe."""
    name, is_set, text = override.partition("=")
    section, has_key, key = name.strip().partition(".")
    if not is_set or not has_key:
        raise UserError(f"{shortened(override)} changes nothing: write SECTION.SETTING=VALUE, as optimizer.lr=0.01.")
    refuse_unknown([section], _SECTIONS, shortened(override))
    kind = _SECTIONS[section]
    refuse_unknown([key], [one.name for one in dataclasses.fields(kind)], shortened(override), f"{section}.")
    old = values.get(section) or {}
    if isinstance(old, dict):
        values[section] = {**old, key: parse_text(kind, key, text.strip())}
