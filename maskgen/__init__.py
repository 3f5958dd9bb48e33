"""maskgen: turn any face dataset into a masked-face dataset, with the record of every photograph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maskgen._version import __version__

if TYPE_CHECKING:
    from maskgen.api import MaskedFace, Masker, MaskerSettings, mask_photo

__all__ = ["MaskedFace", "Masker", "MaskerSettings", "__version__", "mask_photo"]


def __getattr__(name: str) -> Any:
    """The library's calls, loaded when first asked for, so that `maskgen --help` need not wait for them."""
    if name in __all__:
        from maskgen import api

        return getattr(api, name)
    raise AttributeError(f"module 'maskgen' has no attribute {name!r}")
