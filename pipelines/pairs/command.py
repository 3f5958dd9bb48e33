"""`maskgen pairs OUT`: options to settings, then the lists and their table, or their check."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click

from maskgen.core.reasons import UserError
from maskgen.formats.any_path import AnyPath

from ..alignment_checks import allow_misaligned
from ..options import AnyPathType, FilePath, given, refuse_given
from ..options_once import OnceCommand
from .report import table
from .run import run_pairs
from .settings import FORMATS, OF_ARCFACE, PROTOCOLS, VERIFY, PairsSettings


class Shares(click.ParamType[Any]):
    """Three numbers with commas between them."""

    name = "TRAIN,EVAL,TEST"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The numbers as a tuple."""
        if isinstance(value, tuple):
            return value
        try:
            return tuple(float(part) for part in value.split(","))
        except ValueError:
            self.fail(f"{value!r} is not three numbers like 0.8,0.1,0.1.", param, ctx)


class MixType(click.ParamType[Any]):
    """Weights by name, like mm=1,mb=1,bb=0."""

    name = "mm=A,mb=B,bb=C"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """(name, weight) of each as a tuple."""
        if isinstance(value, tuple):
            return value
        try:
            return tuple((name.strip(), float(weight)) for name, weight in _halves(value))
        except ValueError:
            self.fail(f"{value!r} is not like mm=1,mb=1,bb=0.", param, ctx)


def _halves(text: str) -> list[tuple[str, str]]:
    halves = [part.partition("=") for part in text.split(",")]
    names = [name.strip() for name, _, _ in halves]
    if len(set(names)) < len(names):
        raise ValueError("a name twice")
    return [(name, weight) for name, _, weight in halves]


PATH = FilePath()
PLACE = AnyPathType()

EPILOG = """\b
Examples:
  maskgen pairs --run masked lists
  maskgen pairs --run masked --people 0.7,0.2,0.1 --mix mm=1,mb=1 lists
  maskgen pairs --train casia --train vggface2 --eval lfw lists
  maskgen pairs --eval lfw --protocol reference --allow-same-source lists
  maskgen pairs --eval lfw --test-pairs pairs.txt --wear mixed --also bin lists
  maskgen pairs --check lists

\b
Exit codes: 0 written, or nothing wrong; 1 --check found faults; 2 usage.
"""


