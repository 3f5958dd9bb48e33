"""Networks judged on MFR2, people in real masks: masked pictures against bare ones (`masked_recogniser.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
BARE = "no-mask"
OURS = ("five kinds", "world")
# MFR2's labels of masks, by how they begin, and the sort that the tables have.
SORTS = {"surgical": "surgical", "KN95": "N95", "N99": "N95", "cloth_textured": "printed cloth", "cloth": "plain cloth"}


@dataclass(frozen=True)
class Labelled:
    """A picture of MFR2 that is there: its file, whom it shows, and what its label says of the mask."""

    path: Path
    person: str
    mask: str

    @property
    def sort(self) -> str:
        """Of mask; "" for a bare face."""
        return next((sort for begin, sort in SORTS.items() if self.mask.startswith(begin)), "")


def labelled(folder: Path) -> list[Labelled]:
    """MFR2's pictures, in the order of its labels."""
    lines = [line.split(",") for line in (folder / "mfr2_labels.txt").read_text("utf-8").splitlines()]
    labels = [(one[0].strip(), int(one[1]), one[2].strip()) for one in lines if len(one) == 3]
    found = [Labelled(folder / name / f"{name}_{number:04}.png", name, mask) for name, number, mask in labels]
    return [one for one in found if one.path.is_file()]


def real_of(folder: Path, work: Path) -> Layers:
    """MFR2: its faces, cut as `maskgen gallery` cuts them, and from its labels which are bare.

    A picture that a gallery sets aside is taken as it is.
    """
    found, finder, cuts = labelled(folder), PortraitFinder(), work / "real_cut"
    cuts.mkdir(exist_ok=True)
    bare = [one.mask == BARE for one in found]
    for one, shows_bare in zip(found, bare, strict=True):
        if not (cuts / one.path.name).exists():
            (cuts / one.path.name).write_bytes(encode_image(_cut(finder, one.path, not shows_bare), "png"))
    files = [(cuts / one.path.name, None) for one in found]
    return layers([files], [one.person for one in found], [str(one.path) for one in found], bare, cuts)


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
        bare_scores, bare_same, bare_auc: of all pairs of two bare pictures.
    """

    def __init__(self, tail: Embedder, real: Layers) -> None:
        embeddings = embedded(tail, real)
        self.right = rank1(embeddings, real)
        self.masked, self.bare = np.flatnonzero(~real.bare), np.flatnonzero(real.bare)
        self.scores = embeddings[self.masked] @ embeddings[self.bare].T
        self.same = real.people[self.masked][:, None] == real.people[self.bare]
        self.auc = float(roc_auc_score(self.same.ravel(), self.scores.ravel()))
        one, other = self._bare_pairs()
        self.bare_same = real.people[one] == real.people[other]
        self.bare_scores = (embeddings[one] * embeddings[other]).sum(1)
        self.bare_auc = float(roc_auc_score(self.bare_same, self.bare_scores))

    def _bare_pairs(self) -> tuple[np.ndarray, np.ndarray]:
        one, other = np.triu_indices(len(self.bare), 1)
        return self.bare[one], self.bare[other]

    def auc_of(self, chosen: np.ndarray) -> float:
        """The AUC of the pairs of some masked pictures, bool (masked)."""
        return float(roc_auc_score(self.same[chosen].ravel(), self.scores[chosen].ravel()))

    def auc_drawn(self, real: Layers, chosen: np.ndarray | None = None) -> np.ndarray:
        """AUCs over people drawn anew, the same draws for every network; NaN where none of a kind of pair is drawn."""
        rows = np.ones(len(self.masked), bool) if chosen is None else chosen
        one, other = (each.ravel() for each in np.meshgrid(self.masked[rows], self.bare, indexing="ij"))
        return aucs_drawn(real, (one, other), self.same[rows].ravel(), self.scores[rows].ravel())

    def bare_auc_drawn(self, real: Layers) -> np.ndarray:
        """As `auc_drawn`, of the pairs of two bare pictures."""
        return aucs_drawn(real, self._bare_pairs(), self.bare_same, self.bare_scores)

    def costly(self, real: Layers) -> list[str]:
        """The masked pictures, those first by whose pairs the AUC loses most."""
        others = np.sort(self.scores[~self.same])
        above = 1 - np.searchsorted(others, self.scores) / len(others)
        return real.photographs[self.masked[np.argsort(-(above * self.same).sum(1))]].tolist()

    def auc_without(self, real: Layers, pictures: Sequence[str]) -> float:
        """The AUC of the others' pairs."""
        return self.auc_of(~np.isin(real.photographs[self.masked], pictures))


