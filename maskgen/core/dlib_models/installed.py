"""Where dlib's trained models lie."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from maskgen.core.reasons import UserError


def installed_model(name: str, or_else: str = "") -> Path:
    """The path of a model by the name of its file.

    Args:
        name: of the file.
        or_else: what the user may do instead of installing it, for the message.

    Raises:
        UserError: the package face_recognition_models is not installed, or lacks the file.
    """
    # Importing the package fails if setuptools no longer contains pkg_resources; only its folder is needed.
    spec = importlib.util.find_spec("face_recognition_models")
    folder = Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else Path()
    path = folder / "models" / name
    if not path.is_file():
        raise UserError(f"{name} is missing: pip install --force-reinstall face_recognition_models{or_else}")
    return path
