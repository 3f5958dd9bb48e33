"""Training of the layers behind the frozen ones, on what `benchmarks/frozen_layers.py` kept."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from frozen_layers import AT_ONCE, FROZEN, WAYS, Layers, unit
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize, one_hot

from maskgen.embedders.dlib_resnet import dlib_resnet
from maskgen.trainer.loss_functions.arcface import build_arcface

WARM_UP = 30  # steps


@dataclass(frozen=True)
class Settings:
    """How the last layers are trained.

    Attributes:
        stages: how many of stages 4 and 5 learn, from the last on; the neck always does.
        people, images: of a batch; a person's images are of different photographs where there are so many.
        mask_share: of the images that wear a mask.
        distill: weight of the squared distance to the person's template, the mean of what the untouched network makes
            of the bare photographs, without the photograph itself where there are others. Source: Huber et al.,
            Mask-invariant Face Recognition through Template-level Knowledge Distillation, 2021.
        bare: weight of the squared distance of a bare photograph to what the untouched network makes of it.
        centres: weight of cross-entropy over all people, whose templates are the classes' centres and stay; `scale` and
            `margin` (of the cosine) as CosFace's. Source: Wang et al., CosFace, 2018; the teacher's own classes as
            in Chen et al., Knowledge Distillation with the Reused Teacher Classifier, 2022.
        triplets: weight of batch-hard triplets; a positive is another photograph where there is one.
            Source: Hermans et al., In Defense of the Triplet Loss, 2017.
        arcface: weight of ArcFace, whose centres begin at the templates and learn. Source: Deng et al., ArcFace, 2019.
    """

    stages: int = 2
    rate: float = 3e-4
    steps: int = 400
    people: int = 64
    images: int = 4
    mask_share: float = 0.67
    distill: float = 1.0
    bare: float = 0.0
    centres: float = 0.0
    scale: float = 20.0
    margin: float = 0.1
    triplets: float = 1.0
    triplet_margin: float = 0.3
    arcface: float = 0.0


class Tail(nn.Module):
    """Stages 4 and 5 and the neck; float32 (n, 128, 8, 8) to embeddings of length 1."""

    def __init__(self, learning: int = 2) -> None:
        super().__init__()
        net = dlib_resnet().model
        self.stages = copy.deepcopy(nn.Sequential(*list(net.backbone)[FROZEN:])).requires_grad_(False)
        self.neck = copy.deepcopy(net.neck).requires_grad_(True)
        for part in list(self.stages)[len(self.stages) - learning :]:
            part.requires_grad_(True)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, maps: Tensor) -> Tensor:
        """See the class."""
        return normalize(self.neck(self.stages(maps).mean((2, 3))).float(), dim=1)

    def learnt(self) -> dict[str, Tensor]:
        """Weights that training may change, by the network's names of them."""
        found = {name: value for name, value in self.named_parameters() if value.requires_grad}
        return {_name(name): value.detach() for name, value in found.items()}


def _name(name: str) -> str:
    for at in (0, 1):
        name = name.replace(f"stages.{at}.", f"backbone.stage{FROZEN + at}.")
    return name


