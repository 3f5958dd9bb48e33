"""The folder of a run: its paths, the permission to write, and the settings at its start.

settings.json         the command, settings that decide the output, their digest, the shard size, options for --config,
                      the versions of the program and its libraries
faces/, segmentation/, classes/    the outputs, in the source's folders
shards/               per finished shard a report (.json, the commit mark) and its catalogue rows (.parquet)
scratch/              files being written; they are moved into place by rename
catalogue.parquet, set_aside.csv, contact_sheet.png, report.html, CARD.md, report.json, timing.json    written last,
    from shards/; a licence filled into CARD.md is kept
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
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from maskgen.core.atomic_writes import about
from maskgen.core.checksummed_json import add_checksum, parse_checksummed
from maskgen.core.reasons import UserError
from maskgen.formats.any_path import AnyPath, RemotePath
from maskgen.formats.local_or_remote_files import (
    below,
    different_file,
    entries_of,
    files_below,
    make_folder,
    move_atomic,
    names_in,
    remove_empty_folders,
    remove_tree,
    size_of,
    write_bytes_atomic,
)

from ..checks import differences, digest_of
from ..folder_owner import COMMAND, Owner, refuse_other_owner
from ..mask.settings import MaskSettings
from .lock import LOCK, hold
from .versions import versions

SOURCE = "SOURCE"  # its name among the settings
_SCRATCH = "scratch"
_CARD = "CARD.md"
_ALWAYS = ("report.json", "report.html", "contact_sheet.png", "set_aside.csv", "catalogue.parquet", _CARD)
_SUMMARIES = (*_ALWAYS[:-1], "timing.json", "coco.json", "yolo/data.yaml")
_OUTPUT = re.compile(r".+__[a-z0-9_-]+(\.f[0-9]+)?\.(jpg|png)|[0-9a-f]{32}\.tar", re.DOTALL)


SamePhotographs = Callable[["RunFolder", int], bool]


class OtherSettingsError(UserError):
    """A run folder holds a run with other settings."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The paths in a run folder; `start` is the token of the start that may write there."""

    root: AnyPath
    start: str = ""

    @property
    def faces(self) -> AnyPath:
        """The pictures."""
        return self.root / "faces"

    @property
    def segmentation(self) -> AnyPath:
        """The masks' coverage, one PNG per picture."""
        return self.root / "segmentation"

    @property
    def tops(self) -> tuple[AnyPath, ...]:
        """The folders of outputs: pictures, coverage, and the PNGs of class indices."""
        return self.faces, self.segmentation, self.root / "classes"

    @property
    def shards(self) -> AnyPath:
        """Reports and rows of finished shards."""
        return self.root / "shards"

    @property
    def scratch(self) -> AnyPath:
        """Files being written by this start.

        Every output is moved into place from here. Once the folder is removed, no worker of this start can add outputs,
        even if it is still running.
        """
        return self.root / _SCRATCH / self.start

    @property
    def catalogue(self) -> AnyPath:
        """The catalogue: one row per masked face or bare picture."""
        return self.root / "catalogue.parquet"

    @property
    def set_aside(self) -> AnyPath:
        """Photographs and single faces without output, with the reason."""
        return self.root / "set_aside.csv"

    @property
    def plan(self) -> AnyPath:
        """A digest of the shards in the source at the last start."""
        return self.shards / "plan"

    @property
    def timing(self) -> AnyPath:
        """Time and memory of the last start."""
        return self.root / "timing.json"

    @property
    def report(self) -> AnyPath:
        """The totals; their presence marks a complete run."""
        return self.root / "report.json"

    @property
    def contact_sheet(self) -> AnyPath:
        """Samples of the outputs."""
        return self.root / "contact_sheet.png"

    @property
    def settings(self) -> AnyPath:
        """The settings with which the run was started."""
        return self.root / "settings.json"

    def shard(self, shard: str) -> AnyPath:
        """A finished shard's report."""
        return self.shards / f"{shard}.json"

    def rows(self, shard: str) -> AnyPath:
        """A finished shard's catalogue rows; missing if it has no output."""
        return self.shards / f"{shard}.parquet"

    @contextmanager
    def writing(self, path: AnyPath) -> Iterator[Path]:
        """A file for a large output; it is moved into place at the end."""
        part = self.part(path.name)
        try:
            yield part
        except OSError as error:
            raise about(error, path) from error
        move_atomic(part, path)

    def part(self, name: str) -> Path:
        """A local path for an unfinished file of this process."""
        if isinstance(self.root, Path):
            return _local_part(self.root, self.start, _writer(), name)
        return Path(tempfile.gettempdir()) / f"maskgen-{self.start}-{_writer()}.{name}"

    def place(self, path: AnyPath, data: bytes, durable: bool = False) -> None:
        """Write a file atomically: it is complete or absent even after a kill; with `durable` also after a power cut.

        The unfinished file is in scratch/, never among the outputs.

        Raises:
            OSError: the disk is full, the folder may not be written, the name is too long; names the file.
        """
        write_bytes_atomic(path, data, self.part("part"), durable)

    def place_text(self, path: AnyPath, text: str, durable: bool = False) -> None:
        """`place` for text, as UTF-8."""
        self.place(path, text.encode("utf-8"), durable)

    def done(self) -> set[str]:
        """The ids of the finished shards, by file name."""
        return {name[:-5] for name in names_in(self.shards) if name.endswith(".json")}

    def remove_summaries(self) -> None:
        """Remove the summary files before they become outdated."""
        for name in _SUMMARIES:
            (self.root / name).unlink(missing_ok=True)

    def is_complete(self, sizes: Mapping[str, int] | None = None) -> bool:
        """Whether all summary files exist, these with their sizes, and the page, whose size varies, to its end."""
        if not all((self.root / name).exists() for name in _ALWAYS) or different_file(self.root, sizes or {}):
            return False
        return (self.root / "report.html").read_bytes().rstrip().endswith(b"</html>")

    def summary_sizes(self) -> dict[str, int]:
        """Bytes of the summary files that depend on the settings and the source alone."""
        return {path.name: size_of(path) for path in (self.catalogue, self.set_aside, self.contact_sheet)}

    def outputs(self) -> Iterator[AnyPath]:
        """Every file in the output folders with a name that a run may have written."""
        for top in self.tops:
            yield from (path for path in files_below(top) if _OUTPUT.fullmatch(path.name))


