"""The Python on the documentation's pages runs, each page from its first block to its last."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from maskgen.core.reasons import Reason

DOCS = Path(__file__).parents[1] / "docs"
NOT_OURS = {"albumentations"}  # packages that maskgen does not bring
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def test_each_reason_has_a_row() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", (DOCS / "reports.md").read_text("utf-8"), re.MULTILINE)
    assert set(Reason) <= set(rows)


@pytest.mark.parametrize("page", ["library.md", "points.md", "torch_masks.md"])
def test_the_code_of_a_page_runs(page: str) -> None:
    text = (DOCS / page).read_text("utf-8")
    names: dict[str, object] = {"__name__": "page"}
    blocks = list(BLOCK.finditer(text))
    assert blocks
    for block in blocks:
        line = text.count("\n", 0, block.start()) + 1
        try:
            exec(compile("\n" * line + block[1], str(DOCS / page), "exec"), names)  # noqa: S102
        except ModuleNotFoundError as error:
            if error.name not in NOT_OURS:
                raise
