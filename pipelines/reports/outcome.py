"""What a finished run of `maskgen mask` gives its report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from maskgen.formats.any_path import AnyPath

from ..mask.settings import MaskSettings
from .run_report import Report
from .set_aside_sample import SetAsideSample


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished run: settings, source, report, timing."""

    settings: MaskSettings
    source: AnyPath
    report: Report
    aside: SetAsideSample
    timing: Mapping[str, Any]
