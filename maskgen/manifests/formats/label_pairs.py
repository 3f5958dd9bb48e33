"""pairs_label.txt: two paths and 1 for the same person or 0, with tabs between, one pair a line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from maskgen.core.files import whole_file
from maskgen.core.reasons import UserError

from ..schema import Bools
from ..table import joined, text_bytes


def save_label_pairs(path: Path, first: Any, second: Any, same: Bools) -> None:
    """Write a pairs_label.txt.

    Args:
        first, second: paths, large_string (n,).
        same: bool (n,).

    Raises:
        UserError: a path holds a tab or a line break, which the format cannot say.
    """
    for paths in (first, second):
        odd = pc.match_substring_regex(paths, "[\t\r\n]")
        if pc.any(odd).as_py():
            bad = paths.filter(odd)[0].as_py()
            raise UserError(f"{path.name} cannot hold {bad!r}, a path with a tab or line break: leave out --also.")
    labels = pa.array(np.where(same, "1\n", "0\n").tolist(), pa.large_string())
    with whole_file(path) as file:
        file.write(text_bytes(joined(first, second, labels, between="\t")))
