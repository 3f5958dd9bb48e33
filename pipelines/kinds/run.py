"""List the mask kinds, render previews, or copy a form."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from maskgen.core.kindspec import WORLD, file_name
from maskgen.core.reasons import UserError

from .settings import KindsSettings

SHOWN = 3  # rows and columns of masks on the preview of a kind whose masks all differ


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
        yield f"{kind.name:<{width}} {kind.colour or ('drawn' if kind.draw_design else 'print'):<7}  {kind.title}"
    if (folder := settings.previews) is None:
        if not settings.list_only:
            yield "Nothing was written: --out FOLDER renders a preview of each kind, --kind KIND of one."
    else:
        drawn = tuple(name for name, kind in zip(names, kinds, strict=True) if kind.draw_design)
        write_previews(folder, tuple(name for name in names if name not in drawn), drawn)
        yield f"Previews are in {folder}."


def copy_form(form: str, folder: Path) -> str:
    """Write a built-in template into a new folder; returns what to do next.

    Raises:
        UserError: the form does not exist, or the folder exists.
    """
    from maskgen.core.atomic_writes import write_atomic
    from maskgen.masks.template import template_files

    if folder.exists():
        raise UserError(f"{folder} is there already: give a folder that is not.")
    files = template_files(form)
    folder.mkdir(parents=True)
    for name, data in files.items():
        write_atomic(folder / name, data)
    shown = folder if folder.is_absolute() or len(folder.parts) > 1 else f"./{folder}"
    return f"{folder / 'template.toml'} is the form {form}; change it, then: maskgen kinds --kind {shown}"


def write_previews(out: Path, plain: tuple[str, ...], drawn: tuple[str, ...]) -> None:
    """Write OUT/KIND.png for each kind: the built-in portrait in that mask. A `drawn` kind, whose masks all differ, is
    shown in SHOWN * SHOWN masks."""
    from maskgen.core.atomic_writes import remove_parts_of, write_atomic
    from maskgen.core.images import encode_image

    out.mkdir(parents=True, exist_ok=True)
    remove_parts_of(*(out / f"{file_name(kind)}.png" for kind in (*plain, *drawn)))
    for kinds, size, side in ((plain, 320, 1), (drawn, 160, SHOWN)):
        for kind, picture in _previews(kinds, size, side) if kinds else ():
            write_atomic(out / f"{file_name(kind)}.png", encode_image(picture, "png", 100))


def _previews(kinds: tuple[str, ...], size: int, side: int) -> Iterator[tuple[str, Any]]:
    """Each kind's name and its picture: rows and columns of masks drawn from different keys."""
    import numpy as np

    from ..load_models import load_masker, portrait
    from ..mask.settings import MaskSettings

    masker = load_masker(MaskSettings(Path(), Path(), kinds=kinds, per_photo="all", size=size))
    keys = ["portrait", *(f"portrait {number}" for number in range(1, side**2))]
    pictures: dict[str, list[Any]] = {}
    for worn in masker.process(keys, [portrait()] * len(keys)):
        if isinstance(worn, Exception):
            raise worn
        for output in worn:
            pictures.setdefault(output.kind, []).append(output.image)
    for kind, images in pictures.items():
        yield kind, np.vstack([np.hstack(images[at : at + side]) for at in range(0, side**2, side)])
