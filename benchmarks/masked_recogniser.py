"""Trains the weights of the recogniser `masked`, and compares masks to train it on, judged on real masks.

    python benchmarks/masked_recogniser.py LFW_DIR lfw_pairs.txt --work WORK --out masked.safetensors [--real MFR2_DIR]
    python benchmarks/masked_recogniser.py LFW_DIR lfw_pairs.txt --work WORK --compare [ROW...]
    python benchmarks/masked_recogniser.py LFW_DIR lfw_pairs.txt --work WORK --other PEER_DIR --real MFR2_DIR

People named in the pairs are left out; 200 of those with several photographs are kept back to choose settings on. What
the frozen layers make of each picture is computed once and kept in WORK (`frozen_layers.py`), so the layers behind them
are run again and again (`last_layers.py`). Each photograph comes bare, in four of the five default masks, of which one
in nine shows the nose, and in one of `--kinds world`. The weights are the mean of three seeds', or lie between dlib's
and these: where they tell the people kept back best. The names of the people are written beside the weights.

--compare prints what each setting of `COMPARED` reaches on the people who were kept back, over all pairs of different
photographs: AUC, the true match rate at a false match rate of 0.001, and the best balanced accuracy. With --real the
weights are judged on MFR2 too, once they are made. Those that are there already are not made again: what they reach
on the people who were kept back is printed.

With --other, the photographs that PEER_DIR has under the same paths are trained on bare twice, bare and in one of our
five default masks, bare and in a mask of `--kinds world`, or bare and in PEER_DIR's; three seeds. Judged is MFR2:
masked pictures against bare ones.

The recipe's bfloat16 needs a processor that has it (AVX-512 BF16 or AMX): without, a step takes ten times as long as
with `--set train.precision=fp32`.
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import torch
from frozen_layers import Layers, catalogue, layers, layers_of_run
from last_layers import Trial, between, embedded, learnt, trained, untrained
from real_masks import COSTLY, Found, gain, labelled, real_of, report
from safetensors.numpy import save
from safetensors.torch import load_file
from sklearn.metrics import roc_auc_score, roc_curve

from maskgen.core.images import decode
from maskgen.faces.upright_crop import align_upright
from maskgen.trainer.networks.models import Embedder

KEPT_BACK, MOST_KEPT, MOST = 200, 6, 20  # people; photographs of one who is kept back, and of one to train on
ARCFACE = ("loss.distill_classes=0", "loss.scale=20", "loss.margin=0.3")
COMPARED = {
    "distillation": ("loss.kind=distill", "loss.distill_classes=0"),
    "distillation, triplets": ("loss.distill_classes=0",),
    "distillation, classes": ("loss.kind=distill",),
    "ArcFace": (*ARCFACE, "loss.kind=arcface", "loss.distill_weight=0"),
    "distillation, triplets, ArcFace (0.1)": (
        *ARCFACE, "loss.kind=both", "loss.triplet_weight=10", "loss.distill_weight=10"),
    "the recipe: distillation, triplets, classes": (),
    "the same, stages 3 to 5": ("model.frozen=3",),
}  # fmt: skip
GATES = {"the recipe, maps weighted": 0.0, "the same, taught what is hidden (FROM)": 1.0}
# One pass over the people, 43 steps; stage 3, which takes half of the time, stays.
SHORT = ("train.epochs=1", "schedule.warmup_steps=10", "model.frozen=4")
SHARES = (1.0, 0.9, 0.8, 0.7, 0.6)  # of the way from dlib's weights to the trained ones
SEEDS = 3
ARM_EPOCHS = "train.epochs=5"  # where less is trained on


def free_people(lfw: Path, pairs: Path) -> dict[str, list[Path]]:
    """The photographs of everybody who is named in no pair."""
    named = {word for word in re.split(r"\s+", pairs.read_text("utf-8")) if word and not word.isdigit()}
    return {one.name: sorted(one.glob("*.jpg")) for one in sorted(lfw.iterdir()) if one.name not in named}


def people_of(lfw: Path, pairs: Path) -> tuple[dict[str, list[Path]], dict[str, list[Path]]]:
    """The photographs by person to train the weights on, and those of the people who are kept back."""
    free = free_people(lfw, pairs)
    rng = random.Random(0)
    several = [name for name in free if len(free[name]) > 1]
    rng.shuffle(several)
    back = set(several[:KEPT_BACK])
    most = {name: MOST_KEPT if name in back else MOST for name in free}
    drawn = {name: rng.sample(free[name], min(len(free[name]), most[name])) for name in free}
    return {name: drawn[name] for name in free if name not in back}, {
        name: drawn[name] for name in free if name in back
    }


def shared_people(lfw: Path, pairs: Path, other: Path) -> dict[str, list[Path]]:
    """The photographs that the other tool has masked too, at most six a person."""
    free = free_people(lfw, pairs)
    there = {name: [path for path in free[name] if (other / path.relative_to(lfw)).is_file()][:6] for name in free}
    return {name: paths for name, paths in there.items() if paths}


def linked(people: dict[str, list[Path]], source: Path) -> Path:
    """A folder of these photographs."""
    for name, photographs in people.items():
        (source / name).mkdir(parents=True, exist_ok=True)
        for path in photographs:
            link = source / name / path.name
            if not link.is_symlink():
                link.symlink_to(path.resolve())
    return source


def mask(source: Path, run: Path, *words: str | Path) -> Path:
    """A run of `maskgen mask`, unless it is there."""
    if not (run / "report.json").exists():
        command = ["maskgen", "mask", source, run, "--seed", "1", *words]
        if subprocess.run([str(word) for word in command], check=False).returncode not in (0, 3):
            sys.exit("the photographs were not masked")
    return run


def in_masks(people: dict[str, list[Path]], work: Path, name: str, *words: str) -> Layers:
    """Each photograph bare, in some of the five kinds, and in one of `world`."""
    source = linked(people, work / name)
    five = mask(source, work / f"{name}_five", "--bare", *words)
    seg = [word for word in words if word == "--segmentation"]
    world = mask(source, work / f"{name}_world", "--kinds", "world", "--per-photo", "1", "--reuse", five, *seg)
    return layers_of_run(five).plus(layers_of_run(world, masked_only=True))


def to_train_on(people: dict[str, list[Path]], work: Path) -> Layers:
    return in_masks(people, work, "train", "--segmentation", "--per-photo", "4", "--wear", "proper=8,nose_out=1")


def tell(name: str, embeddings: np.ndarray, kept: Layers) -> float:
    """All pairs of different photographs of people kept back, by sort: AUC, true match rate, balanced accuracy.

    A mask drawn on the same photograph as a bare one tells nothing: the pictures agree but for the mask.

    Returns:
        The sum of the true match rates at a false match rate of 0.001.
    """
    cells, rates = [], []
    for first, second in ((True, True), (True, False), (False, False)):
        a, b = np.flatnonzero(kept.bare == first), np.flatnonzero(kept.bare == second)
        there = kept.photographs[a][:, None] != kept.photographs[b]
        if first == second:
            there &= np.triu(np.ones(there.shape, bool), 1)
        same, scores = (kept.people[a][:, None] == kept.people[b])[there], (embeddings[a] @ embeddings[b].T)[there]
        false, true, _ = roc_curve(same, scores)
        best = float(np.max(true + 1 - false)) / 2
        rates.append(float(np.interp(1e-3, false, true)))
        cells.append(f"{roc_auc_score(same, scores):.4f} {rates[-1]:.3f} {best:.4f}")
    print(f"| {name} | {' | '.join(cells)} |", flush=True)
    return sum(rates)


def kept_back(asked: argparse.Namespace) -> Layers:
    """Those who are kept back; prints the head of the table that they are for."""
    print("| | bare-bare | masked-bare | masked-masked |\n|---|---|---|---|")
    return in_masks(people_of(asked.lfw, asked.pairs)[1], asked.work, "kept", "--per-photo", "2")


def tell_untrained(kept: Layers) -> None:
    """dlib's network, as it is and seen both ways."""
    tell("untrained, not mirrored", embedded(untrained(), kept, (0,)), kept)
    tell("untrained", embedded(untrained(), kept), kept)


