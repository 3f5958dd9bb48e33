"""The layers behind the frozen ones, trained by the trainer's own loop on what `benchmarks/frozen_layers.py` kept.

The recipe is `masked` of `maskgen train` in bfloat16. Where that draws a new mask on a picture, one of the masks is
drawn that the photograph wears in the runs, so that the frozen layers need not be run again.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from frozen_layers import AT_ONCE, FROZEN, SHAPE, WAYS, Layers, unit
from occlusion_gate import GatedLearner, OcclusionGate
from torch import Tensor, nn
from torch.nn.functional import normalize

from maskgen.core.seeding import rng_for
from maskgen.trainer.checkpoints import Checkpoint
from maskgen.trainer.data.lists import TrainingList
from maskgen.trainer.data.picture_batches import Item, Key, Loader
from maskgen.trainer.data.samplers import build_batches
from maskgen.trainer.distributed import joined
from maskgen.trainer.learner import Learner
from maskgen.trainer.loop import End, Loop
from maskgen.trainer.loss_functions.build import FaceLoss
from maskgen.trainer.loss_functions.distillation import templates_of
from maskgen.trainer.monitoring.evaluation import Evaluation
from maskgen.trainer.monitoring.history import Row
from maskgen.trainer.networks.models import Embedder, build_model
from maskgen.trainer.recipes.loading import load_recipe
from maskgen.trainer.recipes.recipe import Recipe
from maskgen.trainer.state import state_of


@dataclass(frozen=True)
class Trial:
    """What is trained: the recipe with these changes.

    Attributes:
        changes: as `maskgen train --set`.
        gate: None, or the weight of the occlusion's supervision of `occlusion_gate.py`; 0 is the gate alone.
    """

    changes: tuple[str, ...] = ()
    gate: float | None = None

    def recipe(self, seed: int) -> Recipe:
        """The recipe with this seed."""
        return load_recipe("masked", ["train.precision=bf16", *self.changes, f"train.seed={seed}"])


class Maps(nn.Module):
    """What the loader gives, float16 (n, 65, 17, 17), to maps, float32 (n, 64, 17, 17), channels last."""

    def forward(self, values: Tensor) -> Tensor:
        """See the class."""
        return values[:, : SHAPE[0]].float().contiguous(memory_format=torch.channels_last)


def untrained(trial: Trial = Trial()) -> Embedder:
    """dlib's own network without its frozen layers; the names of the others' weights stay."""
    found = build_model(trial.recipe(0).model)
    maps = Maps() if trial.gate is None else nn.Sequential(Maps(), OcclusionGate())
    behind = list(found.backbone.named_children())[FROZEN:]
    found.backbone = nn.Sequential(OrderedDict([("maps", maps), *behind]))
    return found.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def learnt(tail: Embedder) -> dict[str, Tensor]:
    """Weights that training may change, by the whole network's names of them."""
    return {name: value.detach() for name, value in tail.named_parameters() if value.requires_grad}


class Behind:
    """What more frozen layers make of pictures, computed once, so that training does not run them again.

    Args:
        data: what lies behind the first FROZEN parts of the network.
        frozen: parts of the network, more than FROZEN.
    """

    def __init__(self, data: Layers, tail: Embedder, frozen: int) -> None:
        parts = nn.Sequential(*list(tail.backbone)[: 1 + frozen - FROZEN]).eval()
        self.maps = [self._through(parts, data, way) for way in WAYS]

    @staticmethod
    def _through(parts: nn.Module, data: Layers, way: int) -> np.ndarray:
        groups = [np.arange(len(data))[at : at + AT_ONCE] for at in range(0, len(data), AT_ONCE)]
        with torch.inference_mode():
            found = [parts(torch.from_numpy(data.values(rows, np.full(len(rows), way)))) for rows in groups]
        return np.concatenate([one.numpy().astype(np.float16) for one in found])

    def values(self, rows: np.ndarray, ways: np.ndarray) -> np.ndarray:
        """float16 (n, channels, height, width)."""
        return np.stack([self.maps[way][row] for row, way in zip(rows, ways, strict=True)])


class Float(nn.Module):
    """What `Behind` gives as float32, channels last."""

    def forward(self, values: Tensor) -> Tensor:
        """See the class."""
        return values.float().contiguous(memory_format=torch.channels_last)


