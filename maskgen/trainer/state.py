"""The state of a run at a step: the content of a checkpoint, from which a run resumes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from maskgen.core.reasons import UserError
from maskgen.core.seeding import rng_for

from .checkpoints import Checkpoint
from .data.lists import TrainingList
from .loss_functions.build import build_loss
from .networks.models import Embedder, build_model, check_size
from .recipes.recipe import Recipe
from .schedules import build_optimizer, build_schedule


@dataclass(slots=True)
class Progress:
    """The progress of a run.

    Attributes:
        epoch: finished epochs.
        batch: finished batches of the current epoch.
        step: finished optimizer steps.
        rate_factor: factor of the schedule's rate; below 1 after a collapse.
        loss: recent loss; None before the first step.
        loss_sum, loss_steps: of the current epoch.
        best_iou, best_epoch: of the best checkpoint; infinite and 0 if there is none.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    rate_factor: float = 1.0
    loss: float | None = None
    loss_sum: float = 0.0
    loss_steps: int = 0
    best_iou: float = math.inf
    best_epoch: int = 0

    def __post_init__(self) -> None:
        for name in ("epoch", "batch", "step", "loss_steps", "best_epoch"):
            value = getattr(self, name)
            if type(value) is not int or value < 0:
                raise ValueError(f"{name} is {value!r}")
        for name in ("rate_factor", "loss", "loss_sum", "best_iou"):
            value = getattr(self, name)
            if type(value) not in (int, float) and not (name == "loss" and value is None):
                raise ValueError(f"{name} is {value!r}")


@dataclass(slots=True)
class State:
    """The mutable parts of a run. `targets` are the lists' numbers of the people, by class of the loss.

    `alignment` is that of the list's crops.
    """

    recipe: Recipe
    model: nn.Module
    loss: nn.Module
    optimizer: Optimizer
    schedule: LRScheduler
    scaler: torch.amp.GradScaler
    targets: tuple[int, ...]
    progress: Progress
    alignment: str = ""

    def checkpoint(self) -> Checkpoint:
        """A copy of the state."""
        return Checkpoint(
            self.recipe,
            self.model.state_dict(),
            self.loss.state_dict(),
            self.optimizer.state_dict(),
            self.schedule.state_dict(),
            {**asdict(self.progress), "scaler": dict(self.scaler.state_dict())},
            self.targets,
            self.alignment,
        )

    def restore(self, checkpoint: Checkpoint) -> None:
        """Restore the checkpoint.

        Raises:
            UserError: it has another model or other people.
        """
        if checkpoint.targets != self.targets:
            raise UserError("The checkpoint has other people than the list: train again.")
        try:
            self.model.load_state_dict(dict(checkpoint.model_state))
            self.loss.load_state_dict(dict(checkpoint.loss_state))
            self.optimizer.load_state_dict(dict(checkpoint.optimizer_state))
            self.schedule.load_state_dict(dict(checkpoint.schedule_state))
            self.scaler.load_state_dict(checkpoint.progress["scaler"])
        except (RuntimeError, ValueError, LookupError, TypeError, AttributeError) as fault:
            detail = " ".join(str(fault).split())[:200]
            raise UserError(f"The checkpoint is of another model or damaged: {detail}") from None
        self.progress = progress_of(checkpoint)

    @property
    def rate(self) -> float:
        """The rate of the next step."""
        return float(self.optimizer.param_groups[0]["lr"]) * self.progress.rate_factor

    @contextmanager
    def lowered_rate(self) -> Iterator[None]:
        """Apply the reduced rate after a collapse, which the schedule does not include."""
        scheduled = [group["lr"] for group in self.optimizer.param_groups]
        for group in self.optimizer.param_groups:
            group["lr"] = group["lr"] * self.progress.rate_factor
        yield
        for group, rate in zip(self.optimizer.param_groups, scheduled, strict=True):
            group["lr"] = rate

    def seed_step(self, rank: int) -> None:
        """Seed PyTorch (dropout) for the next step, by seed, step and process."""
        torch.manual_seed(int(rng_for(self.recipe.train.seed, "step", self.progress.step, rank).integers(2**63)))


def progress_of(checkpoint: Checkpoint) -> Progress:
    """The progress in a checkpoint.

    Raises:
        UserError: it is damaged.
    """
    known = {field.name for field in fields(Progress)}
    values: dict[str, Any] = {name: value for name, value in checkpoint.progress.items() if name in known}
    try:
        return Progress(**values)
    except (TypeError, ValueError) as fault:
        raise UserError(f"The checkpoint is damaged ({fault}): take another, or train again.") from None


def new_state(
    recipe: Recipe, listed: TrainingList, steps_per_epoch: int, pretrained: bool, device: torch.device
) -> State:
    """A run before its first step.

    Raises:
        UserError: the weights are not available, or there are too few people.
    """
    torch.manual_seed(recipe.train.seed)
    model = build_model(recipe.model, pretrained).to(device)
    check_size(model, recipe)
    return state_of(recipe, model, listed, steps_per_epoch, device)


def state_of(
    recipe: Recipe, model: Embedder, listed: TrainingList, steps_per_epoch: int, device: torch.device
) -> State:
    """A run of this network before its first step.

    Raises:
        UserError: there are too few people.
    """
    loss = build_loss(recipe.loss, model.dim, listed.counts()).to(device)
    learnt = [one for one in (*model.parameters(), *loss.parameters()) if one.requires_grad]
    optimizer = build_optimizer(recipe.optimizer, learnt)
    schedule = build_schedule(recipe.schedule, optimizer, steps_per_epoch, recipe.train.epochs)
    scaler = torch.amp.GradScaler(device.type, enabled=recipe.train.precision == "fp16")
    return State(recipe, model, loss, optimizer, schedule, scaler, listed.numbers(), Progress(), listed.alignment)
