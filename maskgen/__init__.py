"""maskgen: turn any face dataset into a masked-face dataset, with the record of every photograph."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from maskgen._version import __version__

if TYPE_CHECKING:
    from maskgen.api import MaskedFace, Masker, MaskerSettings, Output, mask_photo
    from maskgen.core.images import Photo
    from maskgen.core.reasons import Reason, SetAsideError, UserError
    from maskgen.points.mark import Mark

__all__ = [
    "Mark",
    "MaskedFace",
    "Masker",
    "MaskerSettings",
    "Output",
    "Photo",
    "Reason",
    "SetAsideError",
    "UserError",
    "__version__",
    "mask_photo",
]
_ELSEWHERE = {
    "Mark": "points.mark",
    "Photo": "core.images",
    "Reason": "core.reasons",
    "SetAsideError": "core.reasons",
    "UserError": "core.reasons",
}


def __getattr__(name: str) -> Any:
    """The library's calls, loaded when first asked for, so that `maskgen --help` need not wait for them."""
    if name in __all__:
        return getattr(importlib.import_module(f"maskgen.{_ELSEWHERE.get(name, 'api')}"), name)
    if name in ("augment", "data"):
        return importlib.import_module(f"maskgen.{name}")
    raise AttributeError(f"module 'maskgen' has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names, for completion."""
    return sorted([*globals(), *__all__, "augment", "data"])