@lru_cache(8)  # a picture's is asked for as often as pictures are written
def _local_part(root: Path, start: str, writer: str, name: str) -> Path:
    return root / _SCRATCH / start / f"{writer}.{name}"


def _writer() -> str:
    """A name for this process, unique among all machines that share the folder."""
    return f"{_host()}-{os.getpid()}"


@cache
def _host() -> str:
    return socket.gethostname()


@contextmanager
def open_run(
    settings: MaskSettings, size: int, same_photographs: SamePhotographs = lambda run, size: False
) -> Iterator[tuple[RunFolder, int]]:
    """Lock a run folder, new or started earlier with the same settings; yields it and its shard size.

    Args:
        settings: of this start.
        size: photographs per shard, for a new run.
        same_photographs: see `check_settings`.

    Raises:
        UserError: the folder holds other files, another run is using it, or it was started with other settings.
    """
    run = RunFolder(settings.run, uuid.uuid4().hex)
    check_folder(run)
    run.root.mkdir(parents=True, exist_ok=True)
    with hold(run.root / LOCK, settings.take_over):
        _end_starts(run)  # first, so that no worker of an earlier start can write
        stored = check_settings(run, settings, same_photographs)
        if stored is None and run.settings.exists():
            clear(run)
        make_folder(run.scratch)
        try:
            if stored is None:
                stored = _begin(run, settings, size)
            else:
                _restate_source(run, settings)
            for folder in (run.shards, run.faces):
                folder.mkdir(exist_ok=True)
            yield run, stored
        finally:
            _end_starts(run)


def _end_starts(run: RunFolder) -> None:
    """Remove the scratch folders of all earlier starts, and with them their workers' permission to write."""
    scratch = run.root / _SCRATCH
    if isinstance(scratch, RemotePath):
        remove_tree(scratch)
        return
    for place in scratch.iterdir() if scratch.is_dir() else ():
        # By rename: a running worker could refill a folder that is emptied file by file.
        place.rename(scratch / f"ended-{uuid.uuid4().hex}")
    shutil.rmtree(scratch, ignore_errors=True)


