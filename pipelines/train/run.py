"""A training run: its folder, its parts, the loop, the report."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from maskgen import __version__
from maskgen.core.reasons import UserError
from maskgen.trainer.data.lists import read_eval_pairs, read_training_list
from maskgen.trainer.data.picture_batches import living_workers
from maskgen.trainer.data.samplers import build_batches
from maskgen.trainer.distributed import Ranks, joined
from maskgen.trainer.learner import Learner
from maskgen.trainer.loop import End, Loop
from maskgen.trainer.loss_functions.build import FaceLoss
from maskgen.trainer.monitoring.evaluation import Evaluator
from maskgen.trainer.monitoring.step_times import StepTimes
from maskgen.trainer.recipes.loading import load_recipe
from maskgen.trainer.state import State, new_state
from maskgen.trainer.told_once import told_once

from ..alignment_checks import refuse_mismatch
from ..reports.progress import Notify
from ..runs.json_files import checksummed_bytes
from ..runs.lock import hold
from ..trained_people import TRAINED_PEOPLE, names_of
from .folder import REPORT, TrainFolder
from .monitor import QuietWatcher, RunWatcher, show_steps
from .page import write_page
from .settings import TrainSettings, deciding
from .training_data import Data


@dataclass(slots=True)
class _Run:
    """State shared by the parts of a run."""

    settings: TrainSettings
    data: Data
    folder: TrainFolder
    ranks: Ranks
    deciding: dict[str, object]


def run_train(settings: TrainSettings, notify: Notify) -> dict[str, Any]:
    """Train; returns the content of report.json.

    Args:
        notify: told each message; of several processes each has its own.

    Raises:
        UserError: the recipe, list, folder or device cannot be used.
        ToldElsewhereError: of several processes another one tells of the fault.
    """
    with told_once():
        recipe = load_recipe(settings.recipe, settings.overrides())
        data = Data(recipe, read_training_list(settings.data), *read_eval_pairs(settings.data))
        _check_alignments(data, settings.allow_misaligned, notify)
    with joined(settings.device) as ranks:
        _use_threads(settings.threads, recipe.data.workers, ranks)
        decided = deciding(settings, recipe, data.listed, data.pairs, ranks.world)
        run = _Run(settings, data, TrainFolder(settings.run), ranks, decided)
        with _held(run) as done:
            if done is not None:
                notify(f"{settings.run} holds this training already.")
                return done
            return _trained(run, notify)


def _check_alignments(data: Data, allowed: bool, notify: Notify) -> None:
    """Raise UserError where the model would be evaluated on crops of another alignment."""
    pictures, judged = data.listed.alignment, data.pairs.alignment if data.pairs else ""
    sentence = f"The pictures to train on are aligned as {pictures}, and those to evaluate on as {judged}"
    if not data.recipe.data.align and not data.recipe.data.features:  # otherwise the face is detected in each crop
        refuse_mismatch(pictures, judged, sentence, allowed, notify)


def _use_threads(threads: int, workers: int, ranks: Ranks) -> None:
    """On a CPU, give the network the cores that loaders and other processes do not need."""
    share = (os.cpu_count() or 1) // ranks.world - workers if ranks.device.type == "cpu" else 1
    torch.set_num_threads(threads or max(share, 1))


@contextmanager
def _held(run: _Run) -> Iterator[dict[str, Any] | None]:
    """Lock the folder, once for all processes; returns the report if nothing is left to do."""
    settings = run.settings

    def begin() -> dict[str, Any] | None:
        run.folder.make()
        held.enter_context(hold(run.folder.lock))
        max_steps = run.data.recipe.train.max_steps
        return run.folder.begin(run.deciding, max_steps, settings.resume, settings.overwrite)

    new = not settings.run.exists()
    with ExitStack() as held:
        done = run.ranks.from_first(begin)
        try:
            yield done
        except UserError:
            if new and run.ranks.first:
                run.folder.forget()  # or the next recipe would be a run with other settings
            raise


def _trained(run: _Run, notify: Notify) -> dict[str, Any]:
    try:
        return _looped(run, notify)
    finally:
        if run.ranks.first:
            run.folder.drop_analyses()


def _looped(run: _Run, notify: Notify) -> dict[str, Any]:
    begun = time.perf_counter()
    if run.data.unevaluated:
        notify(f"Not evaluated, so there will be no best/: {run.data.unevaluated}.")
    loop, watcher = _loop(run, notify)
    if run.ranks.first and (names := names_of(run.settings.data)):
        run.folder.place(TRAINED_PEOPLE, "".join(f"{name}\n" for name in names).encode())
    try:
        with living_workers():
            end = loop.run()
    except torch.OutOfMemoryError:
        raise UserError(
            "The GPU is out of memory: give a smaller --batch-size, and --set train.accumulate=N for "
            "steps of as many pictures as before."
        ) from None
    finally:
        watcher.close()
    unreadable = int(run.ranks.total(torch.tensor(watcher.unreadable, device=run.ranks.device)))
    report = _report(run, loop.state, end, unreadable, loop.whole, time.perf_counter() - begun)
    if isinstance(watcher, RunWatcher):
        report["epoch loss"] = watcher.epoch_loss
        report["said"] = watcher.sentences
        write_page(run.folder, run.settings, report, watcher.history.rows)
        run.folder.place(REPORT, checksummed_bytes(report))
    return report


def _loop(run: _Run, notify: Notify) -> tuple[Loop, RunWatcher | QuietWatcher]:
    """The loop with all its parts, at the step where it starts or resumes."""
    data, ranks, recipe = run.data, run.ranks, run.data.recipe
    train, listed = recipe.train, run.data.listed
    batches = build_batches(recipe.data, train.batch_size, listed.targets, train.seed, ranks.rank, ranks.world)
    steps = -(-len(batches) // train.accumulate)
    pretrained = run.settings.pretrained and not run.folder.has_checkpoint
    state = new_state(recipe, listed, steps, pretrained, ranks.device)
    _restore(run, state, notify)
    _fill_templates(run, state)
    learner = Learner(state.model, state.loss, recipe.data, train)
    watcher = _watcher(run, state, steps * train.epochs)
    judge = _judge(run, learner, watcher)
    loader = data.loader(data.training_rows(run.folder.root, ranks, notify), ranks, full=True)
    chance = float(state.loss.chance)  # type: ignore[arg-type]
    loop = Loop(state, ranks.wrap(learner), batches, loader, ranks, watcher, run.folder, judge, chance)
    return loop, watcher


def _fill_templates(run: _Run, state: State) -> None:
    """Compute the templates of a distillation loss; a checkpoint already holds them."""
    loss = state.loss
    if state.progress.step == 0 and isinstance(loss, FaceLoss) and loss.distillation:
        loss.distillation.fill(run.data.templates(run.folder.root, run.ranks))


def _restore(run: _Run, state: State, notify: Notify) -> None:
    checkpoint = run.ranks.from_first(lambda: run.folder.load("last") if run.folder.has_checkpoint else None)
    if checkpoint is None:
        return
    state.restore(checkpoint)
    notify(f"resuming after step {state.progress.step:,}, in epoch {state.progress.epoch + 1}")


def _watcher(run: _Run, state: State, total: int) -> RunWatcher | QuietWatcher:
    if not run.ranks.first:
        return QuietWatcher()
    most = state.recipe.train.max_steps
    step = state.progress.step
    return RunWatcher(run.folder, show_steps(min(total, most) if most else total, step), step)


def _judge(run: _Run, learner: Learner, watcher: RunWatcher | QuietWatcher) -> Evaluator | None:
    if run.data.pairs is None:
        return None
    loader = run.data.loader(run.data.eval_rows(run.folder.root, run.ranks), run.ranks, full=False)
    dim, size = int(learner.model.dim), run.data.recipe.train.batch_size  # type: ignore[arg-type]
    return Evaluator(learner, dim, run.data.pairs, loader, size, run.ranks, watcher.on_unreadable)


def _report(run: _Run, state: State, end: End, unreadable: int, whole: StepTimes, seconds: float) -> dict[str, Any]:
    progress, listed, ranks = state.progress, run.data.listed, run.ranks
    best = None if math.isinf(progress.best_iou) else {"iou": progress.best_iou, "epoch": progress.best_epoch}
    return {
        "maskgen version": __version__,
        "recipe": state.recipe.name,
        "end": str(end),
        "people": len(listed.labels),
        "pictures": len(listed),
        "alignment": listed.alignment or None,
        "parameters": sum(one.numel() for one in state.model.parameters()),
        "steps": progress.step,
        "epochs": progress.epoch,
        "batches of the epoch at hand": progress.batch,
        "loss": progress.loss if math.isfinite(progress.loss or 0.0) else None,
        "best": best,
        "not evaluated": run.data.unevaluated or None,
        "unreadable": unreadable,
        "device": str(ranks.device.type),
        "processes": ranks.world,
        "images_per_s": whole.rate if whole.images else None,
        "images_per_s_without_wait": whole.rate_without_wait if whole.images else None,
        "waited": whole.waited / max(whole.seconds, 1e-9),
        "seconds": round(seconds, 1),
        "settings": run.deciding,
    }
