"""`maskgen demo`: the whole way from photographs to training lists, step by step, on what is built in."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from maskgen.core.reasons import UserError

from .settings import MaskSettings

PEOPLE, EACH = 12, 10
SHARES = "0.5,0.25,0.25"  # of so few people, or there would be no pairs to test on


@click.command("demo")
@click.argument("out", type=click.Path(path_type=Path, file_okay=False), default=Path("maskgen-demo"))
@click.option(
    "--source",
    type=click.Path(path_type=Path),
    default=None,
    help="Your own photographs, in a folder a person, instead of the sample.",
)
@click.option("--workers", type=int, default=None, help="Processes.  [default: one a core]")
def demo_command(out: Path, source: Path | None, workers: int | None) -> None:
    """Mask a built-in sample, write its lists, and say what to open; all of it goes to OUT.

    The sample is a portrait that scikit-image carries and a dozen people that the program draws itself.
    """
    from .workers import usable_cores

    if source is None:
        source = out / "sample"
        click.echo(f"1. Drawing the sample: a portrait, and {PEOPLE} people of {EACH} pictures each.")
        draw_sample(source)
    else:
        click.echo(f"1. Taking the photographs of {source}.")
    settings = MaskSettings(
        source=source,
        run=out / "masked",
        per_photo="all",
        bare=True,
        segmentation=True,
        workers=usable_cores() if workers is None else workers,
    )
    click.echo("2. Putting all five masks on every face.")
    code = _mask(settings)
    if code == 0:
        click.echo("3. Writing the training and test lists.")
        _say_what_to_open(out, _write_lists(out / "masked", out / "manifests"))
    sys.exit(code)


def draw_sample(folder: Path) -> None:
    """Write the built-in sample: FOLDER/portrait/portrait.png and FOLDER/PERSON/NN.png."""
    from maskgen import api
    from maskgen.core.files import write_whole
    from maskgen.core.images import encode_image

    from .library import portrait

    (folder / "portrait").mkdir(parents=True, exist_ok=True)
    write_whole(folder / "portrait" / "portrait.png", encode_image(portrait().image, "png", 100))
    api.draw_sample(folder, PEOPLE, EACH, 0)


def _mask(settings: MaskSettings) -> int:
    """Run and show the totals; 0 where there are pictures to go on with."""
    from .report import NOTHING_WRITTEN
    from .runner import run_mask

    report = run_mask(settings, say=click.echo)
    click.echo(report.table())
    return NOTHING_WRITTEN if report.exit_code == NOTHING_WRITTEN else 0


def _write_lists(run: Path, out: Path) -> bool:
    """Write them, or say why so small a source has none; returns whether they are there."""
    from .pairs_command import pairs_command

    options = ["--run", str(run), "--people", SHARES, "--overwrite", str(out)]
    try:
        pairs_command.main(options, prog_name="maskgen pairs", standalone_mode=False)
    except UserError as error:
        click.echo(f"There are no lists: {error}")
        return False
    return True


def _say_what_to_open(out: Path, lists: bool) -> None:
    run = out / "masked"
    click.echo("\nDone. Open")
    click.echo(f"  {run / 'contact_sheet.png'}  to see some of every mask")
    click.echo(f"  {run / 'faces'}  for all pictures, one folder a person")
    click.echo(f"  {run / 'catalogue.parquet'}  for the record of each: source, points, pose, mask")
    if lists:
        click.echo(f"  {out / 'manifests'}  for the lists to train and test with")
    click.echo("Your own photographs: maskgen demo --source FOLDER OUT, or maskgen mask FOLDER RUN.")
