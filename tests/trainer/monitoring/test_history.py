from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from maskgen.core.reasons import UserError
from maskgen.metrics.histogram_iou import compare_histograms
from maskgen.trainer.monitoring.history import EPOCH, STEPS, History, Row, read_history
from maskgen.trainer.monitoring.plots import draw_curve, draw_overlap

ROWS = [
    Row(STEPS, 1, 10, 3.25, 0.1, 100.0, 120.0, 0.2, 1),
    Row(STEPS, 1, 20, 3.0, 0.1, 100.0, 120.0, 0.2, 1),
    Row(EPOCH, 1, 20, 3.125, 0.1, iou=0.5, threshold=1.25),
]


def write(path: Path) -> History:
    history = History(path)
    for row in ROWS:
        history.add(row)
    return history


def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    write(tmp_path / "history.csv")
    found = read_history(tmp_path / "history.csv")
    assert [repr(row) for row in found] == [repr(row) for row in ROWS]


def test_a_resumed_run_drops_what_came_after_its_checkpoint(tmp_path: Path) -> None:
    write(tmp_path / "history.csv")
    with (tmp_path / "history.csv").open("ab") as file:
        file.write(b"steps,2,3")  # killed while it wrote
    history = History(tmp_path / "history.csv", until=10)
    for rows in (history.rows, read_history(tmp_path / "history.csv")):
        assert [repr(row) for row in rows] == [repr(row) for row in ROWS[:1]]


def test_a_new_run_begins_an_empty_history(tmp_path: Path) -> None:
    write(tmp_path / "history.csv")
    assert History(tmp_path / "history.csv").rows == []
    assert (tmp_path / "history.csv").read_text().count("\n") == 1


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text("epoch,loss\n1,2\n")
    with pytest.raises(UserError, match="no history"):
        History(tmp_path / "history.csv", until=3)


def seen(path: Path) -> np.ndarray:
    image = cv2.imread(str(path))
    assert image is not None
    assert image.shape == (540, 960, 3)
    return image


def test_the_curve_shows_the_loss(tmp_path: Path) -> None:
    draw_curve(tmp_path / "loss.png", ROWS)
    draw_curve(tmp_path / "nothing.png", [])
    assert np.count_nonzero(seen(tmp_path / "loss.png") != seen(tmp_path / "nothing.png")) > 1000


def test_both_histograms_are_drawn_and_degenerate_ones_say_so(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    apart = compare_histograms(rng.normal(0.6, 0.1, 500), rng.normal(1.3, 0.1, 500))
    alike = compare_histograms(np.ones(5), np.ones(5))
    assert alike.degenerate
    assert math.isnan(alike.threshold)
    draw_overlap(tmp_path / "apart.png", apart, "epoch 1")
    draw_overlap(tmp_path / "alike.png", alike, "epoch 1")
    blue = seen(tmp_path / "apart.png").astype(int)
    assert np.count_nonzero(blue[..., 0] > blue[..., 2] + 60) > 3000
    assert np.count_nonzero(seen(tmp_path / "alike.png") < 100) > 200


def test_rows_are_those_of_the_file(tmp_path: Path) -> None:
    """Or plots of a run that was interrupted would differ from those of one that was not."""
    history = History(tmp_path / "history.csv")
    history.add(Row(STEPS, 1, 10, 1 / 3, 0.1 / 3))
    assert str(history.rows) == str(read_history(tmp_path / "history.csv"))
