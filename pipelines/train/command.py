"""`maskgen train RECIPE --data OUT --run TRAIN`: options to settings, then the run and its table."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from maskgen.core.reasons import UserError

from ..options import FilePath
from .report import exit_code, table
from .settings import TrainSettings

PATH = FilePath()

EPILOG = """\b
Examples:
  maskgen train small --data lists --run trained
  maskgen train model1 --data lists --run trained --epochs 2 --set optimizer.lr=0.01
  maskgen train my_recipe.yaml --data lists --run trained --set data.masks=online
  torchrun --nproc-per-node 4 -m -- maskgen.trainer model1 --data lists --run trained

\b
Exit codes: 0 trained, 2 something to mend first, 3 collapsed and stopped, 130 interrupted.
"""


@click.command("train", epilog=EPILOG)
@click.argument("recipe")
@click.option(
    "--data", type=PATH, required=True, help="A folder that `maskgen pairs` wrote, or a .csv, a .rec, a .tar in it."
)
@click.option("--run", type=PATH, required=True, help="The folder of this training: checkpoints, history, pictures.")
@click.option("--epochs", type=int, help="In place of the recipe's.")
@click.option("--max-steps", type=int, help="Stop after so many steps; a later start with --resume goes on.")
@click.option("--batch-size", type=int, help="Pictures a step on each device, in place of the recipe's.")
@click.option("--seed", type=int, help="The same seed, lists and settings give the same weights on a CPU.")
@click.option(
    "--set",
    metavar="SECTION.SETTING=VALUE",
    multiple=True,
    help="Change any setting of the recipe; may be given several times.",
)
@click.option("--no-pretrained", "pretrained", flag_value=False, default=True, help="Start from random weights.")
@click.option("--device", metavar="auto|cpu|cuda|cuda:N", default="auto", show_default=True, help="Where it trains.")
@click.option("--workers", type=int, help="Processes that load pictures, in place of the recipe's.")
@click.option(
    "--threads", type=int, default=0, help="Threads of the network on a CPU.  [default: the cores that are left]"
)
@click.option(
    "--on-collapse",
    metavar="stop|lower|go_on",
    help="What becomes of a run whose embeddings have become alike: it stops, goes back to its last good checkpoint at "
    "a tenth of the rate, or goes on. In place of the recipe's.",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Go on with the run that --run holds, with more --epochs too; where it holds none, begin.",
)
@click.option("--overwrite", is_flag=True, help="Remove the run that --run holds, and begin anew.")
def train_command(**options: Any) -> None:
    """Train a model on the lists in OUT.

    RECIPE is a name (model1, model2, model3, effnet-b2, effnet-b3, effnet-b4, adapter, small) or a YAML file.
    --run gets last/ and best/ (the lowest IOU), history.csv, loss.png, distances/, tensorboard/ and report.json.
    """
    try:
        _train(TrainSettings(**options))
    except KeyboardInterrupt:
        click.echo("\nInterrupted. The same command with --resume goes on after the last checkpoint.", err=True)
        sys.exit(130)


def _train(settings: TrainSettings) -> None:
    first = os.environ.get("RANK", "0") == "0"
    try:
        from .run import run_train

        report = run_train(settings, lambda sentence: click.echo(sentence, err=True))
    except UserError:
        if not first:
            sys.exit(2)  # the first process says it
        raise
    if first:
        click.echo(table(report))
        distances = settings.run / "distances"
        seen = f" and {distances}" if distances.is_dir() else ""  # there are none where nothing is judged
        click.echo(f"Look at {settings.run / 'loss.png'}{seen}.")
    sys.exit(exit_code(report))
