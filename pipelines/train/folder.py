"""TRAIN, the folder of a training run: its paths, the check before writing, and its checkpoints.

last/, best/              checkpoints
history.csv, loss.png     losses, rates and evaluations
distances/epoch-007.png   histograms of the evaluation distances
tensorboard/              the same for TensorBoard
people.txt                people of the training set
points.npy                landmarks, for masks on the fly
analyses.scratch          analyses of faces, for masks on the fly; removed at the end
features/                 embeddings of the frozen recogniser, if the recipe uses them
settings.json             settings of the start
report.html               report for a browser
report.json               written last
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskgen.core.reasons import UserError

from ..checks import differences
from ..folder_owner import SETTINGS, Owner, refuse_other_owner
from ..runs.json_files import json_bytes, read_json, read_settings, remove, settings_bytes
from ..trained_people import TRAINED_PEOPLE

if TYPE_CHECKING:
    from maskgen.trainer.checkpoints import Checkpoint

REPORT, PAGE = "report.json", "report.html"
LAST, BEST = "last", "best"
_EPOCHS = "train.epochs"
DISTANCES, TENSORBOARD, FEATURES, ANALYSES = "distances", "tensorboard", "features", "analyses.scratch"
_OF_STEPS = (DISTANCES, TENSORBOARD, ANALYSES, "history.csv", "loss.png", TRAINED_PEOPLE, PAGE)
_OF_LISTS = (FEATURES, "points.npy")  # they do not depend on the steps, and are computed once


@dataclass(frozen=True, slots=True)
class TrainFolder:
    """The run folder of a training."""

    root: Path

    @property
    def lock(self) -> Path:
        """The lock of the process that writes here."""
        return self.root / ".lock"

    def make(self) -> None:
        """Make the folder.

        Raises:
            UserError: it is a file, or the folder of another command, also with --overwrite.
        """
        if self.root.exists() and not self.root.is_dir():
            raise UserError(f"--run {self.root} is a file: name a folder.")
        refuse_other_owner(self.root, Owner.TRAIN, "--run")
        self.root.mkdir(parents=True, exist_ok=True)

    def begin(
        self, deciding: Mapping[str, object], max_steps: int, resume: bool, overwrite: bool
    ) -> dict[str, Any] | None:
        """Prepare the folder for a run with these settings; returns the report if nothing is left to do.

        Raises:
            UserError: the folder holds other files, a run with other settings, or an unfinished run without --resume.
        """
        stored = read_settings(self.root)
        self._remove_left(stored is not None)
        if stored is None:
            self._refuse_foreign()
        elif overwrite or not self._has_done_anything():
            self._clear()
            remove(self.root, (*_OF_LISTS, SETTINGS))  # last: without its settings the folder is nobody's
        elif (done := self._same(stored, deciding, max_steps, resume)) is not None:
            return done
        elif self.has_checkpoint:
            remove(self.root, (REPORT,))  # it is of fewer steps
        else:
            self._clear()
        self.place(SETTINGS, settings_bytes(Owner.TRAIN, deciding))
        return None

    def _remove_left(self, ours: bool) -> None:
        """Remove or put right what a killed process left unfinished."""
        from maskgen.core.atomic_writes import remove_parts
        from maskgen.trainer.checkpoints import settle_checkpoint

        remove_parts(self.root, "*" if ours else SETTINGS)
        if ours:
            for name in (LAST, BEST):
                settle_checkpoint(self.root / name)

    def _clear(self) -> None:
        """Remove all that steps wrote. If this is killed, what is left is a run that goes on, or is removed then."""
        from maskgen.trainer.checkpoints import discard_checkpoint

        remove(self.root, (REPORT,))
        for name in (LAST, BEST):
            discard_checkpoint(self.root / name)
        remove(self.root, _OF_STEPS)

    def _same(
        self, stored: Mapping[str, object], deciding: Mapping[str, object], max_steps: int, resume: bool
    ) -> dict[str, Any] | None:
        """The report of the run in the folder, if nothing is left to do."""
        asked: dict[str, object] = json.loads(json_bytes(deciding))
        longer = resume and _is_longer(stored, asked)
        if differing := differences(stored, asked | ({_EPOCHS: stored[_EPOCHS]} if longer else {})):
            more = not resume and _is_longer(stored, asked) and len(differing) == 1
            then = "Give --resume to continue it, another" if more else "Choose another"
            raise UserError(
                f"{self.root} holds a training with other settings: {', '.join(differing)}. "
                f"{then} folder for --run, or --overwrite to start again."
            )
        report = None if longer else read_json(self.root / REPORT)
        if report is not None and _is_enough(report, max_steps):
            return report
        if not resume and self.has_checkpoint:
            raise UserError(
                f"{self.root} holds an unfinished training with these settings: give --resume to continue "
                "it, or --overwrite to start again."
            )
        return None

    @property
    def has_checkpoint(self) -> bool:
        """Whether there is a checkpoint to resume from."""
        return (self.root / LAST).is_dir()

    def _has_done_anything(self) -> bool:
        """Whether the run did any work, beyond writing its settings."""
        return any(path.name not in (self.lock.name, SETTINGS) for path in self.root.iterdir())

    def forget(self) -> None:
        """Remove the folder of a start that did no work."""
        if not self._has_done_anything():
            shutil.rmtree(self.root)

    def _refuse_foreign(self) -> None:
        if any(path.name != self.lock.name for path in self.root.iterdir()):
            raise UserError(f"--run {self.root} holds files that no training wrote: choose an empty or new folder.")

    def place(self, name: str, data: bytes) -> None:
        """Write a file below the folder atomically; the report once all other files are on the disk."""
        from maskgen.core.atomic_writes import write_atomic
        from maskgen.formats.local_or_remote_files import persist

        if name == REPORT:
            persist(self.root)
        write_atomic(self.root / name, data, durable=name in (SETTINGS, REPORT))

    def drop_analyses(self) -> None:
        """Remove the kept analyses, as far as possible: a process that is killed leaves them, and Windows keeps a file
        that a loader still holds. The next start removes them."""
        with suppress(OSError):
            (self.root / ANALYSES).unlink(missing_ok=True)

    def save(self, name: str, checkpoint: Checkpoint) -> None:
        """Save a checkpoint as "last" or "best"."""
        from maskgen.trainer.checkpoints import save_checkpoint

        save_checkpoint(self.root / name, checkpoint)

    def load(self, name: str) -> Checkpoint:
        """A checkpoint that was kept."""
        from maskgen.trainer.checkpoints import load_checkpoint

        return load_checkpoint(self.root / name)


def _is_longer(stored: Mapping[str, object], asked: Mapping[str, object]) -> bool:
    """Whether more epochs are requested than the run was started with."""
    before, now = stored.get(_EPOCHS), asked.get(_EPOCHS)
    return isinstance(before, int) and isinstance(now, int) and now > before


def _is_enough(report: Mapping[str, Any], max_steps: int) -> bool:
    """Whether the run of this report reached `max_steps` (0: its end)."""
    if report["end"] == "finished":
        return True
    return report["end"] == "max_steps" and 0 < max_steps <= report["steps"]
