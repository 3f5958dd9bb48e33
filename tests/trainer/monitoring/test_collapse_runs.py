"""Runs that surely collapse, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from list_makers import write_lists
from runs import report, train
from torch import Tensor

from maskgen.trainer import learner
from maskgen.trainer.checkpoints import load_checkpoint

# Ten steps, five an epoch; the rate is such that weights become infinite.
HUGE = ("--set", "optimizer.name=sgd", "--set", "optimizer.lr=1e30", "--set", "schedule.name=constant")
OFTEN = ("--epochs", "2", "--set", "train.check_every=1")


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    return write_lists(tmp_path / "lists", people=5, each=8)


@pytest.fixture
def alike_from(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """From so many training batches on, all embeddings are nearly one."""

    def begin(batch: int) -> None:
        embed = learner.Learner.embed
        seen: list[int] = []

        def fewer(self: learner.Learner, values: Tensor) -> Tensor:
            found = embed(self, values)
            seen.extend([1] * self.training)
            return found * 1e-6 + 1 if self.training and len(seen) >= batch else found

        monkeypatch.setattr(learner.Learner, "embed", fewer)

    return begin


def finite(run: Path, name: str) -> bool:
    return all(bool(torch.isfinite(one).all()) for one in load_checkpoint(run / name).model_state.values())


def test_a_run_whose_numbers_explode_stops_with_its_last_good_checkpoint(lists: Path, tmp_path: Path) -> None:
    result = train(lists, tmp_path / "run", *HUGE, *OFTEN, code=3)
    assert "Collapsed at step" in result.output
    found = report(tmp_path / "run")
    assert found["end"] == "collapsed"
    assert found["steps"] < 10
    assert "Collapsed" in found["said"][0]
    assert finite(tmp_path / "run", "last")


def test_a_checkpoint_is_never_of_a_collapsed_run(lists: Path, tmp_path: Path) -> None:
    """Between two looks a checkpoint falls due: the run is looked at first."""
    options = ("--epochs", "2", "--set", "train.check_every=1000", "--set", "train.save_every=4")
    train(lists, tmp_path / "run", *HUGE, *options, code=3)
    assert finite(tmp_path / "run", "last")
    assert load_checkpoint(tmp_path / "run/last").progress["step"] == 0


def test_embeddings_that_become_alike_stop_the_run(
    lists: Path, tmp_path: Path, alike_from: Callable[[int], None]
) -> None:
    alike_from(8)
    result = train(lists, tmp_path / "run", *OFTEN, code=3)
    assert "Collapsed at step 8: All pictures have nearly the same embedding" in result.output
    assert load_checkpoint(tmp_path / "run/last").progress["step"] == 5
    assert (tmp_path / "run/best").is_dir()


def test_lower_goes_back_and_trains_on_at_a_tenth_of_the_rate(
    lists: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        embed = learner.Learner.embed
        seen: list[int] = []

        def once(self: learner.Learner, values: Tensor) -> Tensor:
            seen.extend([1] * self.training)
            return embed(self, values) * (1e-30 if self.training and len(seen) == 8 else 1)

        patch.setattr(learner.Learner, "embed", once)
        options = ("--on-collapse", "lower", "--set", "schedule.name=constant", "--workers", "1")
        result = train(lists, tmp_path / "run", *OFTEN, *options)
    assert "Back to step 5, at 0.1 of the rate" in result.output
    assert report(tmp_path / "run")["end"] == "finished"
    progress = load_checkpoint(tmp_path / "run/last").progress
    assert (progress["step"], progress["rate_factor"]) == (10, 0.1)
    rate = load_checkpoint(tmp_path / "run/last").optimizer_state["param_groups"][0]["lr"]
    assert rate == pytest.approx(0.003)  # the schedule's own; the factor is the run's
    last = (tmp_path / "run/history.csv").read_text().splitlines()[-1]
    assert float(last.split(",")[4]) == pytest.approx(0.0003)


def test_lower_gives_up_in_the_end(lists: Path, tmp_path: Path, alike_from: Callable[[int], None]) -> None:
    alike_from(3)
    result = train(lists, tmp_path / "run", *OFTEN, "--on-collapse", "lower", code=3)
    assert [f"at {0.1**n:g} of the rate" in result.output for n in (1, 2, 3, 4)] == [True, True, True, False]
    assert result.output.count("Stopped") == 1


def test_go_on_says_it_once_and_goes_on(lists: Path, tmp_path: Path, alike_from: Callable[[int], None]) -> None:
    alike_from(3)
    result = train(lists, tmp_path / "run", *OFTEN, "--on-collapse", "go_on")
    assert result.output.count("Collapsed at step 3") == result.output.count("Collapsed") == 1
    assert report(tmp_path / "run")["steps"] == 10


def test_a_run_that_stopped_may_go_on_with_another_answer(lists: Path, tmp_path: Path) -> None:
    """--on-collapse decides no weights."""
    train(lists, tmp_path / "run", *HUGE, *OFTEN, code=3)
    result = train(lists, tmp_path / "run", *HUGE, *OFTEN, "--on-collapse", "lower", "--resume", code=3)
    assert "Back to step 0, at 0.1 of the rate" in result.output
    assert finite(tmp_path / "run", "last")


def test_a_run_is_judged_by_what_its_network_gives_when_used(
    lists: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alive in training, alike out of it, as batch norm makes networks that learn too fast."""
    embed = learner.Learner.embed

    def alike(self: learner.Learner, values: Tensor) -> Tensor:
        return embed(self, values) * (1 if self.training else 1e-6) + (0 if self.training else 1)

    monkeypatch.setattr(learner.Learner, "embed", alike)
    monkeypatch.setattr("maskgen.trainer.loop.SETTLED", 6)
    result = train(lists, tmp_path / "run", *OFTEN, code=3)
    assert "Collapsed at step 6: All pictures have nearly the same embedding" in result.output