class Photographs:
    """Photographs as the trainer's loader takes them: each time bare or in one of its masks, as it is or mirrored."""

    def __init__(self, data: Layers, recipe: Recipe, shown: Layers | Behind) -> None:
        self.data, self.recipe, self.shown = data, recipe, shown
        photographs, whose = np.unique(data.photographs, return_inverse=True)
        self.labels, people = np.unique(data.people, return_inverse=True)
        self.targets, self.bare = np.zeros((2, len(photographs)), np.int64)
        self.targets[whose] = people
        self.bare[whose[data.bare]] = np.flatnonzero(data.bare)
        self.masked: list[list[int]] = [[] for _ in photographs]
        for row in np.flatnonzero(~data.bare):
            self.masked[whose[row]].append(int(row))

    def __len__(self) -> int:
        return len(self.targets)

    def items(self, keys: Sequence[Key]) -> list[Item]:
        """The network's input of each key."""
        return [self._item(key) for key in keys]

    def _item(self, key: Key) -> Item:
        row, rng = key[1], rng_for(self.recipe.train.seed, "augment", *key)
        worn, masks, way = self.masked[row], rng.random() < self.recipe.data.mask_share, int(rng.integers(len(WAYS)))
        at = worn[rng.integers(len(worn))] if worn and masks else self.bare[row]
        return Item(row, int(self.targets[row]), self.shown.values(np.array([at]), np.array([way]))[0])

    def listed(self) -> TrainingList:
        """The list that the trainer knows them by."""
        names = pa.array([str(at) for at in range(len(self))], pa.large_string())
        return TrainingList(Path(), names, self.targets, tuple(map(str, self.labels)), "")

    def templates(self) -> np.ndarray:
        """Each person's, as `maskgen train` makes them."""
        return templates_of(self.data.embeddings[self.bare].astype(np.float32), self.targets, self.bare >= 0)


class Quiet:
    """The loop's watcher and its store of checkpoints: nothing is shown, nothing is kept."""

    unreadable = 0

    def on_step(self, step: int) -> None:
        """Told of by nobody."""

    def on_row(self, row: Row) -> None:
        """Told of by nobody."""

    def on_evaluation(self, verdict: Evaluation, epoch: int) -> None:
        """Told of by nobody."""

    def on_unreadable(self, fault: str) -> None:
        """Every picture is in memory."""
        raise AssertionError(fault)

    def on_message(self, sentence: str) -> None:
        """Of a collapse."""
        print(sentence, flush=True)

    def save(self, name: str, checkpoint: Checkpoint) -> None:
        """Nothing is kept."""

    def load(self, name: str) -> Checkpoint:
        """Nothing is kept."""
        raise AssertionError(name)


def trained(data: Layers, trial: Trial, seed: int) -> Embedder:
    """The last layers after the recipe's training.

    Raises:
        RuntimeError: it collapsed.
    """
    recipe, quiet = trial.recipe(seed), Quiet()
    torch.manual_seed(seed)
    tail, shown = untrained(trial), data
    backbone = tail.backbone
    if recipe.model.frozen > FROZEN and trial.gate is None:
        shown, tail.backbone = Behind(data, tail, recipe.model.frozen), _behind(tail, recipe.model.frozen)
    rows = Photographs(data, recipe, shown)
    batches = build_batches(recipe.data, recipe.train.batch_size, rows.targets, seed)
    with joined("cpu") as ranks:
        state = state_of(recipe, tail, rows.listed(), len(batches), ranks.device)
        loss = state.loss
        assert isinstance(loss, FaceLoss)
        _begin(loss, torch.from_numpy(rows.templates()))
        whole = Learner(tail, loss, recipe.data, recipe.train)
        learner = whole if trial.gate is None else GatedLearner(whole, trial.gate)
        loop = Loop(state, learner, batches, Loader(rows), ranks, quiet, quiet, None, loss.chance)
        if loop.run() is not End.FINISHED:
            raise RuntimeError("the training collapsed")
    tail.backbone = backbone
    return tail.eval()


def _behind(tail: Embedder, frozen: int) -> nn.Module:
    """The same layers without those that `Behind` has run."""
    kept = list(tail.backbone.named_children())[1 + frozen - FROZEN :]
    return nn.Sequential(OrderedDict([("maps", Float()), *kept]))


def _begin(loss: FaceLoss, templates: Tensor) -> None:
    """Fill in the templates; ArcFace's centres begin at them too."""
    if loss.distillation:
        loss.distillation.fill(templates.numpy())
    if "arcface" in loss.parts:
        centres = loss.parts["arcface"].get_parameter("W")
        centres.data.copy_(templates.T)


def embedded(tail: Embedder, data: Layers, ways: Sequence[int] = WAYS) -> np.ndarray:
    """Both ways, as the embedder `masked` does, or one; float32 (n, 128) of length 1."""
    found = []
    for at in range(0, len(data), AT_ONCE):
        rows = np.arange(at, min(at + AT_ONCE, len(data)))
        with torch.inference_mode():
            both = [tail(torch.from_numpy(data.values(rows, np.full(len(rows), way)))) for way in ways]
            found.append(sum(normalize(one, dim=1).numpy() for one in both))
    return unit(np.concatenate(found))


def between(tails: Sequence[Embedder], share: float = 1.0) -> Embedder:
    """The mean of their weights, by `share` of the way from the untouched ones: bare faces are forgotten less.

    Source: Wortsman et al., Robust fine-tuning of zero-shot models, and Model soups, both 2022.
    """
    found, states = copy.deepcopy(tails[0]), [tail.state_dict() for tail in tails]
    means = {name: torch.stack([state[name] for state in states]).mean(0) for name in states[0]}
    own = {name: value for name, value in untrained().state_dict().items() if share < 1}
    found.load_state_dict({name: mean.lerp(own[name], 1 - share) if own else mean for name, mean in means.items()})
    return found