def compare_settings(asked: argparse.Namespace) -> None:
    """The figures that the losses were chosen by."""
    to_train_on(people_of(asked.lfw, asked.pairs)[0], asked.work)
    trials = {name: Trial((*SHORT, *changes, *asked.set)) for name, changes in COMPARED.items()}
    trials |= {name: Trial((*SHORT, *asked.set), weight) for name, weight in GATES.items()}
    chosen, kept = asked.compare or list(trials), kept_back(asked)
    if not asked.compare:
        tell_untrained(kept)
    for name, tail in zip(chosen, seeded(asked, [trials[one] for one in chosen], [0] * len(chosen)), strict=True):
        tell(name, embedded(tail, kept), kept)


def seeded(
    asked: argparse.Namespace, trials: Sequence[Trial], seeds: Sequence[int], arms: Sequence[str] = ()
) -> Iterator[Embedder]:
    """Networks trained side by side, one thread each: with other numbers of threads the last bits may differ.

    Args:
        arms: what each is trained on, by the names of `_arms`; without, the pictures for the weights.
    """
    with ProcessPoolExecutor(asked.side_by_side, get_context("spawn")) as pool:
        states = pool.map(_state, [asked] * len(seeds), trials, seeds, arms or [""] * len(seeds))
        for trial, state in zip(trials, states, strict=True):
            tail = untrained(trial)
            tail.load_state_dict({name: torch.from_numpy(value) for name, value in state.items()})
            yield tail.eval()


