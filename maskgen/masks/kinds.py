"""Mask kinds by name, as written on the command line; made when first used."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskgen.core.images import read_photo
from maskgen.core.kindspec import (
    BARE,
    COLOUR,
    DEFAULT_KINDS,
    PRINTS,
    WEARINGS,
    WORLD,
    KindSpec,
    colour_hint,
    parse_kind,
)
from maskgen.core.reasons import SetAsideError, UserError
from maskgen.masks.kind import Kind, make_kind
from maskgen.masks.template import Template, built_in_template, read_template, template_names

MOST_PATTERN = 64_000_000  # most pixels of a picture to be printed on a mask
KEPT = 64  # kinds in the cache; each takes some megabytes, and the page of `maskgen play` requests many


@cache
def kind_names() -> tuple[str, ...]:
    """The names of the built-in kinds, the default ones first: a template's name with its colour, or alone where that
    is the default."""
    names = list(DEFAULT_KINDS)
    for template in (built_in_template(name) for name in template_names()):
        first, *others = template.colours
        names += [template.name if template.name in DEFAULT_KINDS else f"{template.name}_{first}"]
        names += [f"{template.name}_{colour}" for colour in others]
    return tuple(dict.fromkeys(names))


def load_kind(kind: str | KindSpec) -> Kind:
    """The kind that a text names, see `core.kindspec`; its weight is ignored. The last KEPT kinds are cached.

    Args:
        kind: as it is typed, or parsed. A name may hold "=", so it is not to be parsed twice.

    Raises:
        UserError: no such kind (the message gives the nearest names), or a fault in the user's template or picture.
    """
    return _made(replace(parse_kind(kind) if isinstance(kind, str) else kind, weight=1.0))


@lru_cache(KEPT)
def _made(spec: KindSpec) -> Kind:
    if spec.form == WORLD:
        return _world(spec)
    if spec.pattern is None and "+" in spec.dye:
        return _with_motif(spec)
    template, colour = _template(spec)
    if spec.pattern is None and spec.dye:
        _check_colour(spec, spec.dye)
        colour = spec.dye
    return make_kind(spec.name, template, colour, _pattern(spec), own=spec.folder is not None)


def printed_kind(text: str, picture: NDArray[np.uint8]) -> Kind:
    """The kind of a text FORM:PICTURE, with the picture given instead of read.

    Args:
        picture: uint8 RGB (height, width, 3), the content of the file.

    Raises:
        UserError: there is no such form, or the text names no picture.
    """
    spec = parse_kind(text)
    if spec.pattern is None:
        raise UserError(f"mask kind {text!r} names no picture: give FORM:PICTURE, as in cloth:print.png")
    return make_kind(spec.name, *_template(spec), picture, own=spec.folder is not None)


def _with_motif(spec: KindSpec) -> Kind:
    """A form in a colour with one of the PRINTS on it."""
    from maskgen.masks.world.named_prints import named_print_kind  # not needed for the usual kinds

    colour, drawn, *inks = spec.dye.split("+")
    if drawn not in PRINTS or len(inks) > 1:
        raise UserError(
            f"mask kind {spec.text!r}: {spec.dye!r} is no print: give COLOUR+PRINT or COLOUR+PRINT+COLOUR, as in "
            f"red+dots; the prints are {', '.join(PRINTS)}"
        )
    for one in (colour, *inks):
        _check_colour(spec, one)
    return named_print_kind(spec.name, _template(spec)[0], colour, drawn, *inks)


def _check_colour(spec: KindSpec, dye: str) -> None:
    if not COLOUR.fullmatch(dye):
        raise UserError(f"mask kind {spec.text!r}: {dye!r} is no colour: {colour_hint(spec.form, spec.dye)}")


def _world(spec: KindSpec) -> Kind:
    """The kind `world`, of all forms or of one."""
    from maskgen.masks.world.world_kinds import world_forms, world_kind  # not needed for the usual kinds

    if spec.dye and spec.dye not in world_forms():
        near = difflib.get_close_matches(spec.dye, world_forms(), 1)
        hint = f"did you mean {WORLD}:{near[0]}?" if near else f"give one of {', '.join(world_forms())}"
        raise UserError(f"mask kind {spec.text!r}: {spec.dye!r} is no form of {WORLD}: {hint}")
    return world_kind(spec.name, spec.dye)


def _template(spec: KindSpec) -> tuple[Template, str]:
    """The template that a kind's name selects, and the colour that the name implies."""
    if spec.folder is not None:
        if spec.folder.is_file():
            raise UserError(
                f"mask kind {spec.text!r}: {spec.folder} is a file and not a template's folder: to print a picture on "
                f"a mask, name the form before it, as in cloth:{spec.folder}"
            )
        # As the kind's name: of "." or of a link it is that of the folder itself.
        template = replace(read_template(spec.folder), name=spec.folder.resolve().name)
        check_template_name(template.name, spec.folder)
        return template, next(iter(template.colours.values()))
    for name in template_names():
        colours = built_in_template(name).colours
        if spec.form == name:
            return built_in_template(name), next(iter(colours.values()))
        if spec.form.startswith(name + "_") and spec.form[len(name) + 1 :] in colours:
            return built_in_template(name), colours[spec.form[len(name) + 1 :]]
    near = difflib.get_close_matches(spec.form, {WORLD, *kind_names(), *template_names()}, 2)
    hint = f"did you mean {' or '.join(near)}?" if near else f"the kinds are {', '.join(kind_names())}, {WORLD}"
    if "," in spec.form:
        hint = "give each kind as a text of its own"
    if Path(spec.form).is_dir():
        hint = f"for the folder of that name write ./{spec.form}"
    raise UserError(f"there is no mask kind {spec.form!r}: {hint}")


def check_template_name(name: str, folder: Path) -> None:
    """Raise UserError for a template whose masks would be taken for something else in a catalogue or in labels.

    Args:
        name: its name, the last part of the folder's path.
    """
    if name in (WORLD, *kind_names(), *template_names()):
        raise UserError(f"{folder}: a built-in mask is called {name!r} too: give the folder another name")
    if name in (BARE, *WEARINGS):
        what = "a face without a mask" if name == BARE else "a wearing position"
        raise UserError(f"{folder}: {name!r} stands for {what} in catalogues and labels: give the folder another name")


def _pattern(spec: KindSpec) -> NDArray[np.uint8] | None:
    """The picture that is printed on a mask."""
    if spec.pattern is None:
        return None
    if not any(mark in spec.dye for mark in "./\\") and not spec.pattern.is_file():
        raise UserError(
            f"mask kind {spec.text!r}: {spec.dye!r} is neither a colour nor a picture's file: "
            f"{colour_hint(spec.form, spec.dye)}"
        )
    try:
        return read_photo(spec.pattern, max_pixels=MOST_PATTERN).image
    except SetAsideError as fault:
        raise UserError(f"mask kind {spec.text!r}: {spec.pattern} cannot be printed on it: {fault}") from None


def load_kinds(texts: Sequence[str]) -> list[Kind]:
    """Several kinds by their texts, in this order.

    Raises:
        UserError: as `load_kind`, or two of them have the same name.
    """
    kinds = [load_kind(text) for text in texts]
    names = [kind.name for kind in kinds]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UserError(f"two masks are called {twice!r}: name each once, and rename one of two files of the same name")
    return kinds
