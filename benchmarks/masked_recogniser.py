"""Trains the weights of the recogniser `masked`, and compares masks to train it on, judged on real masks.

    python benchmarks/masked_recogniser.py LFW_DIR lfw_pairs.txt --work WORK --out masked.safetensors
    python benchmarks/masked_recogniser.py LFW_DIR lfw_pairs.txt --work WORK --other PEER_DIR --real MFR2_DIR

People named in the pairs are left out; 200 of those with several photographs are kept back to choose settings on.
The losses are those of the recipe `masked`. What the frozen layers make of each picture is computed once and kept in
WORK, so the trained layers alone are run again and again: an epoch takes seconds where `maskgen train masked`, which
draws new masks each time, takes minutes. Each photograph comes bare, in two of the five default masks and in one of
`--kinds world`. The names of the people are written beside the weights. --choose prints what other rates and epochs
reach on the people who were kept back: AUC, and the true match rate at a false match rate of 0.001. With --real the
weights are judged on MFR2.

With --other, the photographs that PEER_DIR has under the same paths are trained on bare twice, bare and in one of our
five default masks, bare and in a mask of `--kinds world`, or bare and in PEER_DIR's; three seeds. Judged is MFR2:
masked pictures against bare ones.
"""

from __future__ import annotations

import argparse
import copy
import random
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
from safetensors.numpy import save
from sklearn.metrics import roc_auc_score, roc_curve
from torch import Tensor, nn
from torch.nn.functional import normalize

from maskgen.core.images import decode
from maskgen.embedders.dlib_chips import ChipAligner
from maskgen.embedders.dlib_resnet import dlib_resnet
from maskgen.faces.align import align
from maskgen.trainer.data.transforms import normalised
from maskgen.trainer.networks.dlib_resnet import MEAN, STD

KEPT_BACK, MOST = 200, 6
RATE, EPOCHS = 3e-4, 8
SHARE = 0.8  # of the way from dlib's weights to the trained ones
AT_ONCE = 64
SEEDS = 3
REPLICATES = 2000


class Tail(nn.Module):
    """What the recipe trains: the last stage and the neck; float32 (n, 256, 4, 4) to embeddings of length 1."""

    def __init__(self, whole: nn.Module) -> None:
        super().__init__()
        self.stage5 = copy.deepcopy(whole.backbone.stage5).requires_grad_(True)
        self.neck = copy.deepcopy(whole.neck).requires_grad_(True)

    def forward(self, maps: Tensor) -> Tensor:
        """See the class."""
        return normalize(self.neck(self.stage5(maps).mean((2, 3))), dim=1)


class Cached:
    """Pictures by name: what the frozen layers make of each, the untouched network's embedding, whose it is."""

    def __init__(self, maps: np.ndarray, embeddings: np.ndarray, people: Sequence[str], bare: np.ndarray) -> None:
        self.maps, self.embeddings, self.people, self.bare = maps, embeddings, np.array(people), bare

    def rows(self, chosen: Sequence[int]) -> Cached:
        """Some of them."""
        return Cached(self.maps[chosen], self.embeddings[chosen], self.people[chosen], self.bare[chosen])

    def plus(self, other: Cached) -> Cached:
        """These and others."""
        names = ("maps", "embeddings", "people", "bare")
        return Cached(*(np.concatenate([getattr(self, name), getattr(other, name)]) for name in names))


def free_people(lfw: Path, pairs: Path) -> dict[str, list[Path]]:
    """The photographs of everybody who is named in no pair."""
    named = {word for word in re.split(r"\s+", pairs.read_text("utf-8")) if word and not word.isdigit()}
    return {one.name: sorted(one.glob("*.jpg")) for one in sorted(lfw.iterdir()) if one.name not in named}


def people_of(lfw: Path, pairs: Path, kept_back: bool = False) -> dict[str, list[Path]]:
    """The photographs to train the weights on by person, or those of the people who are kept back."""
    free = free_people(lfw, pairs)
    rng = random.Random(0)
    several = [name for name in free if len(free[name]) > 1]
    rng.shuffle(several)
    back = set(several[:KEPT_BACK])
    return {name: rng.sample(free[name], min(len(free[name]), MOST)) for name in free if (name in back) == kept_back}


def shared_people(lfw: Path, pairs: Path, other: Path) -> dict[str, list[Path]]:
    """The photographs that the other tool has masked too, at most MOST a person."""
    free = free_people(lfw, pairs)
    there = {name: [path for path in free[name] if (other / path.relative_to(lfw)).is_file()][:MOST] for name in free}
    return {name: paths for name, paths in there.items() if paths}


