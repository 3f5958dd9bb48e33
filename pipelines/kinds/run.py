"""List the mask kinds, render previews, or copy a form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskgen.core.kindspec import WORLD, file_name
from maskgen.core.reasons import UserError

from .settings import KindsSettings

if TYPE_CHECKING:
    from maskgen.masks.kind import Kind

SHOWN = 3  # rows and columns of masks on the preview of a kind whose masks all differ
_TEMPLATE, _LOOK = "template.toml", "[[look]]"
_ON_LOOKS = """\
# Further looks of the built-in form, as comments: a look puts its own texture on its share of the masks. To use one,
# draw its pictures as you drew the others, and remove the marks before its lines.
"""


def run_kinds(settings: KindsSettings) -> Iterator[str]:
    """Run the command; yields the lines to print.

    Raises:
        UserError: the kind or form does not exist, or the copy's folder exists.
    """
    from maskgen.masks.kinds import kind_names, load_kinds
    from maskgen.masks.world.world_kinds import world_forms

    if settings.copy_form is not None and settings.copy_to is not None:
        yield copy_form(settings.copy_form, settings.copy_to)
        return
    names = settings.kinds or (*kind_names(), WORLD, *(f"{WORLD}:{form}" for form in world_forms()))
    kinds = load_kinds(names)
    width = max(15, *(len(kind.name) + 1 for kind in kinds))
    for kind in kinds:
        colour = kind.colour or ("drawn" if kind.draw_design else "print")
        yield f"{kind.name:<{width}} {colour:<7}  {kind.title}{_told_looks(kind)}"
    if (folder := settings.previews) is None:
        if not settings.list_only:
            yield "Nothing was written: --out FOLDER renders a preview of each kind, --kind KIND of one."
    else:
        write_previews(folder, list(zip(names, kinds, strict=True)))
        yield f"Previews are in {folder}."


def _looks(kind: Kind) -> list[int]:
    """The numbers of the looks that masks of the kind have."""
    if kind.draw_design is not None:
        return [0]
    return [number for number, look in enumerate(kind.template.looks) if look.share > 0]


def _told_looks(kind: Kind) -> str:
    """The looks and their shares, if there are several."""
    looks = [kind.template.looks[number] for number in _looks(kind)]
    shares = ", ".join(f"{look.name} {100 * look.share:.3g} %" for look in looks)
    return f"; looks: {shares}" if len(looks) > 1 else ""


def copy_form(form: str, folder: Path) -> str:
    """Write a built-in template into a new folder; returns what to do next.

    Raises:
        UserError: the form does not exist, the folder exists, or a template may not have its name.
    """
    from maskgen.core.atomic_writes import write_atomic
    from maskgen.masks.kinds import check_template_name
    from maskgen.masks.template import template_files

    if folder.exists():
        raise UserError(f"{folder} is there already: give a folder that is not.")
    check_template_name(folder.resolve().name, folder)
    files = template_files(form)
    folder.mkdir(parents=True)
    text, further = without_looks(files[_TEMPLATE].decode("utf-8"))
    for name, data in (files | {_TEMPLATE: text.encode("utf-8")}).items():
        write_atomic(folder / name, data)
    shown = folder if folder.is_absolute() or len(folder.parts) > 1 else f"./{folder}"
    told = f", its further looks ({', '.join(further)}) as comments" if further else ""
    return f"{folder / _TEMPLATE} is the form {form}{told}; change it, then: maskgen kinds --kind {shown}"


def without_looks(text: str) -> tuple[str, list[str]]:
    """A template with its further looks as comments, and their names.

    Else a copy whose texture and relief are replaced would have the built-in pictures on a share of the masks.
    """
    import tomllib

    names = [look["name"] for look in tomllib.loads(text).get("look", [])]
    lines: list[str] = []
    inside = False
    for line in text.replace(_LOOK, f"{_ON_LOOKS}{_LOOK}", 1).splitlines():
        inside = line == _LOOK if line.startswith("[") else inside
        lines.append(f"# {line}" if inside and line and not line.startswith("#") else line)
    return "\n".join(lines) + "\n", names


def write_previews(out: Path, kinds: Sequence[tuple[str, Kind]]) -> None:
    """Write OUT/KIND.png for each kind: the built-in portrait in that mask, in each of its looks side by side. A kind
    whose masks all differ is shown in SHOWN * SHOWN masks."""
    from maskgen.core.atomic_writes import remove_parts_of, write_atomic
    from maskgen.core.images import encode_image

    out.mkdir(parents=True, exist_ok=True)
    remove_parts_of(*(out / f"{file_name(text)}.png" for text, _ in kinds))
    drawn = [text for text, kind in kinds if kind.draw_design]
    plain = [(text, kind) for text, kind in kinds if not kind.draw_design]
    for kind, picture in chain(_in_every_look(plain), _of_many_masks(drawn)):
        write_atomic(out / f"{file_name(kind)}.png", encode_image(picture, "png", 100))


def _in_every_look(kinds: Sequence[tuple[str, Kind]]) -> Iterator[tuple[str, Any]]:
    """Each kind's name and its picture: a row of its looks, as they follow in the template."""
    import numpy as np

    pictures: dict[str, list[Any]] = {}
    for number in sorted({number for _, kind in kinds for number in _looks(kind)}):
        having = [(text, kind) for text, kind in kinds if number in _looks(kind)]
        made = [replace(kind, looks=(kind.looks[number],) * len(kind.looks)) for _, kind in having]
        for kind, images in _worn(tuple(text for text, _ in having), ["portrait"], 320, tuple(made)).items():
            pictures.setdefault(kind, []).extend(images)
    for name, images in pictures.items():
        yield name, np.hstack(images)


def _of_many_masks(kinds: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Each kind's name and its picture: rows and columns of masks drawn from different keys."""
    import numpy as np

    keys = ["portrait", *(f"portrait {number}" for number in range(1, SHOWN**2))]
    for kind, images in _worn(tuple(kinds), keys, 160).items() if kinds else ():
        yield kind, np.vstack([np.hstack(images[at : at + SHOWN]) for at in range(0, SHOWN**2, SHOWN)])


def _worn(kinds: tuple[str, ...], keys: Sequence[str], size: int, made: tuple[Kind, ...] = ()) -> dict[str, list[Any]]:
    """The built-in portrait in each kind, one picture for each key; of a kind that is made already, in that one."""
    from ..load_models import load_masker, portrait
    from ..mask.settings import MaskSettings

    masker = load_masker(MaskSettings(Path(), Path(), kinds=kinds, per_photo="all", size=size), made)
    pictures: dict[str, list[Any]] = {}
    for worn in masker.process(keys, [portrait()] * len(keys)):
        if isinstance(worn, Exception):
            raise worn
        for output in worn:
            pictures.setdefault(output.kind, []).append(output.image)
    return pictures
