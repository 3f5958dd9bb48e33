"""What the first layers of dlib's network make of a run's pictures, computed once and kept on disk.

`benchmarks/masked_recogniser.py` trains the layers behind them again and again. Each picture is there as it is and
mirrored. 37 KB a picture and direction; 22 to 40 ms of one core a picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow.parquet as pq
import torch
from torch import nn

from maskgen.core.images import decode
from maskgen.embedders.chip_alignment import ChipAligner
from maskgen.embedders.dlib_resnet import dlib_resnet
from maskgen.faces.upright_crop import warp
from maskgen.trainer.data.transforms import normalised
from maskgen.trainer.networks.dlib_resnet import DIM, MEAN, SIDE, STD

FROZEN = 3  # parts of the network: the stem and stages 1 and 2
SHAPE = (64, 17, 17)  # of what they make of a picture
PLACE, FIRST = 8, 9  # pixels of a chip from the middle of one place of the maps to the next, and where the first is
PARTS = 2  # processes, and files: a batch's neighbours decide the last bits
AT_ONCE = 32
LOOPS = 127  # what is brighter in a segmentation is cloth
WAYS = (0, 1)  # as it is, mirrored


@dataclass(frozen=True)
class Layers:
    """Pictures, and what the frozen layers make of them.

    Attributes:
        maps: by way (as it is, mirrored) the files, float16 (rows, 64, 17, 17) each.
        at: int64 (n, 2), the file and the row of each picture.
        embeddings: float32 (n, 128), of the untouched network, both ways added, of length 1; 0 for
            what has a segmentation.
        covered: uint8 (n, 17, 17), how much of each place of the maps cloth covers, 0 to 255, as the run's segmentation
            has it; 0 where there is none.
        people, photographs: str (n,); bare: bool (n,).
    """

    maps: tuple[list[np.ndarray], list[np.ndarray]]
    at: np.ndarray
    embeddings: np.ndarray
    covered: np.ndarray
    people: np.ndarray
    photographs: np.ndarray
    bare: np.ndarray

    def __len__(self) -> int:
        return len(self.at)

    def values(self, rows: np.ndarray, ways: np.ndarray) -> np.ndarray:
        """The network's input: maps and as one more what cloth covers, 0 to 1; float16 (n, 65, 17, 17)."""
        out = np.empty((len(rows), SHAPE[0] + 1, *SHAPE[1:]), np.float16)
        for number, ((file, row), way) in enumerate(zip(self.at[rows], ways, strict=True)):
            hidden = self.covered[rows[number]]
            out[number, :-1], out[number, -1] = self.maps[way][file][row], (hidden[:, ::-1] if way else hidden) / 255
        return out

    def rows(self, chosen: Sequence[int] | np.ndarray) -> Layers:
        """Some of them."""
        own = (self.at, self.embeddings, self.covered, self.people, self.photographs, self.bare)
        return Layers(self.maps, *(one[np.asarray(chosen, int)] for one in own))

    def plus(self, other: Layers) -> Layers:
        """These and others."""
        maps = (self.maps[0] + other.maps[0], self.maps[1] + other.maps[1])
        at = np.concatenate([self.at, other.at + [len(self.maps[0]), 0]])
        names = ("embeddings", "covered", "people", "photographs", "bare")
        return Layers(maps, at, *(np.concatenate([getattr(self, one), getattr(other, one)]) for one in names))


def layers_of_run(run: Path, masked_only: bool = False) -> Layers:
    """Of the pictures of a run of `maskgen mask`, by path."""
    rows = [row for row in catalogue(run) if not masked_only or row["kind"] != "bare"]
    chosen = [rows[part::PARTS] for part in range(PARTS)]
    files = [[(run / row["path"], _segmentation(run, row)) for row in own] for own in chosen]
    ordered = [row for own in chosen for row in own]
    people, photographs = ([row[name] for row in ordered] for name in ("person", "source"))
    return layers(files, people, photographs, [row["kind"] == "bare" for row in ordered], run)


def _segmentation(run: Path, row: dict[str, Any]) -> Path | None:
    return run / row["segmentation"] if row["segmentation"] and row["kind"] != "bare" else None


def catalogue(run: Path) -> list[dict[str, Any]]:
    """Its rows by path."""
    found: list[dict[str, Any]] = pq.read_table(run / "catalogue.parquet").sort_by("path").to_pylist()
    return found


Files = Sequence[tuple[Path, Path | None]]  # pictures, and their segmentations


