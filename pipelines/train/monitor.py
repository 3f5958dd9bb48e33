"""Progress bar, history, TensorBoard files and plots of a training run."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from maskgen.core.extras import need
from maskgen.core.reasons import counted

from ..reports.progress import EVERY_SECONDS, bar_size
from .folder import DISTANCES, TENSORBOARD, TrainFolder

if TYPE_CHECKING:
    from maskgen.trainer.monitoring.evaluation import Evaluation
    from maskgen.trainer.monitoring.history import Row


class Display(Protocol):
    """The progress display of a training."""

    def on_step(self, step: int) -> None:
        """The number of finished steps."""
        ...

    def show_rates(self, loss: str, rate: float) -> None:
        """The recent loss and the steps that it is of, and images a second."""
        ...

    def line(self, sentence: str) -> None:
        """Print a message above the bar."""
        ...

    def close(self) -> None:
        """End the display."""
        ...


class Bar:
    """tqdm's bar: steps done, time left, loss, images a second."""

    def __init__(self, total: int, step: int) -> None:
        from tqdm import tqdm

        self._bar: Any = tqdm(total=total, initial=step, unit=" steps", smoothing=0.1, **bar_size())

    def on_step(self, step: int) -> None:
        """See `Display`."""
        if step > self._bar.n:
            self._bar.update(step - self._bar.n)
        else:
            self._bar.n = step
            self._bar.refresh()

    def show_rates(self, loss: str, rate: float) -> None:
        """See `Display`."""
        self._bar.set_postfix_str(f"loss {loss}, {rate:,.0f} images/s")

    def line(self, sentence: str) -> None:
        """See `Display`."""
        self._bar.write(sentence, file=sys.stderr)

    def close(self) -> None:
        """See `Display`."""
        self._bar.close()