def check_may_write(run: RunFolder) -> None:
    """Raise UserError where this start may no longer write; a local folder refuses by itself."""
    if isinstance(run.scratch, RemotePath) and not run.scratch.is_dir():
        raise UserError(f"Another start took over {run.root}: wait for it.")


def check_folder(run: RunFolder) -> None:
    """Raise UserError unless the folder is missing, empty, or a run folder."""
    if run.root.exists() and not run.root.is_dir():
        raise UserError(f"RUN {run.root} is a file: name a folder.")
    refuse_other_owner(run.root, Owner.MASK, "RUN")
    if run.root.is_dir() and not run.settings.exists():
        strangers = set(entries_of(run.root)) - {LOCK, _SCRATCH}
        if "shards" in strangers:
            raise UserError(
                f"RUN {run.root} has lost its settings.json and cannot be resumed: put it back, or name a new folder."
            )
        if strangers:
            raise UserError(
                f"RUN {run.root} holds files that no run wrote (such as {min(strangers)}): name a new or empty folder."
            )


def check_settings(
    run: RunFolder, settings: MaskSettings, same_photographs: SamePhotographs = lambda run, size: False
) -> int | None:
    """The shard size of the folder's run, or None for a new run.

    Args:
        same_photographs: whether SOURCE, which is at another place than at the run's start, holds the photographs of
            its last start, for the run's shard size.

    Raises:
        UserError: the run was started with other settings and has outputs; names each difference.
    """
    if settings.overwrite:
        return None
    stored = load_settings(run)
    if stored is None:
        return None
    size = int(stored["shard_size"])
    differing = differences(stored["settings"], settings.deciding())
    if differing:
        if not run.done() and not run.report.exists():
            return None
        if differing[0].startswith(f"{SOURCE} ") and not differing[1:] and same_photographs(run, size):
            return size
        raise OtherSettingsError(
            f"RUN {run.root} was started with other settings: {'; '.join(differing)}. "
            "Give the same ones to resume, another RUN, or --overwrite to start again."
        )
    return size


def clear(run: RunFolder) -> None:
    """Remove the outputs of a run; other files in the folder stay.

    The settings are removed last: until then the folder is recognised as a run, so a kill leaves a resumable one.
    """
    run.remove_summaries()
    (run.root / _CARD).unlink(missing_ok=True)
    remove_tree(run.shards)
    remove_outputs(run, keep=())
    run.settings.unlink(missing_ok=True)


def remove_outputs(run: RunFolder, keep: Container[str]) -> int:
    """Remove all outputs except those to keep (paths below the run's folder); returns how many were removed."""
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
    stored = {COMMAND: Owner.MASK, "settings": deciding, "digest": digest_of(deciding), "shard_size": size}
    stored |= {"config": settings.config(), "versions": versions()}
    run.place_text(run.settings, json.dumps(add_checksum(stored), indent=2) + "\n", durable=True)
    return size


def _restate_source(run: RunFolder, settings: MaskSettings) -> None:
    """Write down that SOURCE has moved, so that the run may grow there."""
    stored, deciding = load_settings(run), settings.deciding()
    if stored is not None and stored["settings"].get(SOURCE) != deciding[SOURCE]:
        stored |= {"settings": deciding, "digest": digest_of(deciding), "config": settings.config()}
        run.place_text(run.settings, json.dumps(add_checksum(stored), indent=2) + "\n", durable=True)


def load_settings(run: RunFolder) -> dict[str, Any] | None:
    """The stored settings of the folder's run; None for a new run, or one cut off before it wrote anything."""
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
            f"{run.settings} is damaged ({error}): put a copy of it back, or give --overwrite to start again."
        ) from None
    return stored


def _is_cut_off(run: RunFolder) -> bool:
    """Whether a power cut interrupted the writing of the settings: the file is empty, and nothing else exists."""
    beside = set(entries_of(run.root)) - {LOCK, _SCRATCH, run.settings.name}
    return not beside and not run.settings.read_bytes().strip(b"\0")
