"""`maskgen kinds` at work: the list, the previews, a copy of a form."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from maskgen.core.kindspec import WORLD, file_name
from maskgen.core.reasons import UserError

from .settings import KindsSettings


def run_kinds(settings: KindsSettings) -> Iterator[str]:
    """Do what is asked; yields the lines to show.

    Raises:
        UserError: there is no such kind or form, or the copy's folder is there already.
    """
    from maskgen.masks.kinds import kind_names, load_kinds

    if settings.copy_form is not None and settings.copy_to is not None:
        yield copy_form(settings.copy_form, settings.copy_to)
        return
    names = settings.kinds or (*kind_names(), WORLD)
    for kind in load_kinds(names):
        yield f"{kind.name:<16}{kind.colour or ('drawn' if kind.draws else 'print'):<7}  {kind.title}"
    if not settings.list_only:
        write_previews(settings.out, names)
        yield f"Previews are in {settings.out}."


def copy_form(form: str, folder: Path) -> str:
    """Write a built-in template into a new folder; returns what to do next.

    Raises:
        UserError: there is no such form, or something is there already.
    """
    from maskgen.core.files import write_whole
    from maskgen.masks.template import template_files

    if folder.exists():
        raise UserError(f"{folder} is there already: give a folder that is not.")
    files = template_files(form)
    folder.mkdir(parents=True)
    for name, data in files.items():
        write_whole(folder / name, data)
    shown = folder if folder.is_absolute() or len(folder.parts) > 1 else f"./{folder}"
    return f"{folder / 'template.toml'} is the form {form}; change it, then: maskgen kinds --kind {shown}"


def write_previews(out: Path, kinds: tuple[str, ...]) -> None:
    """Write OUT/KIND.png for each kind: the built-in portrait in that mask."""
    from maskgen.core.files import write_whole
    from maskgen.core.images import encode_image

    from ..library import load_masker, portrait
    from ..mask.settings import MaskSettings

    masker = load_masker(MaskSettings(Path(), Path(), kinds=kinds, per_photo="all", size=320))
    (worn,) = masker.process(["portrait"], [portrait()])
    if isinstance(worn, Exception):
        raise worn
    out.mkdir(parents=True, exist_ok=True)
    for output in worn:
        write_whole(out / f"{file_name(output.kind)}.png", encode_image(output.image, "png", 100))