def mask(people: dict[str, list[Path]], work: Path, words: Sequence[str]) -> Path:
    """A run of `maskgen mask` with every photograph bare and in masks."""
    source, run = work / "photographs", work / "masked"
    for name, photographs in people.items():
        (source / name).mkdir(parents=True, exist_ok=True)
        for path in photographs:
            link = source / name / path.name
            if not link.is_symlink():
                link.symlink_to(path.resolve())
    command = ["maskgen", "mask", source, run, "--bare", "--seed", 1, *words]
    if subprocess.run([str(word) for word in command], check=False).returncode not in (0, 3):
        sys.exit("the photographs were not masked")
    return run


def cached(images: Sequence[bytes | np.ndarray], people: Sequence[str], bare: Sequence[bool], file: Path) -> Cached:
    """Through the frozen layers, once."""
    if not file.exists():
        net, chipper = dlib_resnet().model, ChipAligner()
        parts = list(net.backbone)
        frozen, last = nn.Sequential(*parts[:-1]), parts[-1]
        maps, embeddings = [], []
        for at in range(0, len(images), AT_ONCE):
            part = [decode(one) if isinstance(one, bytes) else one for one in images[at : at + AT_ONCE]]
            chips = torch.from_numpy(np.stack(chipper.chips(part)))
            with torch.inference_mode():
                found = frozen(normalised(chips, MEAN, STD))
                maps.append(found.contiguous().numpy().astype(np.float16))
                embeddings.append(net.neck(last(found).mean((2, 3))).numpy())
        np.savez(file, maps=np.concatenate(maps), embeddings=np.concatenate(embeddings))
    with np.load(file, allow_pickle=False) as found:
        return Cached(found["maps"], found["embeddings"], people, np.array(bare))


def triplets(embeddings: Tensor, targets: Tensor, margin: float) -> Tensor:
    distances = torch.cdist(embeddings, embeddings)
    same = targets[:, None] == targets[None]
    far = distances.masked_fill(~same, 0).max(1).values
    near = distances.masked_fill(same, 9).min(1).values
    return torch.relu(far - near + margin).mean()


