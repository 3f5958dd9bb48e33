"""The folder of a run: its paths, the permission to write, and the settings at its start.

settings.json         what decides the outputs, its digest, the size of a shard, the same as options for --config
faces/, segmentation/, classes/    the outputs, as the source's folders
shards/               one report a finished shard (.json, the commit mark) and its catalogue rows (.parquet)
scratch/              files being written; everything appears in its place by rename
catalogue.parquet, set_aside.csv, contact_sheet.png, report.html, CARD.md, report.json, timing.json    written last,
    from shards/; a licence that somebody wrote into CARD.md stays
.lock                 held while a run works here
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import tempfile
import uuid
from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskgen.core.checksummed_json import add_checksum, parse_checksummed
from maskgen.core.files import about
from maskgen.core.reasons import UserError
from maskgen.formats.any_path import AnyPath, RemotePath
from maskgen.formats.files import (
    below,
    entries_of,
    files_below,
    make_folder,
    move_atomic,
    names_in,
    remove_empty_folders,
    remove_tree,
    write_bytes_atomic,
)

from ..checks import differences, digest_of
from ..mask.settings import MaskSettings
from .lock import LOCK, hold

_CARD = "CARD.md"
_ALWAYS = ("report.json", "report.html", "contact_sheet.png", "set_aside.csv", "catalogue.parquet", _CARD)
_SUMMARIES = (*_ALWAYS[:-1], "timing.json", "coco.json", "yolo/data.yaml")
_OUTPUT = re.compile(r".+__[a-z0-9_-]+(\.f[0-9]+)?\.(jpg|png)|[0-9a-f]{32}\.tar", re.DOTALL)


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The places in one run's folder; `start` names the start of the run that may write there."""

    root: AnyPath
    start: str = ""

    @property
    def faces(self) -> AnyPath:
        """The pictures."""
        return self.root / "faces"

    @property
    def segmentation(self) -> AnyPath:
        """The masks' coverage, one PNG a picture."""
        return self.root / "segmentation"

    @property
    def tops(self) -> tuple[AnyPath, ...]:
        """The folders of outputs: pictures, coverage, and the PNGs of class indices."""
        return self.faces, self.segmentation, self.root / "classes"

    @property
    def shards(self) -> AnyPath:
        """What is done."""
        return self.root / "shards"

    @property
    def scratch(self) -> AnyPath:
        """Files being written by this start.

        Everything comes into its place from here, so once it is removed, no worker of the start can put anything
        there, wherever it may still be at work.
        """
        return self.root / "scratch" / self.start

    @property
    def catalogue(self) -> AnyPath:
        """One row an output."""
        return self.root / "catalogue.parquet"

    @property
    def set_aside(self) -> AnyPath:
        """Photographs, and single faces, that gave no output, and why."""
        return self.root / "set_aside.csv"

    @property
    def plan(self) -> AnyPath:
        """A digest of the shards that the last start saw in the source."""
        return self.shards / "plan"

    @property
    def timing(self) -> AnyPath:
        """What the last start cost."""
        return self.root / "timing.json"

    @property
    def report(self) -> AnyPath:
        """The totals; a run that has one is complete."""
        return self.root / "report.json"

    @property
    def contact_sheet(self) -> AnyPath:
        """Some outputs at a glance."""
        return self.root / "contact_sheet.png"

    @property
    def settings(self) -> AnyPath:
        """What the run was begun with."""
        return self.root / "settings.json"

    def shard(self, shard: str) -> AnyPath:
        """A finished shard's report."""
        return self.shards / f"{shard}.json"

    def rows(self, shard: str) -> AnyPath:
        """A finished shard's catalogue rows, absent where it gave no output."""
        return self.shards / f"{shard}.parquet"

    @contextmanager
    def writing(self, path: AnyPath) -> Iterator[Path]:
        """A file to write what is large to; it is in its place at the end."""
        part = self.part(path.name)
        try:
            yield part
        except OSError as error:
            raise about(error, path) from error
        move_atomic(part, path)

    def part(self, name: str) -> Path:
        """A name for an unfinished file of this process's, on a disk of this machine."""
        if isinstance(self.scratch, Path):
            return self.scratch / f"{_writer()}.{name}"
        return Path(tempfile.gettempdir()) / f"maskgen-{self.start}-{_writer()}.{name}"

    def place(self, path: AnyPath, data: bytes, durable: bool = False) -> None:
        """Write a file so that it is whole or absent at every moment, a kill included; `durable`: a power cut included.

        The unfinished file lies in scratch/, never among the outputs, so that nothing has to search these
        for it.

        Raises:
            OSError: the disk is full, the folder may not be written, the name is too long; names the file.
        """
        write_bytes_atomic(path, data, self.part("part"), durable)

    def place_text(self, path: AnyPath, text: str, durable: bool = False) -> None:
        """`place` for text, as UTF-8."""
        self.place(path, text.encode("utf-8"), durable)

    def done(self) -> set[str]:
        """The ids of the shards that are finished, from their names alone."""
        return {name[:-5] for name in names_in(self.shards) if name.endswith(".json")}

    def remove_summaries(self) -> None:
        """Remove what is written last, before it would no longer be true."""
        for name in _SUMMARIES:
            (self.root / name).unlink(missing_ok=True)

    def is_complete(self) -> bool:
        """Whether everything that is written last is there."""
        return all((self.root / name).exists() for name in _ALWAYS)

    def outputs(self) -> Iterator[AnyPath]:
        """Every file in the folders of outputs that a run may have written, other files left out."""
        for top in self.tops:
            yield from (path for path in files_below(top) if _OUTPUT.fullmatch(path.name))


