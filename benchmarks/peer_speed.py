"""Processor time of a photograph in maskgen and in MaskTheFace, whole commands on the same photographs in turns.

    git clone https://github.com/aqeelanwar/MaskTheFace && pip install dlib imutils dotmap requests tqdm
    python benchmarks/peer_speed.py MASKTHEFACE SOURCE [--photographs 200] [--rounds 3] [--python PYTHON]

MASKTHEFACE is the checkout, PYTHON the interpreter that has what it imports. Both mask each photograph once, with a
random kind, in one process: `python mask_the_face.py --path FOLDER --mask_type random`, and `maskgen mask FOLDER RUN
--workers 1`. A round runs each on one photograph, whose whole time is the start, on 20, and on 20 more than
--photographs: the difference of these two is the cost of a photograph. The 68-point model is the same for both: that of
face_recognition_models. Faces that a program does not find cost it less, so the pictures written are counted.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from statistics import median

FEW = 20
MODEL = "shape_predictor_68_face_landmarks.dat"
MASKGEN = [sys.executable, "-P", "-c", "from maskgen.pipelines.cli import main; main()", "mask"]


def photographs_of(source: Path, count: int, folder: Path) -> Path:
    """This number of photographs, evenly over the source, as one flat folder: MaskTheFace goes one folder deep."""
    found = sorted(path for path in source.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    if len(found) < count:
        sys.exit(f"{source} has {len(found)} photographs: give --photographs {max(len(found) - FEW, 1)} or fewer.")
    folder.mkdir()
    for at in range(count):
        path = found[at * len(found) // count]
        # MaskTheFace takes what stands before the first dot for the name.
        shutil.copy(path, folder / f"{at:06}{path.suffix.lower()}")
    return folder


def seconds(command: list[str], where: Path) -> float:
    """The processor's seconds of a command and of all processes that it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command, cwd=where, capture_output=True, text=True, check=False, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    if done.returncode not in (0, 3):
        sys.exit(done.stderr or done.stdout)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def with_model(peer: Path) -> None:
    """Put the 68-point model where MaskTheFace looks for it, so that it does not download one."""
    place, spec = peer / "dlib_models" / MODEL, find_spec("face_recognition_models")
    if not place.exists() and spec is not None and spec.origin is not None:
        place.parent.mkdir(exist_ok=True)
        shutil.copy(Path(spec.origin).parent / "models" / MODEL, place)


def one_round(peer: Path, python: str, folders: tuple[Path, ...]) -> dict[str, tuple[float, float, int]]:
    """Of each program: milliseconds a photograph, seconds of the command on one, pictures written of the many."""
    extra = len(list(folders[-1].iterdir())) - FEW
    found = {}
    for name in ("maskgen", "MaskTheFace"):
        spent = []
        for folder in folders:
            out = folder.with_name(f"{folder.name}_masked")
            if out.exists():  # not removed: for minutes after it ext4 takes ten times as long to create files
                out.rename(Path(tempfile.mkdtemp(dir=out.parent)) / out.name)
            ours = [*MASKGEN, str(folder), str(out), "--workers", "1"]
            theirs = [python, "mask_the_face.py", "--path", str(folder), "--mask_type", "random"]
            spent.append(seconds(ours if name == "maskgen" else theirs, peer))
        pictures = out / "faces" if name == "maskgen" else out
        written = sum(path.suffix in (".jpg", ".jpeg", ".png") for path in pictures.rglob("*"))
        found[name] = 1000 * (spent[2] - spent[1]) / extra, spent[0], written
    return found


def main() -> None:
    """Measure, and print a line for each program and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", type=Path, metavar="MASKTHEFACE")
    parser.add_argument("source", type=Path, metavar="SOURCE")
    parser.add_argument("--photographs", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--python", default=sys.executable)
    given = parser.parse_args()
    peer = given.peer.absolute()
    with_model(peer)
    with tempfile.TemporaryDirectory() as folder:
        counts = {"one": 1, "few": FEW, "many": FEW + given.photographs}
        folders = tuple(photographs_of(given.source, count, Path(folder) / name) for name, count in counts.items())
        rounds = [one_round(peer, given.python, folders) for _ in range(given.rounds)]
    middle = {name: median(found[name][0] for found in rounds) for name in rounds[0]}
    for name, each in middle.items():
        spread = ", ".join(f"{found[name][0]:.1f}" for found in rounds)
        start = median(found[name][1] for found in rounds)
        print(
            f"{name}: {each:.1f} ms a photograph ({spread}), one photograph {start:.1f} s, "
            f"{rounds[0][name][2]} of {FEW + given.photographs} written"
        )
    print(f"MaskTheFace / maskgen: {middle['MaskTheFace'] / middle['maskgen']:.2f}")


if __name__ == "__main__":
    main()