@click.command("pairs", cls=OnceCommand, epilog=EPILOG)
@click.argument("out", type=PATH)
@click.option("--run", type=PLACE, help="A run for training and evaluation; its people are divided by --people.")
@click.option(
    "--people",
    type=Shares(),
    help="Shares of the people of --run for train, eval and test.  [default: 0.8,0.1,0.1]",
)
@click.option("--train", type=PLACE, multiple=True, help="A run to train on; may be given several times.")
@click.option("--eval", type=PLACE, multiple=True, help="A run to evaluate on; may be given several times.")
@click.option(
    "--protocol",
    type=click.Choice(PROTOCOLS),
    default="disjoint",
    show_default=True,
    help="disjoint: no person is in both eval and test, no pair occurs twice. reference: the reference project's "
    "protocol, eval and test are divided by image, and each eval image gives one genuine and one impostor pair.",
)
@click.option(
    "--test-share",
    type=float,
    help="Share of the --eval set for test: of its people, or with the reference protocol of its images.  [default: "
    "0.1]",
)
@click.option(
    "--test-pairs",
    type=PATH,
    help="Test pairs from a list: LFW's or MFR2's pairs.txt, or a test.csv or pairs_label.txt of images of the runs.",
)
@click.option(
    "--wear",
    type=click.Choice(["bare", "masked", "mixed"]),
    help="Images for --test-pairs, not a wearing position: bare, masked, or mixed (the first bare, the second "
    "masked).  [default: mixed]",
)
@click.option(
    "--mix",
    type=MixType(),
    help="Shares of masked-masked, masked-bare and bare-bare pairs: mm=1,mb=1,bb=0.  [default: as they occur]",
)
@click.option(
    "--pair-kinds",
    type=click.Choice(["any", "same", "other"]),
    default="any",
    show_default=True,
    help="Whether the two faces of a masked-masked pair wear the same mask or two different ones.",
)
@click.option(
    "--allow-same-source",
    is_flag=True,
    help="Allow genuine pairs of two outputs of one photograph; the reference project's counts need it.",
)
@click.option(
    "--allow-leak",
    is_flag=True,
    help="Allow leaks: photographs that are, byte for byte, in training and in evaluation.",
)
@click.option(
    "--max-pairs",
    type=int,
    help="Maximum of genuine and of impostor pairs per file.",
)
@click.option("--balance", type=int, help="Maximum of training images per person, spread over photographs and masks.")
@click.option(
    "--min-images",
    type=int,
    default=1,
    show_default=True,
    help="Minimum of training images; people with fewer are left out.",
)
@click.option(
    "--paths",
    type=click.Choice(["relative", "absolute"]),
    default="relative",
    show_default=True,
    help="Paths relative to the folder of the lists, or absolute.",
)
@click.option(
    "--verify",
    type=click.Choice(VERIFY),
    default="exist",
    show_default=True,
    help="Check that every image file exists, or that it decodes, or skip the check (names; then no previews).",
)
@click.option(
    "--leave-out-missing",
    is_flag=True,
    help="Leave out images whose file is missing; left_out.csv lists them.",
)
@click.option(
    "--also",
    type=click.Choice(FORMATS),
    multiple=True,
    help="Also write the test pairs as LFW's pairs.txt (lfw), pairs_label.txt (label) or InsightFace's test.bin (bin); "
    "the training list with its pictures as InsightFace's train.rec (rec), as tars for WebDataset (tar), for CVLface "
    "(cvlface), AdaFace (adaface), FaceX-Zoo (facexzoo), SOTA-Face-Recognition-Train-and-Test (lmdb) or as a folder "
    "for a hub of data sets (hub). docs/formats.md has a table.",
)
@click.option(
    "--picture-size",
    type=int,
    default=112,
    show_default=True,
    help="Side of the pictures in --also bin, rec, cvlface, adaface, facexzoo and lmdb.",
)
@click.option("--license", metavar="ID", help="Licence of the pictures, for the card of --also hub: cc-by-nc-4.0, ...")
@click.option("--consent", metavar="TEXT", help="Consent of the people shown, for the card of --also hub.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same bytes.")
@click.option("--workers", type=int, default=1, show_default=True, help="Threads that decode for --verify decode.")
@allow_misaligned
@click.option("--overwrite", is_flag=True, help="Replace lists with other settings in OUT.")
@click.option(
    "--check",
    is_flag=True,
    help="Write nothing: check the lists in OUT, a folder or one file (a CSV, or pairs_label.txt), of this or another "
    "program.",
)
@click.option("--verbose", is_flag=True, help="With --check: also list the checks without findings.")
@click.option("--root", type=PLACE, help="With --check: base folder of relative paths.  [default: the file's folder]")
def pairs_command(check: bool, verbose: bool, root: AnyPath | None, **options: Any) -> None:
    """Write training lists and verification pairs into OUT, or --check existing ones.

    OUT receives train.csv, eval_same.csv, eval_diff.csv, test.csv, people.csv, report.json, report.html to open
    in a browser, CARD.md and two preview images.
    """
    if options["verify"] != "decode":
        refuse_given(("workers",), "{} is for --verify decode: leave it out.")
    if check:
        _refuse_beside_check()
        sys.exit(check_and_print(options["out"], root, options["verify"], options["workers"], verbose))
    if root is not None or verbose:
        name = "--root" if root is not None else "--verbose"
        raise UserError(f"{name} is for --check: leave it out, or give --check.")
    settings = PairsSettings(**options)
    _refuse_idle(settings)
    write_and_print(settings)


def _refuse_beside_check() -> None:
    read = ("--check", "--verify", "--workers", "--root", "--verbose")
    for option in given():
        if option not in read:
            raise UserError(f"--check only reads OUT: leave out {option}.")


def _refuse_idle(settings: PairsSettings) -> None:
    """Raise UserError for options that others make idle; only the command line knows whether a default was given."""
    if OF_ARCFACE.isdisjoint(settings.also):
        formats = [name for name in FORMATS if name in OF_ARCFACE]
        refuse_given(("picture_size",), f"{{}} is for --also {', '.join(formats[:-1])} or {formats[-1]}: leave it out.")
    if settings.verify == "names":
        refuse_given(("leave_out_missing",), "{} is for --verify exist or decode: --verify names looks for no file.")
    if not settings.trains:
        refuse_given(("balance", "min_images"), "{} is for a training list: name a run to train on, or leave it out.")
    if not settings.evaluates:
        pairs = ("protocol", "test_share", "mix", "pair_kinds", "allow_same_source", "max_pairs")
        refuse_given(pairs, "{} is for pairs: name a run to evaluate on, or leave it out.")
    if settings.mix is not None and not dict(settings.mix).get("mm"):
        refuse_given(("pair_kinds",), "{} is for masked-masked pairs, of which --mix asks for none: leave it out.")


def write_and_print(settings: PairsSettings) -> None:
    """Write the lists and print the table and the files to open."""
    report = run_pairs(settings, notify=lambda text: click.echo(text, err=True))
    click.echo(table(report))
    click.echo(f"Open {settings.out / 'report.html'}.")
    for name in ("train_preview.png", "pairs_preview.png"):
        if (settings.out / name).exists():
            click.echo(f"Look at {settings.out / name}.")


def check_and_print(out: Path, root: AnyPath | None, verify: str, workers: int, verbose: bool = False) -> int:
    """Check lists and print the findings and a summary; returns the exit code."""
    from maskgen.manifests.checks.check import check_lists

    with ThreadPoolExecutor(workers) as pool:
        checked = check_lists(out, root, verify, pool.map)
    click.echo(checked.table(verbose))
    return 1 if checked.n_faults else 0
