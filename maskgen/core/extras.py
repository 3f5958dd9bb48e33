"""Optional packages: imported on demand, or an error that says how to install them."""

from __future__ import annotations

import importlib
from typing import Any

from maskgen.core.reasons import UserError


def need(module: str, extra: str) -> Any:
    """Import a package of one of the extras.

    Args:
        module: its import name, such as "timm".
        extra: the name in `pip install 'maskgen[EXTRA]'`.

    Raises:
        UserError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != module.partition(".")[0]:
            raise  # it is installed, but one of its own imports is missing
        raise UserError(f"This needs the package {module}: pip install 'maskgen[{extra}]' brings it.") from None
