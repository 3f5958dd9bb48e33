"""`maskgen mask SOURCE RUN`: options to settings, then the run and its table."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path
from typing import Any

import click

from maskgen.core.kindspec import DEFAULT_KINDS, DEFAULT_MIN_TRUST, FACES, FARTHEST_PITCH, FARTHEST_YAW, WORLD
from maskgen.core.reasons import UserError
from maskgen.masker.limits import CROPS, MASKED_INPUT, OCCLUDERS

from ..checks import MAX_PIXELS
from ..config import ConfiguredCommand, config_option
from ..options import AnyPathType, FilePath, crop_options, fill_size, given, landmarks_option
from .settings import BACKENDS, CLASSES, COVERAGE, LABELS, MaskSettings

NONE = "none"
EPILOG = """\b
Examples:
  maskgen mask photographs masked
  maskgen mask photographs masked --per-photo all --bare --segmentation --workers 4
  maskgen mask photographs masked --kinds n95=3,surgical:teal,cloth_black --wear proper=8,nose_out
  maskgen mask holiday.jpg out --crop none --faces all
  maskgen mask photographs out --crop none --faces all --bare --labels coco --labels yolo
  maskgen mask crops masked --aligned --crop none
  maskgen mask faces_emore/train.rec masked --aligned --crop none --align arcface
  maskgen mask photographs again --seed 1 --reuse masked
  maskgen mask train.rec masked --aligned --write tar
  maskgen mask --config mask.yaml photographs masked --seed 2
  maskgen mask photographs masked --backend dask --scheduler 10.0.0.1:8786

Exit codes: 0 all written, 2 wrong usage or input, 3 some photographs or faces set aside,
4 nothing written, 130 interrupted.
"""


def _split(context: click.Context, option: click.Parameter, value: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in value.split(",") if name.strip())


def _complete_kinds(context: click.Context, option: click.Parameter, incomplete: str) -> list[str]:
    """Completions for the name after the last comma."""
    before, comma, last = incomplete.rpartition(",")
    return [before + comma + name for name in (*DEFAULT_KINDS, WORLD) if name.startswith(last)]


def _word_or_number(context: click.Context, option: click.Parameter, value: str) -> str | int:
    if value.isdecimal():
        return int(value)
    if value not in ("random", "all"):
        raise click.BadParameter(f"{value!r} is not random, all or a number.")
    return value


class _Segmentation(click.Choice[str]):
    """The value of --segmentation; a file of options may also give true or false."""

    def __init__(self) -> None:
        super().__init__([NONE, COVERAGE, CLASSES])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """As in `click.Choice`; False for none, True for the coverage."""
        if str(value).lower() in ("true", "false"):
            return str(value).lower() == "true"
        found = super().convert(value, param, ctx)
        return {NONE: False, COVERAGE: True}.get(found, found)


def _is_meant(after: list[str]) -> bool:
    """Whether the word after --segmentation is its value, perhaps misspelt, and not a folder."""
    choices = [NONE, COVERAGE, CLASSES]
    return any(
        word in choices or (bool(difflib.get_close_matches(word, choices)) and not Path(word).exists())
        for word in after
    )


class _MaskCommand(ConfiguredCommand):
    """A command whose --segmentation may stand without a value, also before SOURCE."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See `click.Command`."""
        end = args.index("--") if "--" in args else len(args)
        for at in range(end):
            if args[at] == "--segmentation" and not _is_meant(args[at + 1 : at + 2]):
                args[at] += f"={COVERAGE}"
        return super().parse_args(ctx, args)


PATH = FilePath()
PLACE = AnyPathType()