def _state(asked: argparse.Namespace, trial: Trial, seed: int, arm: str) -> dict[str, np.ndarray]:
    torch.set_num_threads(1)
    where = (asked.lfw, asked.pairs, asked.work)
    data = _arms(*where, asked.other)[arm] if arm else _data(*where)
    return {name: value.numpy() for name, value in trained(data, trial, seed).state_dict().items()}


@cache
def _data(lfw: Path, pairs: Path, work: Path) -> Layers:
    """Once a process."""
    return to_train_on(people_of(lfw, pairs)[0], work)


def make(asked: argparse.Namespace) -> None:
    """The weights and the names of whom they were trained on."""
    people, _ = people_of(asked.lfw, asked.pairs)
    data = to_train_on(people, asked.work)
    photographs = sum(map(len, people.values()))
    print(f"{photographs} photographs of {len(people)} people, {len(data)} pictures", flush=True)
    tails = list(seeded(asked, [Trial(tuple(asked.set))] * SEEDS, range(SEEDS)))
    kept = kept_back(asked)
    tell_untrained(kept)
    tail = best_share(tails, kept)
    asked.out.with_name(f"{asked.out.stem}_people.txt").write_text("".join(f"{name}\n" for name in sorted(people)))
    # In C order: safetensors 0.8 stores an array of another order as its memory lies, without an error.
    halves = {name: value.numpy().astype(np.float16, order="C") for name, value in learnt(tail).items()}
    asked.out.write_bytes(save(halves))


def best_share(tails: Sequence[Embedder], kept: Layers) -> Embedder:
    """The mean of the seeds' weights, as far from dlib's as tells people kept back best: the sum of the three rates."""
    found = [between(tails, share) for share in SHARES]
    rates = [
        tell(f"mean of {len(tails)} seeds, share {share}", embedded(one, kept), kept)
        for share, one in zip(SHARES, found, strict=True)
    ]
    chosen = int(np.argmax(rates))
    print(f"share {SHARES[chosen]} is taken", flush=True)
    return found[chosen]


def stored(file: Path) -> Embedder:
    """The last layers with the weights of a file."""
    tail = untrained()
    tail.load_state_dict({**tail.state_dict(), **{name: one.float() for name, one in load_file(file).items()}})
    return tail


def tell_stored(asked: argparse.Namespace) -> None:
    """The weights that are there, on the people kept back: to choose between them and others, or a share of the way."""
    kept, tail = kept_back(asked), stored(asked.out)
    tell_untrained(kept)
    for share in SHARES:
        tell(f"{asked.out.name}, share {share}", embedded(between([tail], share), kept), kept)


def judge(asked: argparse.Namespace) -> None:
    """The weights, and dlib's, on MFR2: rank 1, AUC of masked-bare pairs, the masked pictures that cost most of it."""
    real = real_of(asked.real, asked.work)
    both = [Found(one, real) for one in (untrained(), stored(asked.out))]
    for name, found in zip(("untrained", "trained"), both, strict=True):
        low, high = np.percentile(found.auc_drawn(real), [2.5, 97.5])
        print(f"{name}: rank 1 {found.right.mean():.3f} of {len(found.right)}, AUC bare-bare {found.bare_auc:.4f}, "
              f"masked-bare {found.auc:.4f} ({low:.4f} to {high:.4f})")  # fmt: skip
        costly = found.costly(real)[:COSTLY]
        print(f"without {', '.join(Path(picture).name for picture in costly)} {found.auc_without(real, costly):.4f}")
    before, after = both
    more = gain(after.auc - before.auc, after.auc_drawn(real) - before.auc_drawn(real))
    bare = gain(after.bare_auc - before.bare_auc, after.bare_auc_drawn(real) - before.bare_auc_drawn(real))
    print(f"trained less untrained: AUC masked-bare {more}, bare-bare {bare}")


