"""Rates of every schedule against PyTorch's own and against the plain formula; every optimizer takes its settings."""

from __future__ import annotations

import math

import pytest
import torch
from torch.optim import lr_scheduler

from maskgen.trainer.recipes.recipe import OptimizerSpec, ScheduleSpec
from maskgen.trainer.schedules import build_optimizer, build_schedule

STEPS, EPOCHS, RATE = 7, 6, 0.4
NAMES = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop,
    "adadelta": torch.optim.Adadelta,
}


def optimizer() -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=RATE)


def rates(schedule: lr_scheduler.LRScheduler, steps: int = STEPS * EPOCHS) -> list[float]:
    found = []
    for _ in range(steps):
        found.append(schedule.get_last_lr()[0])
        schedule.optimizer.step()
        schedule.step()
    return found


def ours(spec: ScheduleSpec, steps: int = STEPS * EPOCHS) -> list[float]:
    return rates(build_schedule(spec, optimizer(), STEPS, EPOCHS), steps)


def test_multistep_is_pytorchs_by_epochs() -> None:
    theirs = lr_scheduler.MultiStepLR(optimizer(), [2 * STEPS, 4 * STEPS], 0.1)
    assert ours(ScheduleSpec("multistep", (2, 4), 0.1)) == pytest.approx(rates(theirs))


def test_cosine_is_pytorchs() -> None:
    theirs = lr_scheduler.CosineAnnealingLR(optimizer(), STEPS * EPOCHS)
    assert ours(ScheduleSpec("cosine")) == pytest.approx(rates(theirs))


def test_onecycle_is_pytorchs() -> None:
    theirs = lr_scheduler.OneCycleLR(optimizer(), RATE, total_steps=STEPS * EPOCHS + 1, cycle_momentum=False)
    one_more = rates(build_schedule(ScheduleSpec("onecycle"), optimizer(), STEPS * EPOCHS + 1, 1))
    assert one_more == pytest.approx(rates(theirs))


def test_onecycle_rises_for_as_long_as_it_is_told() -> None:
    found = ours(ScheduleSpec("onecycle", warmup_steps=5))
    assert found.index(max(found)) == 5
    assert max(found) == pytest.approx(RATE)


@pytest.mark.parametrize("name", ["constant", "multistep", "cosine"])
def test_warm_up_is_a_straight_line_to_the_rate(name: str) -> None:
    found = ours(ScheduleSpec(name, (3,), 0.1, warmup_steps=4))
    assert found[:5] == pytest.approx([RATE * part for part in (0.2, 0.4, 0.6, 0.8, 1)])
    length = STEPS * EPOCHS - 4
    after = {
        "constant": lambda step: RATE,
        "multistep": lambda step: RATE * (0.1 if step >= 3 * STEPS else 1),
        "cosine": lambda step: RATE * (1 + math.cos(math.pi * (step - 4) / length)) / 2,
    }[name]
    assert found[4:] == pytest.approx([after(step) for step in range(4, STEPS * EPOCHS)])


@pytest.mark.parametrize("name", ["constant", "multistep", "cosine", "onecycle"])
@pytest.mark.parametrize(("steps", "epochs"), [(1, 1), (1, 2), (3, 1)])
def test_any_length_and_a_step_too_many_are_fine(name: str, steps: int, epochs: int) -> None:
    schedule = build_schedule(ScheduleSpec(name, warmup_steps=2), optimizer(), steps, epochs)
    found = rates(schedule, steps * epochs + 3)
    assert all(0 <= rate <= RATE * (1 + 1e-9) for rate in found)
    assert found[0] > 0


@pytest.mark.parametrize("name", ["multistep", "cosine", "onecycle"])
def test_a_resumed_schedule_goes_on(name: str) -> None:
    spec = ScheduleSpec(name, (2, 4), 0.1, warmup_steps=3)
    unbroken = ours(spec)
    first = build_schedule(spec, optimizer(), STEPS, EPOCHS)
    begun = rates(first, 10)
    second = build_schedule(spec, optimizer(), STEPS, EPOCHS)
    second.optimizer.load_state_dict(first.optimizer.state_dict())
    second.load_state_dict(first.state_dict())
    assert begun + rates(second, STEPS * EPOCHS - 10) == unbroken


@pytest.mark.parametrize("name", NAMES)
def test_optimizers_have_their_settings_and_go_down(name: str) -> None:
    weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
    made = build_optimizer(OptimizerSpec(name, lr=0.01, weight_decay=0.02, momentum=0.5), [weight])
    assert type(made) is NAMES[name]
    group = made.param_groups[0]
    assert (group["lr"], group["weight_decay"]) == (0.01, 0.02)
    assert group.get("momentum", 0.5) == 0.5
    begin = weight.square().sum().item()
    for _ in range(20):
        made.zero_grad()
        weight.square().sum().backward()
        made.step()
    assert weight.square().sum().item() < begin


def test_sgd_is_the_plain_formula() -> None:
    weight = torch.nn.Parameter(torch.tensor([1.0]))
    made = build_optimizer(OptimizerSpec("sgd", 0.1, 0.01, 0.9, nesterov=True), [weight])
    value, velocity = 1.0, 0.0
    for _ in range(5):
        made.zero_grad()
        weight.square().sum().backward()
        made.step()
        slope = 2 * value + 0.01 * value
        velocity = 0.9 * velocity + slope
        value -= 0.1 * (slope + 0.9 * velocity)
    assert weight.item() == pytest.approx(value, rel=1e-5)
