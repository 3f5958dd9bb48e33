"""The rule that says whether a face looks masked: fit it to drawn people, and measure it on photographs.

    python benchmarks/mask_state.py --fit                      # writes maskgen/gallery/mask_state.json
    python benchmarks/mask_state.py BARE_DIR MASKED_DIR        # prints the rule's errors on photographs

BARE_DIR holds photographs of bare faces, of which every fourth is taken, MASKED_DIR photographs of people in real
masks. Of each, the face that the gallery takes counts. The second command also puts our own masks on the bare faces.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from maskgen.api import Masker, MaskerSettings, Output
from maskgen.core.files import write_whole
from maskgen.core.images import Photo, read_photo
from maskgen.core.reasons import SetAsideError
from maskgen.core.records import Image
from maskgen.core.seeding import rng_for
from maskgen.faces.align import align_five, five_points
from maskgen.faces.alignments import Cut
from maskgen.gallery.faces import PortraitFinder
from maskgen.gallery.state import BARE_TO, MASKED_FROM, SIDE, features, mask_score
from maskgen.masks.kinds import kind_names, load_kind
from maskgen.masks.plan import plan_mask
from maskgen.masks.wear import wear
from maskgen.people import sample_people

RULE = Path(__file__).parents[1] / "maskgen" / "gallery" / "mask_state.json"
RIDGE = 3000.0  # much: drawn people are not photographs
PEOPLE, EACH = 120, 5


def drawn() -> tuple[np.ndarray, np.ndarray]:
    """Features (n, 256) of drawn people, each bare and masked, and 1 or -1 for masked or bare (n,)."""
    rows, says = [], []
    kinds = kind_names()
    for name, number, portrait in sample_people(PEOPLE, EACH, seed=77):
        rng = rng_for("mask state", name, number)
        kind = load_kind(kinds[int(rng.integers(len(kinds)))])
        # A detector's points are not exact, least of all on masked faces.
        points5 = five_points(portrait.points68) + rng.normal(0, 2.0, (5, 2)).astype(np.float32)
        masked = wear(portrait.image, portrait.points68, plan_mask(rng), kind).image
        for image, state in ((portrait.image, -1.0), (masked, 1.0)):
            rows.append(features(worse(align_five(image, points5, SIDE).image, rng)))
            says.append(state)
    return np.array(rows), np.array(says)


def worse(crop: Image, rng: np.random.Generator) -> Image:
    """The crop as a smaller, noisier photograph in another light would show it."""
    size = int(SIDE * rng.uniform(0.25, 1))
    small = cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA)
    lit = cv2.resize(small, (SIDE, SIDE)) * rng.uniform(0.6, 1.3) * rng.uniform(0.92, 1.08, 3)
    return np.clip(lit + rng.normal(0, rng.uniform(0, 6), crop.shape), 0, 255).astype(np.uint8)


def fit() -> dict[str, object]:
    """Ridge regression on the standardised features, as weights on the features themselves."""
    rows, says = drawn()
    mean, spread = rows.mean(0), rows.std(0) + 0.05
    standard = (rows - mean) / spread
    weights = np.linalg.solve(standard.T @ standard + RIDGE * np.eye(rows.shape[1]), standard.T @ says) / spread
    return {"weights": np.round(weights, 5).tolist(), "bias": round(float(says.mean() - mean @ weights), 5)}


def scores(photographs: list[Path]) -> Iterator[float]:
    """The rule's score of the largest face of each photograph that has one."""
    finder = PortraitFinder()
    for path in photographs:
        image = read_photo(path).image
        try:
            yield finder.find(image, None, Cut(size=SIDE)).mask_score
        except SetAsideError:
            continue


def ours(photographs: list[Path]) -> Iterator[float]:
    """The same of bare faces in our masks, at the points that were found before the mask was put on."""
    masker = Masker(MaskerSettings(kind_names(), size=224))
    for path in photographs:
        result = masker.process([path.name], [Photo(read_photo(path).image, "")])[0]
        for one in result if isinstance(result, list) else []:
            if isinstance(one, Output):
                points = np.array(one.row["points68"], np.float32).reshape(-1, 2)
                yield mask_score(align_five(one.image, five_points(points), SIDE).image)


def auc(bare: np.ndarray, masked: np.ndarray) -> float:
    """Share of pairs of a bare and a masked face that the rule puts right."""
    return float(np.mean(masked[:, None] > bare[None, :]))


def measure(bare_folder: Path, masked_folder: Path) -> None:
    photographs = sorted(path for path in bare_folder.rglob("*") if path.is_file())[::4]
    bare = np.array(list(scores(photographs)))
    print(f"bare: {len(bare)} faces, {np.mean(bare > MASKED_FROM):.4f} of them clearly masked by the rule (false)")
    real = np.array(list(scores(sorted(path for path in masked_folder.rglob("*") if path.is_file()))))
    for name, masked in (("real masks", real), ("our masks", np.array(list(ours(photographs))))):
        print(
            f"{name}: {len(masked)} faces, {np.mean(masked < BARE_TO):.4f} clearly bare by the rule (false), "
            f"{np.mean(masked > MASKED_FROM):.3f} clearly masked, AUC against bare {auc(bare, masked):.4f}"
        )
    print(f"bare faces that would be told among masked ones: {np.mean(bare < BARE_TO):.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="*")
    parser.add_argument("--fit", action="store_true")
    asked = parser.parse_args()
    if asked.fit:
        write_whole(RULE, json.dumps(fit()).encode() + b"\n")
    else:
        measure(*asked.folders)