class Worn:
    """A run of `maskgen mask`: by source the row of the bare and of a masked picture."""

    def __init__(self, run: Path) -> None:
        self.data = layers_of_run(run)
        rows = enumerate(zip(self.data.photographs, self.data.bare, strict=True))
        both: dict[bool, dict[str, int]] = {True: {}, False: {}}
        for at, (source, bare) in rows:
            both[bool(bare)][str(source)] = at
        self.bare, self.worn = both[True], both[False]
        self.points = {row["source"]: row["source_points68"] for row in catalogue(run)}


@cache
def _arms(lfw: Path, pairs: Path, work: Path, other: Path) -> dict[str, Layers]:
    """What is trained on, the same photographs each time; once a process."""
    source = linked(shared_people(lfw, pairs, other), work / "shared")
    five = Worn(mask(source, work / "shared_five", "--bare"))
    world = Worn(mask(source, work / "shared_world", "--bare", "--kinds", "world"))
    shared = sorted(one for one in five.bare if one in five.worn and one in world.worn)
    first = five.data.rows([five.bare[one] for one in shared])
    peer = layers_of_crops([(other / one, five.points[one]) for one in shared], first.people, shared, work / "other")
    ours = {
        "five kinds": five.data.rows([five.worn[one] for one in shared]),
        "world": world.data.rows([world.worn[one] for one in shared]),
    }
    return {"bare": first, **{name: first.plus(one) for name, one in {**ours, "other tool": peer}.items()}}


def layers_of_crops(
    photographs: Sequence[tuple[Path, object]], people: Sequence[str], names: Sequence[str], folder: Path
) -> Layers:
    """Of photographs that another tool masked, cut out by the points of the bare ones."""
    folder.mkdir(exist_ok=True)
    files = [folder / f"{number}.png" for number in range(len(photographs))]
    for file, (path, points) in zip(files, photographs, strict=True):
        if file.exists():
            continue
        crop = align_upright(decode(path.read_bytes()), np.array(points, np.float32).reshape(68, 2), 160).image
        cv2.imwrite(str(file), crop[:, :, ::-1])
    return layers([[(file, None) for file in files]], people, names, [False] * len(files), folder)


def compare_masks(asked: argparse.Namespace) -> None:
    """The table of whose masks teach a recogniser."""
    arms, real = _arms(asked.lfw, asked.pairs, asked.work, asked.other), real_of(asked.real, asked.work)
    for name, data in arms.items():
        print(f"{name}: trained on {len(data)} pictures", flush=True)
    runs = [(name, seed) for name in arms for seed in range(SEEDS)]
    trial = Trial((ARM_EPOCHS, *asked.set))
    tails = seeded(asked, [trial] * len(runs), [seed for _, seed in runs], [name for name, _ in runs])
    found = {"untrained": [Found(untrained(), real)], **{name: [] for name in arms}}
    for (name, _), tail in zip(runs, tails, strict=True):
        found[name].append(Found(tail, real))
    report(found, real, {str(one.path): one.sort for one in labelled(asked.real)})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lfw", type=Path)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--compare", nargs="*", metavar="ROW", help="rows of the table; without any all of them")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="change the recipe's settings")
    parser.add_argument("--side-by-side", type=int, default=SEEDS, help="networks trained at once, a core each")
    parser.add_argument("--other", type=Path)
    parser.add_argument("--real", type=Path)
    asked = parser.parse_args()
    if asked.other and not asked.real:
        sys.exit("--other is judged on --real: give both.")
    torch.set_num_threads(1)
    asked.work.mkdir(parents=True, exist_ok=True)
    if asked.compare is not None:
        compare_settings(asked)
    if asked.out and not asked.out.exists():
        make(asked)
    elif asked.out:
        tell_stored(asked)
    if asked.out and asked.real:
        judge(asked)
    if asked.other:
        compare_masks(asked)


if __name__ == "__main__":
    main()
