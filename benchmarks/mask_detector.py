"""Do masks look real to a machine: a mask detector learns from drawn masks and is tried on photographs of real ones.

    python benchmarks/mask_detector.py BARE_DIR MASKED_DIR [--other NAME=FOLDER ...] [--kinds KINDS] [--seeds 5]

BARE_DIR holds PERSON/PHOTO of bare faces; three people in four are for training, the rest are test. MASKED_DIR holds
the photographs of RMFD that `real_masked_faces.csv` beside this file speaks of. A small network is trained from nothing
to tell bare faces from the same faces in masks, and judged by the area under the ROC curve between faces in real masks
and bare faces of people it never saw. `--other` trains it on another program's pictures instead: FOLDER holds what it
made of BARE_DIR's photographs, uncropped, under the same names.

Every source of masks gets the same photographs, crops, augmentation and steps. The interval is of 1,000 resamples of
the test faces; several seeds of the network are averaged, since seeds differ by more than sources do.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from maskgen.api import Masker, MaskerSettings
from maskgen.core.images import read_photo
from maskgen.core.reasons import SetAsideError
from maskgen.faces.align import five_points, similarity, warped

MARKS = Path(__file__).with_name("real_masked_faces.csv")
SIDE, ROOM = 64, 80  # of what the network sees, and of the stored crop from which it is cut
EYES = 21.0  # pixels between the eyes in what the network sees
EYE_LINE = 0.36
STEPS, BATCH = 700, 64


def crop(image: np.ndarray, middle: np.ndarray, eyes: float) -> np.ndarray:
    """The face, upright as the photograph is, (ROOM, ROOM, 3), its eyes at one place and at one distance."""
    target = np.array([ROOM / 2, (ROOM - SIDE) / 2 + EYE_LINE * SIDE]) - 0.5
    return warped(image, similarity(middle, np.array([1.0, 0.0]), EYES / eyes, target), ROOM)


def eyes_of(points68: Sequence[float]) -> tuple[np.ndarray, float]:
    """Middle between the eyes, and the distance a level face has there."""
    points = five_points(np.array(points68, np.float32).reshape(-1, 2))
    across, down = points[1] - points[0], points[3:].mean(0) - points[:2].mean(0)
    return points[:2].mean(0), float(max(np.hypot(*across), 0.85 * np.hypot(*down)))


def is_test(path: Path) -> bool:
    """One person in four."""
    return hashlib.sha256(path.parent.name.encode()).digest()[0] % 4 == 0


def batches(paths: Sequence[Path]) -> Iterator[list[Path]]:
    yield from ([*paths[at : at + 64]] for at in range(0, len(paths), 64))


def faces(paths: Sequence[Path], settings: MaskerSettings, others: dict[str, Path], top: Path) -> dict[str, np.ndarray]:
    """Crops (n, ROOM, ROOM, 3) of the same faces: "bare", "maskgen", and by every other program."""
    masker = Masker(settings)
    found: dict[str, list[np.ndarray]] = {name: [] for name in ("bare", "maskgen", *others)}
    for some in batches(paths):
        photos = [read_photo(path) for path in some]
        for path, photo, result in zip(some, photos, masker.process([p.sha256 for p in photos], photos), strict=True):
            if isinstance(result, SetAsideError):
                continue
            pictures = {"maskgen": result[0].image, "bare": photo.image}
            for name, folder in others.items():
                pictures[name] = read_photo(next((folder / path.parent.relative_to(top)).glob(f"{path.stem}.*"))).image
            where = eyes_of(result[0].row["points68"])
            for name, picture in pictures.items():
                found[name].append(crop(picture, *where))
    return {name: np.stack(crops) for name, crops in found.items()}


def real(folder: Path) -> np.ndarray:
    """Crops of the marked faces in real masks."""
    rows = list(csv.DictReader(MARKS.open(encoding="utf-8")))
    return np.stack(
        [
            crop(read_photo(folder / row["file"]).image, np.array([row["x"], row["y"]], float), float(row["eyes"]))
            for row in rows
        ]
    )


def network() -> nn.Module:
    layers: list[nn.Module] = []
    for before, after in ((3, 24), (24, 48), (48, 96), (96, 128)):
        layers += [
            nn.Conv2d(before, after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(),
            nn.MaxPool2d(2),
        ]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Dropout(0.3), nn.Linear(512, 1))


def altered(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A crop as another photograph might show it, (SIDE, SIDE, 3)."""
    matrix = cv2.getRotationMatrix2D((ROOM / 2, ROOM / 2), rng.uniform(-12, 12), rng.uniform(0.85, 1.2))
    matrix[:, 2] += rng.uniform(-5, 5, 2) - (ROOM - SIDE) / 2
    image = cv2.warpAffine(picture, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REFLECT).astype(np.float32)
    if rng.random() < 0.5:
        image = image[:, ::-1]
    if rng.random() < 0.5:
        size = int(SIDE * rng.uniform(0.3, 0.9))
        image = cv2.resize(cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA), (SIDE, SIDE))
    if rng.random() < 0.15:
        image = np.repeat(image.mean(2, keepdims=True), 3, 2)
    level = image.mean()
    image = (image - level) * rng.uniform(0.7, 1.3) + level * rng.uniform(0.7, 1.3)
    image = image * rng.uniform(0.88, 1.12, 3) + rng.normal(0, rng.uniform(0, 6), image.shape)
    return np.clip(image, 0, 255)


