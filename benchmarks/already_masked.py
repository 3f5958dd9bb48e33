"""The network that tells faces in masks from bare ones: train it, and count its errors on photographs.

    python benchmarks/already_masked.py --fit FACES_DIR                 # writes maskgen/faces/masked.npz, or --out
    python benchmarks/already_masked.py --judge BARE_DIR MASKED_DIR     # errors on photographs, and the cost of a face

--fit takes every second photograph of bare faces, draws a mask on each, finds the face in both anew, and learns from
the crops. A fifth of the people, by a checksum of their folder's name, is held out and judged after each epoch. The
weights that are committed are its result on Labeled Faces in the Wild.
"""

from __future__ import annotations

import argparse
import io
import time
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from maskgen.api import Masker, MaskerSettings, Output
from maskgen.core.atomic_writes import write_atomic
from maskgen.core.images import Photo, encode_image, read_photo
from maskgen.core.reasons import SetAsideError
from maskgen.core.records import Detection, Image
from maskgen.faces.already_masked import MASKED_FROM, mask_scores
from maskgen.faces.choose import choose_faces
from maskgen.faces.classifiers.classifier_network import CROP, EDGE, classifier_input
from maskgen.faces.detect import LENIENT_THRESHOLDS, MtcnnDetector
from maskgen.faces.locate import detect_for
from maskgen.faces.upright_crop import align_upright_by_five, frontal_eye_distance
from maskgen.masks.kinds import kind_names
from maskgen.people import sample_people

WEIGHTS = Path(__file__).parents[1] / "maskgen" / "faces" / "masked.npz"
SEED, EPOCHS, BATCH, TOGETHER = 0, 24, 64, 64
AVERAGED = 0.99  # the weights are a moving average of those of the steps: less chance in which faces are missed
BARE_WEIGHT = 3.0  # a bare face said to be masked is a photograph lost: it counts as three masks missed
DRAWN = 110  # drawn people among the bare faces, each three times
SIDE = CROP - 2 * EDGE
CHANNELS = (3, 12, 24, 40, 64)
SKIN = ("#e0b090", "#c68863", "#f0c8a8", "#8d5a3c", "#d8a888")
PALE = ("#ffffff", "#f2f2f0", "#e8ecf0")
FORMS = ("surgical", "cloth", "n95", "kn95")


def photographs(folder: Path, every: int) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))[::every]


