"""What a finished run of `maskgen mask` gives its report, and the command that repeats it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from maskgen.formats.any_path import AnyPath

from ..mask.settings import MaskSettings
from ..settings_to_command import command_line, repeated
from .run_report import Report
from .set_aside_sample import SetAsideSample

_HOW = frozenset(
    {"workers", "backend", "scheduler", "overwrite", "take_over", "dry_run", "retry_set_aside", "prune", "reuse"}
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished run: settings, source, report, timing."""

    settings: MaskSettings
    source: AnyPath
    report: Report
    aside: SetAsideSample
    timing: Mapping[str, Any]


def mask_command(settings: MaskSettings, run: str | None = None) -> str:
    """The command line that repeats a run; `run` is what stands for its folder."""
    spelled = {"labels": repeated("--labels")}
    places = ("source",) if run else ("source", "run")
    line = command_line("mask", settings.absolute(), places, _HOW | ({"run"} if run else frozenset()), spelled)
    return f"{line} {run}" if run else line
