"""Matplotlib figures as PNG, for the plots of trainings and evaluations."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from maskgen.core.atomic_writes import write_atomic
from maskgen.core.extras import need


@contextmanager
def figure(path: Path) -> Iterator[Any]:
    """Axes to draw on, written as a PNG of 960 x 540 pixels when the block ends; no window, no global state.

    Raises:
        UserError: matplotlib is not installed.
    """
    need("matplotlib", "train")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(9.6, 5.4), dpi=100, layout="constrained")
    FigureCanvasAgg(drawing)
    yield drawing.subplots()
    data = io.BytesIO()
    drawing.savefig(data, format="png", metadata={"Software": None})
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, data.getvalue())