class Batches:
    """Draws batches: people by the root of how many photographs they have, and of each photograph a picture."""

    def __init__(self, data: Layers, settings: Settings, seed: int) -> None:
        self.settings, self.rng = settings, np.random.default_rng(seed)
        self.names, self.targets = np.unique(data.people, return_inverse=True)
        _, self.photographs = np.unique(data.photographs, return_inverse=True)
        self.bare_of = np.full(self.photographs.max() + 1, -1)
        self.bare_of[self.photographs[data.bare]] = np.flatnonzero(data.bare)
        self.masked: list[list[int]] = [[] for _ in self.bare_of]
        for row in np.flatnonzero(~data.bare):
            self.masked[self.photographs[row]].append(int(row))
        self.own: list[list[int]] = [[] for _ in self.names]
        for photograph in np.flatnonzero(self.bare_of >= 0):
            self.own[self.targets[self.bare_of[photograph]]].append(int(photograph))
        roots = np.sqrt([len(one) for one in self.own])
        self.chances = roots / roots.sum()

    def draw(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows, and which way each is seen."""
        rows = []
        for person in self.rng.choice(len(self.names), self.settings.people, replace=False, p=self.chances):
            own, many = self.own[person], self.settings.images
            chosen = list(self.rng.permutation(own)[:many])
            chosen += list(self.rng.choice(own, many - len(chosen)))
            for photograph in chosen:
                worn, masks = self.masked[photograph], self.rng.random() < self.settings.mask_share
                rows.append(self.rng.choice(worn) if worn and masks else self.bare_of[photograph])
        return np.array(rows), self.rng.integers(0, len(WAYS), len(rows))


class Losses(nn.Module):
    """What is made small; see `Settings`."""

    def __init__(self, data: Layers, batches: Batches, settings: Settings) -> None:
        super().__init__()
        self.settings, self.batches, self.is_bare = settings, batches, data.bare
        targets, bare_of = batches.targets, batches.bare_of[batches.photographs]
        sums = np.zeros((len(batches.names), data.embeddings.shape[1]))
        np.add.at(sums, targets[data.bare], data.embeddings[data.bare])
        own = data.embeddings[bare_of]
        several = np.array([len(one) > 1 for one in batches.own])[targets]
        wanted = np.where(several[:, None], unit(sums[targets] - own), unit(sums[targets]))
        self.templates, self.wanted, self.own = (_single(one) for one in (unit(sums), wanted, own))
        if settings.arcface:
            plain = nn.CrossEntropyLoss(reduction="none")
            self.arc = build_arcface(len(sums), sums.shape[1], settings.scale, 0.3, plain)
            self.arc.W.data = self.templates.T.contiguous().clone()

    def forward(self, found: Tensor, rows: np.ndarray) -> Tensor:
        """Embeddings (n, 128) of these rows to a number."""
        settings, people = self.settings, torch.from_numpy(self.batches.targets[rows])
        loss = settings.distill * (found - self.wanted[rows]).square().sum(1).mean()
        bare = torch.from_numpy(self.is_bare[rows])
        if settings.bare and bare.any():
            loss = loss + settings.bare * (found - self.own[rows])[bare].square().sum(1).mean()
        if settings.centres:
            cosines = found @ self.templates.T - settings.margin * one_hot(people, len(self.templates))
            loss = loss + settings.centres * cross_entropy(settings.scale * cosines, people)
        if settings.triplets:
            photographs = torch.from_numpy(self.batches.photographs[rows])
            loss = loss + settings.triplets * triplets(found, people, photographs, settings.triplet_margin)
        if settings.arcface:
            loss = loss + settings.arcface * self.arc(found, people).mean()
        return loss


def triplets(found: Tensor, people: Tensor, photographs: Tensor, margin: float) -> Tensor:
    """Batch-hard, the positive from another photograph where the batch has one."""
    distances = torch.cdist(found, found, compute_mode="donot_use_mm_for_euclid_dist")
    same = people[:, None] == people
    others = same & (photographs[:, None] != photographs)
    positives = torch.where(others.any(1, keepdim=True), others, same)
    far = distances.masked_fill(~positives, 0).max(1).values
    near = distances.masked_fill(same, 9).min(1).values
    return torch.relu(far - near + margin).mean()


def trained(data: Layers, settings: Settings, seed: int) -> Tail:
    """The last layers after `settings.steps` steps of AdamW, the rate up for some steps and then down as a cosine."""
    torch.manual_seed(seed)
    batches = Batches(data, settings, seed)
    tail, losses = Tail(settings.stages), Losses(data, batches, settings)
    learning = [one for one in [*tail.parameters(), *losses.parameters()] if one.requires_grad]
    optimizer = torch.optim.AdamW(learning, settings.rate, weight_decay=0.05)
    for step in range(settings.steps):
        share = min(1, (step + 1) / WARM_UP) * 0.5 * (1 + np.cos(np.pi * step / settings.steps))
        for group in optimizer.param_groups:
            group["lr"] = settings.rate * share
        rows, ways = batches.draw()
        with torch.autocast("cpu", torch.bfloat16):
            found = tail(data.batch(rows, ways))
        loss = losses(found, rows)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return tail


def embedded(tail: Tail, data: Layers, ways: Sequence[int] = WAYS) -> np.ndarray:
    """Both ways, as the embedder `masked` does, or one; float32 (n, 128) of length 1."""
    found = []
    for at in range(0, len(data), AT_ONCE):
        rows = np.arange(at, min(at + AT_ONCE, len(data)))
        with torch.inference_mode():
            found.append(sum(tail(data.batch(rows, np.full(len(rows), way))).numpy() for way in ways))
    return unit(np.concatenate(found))


def between(tails: Sequence[Tail], share: float) -> Tail:
    """The mean of their weights, by `share` of the way from the untouched ones: bare faces are forgotten less.

    Source: Wortsman et al., Robust fine-tuning of zero-shot models, and Model soups, both 2022.
    """
    found, states = copy.deepcopy(tails[0]), [tail.state_dict() for tail in tails]
    means = {name: torch.stack([state[name] for state in states]).mean(0) for name in states[0]}
    found.load_state_dict({name: (1 - share) * old + share * means[name] for name, old in Tail().state_dict().items()})
    return found


def _single(values: np.ndarray) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))
