"""The network that says whether a face stands upright where its points say: train it, and count its errors.

    python benchmarks/upright.py --fit FACES_DIR                  # writes faces/classifiers/upright.npz, or --out
    python benchmarks/upright.py --judge FOLDER...                # faces of upright photographs that are in doubt

--fit takes photographs of faces and learns from three kinds of crops: faces as they are found, bare and in drawn masks;
the same turned by quarters; and what the detector takes for faces in the turned photographs and in the background, with
the points of no face. A fifth of the people, by a checksum of their folder's name, is held out and judged after each
epoch.
"""

from __future__ import annotations

import argparse
import io
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from already_masked import Network, crops, judged, moved, photographs, worsened
from orientation import FARTHEST, MOST_OFF, off, turned_back

from maskgen.core.atomic_writes import write_atomic
from maskgen.core.images import read_photo
from maskgen.core.records import Detection, Image
from maskgen.faces.choose import choose_faces
from maskgen.faces.classifiers.classifier_network import CROP, classifier_input
from maskgen.faces.classifiers.upright import UPRIGHT_FROM, upright_scores
from maskgen.faces.detect import SURE, MtcnnDetector, Thresholds
from maskgen.faces.locate import detect_for
from maskgen.faces.upright_crop import align_upright_by_five

WEIGHTS = Path(__file__).parents[1] / "maskgen" / "faces" / "looks" / "upright.npz"
SEED, EPOCHS, BATCH, TOGETHER = 0, 16, 96, 16
SOFT = Thresholds(0.6, 0.5, 0.6)  # so that there are mistakes enough to learn from
BACKGROUND = 2  # crops of a photograph's background


def mistakes(paths: Sequence[Path]) -> Iterator[tuple[Image, str]]:
    """Crops at what is taken for faces in turned photographs and is none, or not that way up, and at backgrounds."""
    plain, soft, rng = MtcnnDetector(), MtcnnDetector(thresholds=SOFT), np.random.default_rng(SEED)
    for at in range(0, len(paths), TOGETHER):
        some = paths[at : at + TOGETHER]
        images = [read_photo(path).image for path in some]
        true = [[f for f in faces if f.score >= SURE] for faces in plain.detect(images, True)]
        for path, image, faces in zip(some, images, true, strict=True):
            for points in backgrounds(image, faces, rng):
                yield align_upright_by_five(image, points, CROP).image, path.parent.name
        for quarters in (1, 2, 3):
            turned = [np.ascontiguousarray(np.rot90(image, quarters)) for image in images]
            for path, image, own, found in zip(some, turned, true, soft._upright(turned, False), strict=True):
                for face in found:
                    back = turned_back(face.points5, quarters, np.rot90(image, -quarters).shape)
                    if own and not is_any(back, own):
                        yield align_upright_by_five(image, face.points5, CROP).image, path.parent.name


def is_any(points5: np.ndarray, faces: Sequence[Detection]) -> bool:
    """Whether five points are those of one of the faces."""
    apart = [off(points5, face.points5) for face in faces]
    return any(far <= FARTHEST and turn <= MOST_OFF for far, turn in apart)


