"""What a recogniser that never saw a mask makes of them: LFW's own pairs, bare, mixed and masked.

    python benchmarks/lfw_pairs.py FACES_DIR [--model dlib] [--beside MODEL] [--wear bare ...] [--seed 0]
        [--work DIR]

FACES_DIR holds `lfw/PERSON/PERSON_0001.jpg` and `lfw_pairs.txt`. The real commands do all of it: `maskgen mask --bare
--per-photo random` puts one drawn mask on each photograph, `maskgen pairs --test-pairs lfw_pairs.txt --wear` makes the
same pairs three times, both faces bare, the second masked, both masked; `maskgen evaluate` judges each. The threshold
is from pairs of people who are in no test pair, bare and masked as they fall. `--model` takes whatever `maskgen
evaluate` does; DIR keeps the run, the lists and the reports. With `--beside` the last table has how much more of the
same pairs the model tells rightly than MODEL, each pair at the threshold of the nine folds that it is not in.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from maskgen.core.seeding import rng_for
from maskgen.metrics.bootstrap import PairPeople, intervals
from maskgen.metrics.distances import l2
from maskgen.metrics.folds import FOLDS, fold_accuracy
from maskgen.metrics.roc import Trials

WEARS = {"bare": "bare-bare", "mixed": "masked-bare", "masked": "masked-masked"}
EVAL_PAIRS = 600  # same-person and as many different-person pairs for the threshold


def maskgen(*words: object, may_leave_out: bool = False) -> None:
    command = [sys.executable, "-P", "-c", "from maskgen.pipelines.cli import main; main()", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in ((0, 3) if may_leave_out else (0,)):
        sys.exit(done.stderr or done.stdout)


def make_lists(faces: Path, work: Path, wears: Sequence[str], seed: int) -> None:
    """The run, and the lists of each way to wear masks."""
    run = work / "run"
    maskgen("mask", faces / "lfw", run, "--bare", "--per-photo", "random", "--seed", seed, may_leave_out=True)
    for wear in wears:
        chosen = ["--eval", run, "--test-pairs", faces / "lfw_pairs.txt", "--wear", wear, "--max-pairs", EVAL_PAIRS]
        maskgen("pairs", *chosen, "--seed", seed, work / f"lists_{wear}")


def judged(work: Path, model: str, wears: Sequence[str], seed: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """What results.json says of each way to wear masks."""
    for wear in wears:
        report = work / f"report_{wear}"
        maskgen("evaluate", model, "--data", work / f"lists_{wear}", "--report", report, "--seed", seed)
        yield WEARS[wear], json.loads((report / "results.json").read_text("utf-8"))


class Told:
    """The test pairs of a list as a model sees them.

    Attributes:
        people: of the genuine pairs and of the impostor pairs.
        same, different: float64 (n,), (m,), distances of the pairs.
        right: whether each is told rightly at the threshold of the other nine folds, bool (n,), (m,).
    """

    def __init__(self, lists: Path, model: str, seed: int) -> None:
        out = lists / f"{model.replace('/', '_')}.parquet"
        if not out.exists():
            maskgen("embed", model, lists / "test.csv", out)
        table = pq.read_table(out)
        found = dict(zip(table["path"].to_pylist(), np.stack(table["embedding"].to_numpy()), strict=True))
        with (lists / "test.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))[1:]
        whose = np.array([(int(row[1]), int(row[3])) for row in rows])
        apart = l2(*(np.stack([found[row[at]] for row in rows]) for at in (0, 2))).astype(np.float64)
        own = whose[:, 0] == whose[:, 1]
        self.people = PairPeople(whose[own, 0], whose[~own])
        self.same, self.different = apart[own], apart[~own]
        thresholds = fold_accuracy(self.same, self.different, seed=seed).thresholds
        folds = {
            name: rng_for(seed, "folds", name).permutation(len(values)) % FOLDS
            for name, values in (("same", self.same), ("different", self.different))
        }
        self.right = (
            self.same <= thresholds[folds["same"]],
            self.different > thresholds[folds["different"]],
        )


def paired(model: Told, other: Told, seed: int) -> str:
    """How much more of the pairs the first tells rightly, and the difference of the AUCs, with 95 % intervals."""

    def measure(same: np.ndarray, different: np.ndarray) -> dict[str, float]:
        rights = [float(same @ one.right[0] + different @ one.right[1]) for one in (model, other)]
        aucs = [Trials(one.same, one.different).roc(same, different).auc for one in (model, other)]
        return {"right": (rights[0] - rights[1]) / float(same.sum() + different.sum()), "auc": aucs[0] - aucs[1]}

    spread = intervals(measure, model.people, seed=seed)
    whole = measure(np.ones(len(model.same)), np.ones(len(model.different)))
    return " | ".join(
        f"{value:+.4f} ({spread[name].low:+.4f} to {spread[name].high:+.4f})" for name, value in whole.items()
    )


def cells(name: str, found: dict[str, Any]) -> list[str]:
    """A row of the table."""
    whole = found["splits"]["all"]
    folds = whole["ten_fold"]
    pairs = f"{whole['same']} + {whole['different']}"
    rates = [f"{one['value']:.4f} ({one['low']:.4f} to {one['high']:.4f})" for one in
             (whole["accuracy"], whole["auc"], whole["eer"], whole["tar_at_far"]["0.01"])]  # fmt: skip
    ten_fold = f"{folds['mean']:.4f} ± {folds['standard_error']:.4f}"
    return [name, pairs, ten_fold, *rates, f"{found['threshold']['value']:.3f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path)
    parser.add_argument("--model", default="dlib")
    parser.add_argument("--beside")
    parser.add_argument("--wear", nargs="+", choices=tuple(WEARS), default=list(WEARS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path)
    asked = parser.parse_args()
    print(f"{asked.model}, seed {asked.seed}; in brackets 95 % intervals over people drawn anew")
    print(
        "| pairs | same + different | ten-fold | accuracy at the threshold | AUC | EER | TAR at FAR 0.01 | threshold |"
    )
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        work = asked.work or Path(scratch)
        make_lists(asked.faces, work, asked.wear, asked.seed)
        for name, found in judged(work, asked.model, asked.wear, asked.seed):
            print("| " + " | ".join(cells(name, found)) + " |", flush=True)
        if asked.beside:
            print(f"| {asked.model} less {asked.beside} | told rightly, ten-fold | AUC |\n|---|---|---|")
            for wear in asked.wear:
                both = [Told(work / f"lists_{wear}", model, asked.seed) for model in (asked.model, asked.beside)]
                print(f"| {WEARS[wear]} | {paired(*both, asked.seed)} |", flush=True)


if __name__ == "__main__":
    main()
