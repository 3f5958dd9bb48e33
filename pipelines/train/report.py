"""Outcome of a training run, for report.json and the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maskgen.core.reasons import counted

ENDS = {
    "finished": "trained to its end",
    "max_steps": "stopped at --max-steps; --resume with more steps continues",
    "collapsed": "collapsed",
}


def table(report: Mapping[str, Any]) -> str:
    """The printed table."""
    lines = [
        ("people", f"{report['people']:,}"),
        ("pictures", f"{report['pictures']:,}"),
        ("alignment", report.get("alignment") or "unknown"),
        ("steps", f"{report['steps']:,}{_where(report)}, {ENDS[report['end']]}"),
        ("loss", losses(report)),
        ("best IOU", _best(report)),
        ("unreadable pictures", f"{report['unreadable']:,}"),
        ("images a second", _speed(report)),
    ]
    return "\n".join(f"{title:<22}{text}" for title, text in lines)


def _where(report: Mapping[str, Any]) -> str:
    """The position of a run's last step among the epochs."""
    done, asked = report["epochs"], report["settings"]["train.epochs"]
    if done == asked:
        return f" in {counted(done, 'epoch')}"
    if report["batches of the epoch at hand"] == 0 < done:
        return f", after epoch {done:,} of {asked:,}"
    return f", inside epoch {done + 1:,} of {asked:,}"


def losses(report: Mapping[str, Any]) -> str:
    """The last losses, and the steps that each is of."""
    texts = [] if report["loss"] is None else [f"{report['loss']:.4f} over the last steps"]
    if (loss := report.get("epoch loss")) is not None:
        texts.append(f"{loss:.4f} over epoch {report['epochs']:,}")
    return ", ".join(texts) or "none"


def _best(report: Mapping[str, Any]) -> str:
    if report["best"] is None:
        return f"none: {why_no_best(report)}"
    return f"{report['best']['iou']:.4f} after epoch {report['best']['epoch']}"


def why_no_best(report: Mapping[str, Any]) -> str:
    """The reason why a run has no best checkpoint."""
    if reason := report.get("not evaluated"):
        return str(reason)
    if not report["epochs"]:
        return "a run is evaluated after each epoch, and none is finished"
    return "no evaluation gave an IOU below 1"


def _speed(report: Mapping[str, Any]) -> str:
    if report["images_per_s"] is None:
        return "no step was taken"
    without = report["images_per_s_without_wait"]
    return f"{report['images_per_s']:,.1f}; {without:,.1f} without waiting for data"


def exit_code(report: Mapping[str, Any]) -> int:
    """The exit code: 0 trained, 3 collapsed and stopped, or trained without some unreadable pictures.

    Of several processes unreadable pictures give 0: torchrun takes any other code for a failure, and starts anew.
    """
    unreadable = report["unreadable"] and report["processes"] == 1
    return 3 if report["end"] == "collapsed" or unreadable else 0
