"""The `maskgen` command: imports the subcommand that is called, and reports each expected fault as one sentence."""

from __future__ import annotations

import atexit
import difflib
import errno
import gc
import importlib
import os
import sys
from typing import Any

import click

from maskgen import __version__
from maskgen.core.extras import lacking
from maskgen.core.quiet import quieten
from maskgen.core.reasons import UserError

from .system_errors import explain, was_interrupted

COMMANDS = {
    "mask": (".mask.command", "mask_command", "Render masks onto a folder of photographs."),
    "pairs": (".pairs.command", "pairs_command", "Write training lists and verification pairs of a run."),
    "gallery": (".gallery.command", "gallery_command", "Prepare a gallery of real people, bare and masked."),
    "train": (".train.command", "train_command", "Train a model on the lists."),
    "evaluate": (".evaluate.command", "evaluate_command", "Evaluate a model on pairs or on a gallery."),
    "embed": (".embed.command", "embed_command", "Write the embeddings of a list's images."),
    "export": (".export.command", "export_command", "Write a model as ONNX."),
    "kinds": (".kinds.command", "kinds_command", "List the mask kinds, or render previews of them."),
    "play": (".play.command", "play_command", "Try masks on your own pictures, on a page in the browser."),
    "demo": (".demo.command", "demo_command", "Mask a built-in sample and write its lists."),
}

EPILOG = """\b
Shell completion: add the line for your shell to its start-up file.
  bash  eval "$(_MASKGEN_COMPLETE=bash_source maskgen)"
  zsh   eval "$(_MASKGEN_COMPLETE=zsh_source maskgen)"
  fish  _MASKGEN_COMPLETE=fish_source maskgen | source

\b
Exit codes: 0 all written, 1 pairs --check found faults, 2 wrong usage or input, 3 some
photographs, faces or images set aside, left out or unreadable, demo wrote no lists, or
train stopped after a collapse, 4 nothing written, 130 interrupted.
"""

_GO_ON = ("mask", "demo")  # commands that resume interrupted work
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class _Refusal(click.ClickException):
    """Prints `Error: sentence`; the exit code is that of wrong usage."""

    exit_code = 2


class LazyGroup(click.Group):
    """A group that lists its commands without importing them, and reports expected faults as one sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which they are used."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the one command that is called."""
        if cmd_name not in COMMANDS:
            return None
        module, name, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module, __package__), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As in click, with a suggestion for a mistyped name."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(COMMANDS)}."
            ctx.fail(f"There is no command {args[0]!r}: {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in --help, from the table above."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, short) for name, (_, _, short) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a fault that the user can correct ends it with one sentence and code 2."""
        try:
            return super().invoke(ctx)
        except (Exception, KeyboardInterrupt) as error:
            if was_interrupted(error):
                then = "resumes where it stopped" if ctx.invoked_subcommand in _GO_ON else "starts again"
                click.echo(f"\nInterrupted. The same command {then}.", err=True)
                sys.exit(130)
            sentence = _sentence(error)
            if sentence is None:
                raise
            raise _Refusal(sentence) from None


def _sentence(error: BaseException) -> str | None:
    """A fault that the user can correct as one sentence; None for any other."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OSError) and error.errno != errno.EPIPE:
        return explain(error)
    if isinstance(error, ModuleNotFoundError) and (missing := lacking(error)) is not None:
        return str(missing)
    return None


@click.group(cls=LazyGroup, epilog=EPILOG)
@click.version_option(__version__, prog_name="maskgen")
def main() -> None:
    """Turn a folder of photographs of people into a masked-face dataset."""
    quieten()
    # Otherwise the interpreter's end looks for cycles among all objects of all libraries, in 0.07 s.
    atexit.register(gc.freeze)
    for name in _ONE_THREAD:
        # Work is parallel by processes. One thread sums numbers in a fixed order, so the bytes do not change.
        os.environ.setdefault(name, "1")
