#!/bin/sh
# `datasets` reads a folder of people as one person where that person's name begins like a split's.
#
# Versions: datasets 4.4.1, pillow 12.0.0, Python 3.11
# Input:    a folder with three folders of three PNGs each: anna, bob, dev_patel
# Expected: load_dataset("imagefolder") gives nine pictures of three classes, as it does where the third is carl
# Seen:     with carl one split, train, of nine pictures; with dev_patel one split, validation, of the three pictures in
#           dev_patel. Anna and Bob are gone, and nothing is said: "dev" is a name of the validation split, and what lies
#           in no split's folder is left out as soon as one is found.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q datasets==4.4.1 pillow==12.0.0
HF_HOME="$folder/home" "$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys
from pathlib import Path

from datasets import disable_progress_bars, load_dataset
from PIL import Image

disable_progress_bars()
seen = {}
for third in ("carl", "dev_patel"):
    root = Path(sys.argv[1], f"people with {third}")
    for person in ("anna", "bob", third):
        (root / person).mkdir(parents=True)
        for number in range(3):
            Image.new("RGB", (8, 8), (80 * number, 0, 0)).save(root / person / f"{number}.png")
    found = load_dataset("imagefolder", data_dir=str(root), drop_labels=False)
    seen[third] = {split: (len(rows), rows.features["label"].names) for split, rows in found.items()}
    print(third, seen[third])
expected = {
    "carl": {"train": (9, ["anna", "bob", "carl"])},
    "dev_patel": {"validation": (3, ["dev_patel"])},
}
sys.exit(0 if seen == expected else "the behaviour has changed")
PYTHON
