"""Attack the program: damaged pictures, containers, state files, checkpoints and trainings, wrong command lines, kills.

    python benchmarks/attack.py                      # all of it, at full scale: an hour or two
    python benchmarks/attack.py --scale 0.05         # a twentieth
    python benchmarks/attack.py --only kills --minutes 20
    python benchmarks/attack.py --only kills --first 100          # from this try on, or from the start of its row

Every damage is drawn from the seed and its number, so a fault is shown again by the same command. Each try must have
one outcome: a result, or one reason or sentence. A traceback, a hang or a changed result is a fault; faults are listed
with their numbers, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import io
import os
import pickle
import shutil
import signal
import struct
import sys
import tarfile
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image
from skimage.data import astronaut

from maskgen.core.images import decode
from maskgen.core.quiet import quieten
from maskgen.core.reasons import SetAsideError, UserError
from maskgen.core.seeding import rng_for

sys.path.insert(0, str(Path(__file__).parent))
from attack_kills import IN_A_ROW, Kills, tree
from attack_training import HalfTrained

COUNTS = {"pictures": 5000, "containers": 500, "state": 500, "training": 100, "lines": 300, "kills": 200}
HANG = 120  # seconds that a try may take, of kills ten times as many: they start the program twice
PIXELS = np.ascontiguousarray(astronaut()[:96, 128:256])


@dataclass
class Tally:
    """The outcomes of one part."""

    name: str
    first: int = 0
    hang: int = HANG
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def line(self, seconds: float) -> str:
        """One line for a terminal."""
        told = ", ".join(f"{name} {count:,}" for name, count in sorted(self.outcomes.items()))
        return f"{self.name:<12}{self.outcomes.total():>7,} tries  {len(self.faults)} faults  {seconds:.0f} s   {told}"


class HangError(Exception):
    """A try took longer than it may."""


def tries(tally: Tally, count: int, until: float, one: Callable[[np.random.Generator, int], str], seed: int) -> None:
    """Try so many times, until a time; `one` gives the name of the outcome."""

    def late(*_: object) -> None:
        raise HangError

    signal.signal(signal.SIGALRM, late)
    for number in range(tally.first, count):
        if time.monotonic() > until:
            return
        signal.alarm(tally.hang)
        try:
            outcome = one(rng_for(seed, tally.name, number), number)
        except (Exception, SystemExit) as error:  # what is looked for
            outcome = "fault"
            tally.faults.append(f"{tally.name} {number}: {type(error).__name__}: {str(error)[-400:]}")
        finally:
            signal.alarm(0)
        tally.outcomes[outcome] += 1


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """Some bytes changed, a stretch taken out, doubled, emptied or swapped, or the end cut off."""
    out = bytearray(data)
    for _ in range(int(rng.integers(1, 4))):
        size = len(out)
        if not size:
            break
        start = int(rng.integers(min(size, 256) if rng.random() < 0.5 else size))
        end = min(size, start + int(rng.integers(1, 64)))
        how = int(rng.integers(6))
        if how == 0:
            out[start] = int(rng.integers(256))
        elif how == 1:
            del out[start:end]
        elif how == 2:
            out[start:start] = out[start:end]
        elif how == 3:
            out[start:end] = bytes(end - start)
        elif how == 4:
            out[start:end] = rng.bytes(end - start)
        else:
            del out[int(rng.integers(size)) :]
    return bytes(out)


def pictures() -> dict[str, bytes]:
    """A sound picture of each format."""
    picture = Image.fromarray(PIXELS)
    made = {"jpeg": ("JPEG", {}), "progressive": ("JPEG", {"progressive": True}), "png": ("PNG", {})}
    made |= {
        "webp": ("WEBP", {}),
        "tiff": ("TIFF", {"compression": "tiff_lzw"}),
        "gif": ("GIF", {}),
        "bmp": ("BMP", {}),
    }
    made |= {"avif": ("AVIF", {}), "jpeg 2000": ("JPEG2000", {}), "ppm": ("PPM", {}), "tga": ("TGA", {})}
    made |= {"animated": ("PNG", {"save_all": True, "append_images": [picture.rotate(9)]})}
    found = {}
    for name, (form, options) in made.items():
        out = io.BytesIO()
        picture.save(out, form, **options)
        found[name] = out.getvalue()
    found["deep"] = cv2.imencode(".png", PIXELS.astype(np.uint16) * 9)[1].tobytes()
    return found


def attack_pictures(tally: Tally, count: int, until: float, seed: int, _: Path) -> None:
    """Decode damaged pictures of every format."""
    whole = pictures()
    names = sorted(whole)

    def one(rng: np.random.Generator, number: int) -> str:
        data = damaged(whole[names[number % len(names)]], rng)
        try:
            image = decode(data, 1_000_000)
        except SetAsideError as error:
            return str(error.reason)
        if image.dtype != np.uint8 or image.ndim != 3:
            raise TypeError(f"{image.dtype} {image.shape}")
        return "picture"

    tries(tally, count, until, one, seed)


def containers() -> dict[str, bytes]:
    """A sound container of each kind, by file name; b.rec has its index beside it."""
    jpeg = pictures()["jpeg"]
    tar, packed = io.BytesIO(), io.BytesIO()
    for out, mode in ((tar, "w"), (packed, "w:gz")):
        with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
            for name, data in (("ann/1.jpg", jpeg), ("ann/1.json", b'{"person": "Ann"}'), ("bo/2.jpg", jpeg)):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    rec, idx = b"", ""
    for number in range(4):
        record = struct.pack("<IfQQ", 0, float(number % 2), number, 0) + jpeg
        idx += f"{number}\t{len(rec)}\n"
        rec += struct.pack("<II", 0xCED7230A, len(record)) + record + bytes(-len(record) % 4)
    pairs = pickle.dumps(([jpeg, jpeg], [True]), protocol=4)
    return {
        "a.tar": tar.getvalue(),
        "a.tar.gz": packed.getvalue(),
        "a.rec": rec,
        "b.rec": rec,
        "b.idx": idx.encode(),
    } | {
        "a.bin": pairs,
        "a.csv": b"path,person\nann/1.jpg,Ann\n",
    }


def attack_containers(tally: Tally, count: int, until: float, seed: int, folder: Path) -> None:
    """List damaged containers, and read all that they list."""
    from maskgen.formats.reading import photo_at
    from maskgen.pipelines.sources.source import list_source

    whole = containers()
    names = sorted(whole)

    def one(rng: np.random.Generator, number: int) -> str:
        name = names[number % len(names)]
        place = folder / f"{number}"
        place.mkdir()
        if name.startswith("b."):
            for beside in ("b.rec", "b.idx"):
                (place / beside).write_bytes(whole[beside])
        (place / name).write_bytes(damaged(whole[name], rng))
        try:
            listing = list_source(place / ("b.rec" if name == "b.idx" else name))
        except UserError:
            return "refused"
        finally_good = 0
        for item in (item for part in listing.folders for item in listing.items(part)):
            try:
                if not item.fault:
                    photo_at(listing.root, item.key, item.span, 1_000_000)
                    finally_good += 1
            except SetAsideError:
                continue
        shutil.rmtree(place)
        return "all read" if finally_good == len(listing) else "some read" if finally_good else "none read"

    tries(tally, count, until, one, seed)


@dataclass(frozen=True)
class Worn:
    """What the stand-in masker gives for a photograph."""

    kind: str
    variant: int
    face_index: int
    image: Any
    coverage: Any
    row: dict[str, Any]
    others: tuple[dict[str, Any], ...] = ()


class StandIn:
    """A masker that inverts pictures, so that attacks on runs spend no time on faces."""

    timings: dict[str, float] = {}  # noqa: RUF012  as the library's

    def process(self, keys: Any, photos: Any, known: Any = None, given: Any = None) -> list[Any]:
        """One output a photograph."""
        return [
            [Worn("n95", 0, 0, 255 - photo.image, np.zeros(photo.image.shape[:2], np.uint8), {"faces_found": 1})]
            for photo in photos
        ]


def stand_in(settings: Any) -> StandIn:
    """The factory of the stand-in."""
    return StandIn()


def half_done(folder: Path) -> tuple[Path, Path, str]:
    """A source, a run of it that was not summed up, and the hash of what it comes to."""
    from maskgen.pipelines.mask.run import run_mask
    from maskgen.pipelines.mask.settings import MaskSettings
    from maskgen.pipelines.runs.run_folder import RunFolder

    source, run = folder / "source", folder / "run"
    for person in range(3):
        (source / f"p{person}").mkdir(parents=True)
        for number in range(16):
            image = Image.fromarray(np.roll(PIXELS, 3 * number + person, axis=1))
            image.save(source / f"p{person}" / f"{number}.png")
    run_mask(MaskSettings(source, run, kinds=("n95",)), stand_in)
    whole = tree(run)
    RunFolder(run).remove_summaries()
    return source, run, whole


def attack_state(tally: Tally, count: int, until: float, seed: int, folder: Path) -> None:
    """Go on with a run, and load a checkpoint, of which one file is damaged."""
    source, run, whole = half_done(folder)
    checkpoint = saved_checkpoint(folder / "checkpoint")
    files = [path for path in sorted(run.rglob("*")) if path.is_file() and path.parent.name in ("run", "shards")]
    files += sorted(checkpoint.iterdir())

    def one(rng: np.random.Generator, number: int) -> str:
        path = files[number % len(files)]
        before = path.read_bytes()
        after = b"" if rng.random() < 0.2 else damaged(before, rng)
        path.write_bytes(after)
        try:
            if path.parent == checkpoint:
                return loaded(checkpoint, changed=before != after)
            return gone_on(source, run, whole, folder / "try")
        finally:
            path.write_bytes(before)

    tries(tally, count, until, one, seed)


def attack_training(tally: Tally, count: int, until: float, seed: int, folder: Path) -> None:
    """Go on with a training of which one file is damaged."""
    training = HalfTrained(folder / "training")
    files = training.files()

    def one(rng: np.random.Generator, number: int) -> str:
        path = files[number % len(files)]
        before = path.read_bytes()
        path.write_bytes(b"" if rng.random() < 0.2 else damaged(before, rng))
        try:
            return training.gone_on(path)
        finally:
            path.write_bytes(before)

    tries(tally, count, until, one, seed)


def gone_on(source: Path, run: Path, whole: str, copy: Path) -> str:
    """What becomes of a run with a damaged file."""
    from maskgen.pipelines.mask.run import run_mask
    from maskgen.pipelines.mask.settings import MaskSettings

    kept = run.with_name("kept")
    shutil.copytree(run, kept)
    try:
        run_mask(MaskSettings(source, run, kinds=("n95",)), stand_in)
    except UserError:
        return "sentence"
    else:
        if tree(run) != whole:
            raise ValueError("another result")
        return "the same result"
    finally:
        shutil.rmtree(run)
        kept.rename(run)


def saved_checkpoint(folder: Path) -> Path:
    """A checkpoint of the smallest recipe."""
    from maskgen.trainer.checkpoints import Checkpoint, save_checkpoint
    from maskgen.trainer.networks.models import build_model
    from maskgen.trainer.recipes.loading import load_recipe

    recipe = load_recipe("small", ["model.dim=8"])
    state = build_model(recipe.model).state_dict()
    save_checkpoint(folder, Checkpoint(recipe, state, progress={"epoch": 1, "scaler": {}}, targets=(0, 1)))
    return folder


def loaded(folder: Path, changed: bool) -> str:
    """What becomes of a damaged checkpoint."""
    from maskgen.trainer.checkpoints import load_checkpoint, load_model

    for load in (load_checkpoint, load_model):
        try:
            load(folder)
        except UserError:
            continue
        if changed and load is load_checkpoint:
            raise ValueError("damage was not seen")
    return "sentence" if changed else "the same result"


REFUSED = {"kinds": ["--kind", "nowhere"], "demo": ["--workers", "0"], "play": ["--port", "-1"]}
ARGUMENTS = {
    "mask": ["IN", "OUT"],
    "pairs": ["OUT"],
    "gallery": ["IN", "OUT"],
    "train": ["small"],
    "evaluate": ["dlib"],
    "embed": ["dlib", "IN", "OUT"],
    "export": ["IN", "OUT"],
    "kinds": [],
    "play": [],
    "demo": ["OUT"],
}


def options_of(command: str) -> list[str]:
    """The options of a command that take a value, so that a new one is attacked too."""
    from click import Context, Option

    from maskgen.pipelines.cli import main

    found = main.get_command(Context(main), command)
    assert found is not None
    return [one.opts[0] for one in found.params if isinstance(one, Option) and not one.is_flag]


WRONG = [
    "",
    "nan",
    "-1",
    "1e999",
    "9" * 23,
    "nowhere",
    "ftp://host/x",
    "s3://",
    "[[[[",
    "\u00e9\u4e2d",
    "0,1",
    "a=b",
    "--",
    "x" * 300,
]
WRONG += ["https://host/x", "::", "/dev/null", "..", "n95:", "cloth:#12345", "world:nowhere", "arcface"]
WRONG += ["nan,0,1", "inf,0,1", "mm=nan", "train.seed=" + "9" * 23, "broken.csv", "broken.yaml", "file.txt"]


def attack_lines(tally: Tally, count: int, until: float, seed: int, folder: Path) -> None:
    """Give command lines of which at least one part is wrong."""
    from click.testing import CliRunner

    from maskgen.pipelines.cli import main

    os.chdir(folder)
    Path("broken.csv").write_bytes(b'path;target\n"a\n\0,,')
    Path("broken.yaml").write_text("[" * 3000)
    Path("file.txt").write_text("hello")
    names = sorted(ARGUMENTS)
    options = {name: options_of(name) for name in names}

    def one(rng: np.random.Generator, number: int) -> str:
        command = names[number % len(names)]
        line = [str(rng.choice(WRONG[:-3])) if rng.random() < 0.5 else name for name in ARGUMENTS[command]]
        for option in rng.permutation(options[command])[: int(rng.integers(1, 4))]:
            line += [str(option), str(rng.choice(WRONG))]
        line += ["--no-such-option"] if rng.random() < 0.2 else REFUSED.get(command, [])
        result = CliRunner().invoke(main, [command, *line])
        wrong = result.exception is not None and not isinstance(result.exception, SystemExit)
        if wrong or result.exit_code != 2 or "Traceback" in result.output:
            raise ValueError(f"{[command, *line]}: exit {result.exit_code} {result.exception!r} {result.output[-200:]}")
        return "sentence"

    tries(tally, count, until, one, seed)


def attack_kills(tally: Tally, count: int, until: float, seed: int, folder: Path) -> None:
    """Kill every command at random moments, see attack_kills.py."""
    kills = Kills(folder)
    tally.first -= tally.first % IN_A_ROW
    tries(tally, count, until, kills.one, seed)


ATTACKS = {
    "pictures": attack_pictures,
    "containers": attack_containers,
    "state": attack_state,
    "training": attack_training,
    "lines": attack_lines,
    "kills": attack_kills,
}


def main() -> int:
    """Attack, and tell of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the tries")
    parser.add_argument(
        "--only", choices=sorted(ATTACKS), action="append", help="this part; may be given several times"
    )
    parser.add_argument("--minutes", type=float, default=60.0, help="that a part may take")
    parser.add_argument("--first", type=int, default=0, help="number of the first try of each part")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    quieten()
    faults: list[str] = []
    for name in args.only or ATTACKS:
        begun = time.monotonic()
        tally = Tally(name, args.first, 10 * HANG if name == "kills" else HANG)
        here = Path.cwd()
        with tempfile.TemporaryDirectory() as folder:
            count = max(1, round(COUNTS[name] * args.scale))
            ATTACKS[name](tally, count, begun + 60 * args.minutes, args.seed, Path(folder).resolve())
            os.chdir(here)
        print(tally.line(time.monotonic() - begun), flush=True)
        faults += tally.faults
    print("\n".join(faults[:50]))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