def trained(data: Cached, seed: int, epochs: int, batch: int, rate: float = 1e-3) -> Tail:
    """Batches hold people whole; triplets and distillation, as the recipe."""
    rng = np.random.default_rng(seed)
    names, targets = np.unique(data.people, return_inverse=True)
    unit = data.embeddings / np.linalg.norm(data.embeddings, axis=1, keepdims=True)
    means = np.stack([unit[(targets == one) & data.bare].mean(0) for one in range(len(names))])
    templates = normalize(torch.from_numpy(means.astype(np.float32)), dim=1)
    tail = Tail(dlib_resnet().model)
    optimizer = torch.optim.AdamW(tail.parameters(), rate, weight_decay=0.05)
    steps, step = epochs * (len(targets) // batch), 0
    for _ in range(epochs):
        order = np.lexsort((rng.random(len(targets)), rng.permutation(len(names))[targets]))
        batches = [order[at : at + batch] for at in range(0, len(order) - batch + 1, batch)]
        rng.shuffle(batches)
        for rows in batches:
            for group in optimizer.param_groups:
                group["lr"] = rate * min(1, (step + 1) / 10) * 0.5 * (1 + np.cos(np.pi * step / steps))
            found, own = tail(torch.from_numpy(data.maps[rows].astype(np.float32))), torch.from_numpy(targets[rows])
            loss = (found - templates[own]).square().sum(1).mean() + triplets(found, own, 0.3)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
    return tail


def embedded(tail: Tail, data: Cached) -> np.ndarray:
    with torch.inference_mode():
        return tail(torch.from_numpy(data.maps.astype(np.float32))).numpy()


def rank1(embeddings: np.ndarray, data: Cached) -> np.ndarray:
    """Of each masked picture whose person has a bare one, whether the nearest bare picture is of its person."""
    probes, enrolled = np.flatnonzero(~data.bare), np.flatnonzero(data.bare)
    probes = probes[np.isin(data.people[probes], data.people[enrolled])]
    nearest = enrolled[(embeddings[probes] @ embeddings[enrolled].T).argmax(1)]
    return data.people[nearest] == data.people[probes]


class Run:
    """A run of `maskgen mask` through the frozen layers: by source the row of the bare and of a masked picture."""

    def __init__(self, run: Path) -> None:
        self.rows = pq.read_table(run / "catalogue.parquet").sort_by("path").to_pylist()
        images = [(run / row["path"]).read_bytes() for row in self.rows]
        bare = [row["kind"] == "bare" for row in self.rows]
        self.cached = cached(images, [row["person"] for row in self.rows], bare, run.with_suffix(".npz"))
        self.bare = {row["source"]: at for at, row in enumerate(self.rows) if bare[at]}
        self.worn = {row["source"]: at for at, row in enumerate(self.rows) if not bare[at]}


def arms_of(asked: argparse.Namespace) -> dict[str, Cached]:
    """What is trained on, the same photographs each time."""
    people = shared_people(asked.lfw, asked.pairs, asked.other)
    runs = {
        "five kinds": Run(mask(people, asked.work / "five", ["--per-photo", "random"])),
        "world": Run(mask(people, asked.work / "world", ["--kinds", "world", "--per-photo", "random"])),
    }
    five = runs["five kinds"]
    shared = sorted(source for source in five.bare if all(source in run.worn for run in runs.values()))
    crops = []
    for source in shared:
        points = np.array(five.rows[five.bare[source]]["source_points68"], np.float32).reshape(68, 2)
        crops.append(align(decode((asked.other / source).read_bytes()), points, 160).image)
    first = five.cached.rows([five.bare[source] for source in shared])
    other = cached(crops, first.people.tolist(), [False] * len(crops), asked.work / "other.npz")
    worn = {name: run.cached.rows([run.worn[source] for source in shared]) for name, run in runs.items()}
    return {name: first.plus(one) for name, one in {"bare": first, **worn, "other tool": other}.items()}


def compare(asked: argparse.Namespace) -> None:
    arms, real = arms_of(asked), real_of(asked.real, asked.work)
    found = {"untrained": [Found(Tail(dlib_resnet().model), real)]}
    for name, data in arms.items():
        found[name] = [Found(trained(data, seed, 8, 128), real) for seed in range(SEEDS)]
        print(f"{name}: trained on {len(data.people)} pictures", flush=True)
    report(found, real)


class Found:
    """What a network makes of MFR2: per probe whether rank 1 is right, and the AUC of masked-bare pairs."""

    def __init__(self, tail: Tail, real: Cached) -> None:
        embeddings = embedded(tail, real)
        self.right = rank1(embeddings, real)
        masked, bare = np.flatnonzero(~real.bare), np.flatnonzero(real.bare)
        scores, same = embeddings[masked] @ embeddings[bare].T, real.people[masked][:, None] == real.people[bare]
        self.auc = float(roc_auc_score(same.ravel(), scores.ravel()))


def real_of(folder: Path, work: Path) -> Cached:
    """MFR2: its pictures, and from its labels which are bare."""
    lines = [line.split(",") for line in (folder / "mfr2_labels.txt").read_text("utf-8").splitlines()]
    labels = [(one[0].strip(), int(one[1]), one[2].strip()) for one in lines if len(one) == 3]
    paths = [folder / name / f"{name}_{number:04}.png" for name, number, _ in labels]
    there = [at for at, path in enumerate(paths) if path.is_file()]
    images = [paths[at].read_bytes() for at in there]
    bare = [labels[at][2] == "no-mask" for at in there]
    return cached(images, [labels[at][0] for at in there], bare, work / "real.npz")


def report(found: dict[str, list[Found]], real: Cached) -> None:
    """Rank 1 and AUC of each, and the paired difference in rank 1 of our two from each, over people drawn anew."""
    probes = np.flatnonzero(~real.bare)
    people = real.people[probes[np.isin(real.people[probes], real.people[real.bare])]]
    names, rng = np.unique(people), np.random.default_rng(0)
    means = {name: np.mean([one.right for one in each], axis=0) for name, each in found.items()}
    own = {one: np.flatnonzero(people == one) for one in names}
    drawn = [np.concatenate([own[one] for one in rng.choice(names, len(names))]) for _ in range(REPLICATES)]
    print(f"{len(people)} masked probes of {len(names)} people")
    print("| trained on | rank 1 by seed | AUC masked-bare | five kinds less this | world less this |")
    print("|---|---|---|---|---|")
    for name, mean in means.items():
        cells = []
        for ours in ("five kinds", "world"):
            gain = means[ours] - mean
            low, high = np.percentile([gain[rows].mean() for rows in drawn], [2.5, 97.5])
            cells.append(f"{gain.mean():+.3f} ({low:+.3f} to {high:+.3f})")
        seeds = ", ".join(f"{one.right.mean():.3f}" for one in found[name])
        auc = np.mean([one.auc for one in found[name]])
        print(f"| {name} | {mean.mean():.3f} ({seeds}) | {auc:.3f} | {' | '.join(cells)} |")


def in_masks(people: dict[str, list[Path]], work: Path) -> Cached:
    """Each photograph bare, in two of the five kinds, and in one of `world`."""
    five = Run(mask(people, work / "five", ["--per-photo", "2"])).cached
    world = Run(mask(people, work / "world", ["--kinds", "world", "--per-photo", "1"])).cached
    return five.plus(world.rows(np.flatnonzero(~world.bare)))


def make(asked: argparse.Namespace) -> None:
    """The weights, or the figures that the settings were chosen by."""
    people = people_of(asked.lfw, asked.pairs)
    ours = in_masks(people, asked.work / "weights")
    print(
        f"{sum(map(len, people.values()))} photographs of {len(people)} people, {len(ours.people)} pictures", flush=True
    )
    if asked.choose:
        kept = in_masks(people_of(asked.lfw, asked.pairs, kept_back=True), asked.work / "kept")
        tell("untrained", Tail(dlib_resnet().model), kept)
        for rate, epochs in ((1e-3, 4), (3e-4, 4), (3e-4, 8), (3e-4, 16)):
            tell(f"rate {rate:g}, {epochs} epochs", trained(ours, 0, epochs, 256, rate), kept)
        tails = [trained(ours, seed, EPOCHS, 256, RATE) for seed in range(SEEDS)]
        for share in (1.0, 0.8, 0.6, 0.4):
            tell(f"rate {RATE:g}, {EPOCHS} epochs, mean of {SEEDS} seeds, share {share}", between(tails, share), kept)
    if asked.out:
        asked.out.with_name(f"{asked.out.stem}_people.txt").write_text("".join(f"{name}\n" for name in sorted(people)))
        tail = between([trained(ours, seed, EPOCHS, 256, RATE) for seed in range(SEEDS)], SHARE)
        if asked.real:
            real = real_of(asked.real, asked.work)
            for name, one in (("untrained", Tail(dlib_resnet().model)), ("trained", tail)):
                found = Found(one, real)
                print(f"{name}: rank 1 {found.right.mean():.3f} of {len(found.right)}, AUC masked-bare {found.auc:.4f}")
        state = tail.state_dict()
        named = {name.replace("stage5", "backbone.stage5"): value.numpy() for name, value in state.items()}
        asked.out.write_bytes(save({name: value.astype(np.float16) for name, value in named.items()}))


def between(tails: Sequence[Tail], share: float) -> Tail:
    """The mean of their weights, by `share` of the way from the untouched ones: bare faces are forgotten less.

    Source: Wortsman et al., Robust fine-tuning of zero-shot models, and Model soups, both 2022.
    """
    found = Tail(dlib_resnet().model)
    states = [tail.state_dict() for tail in tails]
    means = {name: torch.stack([state[name] for state in states]).mean(0) for name in states[0]}
    found.load_state_dict({name: (1 - share) * old + share * means[name] for name, old in found.state_dict().items()})
    return found


def tell(name: str, tail: Tail, kept: Cached) -> None:
    """AUC and true match rate of all pairs of people kept back, by sort."""
    embeddings, cells = embedded(tail, kept), []
    for first, second in ((True, True), (True, False), (False, False)):
        a, b = np.flatnonzero(kept.bare == first), np.flatnonzero(kept.bare == second)
        there = np.triu(np.ones((len(a), len(b)), bool), 1) if first == second else np.ones((len(a), len(b)), bool)
        same = (kept.people[a][:, None] == kept.people[b])[there]
        scores = (embeddings[a] @ embeddings[b].T)[there]
        false, true, _ = roc_curve(same, scores)
        cells.append(f"{roc_auc_score(same, scores):.4f} {np.interp(1e-3, false, true):.3f}")
    print(f"| {name} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lfw", type=Path)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--choose", action="store_true")
    parser.add_argument("--other", type=Path)
    parser.add_argument("--real", type=Path)
    asked = parser.parse_args()
    if asked.other and not asked.real:
        sys.exit("--other is judged on --real: give both.")
    asked.work.mkdir(parents=True, exist_ok=True)
    if asked.out or asked.choose:
        make(asked)
    if asked.other:
        compare(asked)


if __name__ == "__main__":
    main()