def prints(folder: Path, rng: np.random.Generator, count: int = 18) -> list[str]:
    """Printed cloth: stripes, checks, dots, camouflage, and stripes with a painted mouth."""
    y, x = np.mgrid[0:256, 0:256]
    found = []
    for at in range(count):
        colours = rng.integers(0, 256, (6, 3))
        picture = np.full((256, 256, 3), colours[0], np.float64)
        if at % 6 == 0:
            picture[(x // int(rng.integers(8, 40))) % 2 == 0] = colours[1]
        elif at % 6 == 1:
            picture[((x // 24) + (y // 24)) % 2 == 0] = colours[1]
        elif at % 6 in (2, 3):
            for _ in range(int(rng.integers(20, 90))):
                centre = (int(rng.integers(256)), int(rng.integers(256)))
                colour = colours[int(rng.integers(1, 6))].tolist()
                cv2.circle(picture, centre, int(rng.integers(4, 26)), colour, -1)
        elif at % 6 == 4:
            patches = cv2.resize(rng.normal(size=(int(rng.integers(4, 14)),) * 2), (256, 256))
            picture[patches > 0.3], picture[patches < -0.6] = colours[1], colours[2]
        else:
            picture[(y // int(rng.integers(10, 40))) % 2 == 0] = colours[1]
            cv2.ellipse(picture, (128, 110), (40, 14), 0, 0, 360, (150, 30, 40), -1)
        path = folder / f"print_{at:02d}.png"
        path.write_bytes(encode_image(np.clip(picture, 0, 255).astype(np.uint8), "png"))
        found.append(str(path))
    return found


def kinds(folder: Path, rng: np.random.Generator) -> tuple[str, ...]:
    """All forms that there are, and the usual ones in skin colours, pale and drawn colours, and prints."""
    drawn = [f"{form}:#{r:02x}{g:02x}{b:02x}" for form in FORMS for r, g, b in rng.integers(0, 256, (3, 3)).tolist()]
    named = [f"{form}:{colour}" for form in FORMS for colour in (*SKIN, *PALE)]
    printed = [f"{form}:{path}" for path in prints(folder, rng) for form in ("cloth", "surgical")]
    return tuple(dict.fromkeys([*kind_names(), *named, *drawn, *printed]))


def nearest(found: Sequence[Detection], points5: np.ndarray) -> Detection | None:
    """The surest of the faces whose eyes are where these are."""
    middle, near = points5[:2].mean(0), 0.7 * frontal_eye_distance(points5)
    return max((f for f in found if np.abs(f.points5[:2].mean(0) - middle).max() < near), key=_score, default=None)


def _score(face: Detection) -> float:
    return face.score


def crops(folder: Path, every: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Crops uint8 (n, CROP, CROP, 3), 1 for masked or 0 (n,), and whose each is."""
    rng, found = np.random.default_rng(SEED), []
    plain, lenient = MtcnnDetector(), MtcnnDetector(thresholds=LENIENT_THRESHOLDS)
    paths = photographs(folder, every)
    with TemporaryDirectory() as scratch:
        wear = ("proper=8", "nose_out=1")
        settings = MaskerSettings(kinds(Path(scratch), rng), wear=wear, crop="none", masked_input="keep")
        masker = Masker(settings)
        for at in range(0, len(paths), TOGETHER):
            photos = [Photo(read_photo(path).image, path.stem) for path in paths[at : at + TOGETHER]]
            results = masker.process([photo.sha256 for photo in photos], photos)
            for path, photo, result in zip(paths[at : at + TOGETHER], photos, results, strict=True):
                for one in result if isinstance(result, list) else []:
                    if not isinstance(one, Output):
                        continue
                    points5 = np.array(one.row["source_points5"], np.float32).reshape(-1, 2)
                    found.append((align_upright_by_five(photo.image, points5, CROP).image, 0, path.parent.name))
                    face = nearest(plain.detect([one.image])[0], points5)
                    face = face or nearest(lenient.detect([one.image])[0], points5)
                    if face is not None:
                        found.append((align_upright_by_five(one.image, face.points5, CROP).image, 1, path.parent.name))
    # Drawn people are smoother than any photograph: bare ones must not be taken for masked.
    drawn = list(sample_people(DRAWN, 1, seed=501))
    for (name, _, portrait), faces in zip(drawn, plain.detect([one.image for *_, one in drawn]), strict=True):
        found += [(align_upright_by_five(portrait.image, face.points5, CROP).image, 0, name) for face in faces[:1]] * 3
    pictures, masked, people = zip(*found, strict=True)
    return np.stack(pictures), np.array(masked, np.float32), list(people)


class Network(nn.Module):
    """What `maskgen.faces.already_masked` runs, with the normalisation that training needs."""

    def __init__(self) -> None:
        super().__init__()
        pairs = zip(CHANNELS, CHANNELS[1:], strict=False)
        self.convs = nn.ModuleList(nn.Conv2d(i, o, 3, 2, 1, bias=False) for i, o in pairs)
        self.norms = nn.ModuleList(nn.BatchNorm2d(o) for o in CHANNELS[1:])
        self.drop, self.last = nn.Dropout(0.4), nn.Linear(CHANNELS[-1] * (SIDE // 16) ** 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (n,) of pictures (n, 3, SIDE, SIDE) of -1..1."""
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = torch.relu(norm(conv(x)))
        found: Tensor = self.last(self.drop(x.flatten(1)))[:, 0]
        return found

    def folded(self) -> dict[str, np.ndarray]:
        """Weights with the normalisation worked into them."""
        out = {}
        for at, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            out[f"w{at}"] = (conv.weight * scale[:, None, None, None]).detach().numpy().astype(np.float16)
            out[f"b{at}"] = (norm.bias - norm.running_mean * scale).detach().numpy()
        out["w"], out["b"] = self.last.weight[0].detach().numpy(), self.last.bias.detach().numpy()
        return {name: value.astype(np.float32) for name, value in out.items()}


def moved(x: Tensor) -> Tensor:
    """Float pictures 0..1 turned, sized, shifted and mirrored a little, cut to what the network sees."""
    n, to = len(x), torch.zeros(len(x), 2, 3)
    turn, flip = (torch.rand(n) - 0.5) * 0.5, torch.where(torch.rand(n) < 0.5, 1.0, -1.0)
    size = SIDE / CROP * (1 + (torch.rand(n) - 0.5) * 0.24)
    to[:, 0, 0], to[:, 0, 1] = size * torch.cos(turn) * flip, -size * torch.sin(turn)
    to[:, 1, 0], to[:, 1, 1] = size * torch.sin(turn) * flip, size * torch.cos(turn)
    to[:, :, 2] = (torch.rand(n, 2) - 0.5) * 0.24
    grid = nn.functional.affine_grid(to, (n, 3, SIDE, SIDE), align_corners=False)
    return nn.functional.grid_sample(x, grid, padding_mode="border", align_corners=False)


def worsened(x: Tensor) -> Tensor:
    """In another light, colourless, small, noisy, or with something in front of the face, masked or not."""
    n = len(x)
    x = x * (0.6 + 0.8 * torch.rand(n, 1, 1, 1)) * (1 + (torch.rand(n, 3, 1, 1) - 0.5) * 0.3)
    grey = torch.rand(n) < 0.1
    x[grey] = x[grey].mean(1, keepdim=True).expand(-1, 3, -1, -1)
    x = (x - 0.5) * (0.7 + 0.6 * torch.rand(n, 1, 1, 1)) + 0.5
    for side in (16, 24, 32, 48):
        some = torch.rand(n) < 0.15
        if some.any():
            small = nn.functional.interpolate(x[some], size=side, mode="area")
            x[some] = nn.functional.interpolate(small, size=SIDE, mode="bilinear", align_corners=False)
    x = x + torch.randn_like(x) * torch.rand(n, 1, 1, 1) * 0.05
    for at in torch.nonzero(torch.rand(n) < 0.25)[:, 0].tolist():
        wide, tall = torch.randint(6, 26, (2,)).tolist()
        left, top = (int(torch.randint(0, SIDE - length, ())) for length in (wide, tall))
        place = (slice(None), slice(top, top + tall), slice(left, left + wide))
        other = x[int(torch.randint(n, ()))][place].clone()
        x[at][place] = torch.rand(3, 1, 1) if torch.rand(()) < 0.5 else other
    return x.clamp(0, 1) * 2 - 1


def judged(network: Network, pictures: Tensor) -> np.ndarray:
    network.eval()
    with torch.inference_mode():
        plain = pictures[:, :, EDGE:-EDGE, EDGE:-EDGE].float() / 127.5 - 1
        scores = torch.cat([network(part) for part in torch.split(plain, 256)]).numpy()
    network.train()
    return scores


def fit(folder: Path, every: int, weights: Path) -> None:
    pixels, masked, people = crops(folder, every)
    torch.manual_seed(SEED)
    held = np.array([zlib.crc32(person.encode()) % 5 == 0 for person in people])
    pictures, truth, network = torch.from_numpy(pixels).permute(0, 3, 1, 2), torch.from_numpy(masked), Network()
    train, kept = torch.from_numpy(np.flatnonzero(~held)), torch.from_numpy(np.flatnonzero(held))
    optimiser = torch.optim.AdamW(network.parameters(), lr=6e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 6e-3, total_steps=len(train) // BATCH * EPOCHS)
    averaged = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(AVERAGED), use_buffers=True)
    weight = torch.where(truth > 0, 1.0, BARE_WEIGHT)
    for epoch in range(EPOCHS):
        for rows in torch.split(train[torch.randperm(len(train))], BATCH):
            if len(rows) < BATCH:
                continue
            scores = network(worsened(moved(pictures[rows].float() / 255)))
            aim = truth[rows] * 0.98 + 0.01
            loss = nn.functional.binary_cross_entropy_with_logits(scores, aim, weight[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            averaged.update_parameters(network)
        scores, is_masked = judged(averaged.module, pictures[kept]), masked[held] == 1
        false, found = scores[~is_masked] > MASKED_FROM, scores[is_masked] > MASKED_FROM
        print(f"epoch {epoch}: held out: {false.sum()} of {len(false)} bare false, {found.mean():.3f} of masked found")
    out = io.BytesIO()
    np.savez_compressed(out, **averaged.module.folded())
    write_atomic(weights, out.getvalue())


def seen(paths: Sequence[Path]) -> Iterator[Image | None]:
    """What the network sees of the face that is meant in each photograph, None where none is found."""
    detector: Any = MtcnnDetector()
    for path in paths:
        try:
            image = read_photo(path).image
            (face,) = choose_faces(image, detect_for(detector, [image], "subject")[0], "subject")
        except SetAsideError:
            yield None
            continue
        yield classifier_input(image, face.points5) if isinstance(face, Detection) else None


def judge(bare: Path, masked: Path, every: int) -> None:
    for name, folder, share in (("bare", bare, every), ("masked", masked, 1)):
        paths = photographs(folder, share)
        faces = list(seen(paths))
        found = [face for face in faces if face is not None]
        said = mask_scores(found) > MASKED_FROM
        print(
            f"{name}: {len(paths)} photographs, {len(found)} faces, {said.sum()} ({said.mean():.4f}) said to be masked"
        )
        for path, one in zip((p for p, f in zip(paths, faces, strict=True) if f is not None), said, strict=True):
            if name == "bare" and one:
                print(f"  {path}")
    begun = time.perf_counter()
    mask_scores(found)
    print(f"the network takes {1000 * (time.perf_counter() - begun) / max(len(found), 1):.3f} ms a face")


if __name__ == "__main__":
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fit", type=Path, metavar="FACES_DIR")
    parser.add_argument("--judge", type=Path, nargs=2, metavar=("BARE_DIR", "MASKED_DIR"))
    parser.add_argument(
        "--every", type=int, help="take every so many photographs of bare faces  [default: --fit 2, --judge 1]"
    )
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="file that --fit writes")
    asked = parser.parse_args()
    if asked.fit:
        fit(asked.fit, asked.every or 2, asked.out)
    if asked.judge:
        judge(*asked.judge, asked.every or 1)