def tensor(pictures: Sequence[np.ndarray]) -> torch.Tensor:
    values = np.stack(pictures).astype(np.float32).transpose(0, 3, 1, 2)
    return torch.from_numpy((values - 110) / 60)


def train(bare: np.ndarray, masked: np.ndarray, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    rng, net = np.random.default_rng(seed), network()
    optimiser = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, STEPS)
    for _ in range(STEPS):
        at = rng.integers(len(bare), size=BATCH)
        says = rng.integers(2, size=BATCH)
        pictures = [altered((masked if one else bare)[number], rng) for number, one in zip(at, says, strict=True)]
        loss = nn.functional.binary_cross_entropy_with_logits(net(tensor(pictures))[:, 0], torch.tensor(says).float())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return net.eval()


def scores(nets: Sequence[nn.Module], pictures: np.ndarray) -> np.ndarray:
    """Mean logits of the networks over a crop and its mirror image."""
    edge = (ROOM - SIDE) // 2
    cut = pictures[:, edge:-edge, edge:-edge]
    with torch.inference_mode():
        both = [net(tensor(list(view)))[:, 0].numpy() for net in nets for view in (cut, cut[:, :, ::-1])]
    return np.mean(both, 0)


def auc(bare: np.ndarray, masked: np.ndarray) -> float:
    """Share of pairs of a bare and a masked face that are put right."""
    order = np.argsort(np.concatenate([bare, masked]), kind="stable")
    ranks = np.empty(len(order))
    ranks[order] = np.arange(len(order))
    return float((ranks[len(bare) :].sum() - len(masked) * (len(masked) - 1) / 2) / (len(bare) * len(masked)))


def interval(bare: np.ndarray, masked: np.ndarray) -> tuple[float, float]:
    rng = np.random.default_rng(0)
    drawn = [auc(rng.choice(bare, len(bare)), rng.choice(masked, len(masked))) for _ in range(1000)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def report(
    name: str, train_faces: dict[str, np.ndarray], test: dict[str, np.ndarray], masks: np.ndarray, seeds: int
) -> None:
    nets = [train(train_faces["bare"], train_faces[name], seed) for seed in range(seeds)]
    bare, masked = scores(nets, test["bare"]), scores(nets, masks)
    single = [auc(scores([net], test["bare"]), scores([net], masks)) for net in nets]
    own = auc(bare, scores(nets, test[name]))
    low, high = interval(bare, masked)
    at_one = np.mean(masked > np.quantile(bare, 0.99))
    print(
        f"{name:<16} real masks: AUC {auc(bare, masked):.4f} ({low:.4f} to {high:.4f}), one network "
        f"{np.mean(single):.4f} +- {np.std(single):.4f}, found at 1 % false {at_one:.3f}; its own masks {own:.4f}",
        flush=True,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bare", type=Path)
    parser.add_argument("masked", type=Path)
    parser.add_argument("--other", action="append", default=[], metavar="NAME=FOLDER")
    parser.add_argument("--kinds", default="", help="as of maskgen mask; the five default ones where empty")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--most", type=int, default=3000, help="photographs to train on")
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    others = {name: Path(folder) for name, _, folder in (text.partition("=") for text in asked.other)}
    photographs = sorted(path for path in asked.bare.rglob("*") if path.is_file())
    settings = MaskerSettings(tuple(filter(None, asked.kinds.split(","))), crop="none")
    held_out = faces([path for path in photographs if is_test(path)], settings, others, asked.bare)
    learnt = faces([path for path in photographs if not is_test(path)][: asked.most], settings, others, asked.bare)
    masks = real(asked.masked)
    print(f"{len(learnt['bare'])} faces to train on, {len(held_out['bare'])} bare and {len(masks)} masked to test on")
    for source in ("maskgen", *others):
        report(source, learnt, held_out, masks, asked.seeds)
