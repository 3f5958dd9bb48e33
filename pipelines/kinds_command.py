"""`maskgen kinds`: the masks there are, and a preview picture of each."""

from __future__ import annotations

from pathlib import Path

import click

from maskgen.core.kindspec import file_name

PREVIEWS = Path("mask_previews")


@click.command("kinds")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=PREVIEWS,
    show_default=True,
    help="Where the previews go.",
)
@click.option("--kind", "asked", multiple=True, help="Only this one, typed as for `maskgen mask --kinds`; repeatable.")
@click.option("--list-only", is_flag=True, help="List the masks; write nothing.")
@click.option(
    "--copy",
    nargs=2,
    metavar="FORM FOLDER",
    default=None,
    help="Write a built-in form (surgical, n95, kn95 or cloth) as a folder of your own to change.",
)
def kinds_command(out: Path, asked: tuple[str, ...], list_only: bool, copy: tuple[str, str] | None) -> None:
    """List the masks, and draw a preview of each on the built-in portrait."""
    from maskgen.core.kindspec import WORLD
    from maskgen.masks.kinds import kind_names, load_kinds

    if copy is not None:
        copy_form(copy[0], Path(copy[1]))
        return
    names = asked or (*kind_names(), WORLD)
    for kind in load_kinds(names):
        click.echo(f"{kind.name:<16}{kind.colour or ('drawn' if kind.draws else 'print'):<7}  {kind.title}")
    if not list_only:
        write_previews(out, names)
        click.echo(f"Previews are in {out}.")


def copy_form(form: str, folder: Path) -> None:
    """Write a built-in template into a new folder.

    Raises:
        UserError: there is no such form, or something is there already.
    """
    from maskgen.core.files import write_whole
    from maskgen.core.reasons import UserError
    from maskgen.masks.template import template_files

    if folder.exists():
        raise UserError(f"{folder} is there already: give a folder that is not.")
    files = template_files(form)
    folder.mkdir(parents=True)
    for name, data in files.items():
        write_whole(folder / name, data)
    shown = folder if folder.is_absolute() or len(folder.parts) > 1 else f"./{folder}"
    click.echo(f"{folder / 'template.toml'} is the form {form}; change it, then: maskgen kinds --kind {shown}")


def write_previews(out: Path, kinds: tuple[str, ...]) -> None:
    """Write OUT/KIND.png for each kind: the built-in portrait in that mask."""
    from maskgen.core.files import write_whole
    from maskgen.core.images import encode_image

    from .library import load_masker, portrait
    from .settings import MaskSettings

    masker = load_masker(MaskSettings(Path(), Path(), kinds=kinds, per_photo="all", size=320))
    (worn,) = masker.process(["portrait"], [portrait()])
    if isinstance(worn, Exception):
        raise worn
    out.mkdir(parents=True, exist_ok=True)
    for output in worn:
        write_whole(out / f"{file_name(output.kind)}.png", encode_image(output.image, "png", 100))