class Lines:
    """The same as plain lines, one every half minute."""

    def __init__(self, total: int, step: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._total, self._step, self._before = total, step, step
        self._clock = clock
        self._started_at = self._printed_at = clock()
        self._of_late = ""

    def on_step(self, step: int) -> None:
        """See `Display`."""
        self._step = step
        if self._clock() - self._printed_at >= EVERY_SECONDS:
            self._print_line()

    def show_rates(self, loss: str, rate: float) -> None:
        """See `Display`."""
        self._of_late = f", loss {loss}, {rate:,.0f} images/s"

    def line(self, sentence: str) -> None:
        """See `Display`."""
        print(sentence, file=sys.stderr, flush=True)

    def close(self) -> None:
        """See `Display`."""
        self._print_line()

    def _print_line(self) -> None:
        self._printed_at = self._clock()
        done = self._step - self._before
        left = (self._printed_at - self._started_at) / done * (self._total - self._step) if done > 0 else math.inf
        ahead = f", {_minutes(left)} left" if 0 < left < math.inf else ""
        self.line(f"{self._step:,} of {counted(self._total, 'step')}{self._of_late}{ahead}")


def _minutes(seconds: float) -> str:
    minutes = round(seconds / 60)
    return counted(minutes, "minute") if minutes else "less than a minute"


def show_steps(total: int, step: int) -> Display:
    """A bar on a terminal, lines in a file."""
    return (Bar if sys.stderr.isatty() else Lines)(total, step)


class Faults:
    """Unreadable pictures: each is reported once and counted."""

    def __init__(self, notify: Callable[[str], None]) -> None:
        self._say = notify
        self._seen: set[str] = set()

    def add(self, fault: str) -> None:
        """Report the fault if it is new."""
        if fault not in self._seen:
            self._seen.add(fault)
            self._say(f"warning: {fault}; continuing without it")

    def __len__(self) -> int:
        return len(self._seen)


class QuietWatcher:
    """The watcher of every process but the first: it reports only unreadable pictures."""

    def __init__(self) -> None:
        self._faults = Faults(lambda sentence: print(sentence, file=sys.stderr, flush=True))

    @property
    def unreadable(self) -> int:
        """See `maskgen.trainer.loop.Watcher`."""
        return len(self._faults)

    def on_unreadable(self, fault: str) -> None:
        """See `maskgen.trainer.loop.Watcher`."""
        self._faults.add(fault)

    def on_step(self, step: int) -> None:
        """See `maskgen.trainer.loop.Watcher`."""

    def on_row(self, row: Row) -> None:
        """See `maskgen.trainer.loop.Watcher`."""

    def on_evaluation(self, evaluation: Evaluation, epoch: int) -> None:
        """See `maskgen.trainer.loop.Watcher`."""

    def on_message(self, sentence: str) -> None:
        """See `maskgen.trainer.loop.Watcher`."""

    def close(self) -> None:
        """Nothing was opened."""


class RunWatcher:
    """The watcher of the first process: shows and writes everything.

    Attributes:
        sentences: the messages of the run.
    """

    def __init__(self, folder: TrainFolder, display: Display, step: int) -> None:
        """Continue at `step`; later rows of the history are dropped."""
        from maskgen.trainer.monitoring.history import HISTORY, History

        need("matplotlib", "train")  # import now, not after the first epoch
        self._folder = folder
        self._display = display
        self._faults = Faults(display.line)
        self.history = History(folder.root / HISTORY, step)
        self.sentences: list[str] = []
        self._drawn = -1
        self._board = _board(folder, step)

    @property
    def unreadable(self) -> int:
        """See `maskgen.trainer.loop.Watcher`."""
        return len(self._faults)

    def on_unreadable(self, fault: str) -> None:
        """See `maskgen.trainer.loop.Watcher`."""
        self._faults.add(fault)

    def on_step(self, step: int) -> None:
        """See `maskgen.trainer.loop.Watcher`."""
        self._display.on_step(step)

    def on_row(self, row: Row) -> None:
        """See `maskgen.trainer.loop.Watcher`."""
        from maskgen.trainer.monitoring.history import EPOCH

        self.history.add(row)
        names = ("loss", "rate", "images_per_s", "images_per_s_without_wait", "waited", "iou", "threshold")
        for name in names:
            if not math.isnan(value := getattr(row, name)):
                self._board.add_scalar(f"{row.kind}/{name}", value, row.step)
        over = f"epoch {row.epoch}" if row.kind == EPOCH else "the last steps"
        self._display.show_rates(f"{row.loss:.4f} over {over}", row.images_per_s)
        if row.kind == EPOCH:
            self._draw()

    def on_evaluation(self, evaluation: Evaluation, epoch: int) -> None:
        """See `maskgen.trainer.loop.Watcher`."""
        from maskgen.trainer.monitoring.plots import draw_overlap

        path = self._folder.root / DISTANCES / f"epoch-{epoch:03}.png"
        draw_overlap(path, evaluation.overlap, f"epoch {epoch}: {evaluation.sentence}")
        self._display.line(f"epoch {epoch}: {evaluation.sentence}")

    @property
    def epoch_loss(self) -> float | None:
        """The mean loss over the last finished epoch; None without one, or if it is not finite."""
        from maskgen.trainer.monitoring.history import EPOCH

        losses = [row.loss for row in self.history.rows if row.kind == EPOCH]
        return losses[-1] if losses and math.isfinite(losses[-1]) else None

    def on_message(self, sentence: str) -> None:
        """See `maskgen.trainer.loop.Watcher`."""
        self.sentences.append(sentence)
        self._display.line(sentence)

    def close(self) -> None:
        """Draw the curve a last time, and close the bar and TensorBoard's file."""
        if self._drawn != len(self.history.rows):
            self._draw()
        self._board.close()
        self._display.close()

    def _draw(self) -> None:
        from maskgen.trainer.monitoring.plots import CURVE, draw_curve

        draw_curve(self._folder.root / CURVE, self.history.rows)
        self._drawn = len(self.history.rows)


def _board(folder: TrainFolder, step: int) -> Any:
    need("tensorboard", "train")
    from torch.utils.tensorboard import SummaryWriter

    writer: Any = SummaryWriter
    return writer(str(folder.root / TENSORBOARD), purge_step=step + 1 if step else None)
