"""Compiles the kernels to WebAssembly: `pip install ziglang==0.17.1`, then `python kernels/build.py`.

Only who changes the C needs this: the result, `maskgen/core/kernels/kernels.wasm`, is kept in the repository. Its last
section holds the checksum of the sources, by which `tests/core/test_kernels.py` knows that it is theirs.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
RESULT = HERE.parent / "maskgen" / "core" / "kernels" / "kernels.wasm"
SECTION = b"sources"
FLAGS = (
    *("--target=wasm32-freestanding", "-O3", "-flto", "-s", "-Wall", "-Wextra", "-Werror"),
    *("-msimd128", "-mrelaxed-simd", "-mnontrapping-fptoint", "-mbulk-memory"),
    # Products and sums are rounded one by one, so that every processor gives the same bits.
    *("-ffp-contract=off", "-ffreestanding", "-nostdlib", "-Wl,--no-entry", "-Wl,--export=__heap_base"),
)


def checksum() -> bytes:
    """Of all sources, in the order of their names."""
    paths = sorted([*HERE.glob("*.c"), *HERE.glob("*.h")])
    return hashlib.sha256(b"".join(path.name.encode() + b"\0" + path.read_bytes() for path in paths)).digest()


def section(payload: bytes) -> bytes:
    """A custom section of WebAssembly; all lengths are below 128, so each is one byte."""
    body = bytes([len(SECTION)]) + SECTION + payload
    return bytes([0, len(body)]) + body


def build(result: Path) -> None:
    """Compile to a file."""
    with tempfile.TemporaryDirectory() as folder:
        compiled = Path(folder) / "kernels.wasm"
        sources = [path.name for path in sorted(HERE.glob("*.c"))]
        command = [sys.executable, "-m", "ziglang", "cc", *FLAGS, "-o", str(compiled), *sources]
        subprocess.run(command, cwd=HERE, check=True)
        result.write_bytes(compiled.read_bytes() + section(checksum()))


if __name__ == "__main__":
    build(RESULT)
    print(f"{RESULT}: {RESULT.stat().st_size} bytes")