def backgrounds(image: Image, faces: Sequence[Detection], rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Five points where there is no face, turned anyhow."""
    shape = np.array([[-0.5, -0.4], [0.5, -0.4], [0, 0.2], [-0.4, 0.7], [0.4, 0.7]])
    for _ in range(BACKGROUND):
        unit = rng.uniform(0.06, 0.25) * min(image.shape[:2])
        middle = rng.uniform(0, 1, 2) * image.shape[1::-1]
        turn = rng.uniform(0, 2 * np.pi)
        matrix = unit * np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        if all(np.abs(middle - face.points5.mean(0)).max() > unit + 0.5 * np.ptp(face.box[1::2]) for face in faces):
            yield (shape @ matrix + middle).astype(np.float32)


def cut_tight(x: torch.Tensor) -> torch.Tensor:
    """Some of the pictures as of a photograph that ends near the face: its edge repeated from there on."""
    out = x.clone()
    for at in torch.nonzero(torch.rand(len(x)) < 0.4)[:, 0].tolist():
        left, top, right, bottom = (int(by) for by in torch.randint(0, CROP // 4, (4,)))
        part = x[at : at + 1, :, top : CROP - bottom, left : CROP - right]
        out[at] = torch.nn.functional.pad(part, (left, right, top, bottom), mode="replicate")[0]
    return out


def quartered(x: torch.Tensor) -> torch.Tensor:
    """Each picture turned by one, two or three quarters."""
    return torch.stack([torch.rot90(one, int(torch.randint(1, 4, ())), (1, 2)) for one in x])


def held_out(people: Sequence[str]) -> np.ndarray:
    return np.array([zlib.crc32(person.encode()) % 5 == 0 for person in people])


def learn(good: np.ndarray, whose: Sequence[str], bad: np.ndarray, whose_bad: Sequence[str]) -> Network:
    """Trained on the crops of the people who are not held out; half of each batch is good."""
    torch.manual_seed(SEED)
    yes, no = (torch.from_numpy(crops).permute(0, 3, 1, 2) for crops in (good, bad))
    held = [torch.from_numpy(held_out(people)) for people in (whose, whose_bad)]
    train = [torch.nonzero(~one)[:, 0] for one in held]
    steps = len(train[0]) // (BATCH // 2)
    network = Network()
    optimiser = torch.optim.AdamW(network.parameters(), lr=6e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 6e-3, total_steps=steps * EPOCHS)
    truth = torch.cat([torch.ones(BATCH // 2), torch.zeros(BATCH // 2)])
    for epoch in range(EPOCHS):
        order = train[0][torch.randperm(len(train[0]))]
        for step in range(steps):
            upright = yes[order[step * BATCH // 2 : (step + 1) * BATCH // 2]]
            lying = quartered(upright[: BATCH // 4])
            wrong = no[train[1][torch.randint(len(train[1]), (BATCH // 4,))]]
            x = cut_tight(torch.cat([upright, lying, wrong]).float() / 255)
            loss = torch.nn.functional.binary_cross_entropy_with_logits(
                network(worsened(moved(x))), truth * 0.98 + 0.01
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
        tell(epoch, network, yes[held[0]], no[held[1]])
    return network


def tell(epoch: int, network: Network, good: torch.Tensor, bad: torch.Tensor) -> None:
    parts = {"upright": good, "lying": torch.cat([torch.rot90(good, turn, (2, 3)) for turn in (1, 2, 3)]), "wrong": bad}
    found = {name: judged(network, pictures) >= UPRIGHT_FROM for name, pictures in parts.items()}
    text = ", ".join(
        f"{name} {(~ok).sum() if name == 'upright' else ok.sum()} of {len(ok)}" for name, ok in found.items()
    )
    print(f"epoch {epoch}: held out, judged wrongly: {text}", flush=True)


def fit(folder: Path, every: int, weights: Path) -> None:
    pixels, _, people = crops(folder, every)
    bad, whose = zip(*mistakes(photographs(folder, every)[1:]), strict=True)
    out = io.BytesIO()
    np.savez_compressed(out, **learn(pixels, people, np.stack(bad), whose).folded())
    write_atomic(weights, out.getvalue())


def judge(folders: Sequence[Path]) -> None:
    detector = MtcnnDetector()
    for folder in folders:
        faces = []
        for path in photographs(folder, 1):
            image = read_photo(path).image
            found = detect_for(detector, [image], "subject")[0]
            chosen = choose_faces(image, found, "subject")[:1] if found else []
            faces += [(path, classifier_input(image, face.points5)) for face in chosen if isinstance(face, Detection)]
        scores = upright_scores([seen for _, seen in faces])
        print(f"{folder}: {len(faces)} faces, {(scores < UPRIGHT_FROM).sum()} in doubt")
        for (path, _), score in zip(faces, scores, strict=True):
            if score < UPRIGHT_FROM:
                print(f"  {path} {score:.2f}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fit", type=Path, metavar="FACES_DIR")
    parser.add_argument("--judge", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--every", type=int, default=8, help="take every so many photographs")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="file that --fit writes")
    asked = parser.parse_args()
    if asked.fit:
        fit(asked.fit, asked.every, asked.out)
    if asked.judge:
        judge(asked.judge)
