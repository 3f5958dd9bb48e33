"""Lists with small pictures for the tests of how training runs."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np


def picture(person: int, number: int, side: int = 32) -> np.ndarray:
    """uint8 RGB: a colour and a bar of the person's own, and noise of the picture's own."""
    look = np.random.default_rng(person)
    image = np.full((side, side, 3), look.integers(40, 215, 3), np.uint8).astype(np.int64)
    at = int(look.integers(2, side - 8))
    image[:, at : at + 6] = look.integers(0, 255, 3)
    noise = np.random.default_rng(1000 * person + number).integers(-12, 12, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def png(image: np.ndarray) -> bytes:
    return cv2.imencode(".png", np.ascontiguousarray(image[..., ::-1]))[1].tobytes()


def write_lists(folder: Path, people: int = 4, each: int = 6, side: int = 32) -> Path:
    """train.csv of these people, and eval lists of three more with two pictures each."""
    rows = [(f"faces/{p}/{n}.png", p) for p in range(people + 3) for n in range(each if p < people else 2)]
    for path, person in rows:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(png(picture(person, int(Path(path).stem), side)))
    write_csv(folder / "train.csv", ("path", "target"), [row for row in rows if row[1] < people])
    held = range(people, people + 3)
    same = [(f"faces/{p}/0.png", p, f"faces/{p}/1.png", p) for p in held]
    different = [(f"faces/{p}/0.png", p, f"faces/{q}/1.png", q) for p in held for q in held if p != q]
    columns = ("path", "target", "pair_path", "pair_target")
    write_csv(folder / "eval_same.csv", columns, same)
    write_csv(folder / "eval_diff.csv", columns, different)
    return folder


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        table.writerows(rows)
