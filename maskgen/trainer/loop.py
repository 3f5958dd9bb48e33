"""The training loop: steps, epochs, and the checks between steps."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from .checkpoints import Checkpoint
from .data.picture_batches import Batch, Batches, Loader
from .distributed import Ranks, without_averaging
from .monitoring.collapse import SETTLED, Collapse, check_collapse, evaluation_embeddings
from .monitoring.evaluation import Evaluation
from .monitoring.history import EPOCH, STEPS, Row
from .monitoring.step_times import Clock, StepTimes
from .state import State

WINDOW = 10  # steps per row of the history
LOWER = 0.1  # factor of the learning rate after a collapse
LOWEST = 0.5e-3  # factor of the learning rate below which a collapse ends the run


class End(StrEnum):
    """Why a run, or a part of it, ended."""

    FINISHED = "finished"
    MAX_STEPS = "max_steps"
    COLLAPSED = "collapsed"
    WENT_BACK = "went_back"  # return to the last checkpoint and continue


class EpochBatches(Batches, Protocol):
    """Batches that depend on the epoch."""

    def set_epoch(self, epoch: int) -> None:
        """Use the batches of this epoch."""
        ...


class Watcher(Protocol):
    """Callbacks of the loop; only the first of several processes shows or writes anything."""

    def on_step(self, step: int) -> None:
        """Called with the number of finished steps; it decreases if a collapsed run returns to a checkpoint."""
        ...

    def on_row(self, row: Row) -> None:
        """Called with a new row of the history, for steps or an epoch."""
        ...

    def on_evaluation(self, evaluation: Evaluation, epoch: int) -> None:
        """Called after an evaluation."""
        ...

    def on_unreadable(self, fault: str) -> None:
        """Called for an unreadable picture: its address and the reason."""
        ...

    def on_message(self, sentence: str) -> None:
        """Called with a message for the user."""
        ...

    @property
    def unreadable(self) -> int:
        """The number of unreadable pictures so far."""
        ...


class CheckpointStore(Protocol):
    """Storage of checkpoints."""

    def save(self, name: str, checkpoint: Checkpoint) -> None:
        """Save a checkpoint as "last" or "best"."""
        ...

    def load(self, name: str) -> Checkpoint:
        """Load a saved checkpoint."""
        ...


@dataclass(slots=True)
class _Window:
    """Losses since the last row, kept on the device, because reading them waits for the GPU."""

    total: Tensor
    steps: int = 0

    @property
    def mean(self) -> float:
        """The mean of this process's losses since the last row; 0 without any."""
        return float(self.total) / max(self.steps, 1)

    def take(self, ranks: Ranks) -> tuple[float, int]:
        """The sum of the losses (mean over all processes) and the number of steps; resets both."""
        total, steps = float(ranks.total(self.total.clone())) / ranks.world, self.steps
        self.total.zero_()
        self.steps = 0
        return total, steps


