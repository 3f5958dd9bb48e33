"""What a recogniser that never saw a mask makes of them: LFW's own pairs, bare, mixed and masked.

    python benchmarks/lfw_pairs.py FACES_DIR [--model dlib] [--seed 0] [--work DIR]

FACES_DIR holds `lfw/PERSON/PERSON_0001.jpg` and `lfw_pairs.txt`. The real commands do all of it: `maskgen mask --bare
--per-photo random` puts one drawn mask on each photograph, `maskgen pairs --test-pairs lfw_pairs.txt --wear` makes the
same pairs three times, both faces bare, the second masked, both masked; `maskgen evaluate` judges each. The threshold
is from pairs of people who are in no test pair, bare and masked as they fall. `--model` takes whatever `maskgen
evaluate` does; DIR keeps the run, the lists and the reports.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

WEARS = {"bare": "bare-bare", "mixed": "masked-bare", "masked": "masked-masked"}
EVAL_PAIRS = 600  # same-person and as many different-person pairs for the threshold


def maskgen(*words: object, may_leave_out: bool = False) -> None:
    command = [sys.executable, "-P", "-c", "from maskgen.pipelines.cli import main; main()", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in ((0, 3) if may_leave_out else (0,)):
        sys.exit(done.stderr or done.stdout)


def judged(faces: Path, work: Path, model: str, seed: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """What results.json says of each way to wear masks."""
    run = work / "run"
    maskgen("mask", faces / "lfw", run, "--bare", "--per-photo", "random", "--seed", seed, may_leave_out=True)
    for wear, name in WEARS.items():
        lists, report = work / f"lists_{wear}", work / f"report_{wear}"
        chosen = ["--eval", run, "--test-pairs", faces / "lfw_pairs.txt", "--wear", wear, "--max-pairs", EVAL_PAIRS]
        maskgen("pairs", *chosen, "--seed", seed, lists)
        maskgen("evaluate", model, "--data", lists, "--report", report, "--seed", seed)
        yield name, json.loads((report / "results.json").read_text("utf-8"))


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
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path)
    asked = parser.parse_args()
    print(f"{asked.model}, seed {asked.seed}; in brackets 95 % intervals over people drawn anew")
    print(
        "| pairs | same + different | ten-fold | accuracy at the threshold | AUC | EER | TAR at FAR 0.01 | threshold |"
    )
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        for name, found in judged(asked.faces, asked.work or Path(scratch), asked.model, asked.seed):
            print("| " + " | ".join(cells(name, found)) + " |", flush=True)


if __name__ == "__main__":
    main()
