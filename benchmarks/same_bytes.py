"""Do two installed builds write the same bytes: mask, pairs with all exports, gallery, kinds.

    python benchmarks/same_bytes.py OLD_PYTHON NEW_PYTHON SOURCE

SOURCE is a folder of people. Each PYTHON is an interpreter that has a build of maskgen. Reports
(timings, versions, settings) are left out of the comparison; images, catalogue rows, lists and exports are compared.
The exit code is 1 where a file differs, and its name is printed.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

STEPS = (
    ("mask", "{source}", "{out}/random", "--workers", "2", "--seed", "3"),
    ("mask", "{source}", "{out}/all", "--per-photo", "all", "--bare", "--segmentation", "--format", "png"),
    ("mask", "{source}", "{out}/whole", "--crop", "none", "--faces", "all", "--wear", "proper=2,nose_out=1"),
    ("mask", "{source}", "{out}/tars", "--write", "tar", "--bare"),
    ("pairs", "{out}/lists", "--run", "{out}/all", "--people", "0.5,0.25,0.25")
    + tuple(word for name in ("lfw", "label", "bin", "rec", "tar") for word in ("--also", name)),
    ("gallery", "--simulate", "{out}/all", "{out}/gallery"),
    ("kinds", "--out", "{out}/kinds"),
)
LEFT_OUT = ("timing.json", "report.html", "CARD.md", ".lock")


def build(python: str, source: Path, out: Path) -> dict[str, str]:
    """Run every step with one build; returns the digest of each file, and of each step's outcome, by name."""
    found = {}
    for step in STEPS:
        words = [word.format(source=source, out=out) for word in step]
        code = "from maskgen.pipelines.cli import main; main()"
        done = subprocess.run([python, "-P", "-c", code, *words], capture_output=True, text=True, check=False)
        if done.returncode not in (0, 3):
            sys.exit(f"{python}: maskgen {' '.join(words)} ended with {done.returncode}: {done.stderr[-500:]}")
        found[f"exit code of {' '.join(step)}"] = str(done.returncode)
    for path in sorted(out.rglob("*")):
        if path.is_file() and path.name not in LEFT_OUT and path.suffix != ".json":
            found[path.relative_to(out).as_posix()] = digest(path)
    return found


def digest(path: Path) -> str:
    """SHA-256 of a file; of a Parquet file, that of its rows, since its metadata holds the version."""
    if path.suffix != ".parquet":
        return hashlib.sha256(path.read_bytes()).hexdigest()
    import pyarrow.parquet as pq

    table = pq.read_table(path, partitioning=None).replace_schema_metadata(None)
    return hashlib.sha256(repr((table.column_names, table.to_pylist())).encode()).hexdigest()


def main() -> None:
    """Compare, and print what differs."""
    old, new, source = sys.argv[1], sys.argv[2], Path(sys.argv[3]).absolute()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"  # one name for both, since outputs name the folders that they come from
        digests = []
        for python in (old, new):
            digests.append(build(python, source, out))
            out.rename(out.with_name(f"out{len(digests)}"))
    first, second = digests
    differ = sorted(name for name in {*first, *second} if first.get(name) != second.get(name))
    for name in differ:
        print(f"differs: {name}")
    print(f"{len(first)} files and outcomes of the old build, {len(second)} of the new: {len(differ)} differ")
    sys.exit(bool(differ))


if __name__ == "__main__":
    main()