def layers(
    files: Sequence[Files],
    people: Sequence[str],
    photographs: Sequence[str],
    bare: Sequence[bool],
    name: Path,
) -> Layers:
    """Of picture files in parts; what was computed before under this name is read."""
    folders = [name.with_name(f"{name.name}_f{part}") for part in range(len(files))]
    left = [number for number, folder in enumerate(folders) if not (folder / "covered.npy").exists()]
    if left:  # a forked process would inherit OpenVINO's threads without their work
        with ProcessPoolExecutor(len(left), get_context("spawn")) as pool:
            list(pool.map(write, [files[part] for part in left], [folders[part] for part in left]))
    maps = tuple([np.load(folder / f"maps_{way}.npy", mmap_mode="r") for folder in folders] for way in WAYS)
    both = [np.concatenate([np.load(folder / f"emb_{way}.npy") for folder in folders]) for way in WAYS]
    covered = np.concatenate([np.load(folder / "covered.npy") for folder in folders])
    at = np.array([(part, row) for part, own in enumerate(files) for row in range(len(own))], np.int64)
    embeddings = unit(unit(both[0]) + unit(both[1]))
    return Layers(maps, at, embeddings, covered, np.array(people), np.array(photographs), np.array(bare))  # type: ignore[arg-type]


def unit(vectors: np.ndarray) -> np.ndarray:
    """Of length 1; 0 stays 0."""
    found: np.ndarray = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
    return found


def write(files: Files, folder: Path) -> None:
    """The work of one process; what `layers` looks for is written last."""
    torch.set_num_threads(1)
    folder.mkdir(exist_ok=True)
    shape = (len(files), *SHAPE)
    maps = [np.lib.format.open_memmap(folder / f"maps_{way}.npy", "w+", np.float16, shape) for way in WAYS]
    embeddings = [np.zeros((len(files), DIM), np.float32) for _ in WAYS]
    cloth = np.zeros((len(files), *SHAPE[1:]), np.uint8)
    at = 0
    for found, hidden in passed(files):
        end = at + len(hidden)
        cloth[at:end] = hidden
        for way in WAYS:
            maps[way][at:end], embeddings[way][at:end] = found[way]
        at = end
    for way in WAYS:
        np.save(folder / f"emb_{way}.npy", embeddings[way])
    np.save(folder / "covered.npy", cloth)


def passed(files: Files) -> Iterator[tuple[list[tuple[np.ndarray, np.ndarray]], np.ndarray]]:
    """Some pictures at a time: maps and embeddings of each way, and what cloth covers.

    What has a segmentation, a masked face, has no embedding: 0.
    """
    net, aligner = dlib_resnet().model, ChipAligner()
    parts = list(net.backbone)
    frozen, behind = nn.Sequential(*parts[:FROZEN]), nn.Sequential(*parts[FROZEN:])
    for at in range(0, len(files), AT_ONCE):
        some = files[at : at + AT_ONCE]
        crops = [decode(path.read_bytes()) for path, _ in some]
        matrices = aligner.matrices(crops)
        chips = np.stack([warp(crop, matrix, SIDE) for crop, matrix in zip(crops, matrices, strict=True)])
        both, bare = [], np.array([segmentation is None for _, segmentation in some])
        for shown in (chips, np.ascontiguousarray(chips[:, :, ::-1])):
            embeddings = np.zeros((len(some), DIM), np.float32)
            with torch.inference_mode():
                found = frozen(normalised(torch.from_numpy(shown), MEAN, STD))
                if bare.any():
                    embeddings[bare] = net.neck(behind(found[torch.from_numpy(bare)]).mean((2, 3))).numpy()
            both.append((found.numpy(), embeddings))
        yield both, np.stack([covered(path, matrix) for (_, path), matrix in zip(some, matrices, strict=True)])


def covered(segmentation: Path | None, matrix: np.ndarray) -> np.ndarray:
    """How much of each place of the maps cloth covers, uint8 (17, 17)."""
    if segmentation is None:
        return np.zeros(SHAPE[1:], np.uint8)
    cloth = cv2.imread(str(segmentation), cv2.IMREAD_GRAYSCALE) > LOOPS
    chip = cv2.warpAffine(cloth.astype(np.uint8) * 255, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
    inside = slice(FIRST - PLACE // 2, FIRST - PLACE // 2 + PLACE * SHAPE[1])
    return cv2.resize(chip[inside, inside], SHAPE[1:], interpolation=cv2.INTER_AREA)
