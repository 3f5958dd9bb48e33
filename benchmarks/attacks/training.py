"""A training that was broken off, for attacks on its state files; see attack.py."""

from __future__ import annotations

import hashlib
import shutil
from contextlib import redirect_stderr
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
from PIL import Image

from maskgen.core.reasons import UserError
from maskgen.core.seeding import rng_for

PEOPLE, EACH, SIDE = 4, 4, 32
TINY = ("model.dim=8", "data.size=32", "train.epochs=2", "train.batch_size=8", "train.save_every=1")


class HalfTrained:
    """A training of a few steps: what it comes to, and a copy that stopped before its end.

    Attributes:
        run: the folder of the copy.
    """

    def __init__(self, folder: Path) -> None:
        from maskgen.pipelines.train.settings import TrainSettings

        lists, whole, self.run = folder / "lists", folder / "whole", folder / "run"
        write_lists(lists)
        self._settings = TrainSettings("small", lists, whole, set=TINY, device="cpu", threads=1)
        self._train(whole, None)
        self._wanted = weights(whole)
        self._train(self.run, 3)

    def files(self) -> list[Path]:
        """Every state file of the copy."""
        return [path for path in sorted(self.run.rglob("*")) if path.is_file() and path.name != ".lock"]

    def gone_on(self, damaged: Path) -> str:
        """The outcome of going on with the copy, one of whose files is damaged; then it is as before, but that file.

        Raises:
            ValueError: the weights are others than those of the whole training.
        """
        kept = self.run.with_name("kept")
        shutil.copytree(self.run, kept)
        try:
            self._train(self.run, None)
        except UserError:
            return "sentence"
        else:
            if weights(self.run) != self._wanted:
                raise ValueError(f"another result after damage of {damaged.relative_to(self.run)}")
            return "the same result"
        finally:
            shutil.rmtree(self.run)
            kept.rename(self.run)

    def _train(self, run: Path, max_steps: int | None) -> None:
        from maskgen.pipelines.train.run import run_train

        with redirect_stderr(StringIO()):  # progress
            settings = replace(self._settings, run=run, max_steps=max_steps, resume=True)
            run_train(settings, lambda _: None)


def weights(run: Path) -> str:
    """A hash of the weights at the end."""
    return hashlib.sha256((run / "last" / "model.safetensors").read_bytes()).hexdigest()


def write_lists(folder: Path) -> None:
    """A training list of noise pictures, and pairs to evaluate on."""
    listed: list[tuple[str, int]] = []
    for person in range(PEOPLE):
        for number in range(EACH):
            path = folder / f"p{person}" / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            noise = rng_for(0, "attack", person, number).integers(0, 256, (SIDE, SIDE, 3))
            Image.fromarray(noise.astype(np.uint8)).save(path)
            listed.append((f"p{person}/{number}.png", person))
    rows = [f"{path},{person}" for path, person in listed]
    (folder / "train.csv").write_text("path,target\n" + "\n".join(rows) + "\n")
    head = "path,target,pair_path,pair_target\n"
    same = [f"{rows[at]},{rows[at + 1]}" for at in range(0, len(rows), EACH)]
    different = [f"{rows[at]},{rows[at - EACH]}" for at in range(0, len(rows), EACH)]
    (folder / "eval_same.csv").write_text(head + "\n".join(same) + "\n")
    (folder / "eval_diff.csv").write_text(head + "\n".join(different) + "\n")
