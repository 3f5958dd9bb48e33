"""Does training on masked faces help? One recipe trained twice: on bare faces, and on the same faces bare and masked.

    python benchmarks/masked_training.py LFW_DIR [--recipe adapter] [--folds 4] [--masks 2] [--seed 0] [--work DIR]

LFW_DIR holds a folder a person. Its people are dealt into groups; each group in turn is the one that is judged on and
the others are trained on, so everybody is judged once, by models that never saw them. The real commands do all of it:
`maskgen mask --bare --per-photo MASKS`, `maskgen pairs --train ... --eval ... --mix mm=1`, `maskgen train RECIPE` twice
with the same settings and seed, `maskgen embed`. Judged are masked-masked test pairs, at the threshold of the eval
pairs (masked-masked too, of people in no test pair). Intervals are over people drawn anew, of all groups together.
DIR keeps everything; what is there already is not made again.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from maskgen.core.seeding import rng_for
from maskgen.metrics.bootstrap import PairPeople, intervals
from maskgen.metrics.distances import l2
from maskgen.metrics.histogram_iou import compare_histograms
from maskgen.metrics.roc import Trials

UNTRAINED, BARE, MASKED = "nothing (dlib as it is)", "bare faces", "bare and masked faces"
TEST_SHARE = 0.85  # of the people that are judged on; the others are for the threshold
Pairs = list[tuple[str, int, str, int]]


@dataclass(frozen=True, slots=True)
class Scores:
    """Distances less the threshold, of same-person and different-person pairs, and whom the pairs show."""

    same: np.ndarray
    different: np.ndarray
    people: PairPeople


def maskgen(*words: object) -> None:
    command = [sys.executable, "-P", "-c", "from maskgen.pipelines.cli import main; main()", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):
        sys.exit(done.stderr or done.stdout)


def groups(lfw: Path, folds: int, seed: int) -> list[list[Path]]:
    """The people's folders, dealt."""
    people = sorted(path for path in lfw.iterdir() if path.is_dir())
    order = rng_for(seed, "groups").permutation(len(people))
    return [[people[at] for at in sorted(order[number::folds])] for number in range(folds)]


def mask(people: list[Path], run: Path, masks: int, seed: int) -> None:
    """Mask the photographs of some people."""
    if (run / "report.json").exists():
        return
    run.parent.mkdir(parents=True, exist_ok=True)
    table = run.with_suffix(".csv")
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "person"])
        writer.writerows([photo.resolve(), one.name] for one in people for photo in sorted(one.iterdir()))
    maskgen("mask", table, run, "--bare", "--per-photo", masks, "--seed", seed)


def make_lists(runs: list[Path], judged: Path, out: Path, seed: int) -> None:
    """Lists of masked-masked pairs of the judged group, and beside them the same with a training list of bare faces."""
    trained = [word for run in runs if run != judged for word in ("--train", run)]
    maskgen("pairs", *trained, "--eval", judged, "--test-share", TEST_SHARE, "--mix", "mm=1", "--seed", seed, out)
    bare = out.with_name(f"{out.name}_bare")
    bare.mkdir(exist_ok=True)
    for path in out.glob("*.csv"):
        lines = path.read_text("utf-8").splitlines(keepends=True)
        kept = [lines[0], *(line for line in lines[1:] if "__bare." in line)] if path.name == "train.csv" else lines
        (bare / path.name).write_text("".join(kept), "utf-8")


def pairs_of(path: Path) -> Pairs:
    with path.open(newline="", encoding="utf-8") as file:
        return [(a, int(one), b, int(other)) for a, one, b, other in list(csv.reader(file))[1:]]


def embedded(model: object, lists: Path, out: Path) -> dict[str, np.ndarray]:
    """Embeddings of the pictures of all pairs, by their paths in the lists."""
    every = lists / "judged.csv"
    rows = [row for name in ("eval_same", "eval_diff", "test") for row in pairs_of(lists / f"{name}.csv")]
    with every.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerows([["path", "target", "pair_path", "pair_target"], *rows])
    if not out.exists():
        maskgen("embed", model, every, out)
    table = pq.read_table(out)
    return dict(zip(table["path"].to_pylist(), np.stack(table["embedding"].to_numpy()), strict=True))


def distances(found: Mapping[str, np.ndarray], pairs: Pairs) -> np.ndarray:
    return l2(np.stack([found[a] for a, _, _, _ in pairs]), np.stack([found[b] for _, _, b, _ in pairs]))


