"""TRAIN, the folder of a training run: its paths, the check before writing, and its checkpoints.

last/, best/              checkpoints
history.csv, loss.png     how it went
distances/epoch-007.png   what the judge saw
tensorboard/              the same for TensorBoard
people.txt                who is trained on
points.npy                where faces are, for masks on the fly
features/                 the frozen recogniser's embeddings, where the recipe wants them
settings.json             what it was begun with
report.html               all of this to look at
report.json               written last
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskgen.core.reasons import UserError

from ..checks import differences
from ..runs.json_files import checksummed_bytes, json_bytes, read_json, remove
from ..trained_people import TRAINED_PEOPLE

if TYPE_CHECKING:
    from maskgen.trainer.checkpoints import Checkpoint

SETTINGS, REPORT, PAGE = "settings.json", "report.json", "report.html"
LAST, BEST = "last", "best"
_EPOCHS = "train.epochs"
DISTANCES, TENSORBOARD, FEATURES = "distances", "tensorboard", "features"
_OURS = (
    LAST,
    BEST,
    DISTANCES,
    TENSORBOARD,
    FEATURES,
    "points.npy",
    "history.csv",
    "loss.png",
    PAGE,
    TRAINED_PEOPLE,
    PAGE,
    SETTINGS,
    REPORT,
)


@dataclass(frozen=True, slots=True)
class TrainFolder:
    """Where a training run is written."""

    root: Path

    @property
    def lock(self) -> Path:
        """Held by the process that works here."""
        return self.root / ".lock"

    def make(self) -> None:
        """Make the folder.

        Raises:
            UserError: it is a file.
        """
        if self.root.exists() and not self.root.is_dir():
            raise UserError(f"--run {self.root} is a file: name a folder.")
        self.root.mkdir(parents=True, exist_ok=True)

    def begin(
        self, deciding: Mapping[str, object], max_steps: int, resume: bool, overwrite: bool
    ) -> dict[str, Any] | None:
        """Make ready for a run of these settings; returns the report of one that is as far already.

        Raises:
            UserError: the folder holds something else, a run of other settings, or one that should be gone on with.
        """
        stored = read_json(self.root / SETTINGS)
        if stored is None:
            self._refuse_foreign()
        elif overwrite or not self._has_done_anything():
            remove(self.root, _OURS)
        elif (done := self._same(stored, deciding, max_steps, resume)) is not None:
            return done
        self.place(SETTINGS, checksummed_bytes(deciding))
        return None

    def _same(
        self, stored: Mapping[str, object], deciding: Mapping[str, object], max_steps: int, resume: bool
    ) -> dict[str, Any] | None:
        """The report of the run that is here where nothing is left to do."""
        asked: dict[str, object] = json.loads(json_bytes(deciding))
        longer = resume and _is_longer(stored, asked)
        if told := differences(stored, asked | ({_EPOCHS: stored[_EPOCHS]} if longer else {})):
            raise UserError(
                f"{self.root} holds a training of other settings: {', '.join(told)}. "
                "Choose another folder for --run, or give --overwrite."
            )
        report = None if longer else read_json(self.root / REPORT)
        if report is not None and _is_enough(report, max_steps):
            return report
        if not resume and self.has_checkpoint:
            raise UserError(
                f"{self.root} holds a training of these settings that is not at its end: give --resume to go on with "
                "it, or --overwrite to begin anew."
            )
        return None

    @property
    def has_checkpoint(self) -> bool:
        """Whether there is something to go on from."""
        return (self.root / LAST).is_dir() or (self.root / f".{LAST}.before").is_dir()

    def _has_done_anything(self) -> bool:
        """Whether there is more than the settings of a run that was refused at its start."""
        return any(path.name not in (self.lock.name, SETTINGS) for path in self.root.iterdir())

    def _refuse_foreign(self) -> None:
        if any(path.name != self.lock.name for path in self.root.iterdir()):
            raise UserError(f"--run {self.root} holds files that no training wrote: choose an empty or new folder.")

    def place(self, name: str, data: bytes) -> None:
        """Write a file below the folder, whole or not at all; the report when the disk has all the others."""
        from maskgen.core.files import write_atomic
        from maskgen.formats.files import persist

        if name == REPORT:
            persist(self.root)
        write_atomic(self.root / name, data, durable=name in (SETTINGS, REPORT))

    def save(self, name: str, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint as "last" or "best"."""
        from maskgen.trainer.checkpoints import save_checkpoint

        save_checkpoint(self.root / name, checkpoint)

    def load(self, name: str) -> Checkpoint:
        """A checkpoint that was kept."""
        from maskgen.trainer.checkpoints import load_checkpoint

        return load_checkpoint(self.root / name)


def _is_longer(stored: Mapping[str, object], asked: Mapping[str, object]) -> bool:
    """Whether more epochs are asked for than the run was begun with."""
    before, now = stored.get(_EPOCHS), asked.get(_EPOCHS)
    return isinstance(before, int) and isinstance(now, int) and now > before


def _is_enough(report: Mapping[str, Any], max_steps: int) -> bool:
    """Whether the run that wrote this report went as far as one of `max_steps` (0: to its end) would."""
    if report["end"] == "finished":
        return True
    return report["end"] == "max_steps" and 0 < max_steps <= report["steps"]
