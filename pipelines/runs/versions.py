"""The versions of the program and of the libraries that decide the bytes of a run."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution, version
from importlib.util import find_spec
from pathlib import Path

BUILD = "maskgen build"
_LIBRARIES = ("maskgen", "numpy", "opencv-python", "openvino", "mtcnn", "face_recognition_models", "pyarrow")
_PACKAGES = ("maskgen", "maskgen.pipelines", "maskgen.mask_templates")
_DECIDING = (".py", ".wasm", ".toml", ".npz")  # what decides the output, but for large files


def versions() -> dict[str, str]:
    """The versions of these libraries, without importing them, and of the program's files."""
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found | {BUILD: _build()}


def other_versions(then: Mapping[str, str]) -> str:
    """The libraries whose version differs from an earlier one, such as "numpy 2.3.5, now 2.4.6"; "" for none."""
    if BUILD not in then:
        return "an earlier build of maskgen, which did not write down its versions"
    return "; ".join(f"{name} {then.get(name)}, now {now}" for name, now in versions().items() if then.get(name) != now)


@cache
def _build() -> str:
    """The first digits of a digest of the program's files: two builds between releases have the same version."""
    digest = hashlib.blake2b(digest_size=6)
    for line in _installed() or _files():
        digest.update(line.encode())
    return digest.hexdigest()


def _installed() -> list[str]:
    """The files with their checksums as the installer wrote them down; none where the program runs from a checkout."""
    try:
        installed = distribution("maskgen")
    except PackageNotFoundError:
        return []
    if Path(str(installed.locate_file("maskgen"))) != Path(__file__).parents[2]:
        return []
    lines = (installed.read_text("RECORD") or "").splitlines()
    return sorted(line for line in lines if line.startswith("maskgen/") and ",sha256=" in line)


def _files() -> Iterator[str]:
    """The same of a checkout."""
    for package in _PACKAGES:
        spec = find_spec(package)
        for place in (spec and spec.submodule_search_locations) or ():
            for path in sorted(one for one in Path(place).rglob("*") if one.suffix in _DECIDING):
                yield f"{package} {path.relative_to(place)} {hashlib.sha256(path.read_bytes()).hexdigest()}"