def score(found: Mapping[str, np.ndarray], lists: Path, fold: int) -> Scores:
    """The test pairs' distances from the eval pairs' threshold."""
    near, far = (distances(found, pairs_of(lists / f"eval_{name}.csv")) for name in ("same", "diff"))
    pairs = pairs_of(lists / "test.csv")
    people = np.array([(one, other) for _, one, _, other in pairs]) + fold * 10**6
    same = people[:, 0] == people[:, 1]
    beyond = distances(found, pairs).astype(np.float64) - compare_histograms(near, far).threshold
    return Scores(beyond[same], beyond[~same], PairPeople(people[same, 0], people[~same]))


def joined(parts: list[Scores]) -> Scores:
    people = PairPeople(
        np.concatenate([one.people.same for one in parts]), np.concatenate([one.people.different for one in parts])
    )
    same, different = (np.concatenate([getattr(one, name) for one in parts]) for name in ("same", "different"))
    return Scores(same, different, people)


def measured(scores: Mapping[str, Scores], seed: int) -> dict[str, tuple[float, float, float]]:
    """Accuracy and AUC of each model and what masks add to them: value, low, high."""

    def measure(same: np.ndarray, different: np.ndarray) -> dict[str, float]:
        rates: dict[str, float] = {}
        for name, one in scores.items():
            right = same @ (one.same <= 0) + different @ (one.different > 0)
            rates[f"{name} accuracy"] = float(right / (same.sum() + different.sum()))
            rates[f"{name} AUC"] = Trials(one.same + 2, one.different + 2).roc(same, different).auc
        for what in ("accuracy", "AUC"):
            rates[f"gain {what}"] = rates[f"{MASKED} {what}"] - rates[f"{BARE} {what}"]
        return rates

    first = next(iter(scores.values()))
    whole = measure(np.ones(len(first.same)), np.ones(len(first.different)))
    spread = intervals(measure, first.people, seed=seed)
    return {name: (value, spread[name].low, spread[name].high) for name, value in whole.items()}


def table(found: Mapping[str, tuple[float, float, float]], models: list[str]) -> str:
    def cell(name: str) -> str:
        value, low, high = found[name]
        return f"{value:.4f} ({low:.4f} to {high:.4f})"

    lines = ["| trained on | accuracy | AUC |", "|---|---|---|"]
    lines += [f"| {name} | {cell(f'{name} accuracy')} | {cell(f'{name} AUC')} |" for name in models]
    return "\n".join([*lines, f"| what masks add | {cell('gain accuracy')} | {cell('gain AUC')} |"])


def models(asked: argparse.Namespace, lists: Path) -> dict[str, object]:
    """What is judged, by what it was trained on."""
    found: dict[str, object] = {UNTRAINED: "dlib"} if asked.recipe == "adapter" else {}
    chosen = [word for one in asked.set for word in ("--set", one)]
    for name, data in ((BARE, lists.with_name(f"{lists.name}_bare")), (MASKED, lists)):
        trained = data.with_name(f"{data.name}_trained")
        maskgen("train", asked.recipe, "--data", data, "--run", trained, "--seed", asked.seed, "--resume", *chosen)
        found[name] = trained / "last"
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lfw", type=Path)
    parser.add_argument("--recipe", default="adapter")
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--masks", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--set", action="append", default=[])
    asked = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        scores = run(asked, asked.work or Path(scratch))
    first = scores[BARE]
    print(f"{asked.recipe}, seed {asked.seed}, {asked.folds} groups: {len(first.same)} same-person and", end=" ")
    print(f"{len(first.different)} different-person masked-masked pairs of", end=" ")
    print(f"{len(np.unique(first.people.different))} people; {time.monotonic() - begun:.0f} s")
    print(table(measured(scores, asked.seed), list(scores)))


def run(asked: argparse.Namespace, work: Path) -> dict[str, Scores]:
    """Every group judged by every model."""
    runs = [work / f"group_{number}" for number in range(asked.folds)]
    for people, one in zip(groups(asked.lfw, asked.folds, asked.seed), runs, strict=True):
        mask(people, one, asked.masks, asked.seed)
    parts: dict[str, list[Scores]] = {}
    for fold, judged in enumerate(runs):
        lists = work / f"lists_{fold}"
        make_lists(runs, judged, lists, asked.seed)
        for name, model in models(asked, lists).items():
            out = lists / f"{name.replace(' ', '_')}.parquet"
            parts.setdefault(name, []).append(score(embedded(model, lists, out), lists, fold))
    return {name: joined(each) for name, each in parts.items()}


if __name__ == "__main__":
    main()