def aucs_drawn(real: Layers, pairs: tuple[np.ndarray, np.ndarray], same: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """AUCs of pairs (n,) over people drawn anew; no two scores may be equal.

    A pair of one person counts as often as the person was drawn, one of two people as the product for both.
    """
    _, whose = np.unique(real.people, return_inverse=True)
    rng, many = np.random.default_rng(0), int(whose.max()) + 1
    drawn = np.stack([np.bincount(rng.integers(0, many, many), minlength=many) for _ in range(REPLICATES)])
    order = np.argsort(scores)
    one, other, true = whose[pairs[0]][order], whose[pairs[1]][order], same[order]
    right, wrong = drawn[:, one] * true, drawn[:, one] * drawn[:, other] * ~true
    with np.errstate(invalid="ignore"):
        found: np.ndarray = (right * wrong.cumsum(1)).sum(1) / (right.sum(1) * wrong.sum(1))
    return found


def rank1(embeddings: np.ndarray, data: Layers) -> np.ndarray:
    """Of each masked picture whose person has a bare one, whether the nearest bare picture is of its person."""
    probes, enrolled = np.flatnonzero(~data.bare), np.flatnonzero(data.bare)
    probes = probes[np.isin(data.people[probes], data.people[enrolled])]
    nearest = enrolled[(embeddings[probes] @ embeddings[enrolled].T).argmax(1)]
    return data.people[nearest] == data.people[probes]


def report(found: dict[str, list[Found]], real: Layers, sorts: dict[str, str]) -> None:
    """Rank 1 and AUC of each, and the paired differences of our two from each, over people drawn anew.

    Args:
        found: by what was trained on, of each seed.
        sorts: of the masks, by picture.
    """
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
        for ours in OURS:
            right, more = means[ours] - mean, _auc(found[ours]) - _auc(found[name])
            cells += [gain(right.mean(), [right[rows].mean() for rows in drawn]), gain(more, aucs[ours] - aucs[name])]
        seeds = ", ".join(f"{one.right.mean():.3f}" for one in found[name])
        without = np.mean([one.auc_without(real, costly) for one in found[name]])
        print(
            f"| {name} | {mean.mean():.3f} ({seeds}) | {_auc(found[name]):.3f} | {without:.3f} | {' | '.join(cells)} |"
        )
    report_sorts(found, real, sorts)
    report_disagreed({name: sum(one.right for one in each) for name, each in found.items()}, real)


def report_sorts(found: dict[str, list[Found]], real: Layers, sorts: dict[str, str]) -> None:
    """The AUC of the pairs with each sort of mask, and how much more our two have than the others."""
    worn = np.array([sorts[one] for one in real.photographs[found["untrained"][0].masked]])
    names, counts = np.unique(worn, return_counts=True)
    heads = [f"{name}, {count}" for name, count in zip(names, counts, strict=True)]
    print(f"| AUC masked-bare, by the mask | {' | '.join(heads)} |\n|---|{'---|' * len(heads)}")
    rows = [worn == one for one in names]
    means, drawn = {}, {}
    for name, each in found.items():
        means[name] = [float(np.mean([one.auc_of(own) for one in each])) for own in rows]
        drawn[name] = [np.mean([one.auc_drawn(real, own) for one in each], axis=0) for own in rows]
    for name, values in means.items():
        print(f"| {name} | {' | '.join(f'{value:.3f}' for value in values)} |")
    for name, ours in ((name, ours) for name in found if name not in OURS for ours in OURS):
        gains = np.subtract(means[ours], means[name]), np.subtract(drawn[ours], drawn[name])
        print(f"| {ours} less {name} | {' | '.join(gain(*one) for one in zip(*gains, strict=True))} |")


def report_disagreed(right: dict[str, np.ndarray], real: Layers) -> None:
    """The probes that are not told alike by all that was trained: by how many seeds each is told rightly."""
    probes = np.flatnonzero(~real.bare)
    probes = probes[np.isin(real.people[probes], real.people[real.bare])]
    taught = {name: counts for name, counts in right.items() if name != "untrained"}
    print(f"| rightly told, of the seeds | {' | '.join(taught)} |\n|---|{'---|' * len(taught)}")
    for at, probe in enumerate(probes):
        counts = [int(one[at]) for one in taught.values()]
        if len(set(counts)) > 1:
            print(f"| {Path(real.photographs[probe]).name} | {' | '.join(map(str, counts))} |")


def _auc(found: Sequence[Found]) -> float:
    return float(np.mean([one.auc for one in found]))


def gain(value: float, drawn: np.ndarray | Sequence[float]) -> str:
    """A difference with its 95 % interval."""
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return f"{value:+.3f} ({low:+.3f} to {high:+.3f})"
