"""The versions of the libraries that decide the bytes of a run."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

_LIBRARIES = ("maskgen", "numpy", "opencv-python", "openvino", "mtcnn", "face_recognition_models", "pyarrow")


def versions() -> dict[str, str]:
    """The versions of these libraries, without importing them."""
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found
