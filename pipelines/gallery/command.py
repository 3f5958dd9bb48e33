"""`maskgen gallery SOURCE OUT`: options to settings, then the gallery and its table."""

from __future__ import annotations

import sys
from typing import Any

import click

from ..checks import MAX_PIXELS
from ..options import FilePath, crop_options, fill_size, landmarks_option, refuse_given
from ..options_once import OnceCommand
from .settings import DOUBTFUL, GallerySettings

EPILOG = """\b
Examples:
  maskgen gallery registered gallery --expect 3,3
  maskgen gallery registered gallery --masked-pattern '*_mask*' --keep-original
  maskgen gallery photographs.csv gallery
  maskgen gallery --simulate masked gallery

Exit codes: 0 all written, 2 wrong usage or input, 3 some set aside, 4 nothing written,
130 interrupted.
"""
PATH = FilePath()


def _two_numbers(context: click.Context, option: click.Parameter, value: str | None) -> tuple[int, int] | None:
    if value is None:
        return None
    parts = [part.strip() for part in value.split(",")]
    if len(parts) != 2 or not all(part.isdecimal() for part in parts):
        raise click.BadParameter(f"{value!r} is not two numbers: bare and masked photographs, as in 3,3.")
    return int(parts[0]), int(parts[1])


@click.command("gallery", cls=OnceCommand, epilog=EPILOG)
@click.argument("source", type=PATH)
@click.argument("out", type=PATH)
@click.option(
    "--masked-pattern",
    metavar="PATTERN",
    default=None,
    help="SOURCE is PERSON/FILE, and files whose name matches the pattern, such as '*_mask*', show a mask.",
)
@click.option("--simulate", is_flag=True, help="SOURCE is a run of maskgen mask --bare: simulate a gallery from it.")
@click.option(
    "--expect",
    metavar="BARE,MASKED",
    callback=_two_numbers,
    default=None,
    help="Expected photographs of each person; people.csv lists the others. With --simulate, how many they get "
    "(default 3,3).",
)
@click.option("--keep-original", is_flag=True, help="Also copy each original photograph into originals/.")
@click.option(
    "--doubtful",
    type=click.Choice(DOUBTFUL),
    default="drop",
    show_default=True,
    help="What to do with photographs that contradict their label or may show no face: drop sets them aside, keep "
    "writes them and lists them in warnings.csv.",
)
@crop_options
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of --simulate: which photographs are drawn.")
@click.option(
    "--max-pixels",
    type=int,
    default=MAX_PIXELS,
    show_default=True,
    help="Set aside photographs larger than this, before they are decoded.",
)
@landmarks_option
@click.option(
    "--device", metavar="cpu|cuda|cuda:N", default="cpu", show_default=True, help="Device of the face detector."
)
@click.option("--overwrite", is_flag=True, help="Remove the gallery in OUT, and start again.")
def gallery_command(**options: Any) -> None:
    """Prepare a gallery of real people, bare and masked.

    SOURCE holds PERSON/bare/* and PERSON/masked/*, or is a CSV with the columns path, person and masked.
    OUT receives faces/, gallery.csv (bare faces are enrolled, masked faces are probes), people.csv, set_aside.csv,
    report.json, report.html to open in a browser, and contact_sheet.png with one row per person. Photographs that
    contradict their label are set aside.
    """
    from ..load_models import check_device
    from .run import run_gallery

    fill_size(options)
    settings = GallerySettings(**options)
    if settings.simulate:
        idle = ("doubtful", "size", "align", "margin", "max_pixels", "landmarks", "device")
        refuse_given(idle, "--simulate takes a run's pictures as they are: leave out {}.")
    else:
        refuse_given(("seed",), "{} is for --simulate: leave it out.")
    check_device(settings.device)
    report = run_gallery(settings, click.echo)
    click.echo(report.table())
    click.echo(f"Open {settings.out / 'report.html'}, or look at {settings.out / 'contact_sheet.png'}.")
    click.echo(f"The rows are in {settings.out / 'gallery.csv'}.")
    sys.exit(report.exit_code)
