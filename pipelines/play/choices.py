"""What the page offers: forms with their colours, prints, ways of wearing; and a choice as the text of a kind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from maskgen.core.kindspec import COLOUR, FARTHEST_PITCH, FARTHEST_YAW, PRINTS, WEARINGS, WORLD
from maskgen.core.reasons import UserError

MOST_NAME = 100  # characters of a texture's name


@cache
def forms() -> dict[str, dict[str, Any]]:
    """Of each form its title, its colours (name, the kind's name, "#rrggbb"), and whether it has wearing positions;
    the forms of the default kinds first."""
    from maskgen.masks.kinds import kind_names
    from maskgen.masks.template import built_in_template, template_names

    found: dict[str, dict[str, Any]] = {}
    for kind in kind_names():
        form = next(name for name in template_names() if kind == name or kind.startswith(f"{name}_"))
        template = built_in_template(form)
        colour = kind.removeprefix(form).strip("_") or next(iter(template.colours))
        found.setdefault(form, {"title": template.title, "colours": [], "positions": template.role == "mask"})
        found[form]["colours"].append({"name": colour, "kind": kind, "value": template.colours[colour]})
    return found


@cache
def offered() -> dict[str, Any]:
    """All that the page lets one choose."""
    from maskgen.masks.world.world_kinds import world_forms

    return {
        "forms": forms(),
        "world": [WORLD, *(f"{WORLD}:{form}" for form in world_forms())],
        "prints": PRINTS,
        "wear": WEARINGS,
        "max_yaw": FARTHEST_YAW,
        "max_pitch": FARTHEST_PITCH,
    }


def has_positions(form: str) -> bool:
    """Whether a form, or world's forms, can be worn in more than the proper position.

    Example:
        >>> has_positions("cloth"), has_positions("sunglasses"), has_positions("world")
        (True, False, True)
    """
    return form not in forms() or bool(forms()[form]["positions"])


def kind_text(asked: Mapping[str, Any], texture: str | None) -> str:
    """The kind that was chosen, as it is typed after --kinds.

    Args:
        asked: `form`, a form or world; `colour`, "#rrggbb" or "" for its own; `print` and `ink`, "" for none.
        texture: the name of a picture to print on it, see `texture_name`.

    Raises:
        UserError: something that the page does not offer, such as a path.
    """
    form, colour, motif, ink = (str(asked.get(name, "")) for name in ("form", "colour", "print", "ink"))
    if form in offered()["world"]:
        return form
    if form not in forms():
        raise UserError(f"there is no form {form[:MOST_NAME]!r}: choose one of the page's.")
    for one in (colour, ink):
        if one and not COLOUR.fullmatch(one):
            raise UserError(f"{one[:MOST_NAME]!r} is no colour: give six digits, as in #ff8800.")
    if texture is not None:
        return f"{form}:{texture}"
    known = forms()[form]["colours"]
    colour = colour.lower() or known[0]["value"]
    if motif:
        if motif not in PRINTS:
            raise UserError(f"there is no print {motif[:MOST_NAME]!r}: choose one of the page's.")
        return f"{form}:{colour}+{motif}" + (f"+{ink.lower()}" if ink else "")
    return next((one["kind"] for one in known if one["value"] == colour), f"{form}:{colour}")


def base_name(name: str, otherwise: str) -> str:
    """The last part of a name from the browser, without what no terminal shows; it is told, and never opened.

    Example:
        >>> base_name("C:/pictures/my photo.jpg", "photograph.jpg"), base_name("../..", "photograph.jpg")
        ('my photo.jpg', 'photograph.jpg')
    """
    base = "".join(one for one in re.split(r"[/\\\\]", name)[-1] if one.isprintable())[-MOST_NAME:].lstrip("-")
    return otherwise if base.strip(". ") == "" else base


def texture_name(name: str) -> str:
    """The name of a picture that is printed on a mask: what --kinds takes it by, so without its marks.

    Example:
        >>> texture_name("my print.png"), texture_name("a,b=2.png"), texture_name("check")
        ('my print.png', 'a_b_2.png', 'check.png')
    """
    base = base_name(name, "print.png")
    stem, dot, suffix = base.rpartition(".")
    stem, suffix = (stem, suffix) if dot and suffix.isalnum() else (base, "png")
    return (re.sub(r"[^\w ()-]+", "_", stem).strip() or "print") + f".{suffix}"