@click.command("mask", cls=_MaskCommand, epilog=EPILOG)
@click.argument("source", type=PLACE)
@click.argument("run", type=PLACE)
@config_option("kinds", "wear")
@click.option(
    "--kinds",
    metavar="KIND,KIND,...",
    callback=_split,
    shell_complete=_complete_kinds,
    default=",".join(DEFAULT_KINDS),
    show_default=True,
    help="Masks to use: names that `maskgen kinds` lists, surgical:teal (CSS names or #008080), cloth:red+dots, "
    "cloth:print.png, or the folder of a template; world samples colours, prints and forms as they occur in public; "
    "n95=3 is drawn three times as often.",
)
@click.option(
    "--wear",
    metavar="WAY,WAY,...",
    callback=_split,
    default="proper",
    show_default=True,
    help="Wearing positions: proper, nose_out, chin_out, under_chin, with weights as in proper=8,nose_out=1.",
)
@click.option(
    "--per-photo",
    metavar="random|all|N",
    callback=_word_or_number,
    default="random",
    show_default=True,
    help="Masks per photograph: one drawn at random, all kinds, or this number of different kinds.",
)
@click.option("--bare/--no-bare", default=False, help="Also write each face without a mask.")
@click.option(
    "--unmasked-share",
    type=float,
    default=0.0,
    show_default=True,
    help="Share of photographs that stay bare, with --per-photo random or a number.",
)
@crop_options
@click.option(
    "--crop",
    type=click.Choice(CROPS),
    default="face",
    show_default=True,
    help="Write an aligned face crop, or the whole photograph at its own resolution.",
)
@click.option(
    "--faces",
    type=click.Choice(FACES),
    default="subject",
    show_default=True,
    help="Which faces of a photograph: its main subject (by size, position, sharpness, score and how much of it is "
    "in the picture), the largest, the most central, or all.",
)
@click.option(
    "--min-trust",
    type=float,
    default=DEFAULT_MIN_TRUST,
    show_default=True,
    help="Set aside faces whose landmarks are less reliable: 0 keeps all, 0.75 removes most that are wrong; with "
    "--landmarks own trust is lower, up to 0.83.",
)
@click.option(
    "--max-yaw",
    type=float,
    default=FARTHEST_YAW,
    show_default=True,
    help="Set aside faces that are turned to a side by more degrees.",
)
@click.option(
    "--max-pitch",
    type=float,
    default=FARTHEST_PITCH,
    show_default=True,
    help="Set aside faces that look up or down by more degrees.",
)
@click.option(
    "--masked-input",
    type=click.Choice(MASKED_INPUT),
    default="set-aside",
    show_default=True,
    help="What to do with faces that already wear a mask; docs/already_masked.md states the error rates.",
)
@click.option(
    "--aligned/--no-aligned",
    default=False,
    help="SOURCE holds crops with one centred face: no face detection. With --crop none their pixels are kept, and "
    "--align says how they are aligned.",
)
@click.option(
    "--labels",
    type=click.Choice(LABELS),
    multiple=True,
    help="Also write detector labels of faces, masks and wearing positions, with --crop none: coco.json, or yolo/ "
    "with the pictures.",
)
@click.option(
    "--segmentation",
    type=_Segmentation(),
    metavar="[none|coverage|classes]",
    default=NONE,
    help="Also write the coverage of each mask as an 8-bit PNG; with classes also a PNG that says of each pixel which "
    "part of a mask it shows (docs/masks.md has the indices).  [without a value: coverage]",
)
@click.option(
    "--occluders",
    type=click.Choice(OCCLUDERS),
    default="ignore",
    show_default=True,
    help="Occlusion of the mask: keep hair, hands, things and glasses rims in front of it, or ignore them and "
    "render the mask over them; docs/masks.md states what is detected and what is not.",
)
@click.option(
    "--write",
    type=click.Choice(["folders", "tar"]),
    default="folders",
    show_default=True,
    help="One file an image, or WebDataset tars that also hold the catalogue rows as JSON.",
)
@click.option("--format", type=click.Choice(["jpg", "png"]), default="jpg", show_default=True)
@click.option("--quality", type=int, default=95, show_default=True, help="JPEG quality, 1 to 100.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same bytes.")
@landmarks_option
@click.option("--landmarks-model", type=PATH, default=None, help="Path of another dlib 68-point landmark model.")
@click.option(
    "--points",
    type=PATH,
    default=None,
    help="Use the boxes, 5 or 68 landmarks of this file instead of detecting faces: a CSV, InsightFace's .lst, "
    "CelebA's or WIDER Face's annotations.  docs/points.md describes them.",
)
@click.option(
    "--max-pixels",
    type=int,
    default=MAX_PIXELS,
    show_default=True,
    help="Set aside photographs larger than this, before they are decoded.",
)
@click.option(
    "--device",
    metavar="cpu|cuda|cuda:N",
    default="cpu",
    show_default=True,
    help="Device of the face detector.  The last bits of a box differ between CPU and GPU.",
)
@click.option(
    "--reuse",
    metavar="RUN",
    type=PLACE,
    default=None,
    help="Reuse the detections of another run; detect faces in new and changed photographs only.",
)
@click.option(
    "--workers",
    type=int,
    default=None,
    help="Worker processes.  [default: one per core; with --scheduler, all of the cluster]",
)
@click.option(
    "--backend",
    type=click.Choice(BACKENDS),
    default="local",
    show_default=True,
    help="Run workers as processes of this machine (local; loky starts them with joblib's loky), or on a Dask or Ray "
    "cluster.  docs/scaling.md has the commands.",
)
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    default=None,
    help="Address of the cluster: HOST:PORT, a Dask scheduler file, or auto for Ray.  [default: start one here]",
)
@click.option("--overwrite", is_flag=True, help="Remove the outputs of an earlier run from RUN and start again.")
@click.option(
    "--take-over",
    is_flag=True,
    help="Resume a RUN in an object store that a killed run left locked.",
)
@click.option("--retry-set-aside", is_flag=True, help="Retry the photographs that were set aside.")
@click.option("--prune", is_flag=True, help="Remove outputs of photographs that SOURCE no longer holds.")
@click.option("--dry-run", is_flag=True, help="Print the planned work; write nothing.")
def mask_command(**options: Any) -> None:
    """Render masks onto the photographs of SOURCE and write them into RUN.

    SOURCE is a folder of any depth, or one photograph. The folder that holds a photograph names its person. SOURCE may
    also be an InsightFace .rec or .bin, a tar, a CSV of paths and people, or be in an object store
    (s3://BUCKET/FOLDER). RUN receives faces/ with SOURCE's folders, catalogue.parquet, set_aside.csv, report.html to
    open in a browser, CARD.md, report.json and contact_sheet.png. To resume a run that was stopped, give the same
    command again.
    """
    from ..workers.cores import usable_cores
    from ..workers.kernels_ahead import begin_ahead

    options["segmentation"] = options["segmentation"] or False
    fill_size(options)
    if options["workers"] is None:
        options["workers"] = 0 if options["scheduler"] else usable_cores()
    settings = MaskSettings(**options)
    _refuse_idle(settings)
    if not settings.dry_run:
        begin_ahead(settings)  # before other imports
    _check(settings)
    if settings.dry_run:
        from .run import dry_run

        click.echo(dry_run(settings).table())
        return
    sys.exit(run_and_print(settings))


