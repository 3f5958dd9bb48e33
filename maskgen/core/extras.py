"""Packages that only some tasks need: loaded when asked for, or a sentence that says how to get them."""

from __future__ import annotations

import importlib
from typing import Any

from maskgen.core.reasons import UserError


def need(module: str, extra: str) -> Any:
    """Import a package of one of the extras.

    Args:
        module: as it is imported, "timm".
        extra: the name in `pip install 'maskgen[EXTRA]'`.

    Raises:
        UserError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != module.partition(".")[0]:
            raise  # it is there, and lacks something of its own
        raise UserError(f"This needs the package {module}: pip install 'maskgen[{extra}]' brings it.") from None
