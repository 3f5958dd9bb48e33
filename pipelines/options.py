"""Options that several commands share."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from maskgen.core.alignment_names import ALIGNMENTS, DEFAULT_ALIGNMENT, DEFAULT_SIDE, default_side
from maskgen.core.reasons import UserError
from maskgen.formats.any_path import AnyPath, RemotePath, any_path, check_path_readable

from .checks import LANDMARKS

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
EMPTY = "it is empty: name a file or a folder; the current folder is '.'."


class FilePath(click.Path):
    """A local path; an empty one is an error in a script and does not mean the current folder, and an address is not
    the path of a local folder called s3:."""

    def __init__(self, **rules: Any) -> None:
        super().__init__(path_type=Path, **rules)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path, unless it is empty or an address."""
        if value == "":
            self.fail(EMPTY, param, ctx)
        if isinstance(value, str) and (scheme := _SCHEME.match(value)) and not Path(value).exists():
            self.fail(f"{value} is an address, and {scheme[0]} is not read or written here: give a path.", param, ctx)
        return super().convert(value, param, ctx)


class AnyPathType(click.ParamType[AnyPath]):
    """A local path, or an address such as s3://BUCKET/FOLDER."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> AnyPath:
        """The path, if it can be read here."""
        if isinstance(value, (Path, RemotePath)):
            return value
        if value == "":
            self.fail(EMPTY, param, ctx)
        try:
            found = any_path(str(value))
            check_path_readable(found)
        except UserError as fault:
            self.fail(str(fault), param, ctx)
        return found


def given(*names: str) -> list[str]:
    """Those of these options that the command line gives, as it spells them; a default that is typed out is given.

    Args:
        names: of the command's parameters; all of them where none is named.
    """
    context = click.get_current_context()
    typed = [one for one in context.command.params if isinstance(one, click.Option) and one.name is not None]
    return [
        one.opts[0]
        for one in typed
        if (not names or one.name in names) and context.get_parameter_source(one.name) is ParameterSource.COMMANDLINE
    ]


def refuse_given(names: tuple[str, ...], why: str) -> None:
    """Raise UserError where the command line gives one of these options, which cannot have an effect.

    Args:
        why: the sentence, with {} for the option.
    """
    for option in given(*names)[:1]:
        raise UserError(why.format(option))


def landmarks_option(command: Any) -> Any:
    """Which model finds the 68 points."""
    return click.option(
        "--landmarks",
        type=click.Choice(LANDMARKS),
        default="dlib",
        show_default=True,
        help="Model of the 68 points: dlib's, whose training data (iBUG 300-W) excludes commercial use, or this "
        "program's own networks on layers of dlib's recognition network (public domain), which use no 300-W data and "
        "are less exact; docs/landmarks.md compares them.",
    )(command)


def crop_options(command: Any) -> Any:
    """Options of every command that crops faces."""
    options = (
        click.option(
            "--size",
            type=int,
            default=None,
            help="Side of the aligned crop, in pixels.  [default: 160; with --align arcface 112]",
        ),
        click.option(
            "--align",
            type=click.Choice(ALIGNMENTS),
            default=DEFAULT_ALIGNMENT,
            show_default=True,
            help="Alignment of the crop: this program's own, InsightFace's template (arcface, at multiples of 112 and "
            "of 128 pixels; arcface-scaled at any size), or the box of facenet-pytorch's MTCNN.",
        ),
        click.option(
            "--margin",
            type=float,
            default=None,
            help="Margin around the face: with --align maskgen a share of its size [default: 0.15], with facenet "
            "pixels of the crop [default: 0].",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def fill_size(options: dict[str, Any]) -> None:
    """Set the size that `crop_options` leaves open. Crops that are not cut have the same one whatever the alignment."""
    if options["size"] is None:
        cut = options.get("crop", "face") == "face"
        options["size"] = default_side(options["align"]) if cut else DEFAULT_SIDE


def model_options(command: Any) -> Any:
    """Options of every command that runs a model."""
    options = (
        click.option(
            "--device", metavar="cpu|cuda|cuda:N", default="cpu", show_default=True, help="Device of the model."
        ),
        click.option("--workers", type=int, default=2, show_default=True, help="Threads that read images ahead."),
        click.option(
            "--input",
            "input_file",
            type=FilePath(),
            help="TOML file that describes the input of an ONNX model: side, channels, mean, scale, align.",
        ),
        click.option(
            "--trust-pickle",
            is_flag=True,
            help="Read a pickled network; its author can run any code on this machine.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command