@dataclass(slots=True)
class Loop:
    """The training loop of a run.

    Attributes:
        learner: `Learner`, wrapped for several processes.
        evaluator: evaluates the model; None without evaluation pairs.
        chance: the loss at chance level.
        whole: the number of steps of this start.
    """

    state: State
    learner: nn.Module
    batches: EpochBatches
    loader: Loader
    ranks: Ranks
    watcher: Watcher
    store: CheckpointStore
    evaluator: Callable[[], Evaluation] | None
    chance: float
    _clock: Clock = field(init=False)
    _window: _Window = field(init=False)
    _values: Tensor = field(init=False)
    _embeddings: Tensor = field(init=False)
    whole: StepTimes = field(default_factory=lambda: StepTimes(0, 0.0, 0.0))
    _epoch_lap: StepTimes = field(default_factory=lambda: StepTimes(0, 0.0, 0.0))
    _reported_collapse: bool = False

    def __post_init__(self) -> None:
        self._clock = Clock(self.ranks.device)
        self._window = _Window(torch.zeros((), device=self.ranks.device))

    def run(self) -> End:
        """Train to the end, from the current state."""
        if self.state.progress.step == 0:
            self._save("last")
        while self.state.progress.epoch < self.state.recipe.train.epochs:
            end = End.MAX_STEPS if self._is_finished() else self._epoch()
            if end in (End.COLLAPSED, End.MAX_STEPS):
                return end
        return End.FINISHED

    def _is_finished(self) -> bool:
        most = self.state.recipe.train.max_steps
        return bool(most) and self.state.progress.step >= most

    def _epoch(self) -> End | None:
        """Train the rest of the current epoch; None if it was finished."""
        progress = self.state.progress
        self.batches.set_epoch(progress.epoch)
        feed = self.loader.epoch(self.batches, progress.epoch, progress.batch)
        self.learner.train()
        self._clock.start()
        self._epoch_lap = StepTimes(0, 0.0, 0.0)
        while progress.batch < len(self.batches):
            self._step(feed)
            if end := self._between_steps(progress.batch >= len(self.batches)):
                return end
        self._end_epoch()
        return None

    def _step(self, feed: Iterator[Batch]) -> None:
        """One optimizer step, from one batch or from several with accumulated gradients."""
        state = self.state
        state.seed_step(self.ranks.rank)
        state.optimizer.zero_grad(set_to_none=True)
        many = min(state.recipe.train.accumulate, len(self.batches) - state.progress.batch)
        for at in range(many):
            batch = self._received(next(feed))
            self._clock.ready()
            if at < many - 1:
                with without_averaging(self.learner):
                    self._gradients(batch, many)
            else:
                self._gradients(batch, many)
                self._optimizer_step()
            self._clock.done(len(batch.rows) * self.ranks.world)
        self._window.steps += 1
        state.progress.batch += many
        state.progress.step += 1
        self.watcher.on_step(state.progress.step)

    def _received(self, batch: Batch) -> Batch:
        """The batch on the device; its faults are reported."""
        for _, fault in batch.faults:
            self.watcher.on_unreadable(fault)
        return batch.on(self.ranks.device)

    def _gradients(self, batch: Batch, many: int) -> None:
        self._values = batch.values
        loss, self._embeddings = self.learner(batch.values, batch.targets)
        self.state.scaler.scale(loss / many).backward()
        self._window.total += loss.detach() / many

    def _optimizer_step(self) -> None:
        state, clip = self.state, self.state.recipe.train.clip_norm
        if clip:
            state.scaler.unscale_(state.optimizer)
            torch.nn.utils.clip_grad_norm_(self.learner.parameters(), clip)
        with state.lowered_rate():
            state.scaler.step(state.optimizer)
        state.scaler.update()
        with warnings.catch_warnings():
            # A step that the scaler skipped because gradients overflowed still counts for the schedule.
            warnings.filterwarnings("ignore", "Detected call of `lr_scheduler.step", UserWarning)
            state.schedule.step()

    def _between_steps(self, last: bool) -> End | None:
        """Work between steps: checks, history, checkpoints. `last` marks the epoch's last step. None to continue."""
        train, step = self.state.recipe.train, self.state.progress.step
        enough, save = self._is_finished() and not last, step % train.save_every == 0 and not last
        closing = enough or save or last  # a checkpoint follows, which must not be of a collapsed run
        if (step % train.check_every == 0 or closing) and (end := self._check_collapse()):
            return end
        if step % WINDOW == 0 or closing:
            self._write_row()
        if enough or save:
            self._save("last")
            self._clock.start()
        return End.MAX_STEPS if enough else None

    def _check_collapse(self) -> End | None:
        """Check for a collapse, and handle it."""
        found = self.ranks.broadcast(self._checked() if self.ranks.first else None)
        return None if found is None else self._collapsed(found)

    def _checked(self) -> Collapse | None:
        """The collapse of the last batch, in training mode or in evaluation mode; None without one."""
        loss = self._window.mean
        found = check_collapse(self._embeddings.detach(), loss, self.chance)
        if found or self.state.progress.step < SETTLED:
            return found
        learner: Any = getattr(self.learner, "module", self.learner)  # unwrap DDP
        return check_collapse(evaluation_embeddings(learner, learner.embed, self._values), loss, self.chance)

    def _collapsed(self, found: Collapse) -> End | None:
        how, step = self.state.recipe.train.on_collapse, self.state.progress.step
        factor = self.state.progress.rate_factor * LOWER
        if how == "go_on":
            if not self._reported_collapse:
                self.watcher.on_message(f"Collapsed at step {step:,}: {found.sentence} Continuing.")
            self._reported_collapse = True
            return None
        if how == "lower" and factor > LOWEST:
            self._return_to_checkpoint(found, factor)
            return End.WENT_BACK
        self.watcher.on_message(f"Collapsed at step {step:,}: {found.sentence} Stopped; last/ is from before.")
        return End.COLLAPSED

    def _return_to_checkpoint(self, found: Collapse, factor: float) -> None:
        step = self.state.progress.step
        kept = self.ranks.broadcast(self.store.load("last") if self.ranks.first else None)
        assert kept is not None
        self.state.restore(kept)
        self.state.progress.rate_factor = factor
        self._window.take(self.ranks)
        back = self.state.progress.step
        self.watcher.on_message(
            f"Collapsed at step {step:,}: {found.sentence} Back to step {back:,}, at {factor:g} of the rate."
        )
        self.watcher.on_step(back)

    def _write_row(self) -> None:
        """Write the history row of the last steps."""
        progress, (total, steps) = self.state.progress, self._window.take(self.ranks)
        if not steps:
            return
        progress.loss_sum += total
        progress.loss_steps += steps
        lap = self._clock.lap()
        self._epoch_lap += lap
        self.whole += lap
        progress.loss = total / steps
        self.watcher.on_row(self._row(STEPS, progress.epoch + 1, total / steps, lap))

    def _row(self, kind: str, epoch: int, loss: float, lap: StepTimes) -> Row:
        return Row(
            kind,
            epoch,
            self.state.progress.step,
            loss,
            self.state.rate,
            lap.rate,
            lap.rate_without_wait,
            lap.waited / max(lap.seconds, 1e-9),
            self.watcher.unreadable,
        )

    def _end_epoch(self) -> None:
        progress = self.state.progress
        loss = progress.loss_sum / max(progress.loss_steps, 1)
        progress.epoch, progress.batch = progress.epoch + 1, 0
        progress.loss_sum, progress.loss_steps = 0.0, 0
        row = self._row(EPOCH, progress.epoch, loss, self._epoch_lap)
        if evaluation := self._judge(progress.epoch):
            row = replace(row, iou=evaluation.iou, threshold=evaluation.overlap.threshold)
        self.watcher.on_row(row)
        self._save("last")

    def _judge(self, epoch: int) -> Evaluation | None:
        """Evaluate after an epoch, and save the best checkpoint; distances that give no figure are never the best."""
        if self.evaluator is None:
            return None
        evaluation = self.evaluator()
        self.watcher.on_evaluation(evaluation, epoch)
        progress = self.state.progress
        if not evaluation.overlap.degenerate and evaluation.iou < progress.best_iou:
            progress.best_iou, progress.best_epoch = evaluation.iou, epoch
            self._save("best")
        return evaluation

    def _save(self, name: str) -> None:
        if self.ranks.first:
            self.store.save(name, self.state.checkpoint())
