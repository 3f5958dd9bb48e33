"""Networks judged on MFR2, people in real masks: masked pictures against bare ones (`masked_recogniser.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from frozen_layers import Layers, layers
from last_layers import embedded
from sklearn.metrics import roc_auc_score

from maskgen.core.images import encode_image, read_photo
from maskgen.core.reasons import SetAsideError
from maskgen.core.records import Image
from maskgen.faces.crop_by_alignment import CropSettings
from maskgen.gallery.portrait_finder import PortraitFinder
from maskgen.trainer.networks.models import Embedder

REPLICATES = 2000
COSTLY = 2  # pictures that are named


def real_of(folder: Path, work: Path) -> Layers:
    """MFR2: its faces, cut as `maskgen gallery` cuts them, and from its labels which are bare.

    A picture that a gallery sets aside is taken as it is.
    """
    lines = [line.split(",") for line in (folder / "mfr2_labels.txt").read_text("utf-8").splitlines()]
    labels = [(one[0].strip(), int(one[1]), one[2].strip()) for one in lines if len(one) == 3]
    paths = [folder / name / f"{name}_{number:04}.png" for name, number, _ in labels]
    there = [at for at, path in enumerate(paths) if path.is_file()]
    bare, finder, cuts = [labels[at][2] == "no-mask" for at in there], PortraitFinder(), work / "real_cut"
    cuts.mkdir(exist_ok=True)
    for at, shows_bare in zip(there, bare, strict=True):
        if not (cuts / paths[at].name).exists():
            (cuts / paths[at].name).write_bytes(encode_image(_cut(finder, paths[at], not shows_bare), "png"))
    files = [(cuts / paths[at].name, None) for at in there]
    return layers([files], [labels[at][0] for at in there], [str(paths[at]) for at in there], bare, cuts)


def _cut(finder: PortraitFinder, path: Path, masked: bool) -> Image:
    image = read_photo(path).image
    try:
        return finder.find(image, masked, CropSettings()).crop.image
    except SetAsideError:
        return image


class Found:
    """What a network makes of MFR2.

    Attributes:
        right: of each probe whether rank 1 is right.
        masked, bare: the rows of probes and of enrolled pictures; scores (masked, bare) of their pairs.
        auc: of the pairs.
    """

    def __init__(self, tail: Embedder, real: Layers) -> None:
        embeddings = embedded(tail, real)
        self.right = rank1(embeddings, real)
        self.masked, self.bare = np.flatnonzero(~real.bare), np.flatnonzero(real.bare)
        self.scores = embeddings[self.masked] @ embeddings[self.bare].T
        self.same = real.people[self.masked][:, None] == real.people[self.bare]
        self.auc = float(roc_auc_score(self.same.ravel(), self.scores.ravel()))

    def auc_drawn(self, real: Layers) -> np.ndarray:
        """AUCs over people drawn anew, the same draws for every network."""
        _, whose = np.unique(real.people, return_inverse=True)
        rng, many = np.random.default_rng(0), int(whose.max()) + 1
        drawn = [np.bincount(rng.integers(0, many, many), minlength=many)[whose] for _ in range(REPLICATES)]
        weights = [(one[self.masked][:, None] * one[self.bare]).ravel() for one in drawn]
        same, scores = self.same.ravel(), self.scores.ravel()
        return np.array([roc_auc_score(same, scores, sample_weight=one) for one in weights])

    def costly(self, real: Layers) -> list[str]:
        """The masked pictures, those first by whose pairs the AUC loses most."""
        others = np.sort(self.scores[~self.same])
        above = 1 - np.searchsorted(others, self.scores) / len(others)
        return real.photographs[self.masked[np.argsort(-(above * self.same).sum(1))]].tolist()

    def auc_without(self, real: Layers, pictures: Sequence[str]) -> float:
        """The AUC of the others' pairs."""
        kept = ~np.isin(real.photographs[self.masked], pictures)
        return float(roc_auc_score(self.same[kept].ravel(), self.scores[kept].ravel()))


def rank1(embeddings: np.ndarray, data: Layers) -> np.ndarray:
    """Of each masked picture whose person has a bare one, whether the nearest bare picture is of its person."""
    probes, enrolled = np.flatnonzero(~data.bare), np.flatnonzero(data.bare)
    probes = probes[np.isin(data.people[probes], data.people[enrolled])]
    nearest = enrolled[(embeddings[probes] @ embeddings[enrolled].T).argmax(1)]
    return data.people[nearest] == data.people[probes]


def report(found: dict[str, list[Found]], real: Layers) -> None:
    """Rank 1 and AUC of each, and the paired differences of our two from each, over people drawn anew."""
    probes = np.flatnonzero(~real.bare)
    people = real.people[probes[np.isin(real.people[probes], real.people[real.bare])]]
    names, rng = np.unique(people), np.random.default_rng(0)
    means = {name: np.mean([one.right for one in each], axis=0) for name, each in found.items()}
    own = {one: np.flatnonzero(people == one) for one in names}
    drawn = [np.concatenate([own[one] for one in rng.choice(names, len(names))]) for _ in range(REPLICATES)]
    aucs = {name: np.mean([one.auc_drawn(real) for one in each], axis=0) for name, each in found.items()}
    costly = found["untrained"][0].costly(real)[:COSTLY]
    print(f"{len(people)} masked probes of {len(names)} people; costly: {', '.join(Path(one).name for one in costly)}")
    print("| trained on | rank 1 by seed | AUC masked-bare | without the costly | five kinds less this: rank 1 | AUC "
          "| world less this: rank 1 | AUC |\n|---|---|---|---|---|---|---|---|")  # fmt: skip
    for name, mean in means.items():
        cells = []
        for ours in ("five kinds", "world"):
            gain, more = means[ours] - mean, _auc(found[ours]) - _auc(found[name])
            cells += [_gain(gain.mean(), [gain[rows].mean() for rows in drawn]), _gain(more, aucs[ours] - aucs[name])]
        seeds = ", ".join(f"{one.right.mean():.3f}" for one in found[name])
        without = np.mean([one.auc_without(real, costly) for one in found[name]])
        print(
            f"| {name} | {mean.mean():.3f} ({seeds}) | {_auc(found[name]):.3f} | {without:.3f} | {' | '.join(cells)} |"
        )


def _auc(found: Sequence[Found]) -> float:
    return float(np.mean([one.auc for one in found]))


def _gain(value: float, drawn: np.ndarray | Sequence[float]) -> str:
    low, high = np.percentile(drawn, [2.5, 97.5])
    return f"{value:+.3f} ({low:+.3f} to {high:+.3f})"
