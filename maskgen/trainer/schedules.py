"""Optimizers and learning-rate schedules."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from .recipes.recipe import OptimizerSpec, ScheduleSpec

# The one-cycle schedule, as in torch.optim.lr_scheduler.OneCycleLR: it starts at 1/25 of the rate, rises for 30 % of
# the steps, and falls to 1/10,000 of its start.
_RISE, _BEGIN = 0.3, 1 / 25
_END = _BEGIN / 1e4


def build_optimizer(spec: OptimizerSpec, params: Iterable[nn.Parameter] | Iterable[dict[str, Any]]) -> Optimizer:
    """The optimizer of a recipe, for parameters or parameter groups."""
    common: dict[str, Any] = {"params": params, "lr": spec.lr, "weight_decay": spec.weight_decay}
    match spec.name:
        case "sgd":
            return torch.optim.SGD(**common, momentum=spec.momentum, nesterov=spec.nesterov)
        case "rmsprop":
            return torch.optim.RMSprop(**common, momentum=spec.momentum)
        case "adam":
            return torch.optim.Adam(**common)
        case "adamw":
            return torch.optim.AdamW(**common)
        case _:
            return torch.optim.Adadelta(**common)


def build_schedule(spec: ScheduleSpec, optimizer: Optimizer, steps_per_epoch: int, epochs: int) -> LambdaLR:
    """The learning-rate schedule, stepped after every optimizer step.

    Args:
        steps_per_epoch: optimizer steps.
    """
    return LambdaLR(optimizer, rate_factor(spec, steps_per_epoch, epochs))


def rate_factor(spec: ScheduleSpec, steps_per_epoch: int, epochs: int) -> Callable[[int], float]:
    """The factor of the rate at each step, from 0; constant after the last step."""
    last = max(steps_per_epoch * epochs - 1, 1)
    if spec.name == "onecycle":
        rise = spec.warmup_steps or _RISE * (last + 1) - 1
        return lambda step: _onecycle(min(step, last), rise, last)
    main = _main(spec, steps_per_epoch, last)
    return lambda step: main(step) * min(1.0, (step + 1) / (spec.warmup_steps + 1))


def _main(spec: ScheduleSpec, steps_per_epoch: int, last: int) -> Callable[[int], float]:
    if spec.name == "multistep":
        milestones = sorted(epoch * steps_per_epoch for epoch in spec.milestones)
        return lambda step: spec.gamma ** bisect_right(milestones, step)
    if spec.name == "cosine":
        length = max(last + 1 - spec.warmup_steps, 1)
        return lambda step: _between(1, 0, min(max(step - spec.warmup_steps, 0) / length, 1))
    return lambda step: 1.0


def _onecycle(step: int, rise: float, last: int) -> float:
    if step <= rise or rise >= last:
        return _between(_BEGIN, 1, min(step / max(rise, 1), 1))
    return _between(1, _END, (step - rise) / (last - rise))


def _between(begin: float, end: float, share: float) -> float:
    """Half a cosine from one value to another."""
    return end + (begin - end) * (1 + math.cos(math.pi * share)) / 2
