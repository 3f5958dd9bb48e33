from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import torch
from list_makers import write_lists

from maskgen.core.reasons import UserError
from maskgen.trainer.data.lists import EvalPairs, read_eval_pairs
from maskgen.trainer.data.picture_batches import Batch, Loader, Pictures
from maskgen.trainer.distributed import Ranks, choose_device, joined
from maskgen.trainer.monitoring.evaluation import embed_all, evaluate_pairs
from maskgen.trainer.monitoring.step_times import Clock


def mean_colour(batch: Batch) -> torch.Tensor:
    return batch.values.float().mean((1, 2)) / 255 - 0.5


def embedded(folder: Path) -> tuple[EvalPairs, np.ndarray, np.ndarray, list[Batch]]:
    pairs = read_eval_pairs(folder)[0]
    assert pairs is not None
    total = len(pairs.addresses)
    rows = Pictures(pairs.root, pairs.addresses, np.zeros(total, np.int64), 16)
    seen: list[Batch] = []
    found, readable = embed_all(mean_colour, Loader(rows, full=False), (total, 3), 4, Ranks(), seen.append)
    return pairs, found, readable, seen


def test_each_picture_is_embedded_once_and_people_of_one_colour_are_told_apart(tmp_path: Path) -> None:
    pairs, found, readable, seen = embedded(write_lists(tmp_path))
    assert sorted(row for batch in seen for row in batch.rows) == list(range(len(found)))
    assert readable.all()
    verdict = evaluate_pairs(found, readable, pairs)
    assert verdict.pairs == (3, 6)
    assert verdict.overlap.iou == 0.0
    assert "IOU 0.0000" in verdict.sentence


def test_pairs_of_a_picture_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    folder = write_lists(tmp_path, people=2)
    for path in (tmp_path / "faces/4").iterdir():
        path.write_bytes(b"")
    pairs, found, readable, _ = embedded(folder)
    assert np.count_nonzero(~readable) == 2
    verdict = evaluate_pairs(found, readable, pairs)
    assert verdict.pairs == (2, 2)
    assert verdict.unreadable == 2


def test_alike_embeddings_are_said_to_be(tmp_path: Path) -> None:
    pairs, found, readable, _ = embedded(write_lists(tmp_path))
    verdict = evaluate_pairs(np.ones_like(found), readable, pairs)
    assert verdict.overlap.iou == 1.0
    assert "collapsed" in verdict.sentence


def test_the_clock_tells_waiting_from_work() -> None:
    clock = Clock(torch.device("cpu"))
    clock.start()
    for _ in range(3):
        time.sleep(0.02)
        clock.ready()
        time.sleep(0.01)
        clock.done(8)
    lap = clock.lap()
    assert lap.images == 24
    assert 0.06 <= lap.waited < lap.seconds - 0.03 + 1e-3
    assert lap.rate < lap.rate_without_wait
    assert clock.lap().images == 0


def test_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_device("cpu").type == "cpu"
    with pytest.raises(UserError, match="unknown"):
        choose_device("tpu")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert choose_device("auto").type == "cpu"
    with pytest.raises(UserError, match="no GPU"):
        choose_device("cuda")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert choose_device("auto", 1) == torch.device("cuda", 1)
    with pytest.raises(UserError, match="there are 2 GPUs here"):
        choose_device("cuda", 2)


def test_half_of_torchruns_environment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(UserError, match="torchrun"), joined("cpu"):
        pass