def _check(settings: MaskSettings) -> None:
    """Raise UserError for what the settings name and is not there."""
    from ..load_models import check_device, check_kinds, check_landmarks_model
    from ..runs.reuse import check_reuse
    from ..workers.backends import check_backend

    check_kinds(settings.kinds)
    check_landmarks_model(settings.landmarks_model)
    if settings.scheduler is None:
        check_device(settings.device)
    check_reuse(settings)
    check_backend(settings.backend)


def _refuse_idle(settings: MaskSettings) -> None:
    """Raise UserError for options that others make idle; only the command line knows whether a default was given."""
    idle = given("size", "margin", *(() if settings.keeps_crops else ("align",)))
    if settings.crop == "none" and idle:
        raise UserError(f"--crop none keeps the photograph's own pixels: leave out {' and '.join(idle)}.")
    if settings.format == "png" and given("quality"):
        raise UserError("--format png keeps every pixel and has no quality: leave out --quality, or give --format jpg.")


def run_and_print(settings: MaskSettings) -> int:
    """Run, print the table and the files to open; returns the exit code."""
    from ..reports.run_report import NOTHING_WRITTEN
    from .run import run_mask

    report = run_mask(settings, notify=click.echo)
    click.echo(report.table())
    if settings.labels and report.exit_code != NOTHING_WRITTEN:
        from .labels import write_labels

        write_labels(settings, notify=click.echo)
    click.echo(f"Open {settings.run / 'report.html'} in a browser.")
    if report.exit_code != NOTHING_WRITTEN:
        click.echo(f"Look at {settings.run / 'contact_sheet.png'}; the pictures are in {settings.run / 'faces'}.")
    if report.set_aside or report.faces_set_aside:
        click.echo(f"{settings.run / 'set_aside.csv'} says why each was set aside.")
    return report.exit_code
