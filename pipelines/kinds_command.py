"""`maskgen kinds`: the masks there are, and a preview picture of each."""

from __future__ import annotations

from pathlib import Path

import click

PREVIEWS = Path("mask_previews")


@click.command("kinds")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=PREVIEWS,
    show_default=True,
    help="Where the previews go.",
)
@click.option("--list-only", is_flag=True, help="List the masks; write nothing.")
def kinds_command(out: Path, list_only: bool) -> None:
    """List the masks, and draw a preview of each on the built-in portrait."""
    from maskgen.masks.kinds import kind_names, load_kinds

    for kind in load_kinds(kind_names()):
        click.echo(f"{kind.name:<16}{kind.colour}  {kind.title}")
    if not list_only:
        write_previews(out, kind_names())
        click.echo(f"Previews are in {out}.")


def write_previews(out: Path, kinds: tuple[str, ...]) -> None:
    """Write OUT/KIND.png for each kind: the built-in portrait in that mask."""
    from maskgen.core.images import encode_image, write_whole

    from .library import load_masker, portrait
    from .settings import MaskSettings

    masker = load_masker(MaskSettings(Path(), Path(), kinds=kinds, per_photo="all", size=320))
    (worn,) = masker.process(["portrait"], [portrait()])
    if isinstance(worn, Exception):
        raise worn
    out.mkdir(parents=True, exist_ok=True)
    for output in worn:
        write_whole(out / f"{output.kind}.png", encode_image(output.image, "png", 100))