def _writer() -> str:
    """This process among those of all machines that share the folder."""
    return f"{socket.gethostname()}-{os.getpid()}"


@contextmanager
def open_run(settings: MaskSettings, size: int) -> Iterator[tuple[RunFolder, int]]:
    """Hold a run's folder, begun now or earlier with the same settings; yields it and its shards' size.

    Args:
        settings: what is asked for now.
        size: photographs a shard, should the run begin now.

    Raises:
        UserError: the folder holds something else, another run is at work in it, or it was begun with other
        settings.
    """
    run = RunFolder(settings.run, uuid.uuid4().hex)
    check_folder(run)
    run.root.mkdir(parents=True, exist_ok=True)
    with hold(run.root / LOCK, settings.take_over):
        _end_starts(run)  # first, so that no worker of an earlier one writes into this one
        stored = check_settings(run, settings)
        if stored is None and run.settings.exists():
            clear(run)
        make_folder(run.scratch)
        try:
            if stored is None:
                stored = _begin(run, settings, size)
            for folder in (run.shards, run.faces):
                folder.mkdir(exist_ok=True)
            yield run, stored
        finally:
            _end_starts(run)


def _end_starts(run: RunFolder) -> None:
    """Take every start's place for unfinished files away at once, and with it what its workers were about to write."""
    scratch = run.root / "scratch"
    if isinstance(scratch, RemotePath):
        remove_tree(scratch)
        return
    for place in scratch.iterdir() if scratch.is_dir() else ():
        # By rename, for a worker that is still at it would fill a folder again that is emptied file by file.
        place.rename(scratch / f"ended-{uuid.uuid4().hex}")
    shutil.rmtree(scratch, ignore_errors=True)


def check_may_write(run: RunFolder) -> None:
    """Raise UserError where this start may no longer write; a folder of this machine refuses by itself."""
    if isinstance(run.scratch, RemotePath) and not run.scratch.is_dir():
        raise UserError(f"Another start took over {run.root}: wait for it.")


def check_folder(run: RunFolder) -> None:
    """Raise UserError unless the folder is absent, empty, or a run's."""
    if run.root.exists() and not run.root.is_dir():
        raise UserError(f"RUN {run.root} is a file: name a folder.")
    if run.root.is_dir() and not run.settings.exists():
        strangers = set(entries_of(run.root)) - {LOCK, "scratch"}
        if strangers:
            raise UserError(
                f"RUN {run.root} holds files that no run wrote (such as {min(strangers)}): name a new or empty folder."
            )


def check_settings(run: RunFolder, settings: MaskSettings) -> int | None:
    """The size of a shard that the folder's run was begun with, or None where one is to begin.

    Raises:
        UserError: it was begun with other settings, and has done something; names each.
    """
    if settings.overwrite:
        return None
    stored = _load_settings(run)
    if stored is None:
        return None
    differing = differences(stored["settings"], settings.deciding())
    if differing:
        if not run.done() and not run.report.exists():
            return None
        raise UserError(
            f"RUN {run.root} was begun with other settings: {'; '.join(differing)}. "
            "Give the same ones to go on, another RUN, or --overwrite to start anew."
        )
    return int(stored["shard_size"])


def clear(run: RunFolder) -> None:
    """Remove what a run wrote; anything else in the folder stays.

    The settings go last: until then the folder is known for a run's, and a kill leaves one that can go on.
    """
    run.remove_summaries()
    (run.root / _CARD).unlink(missing_ok=True)
    remove_tree(run.shards)
    remove_outputs(run, keep=())
    run.settings.unlink(missing_ok=True)


def remove_outputs(run: RunFolder, keep: Container[str]) -> int:
    """Remove all outputs but those to keep (paths below the run's folder); returns how many went."""
    gone = 0
    for path in list(_others(run, keep)):
        path.unlink(missing_ok=True)
        gone += 1
    for top in run.tops:
        remove_empty_folders(top)
    return gone


def _others(run: RunFolder, keep: Container[str]) -> Iterable[AnyPath]:
    return (path for path in run.outputs() if below(path, run.root) not in keep)


def _begin(run: RunFolder, settings: MaskSettings, size: int) -> int:
    deciding = settings.deciding()
    stored = {"settings": deciding, "digest": digest_of(deciding), "shard_size": size, "config": settings.config()}
    run.place_text(run.settings, json.dumps(add_checksum(stored), indent=2) + "\n", durable=True)
    return size


def _load_settings(run: RunFolder) -> dict[str, Any] | None:
    """What the folder's run was begun with; None where it was not, or was cut off before it did anything."""
    try:
        stored = parse_checksummed(run.settings.read_bytes())
        if not isinstance(stored["settings"], dict) or type(stored["shard_size"]) is not int:
            raise ValueError("it lacks what every run writes there")
    except FileNotFoundError:
        return None
    except (ValueError, KeyError) as error:
        if _is_cut_off(run):
            return None
        raise UserError(
            f"{run.settings} is damaged ({error}): put a copy of it back, or give --overwrite to start anew."
        ) from None
    return stored


def _is_cut_off(run: RunFolder) -> bool:
    """Whether the power was cut while the settings were written: they are empty, and nothing else is there."""
    beside = set(entries_of(run.root)) - {LOCK, "scratch", run.settings.name}
    return not beside and not run.settings.read_bytes().strip(b"\0")
