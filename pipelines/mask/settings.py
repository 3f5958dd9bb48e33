"""Settings of `maskgen mask`, checked before any work and compared with those at the run's start."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields, replace
from pathlib import Path

from maskgen import __version__
from maskgen.core.alignment_names import DEFAULT_ALIGNMENT, DEFAULT_SIDE, stored_alignment
from maskgen.core.kindspec import (
    DEFAULT_KINDS,
    DEFAULT_MIN_TRUST,
    FARTHEST_PITCH,
    FARTHEST_YAW,
    parse_kind,
)
from maskgen.core.reasons import UserError
from maskgen.formats.any_path import AnyPath, RemotePath
from maskgen.masker.limits import check_mask_settings

from ..checks import MAX_PIXELS, check_choice, check_place, check_range, option_name, show_path

LABELS = ("coco", "yolo")
CLUSTERS = ("dask", "ray")
BACKENDS = ("local", "loky", *CLUSTERS)
COVERAGE, CLASSES = "coverage", "classes"  # values of --segmentation; "classes" includes "coverage"

# Settings that do not change the output: they may differ between two starts of a run.
_HOW = frozenset(
    {
        "run",
        "workers",
        "backend",
        "scheduler",
        "overwrite",
        "take_over",
        "dry_run",
        "retry_set_aside",
        "prune",
        "reuse",
        "labels",
    }
)


@dataclass(frozen=True, slots=True)
class MaskSettings:
    """All settings of `maskgen mask SOURCE RUN`.

    Example:
        maskgen mask photographs masked --per-photo all --bare --segmentation --workers 4

    Cost: see the table that `python benchmarks/mask_run.py SOURCE` prints.

    Raises:
        UserError: an invalid value; the message names valid ones.
    """

    source: AnyPath
    run: AnyPath
    kinds: tuple[str, ...] = DEFAULT_KINDS
    wear: tuple[str, ...] = ("proper",)
    per_photo: str | int = "random"
    bare: bool = False
    min_trust: float = DEFAULT_MIN_TRUST
    max_yaw: float = FARTHEST_YAW
    max_pitch: float = FARTHEST_PITCH
    masked_input: str = "set-aside"
    unmasked_share: float = 0.0
    size: int = DEFAULT_SIDE
    align: str = DEFAULT_ALIGNMENT
    margin: float | None = None
    crop: str = "face"
    faces: str = "subject"
    aligned: bool = False
    segmentation: bool | str = False
    occluders: str = "ignore"
    write: str = "folders"
    format: str = "jpg"
    quality: int = 95
    seed: int = 0
    landmarks: str = "dlib"
    landmarks_model: Path | None = None
    points: Path | None = None
    max_pixels: int = MAX_PIXELS
    device: str = "cpu"
    reuse: AnyPath | None = None
    workers: int = 1
    backend: str = "local"
    scheduler: str | None = None
    overwrite: bool = False
    take_over: bool = False
    dry_run: bool = False
    retry_set_aside: bool = False
    prune: bool = False
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_mask_settings(self, self.kinds)
        check_range("--quality", self.quality, 1, 100)
        check_range("--seed", self.seed, -(2**63), 2**63 - 1)  # the catalogue's column has 64 bits with a sign
        # 0 stands for all workers of a cluster.
        check_range("--workers", self.workers, 0 if self.scheduler else 1, 4096)
        check_choice("--backend", self.backend, BACKENDS)
        check_choice("--write", self.write, ("folders", "tar"))
        check_choice("--format", self.format, ("jpg", "png"))
        if not isinstance(self.segmentation, bool):
            check_choice("--segmentation", self.segmentation, (COVERAGE, CLASSES))
        self._check_together()

    @property
    def keeps_crops(self) -> bool:
        """Whether SOURCE's crops keep their pixels; --align then names the alignment of SOURCE."""
        return self.aligned and self.crop == "none"

    def alignment_of_crop(self, side: int) -> str:
        """The catalogue's alignment of crops that keep their pixels: "" without --align."""
        return "" if self.align == DEFAULT_ALIGNMENT else stored_alignment(self.align, side)

    def _check_together(self) -> None:
        if self.aligned and self.faces != "subject":
            raise UserError("--aligned is for crops of one face each: leave out --faces.")
        if self.labels and (self.crop != "none" or self.write != "folders" or isinstance(self.run, RemotePath)):
            raise UserError(
                "--labels describes whole photographs in files of this machine: give --crop none --faces all, no "
                "--write tar, and a RUN that is a folder."
            )
        if self.scheduler is not None and self.backend not in CLUSTERS:
            raise UserError("--scheduler names a cluster: say which kind with --backend dask or --backend ray.")
        for name, resumes in (("--retry-set-aside", self.retry_set_aside), ("--prune", self.prune)):
            if self.overwrite and resumes:
                raise UserError(f"--overwrite starts again and {name} resumes: give one of them.")
        if self.take_over and not isinstance(self.run, RemotePath):
            raise UserError("--take-over is for a RUN in an object store: leave it out.")
        if isinstance(self.run, RemotePath) and self.run.url.startswith("hf://"):
            raise UserError("Files of hf:// are commits: write RUN into a folder and upload that with `hf upload`.")
        check_place("RUN", self.run)
        for name, path in (("--landmarks-model", self.landmarks_model), ("--points", self.points)):
            if path is not None and not path.is_file():
                raise UserError(f"{name} {path} is not a file.")
        if self.points is not None and (self.aligned or self.reuse is not None):
            raise UserError(f"--points gives the faces: leave out {'--aligned' if self.aligned else '--reuse'}.")

    @property
    def classes(self) -> bool:
        """Whether PNGs with class indices are written."""
        return self.segmentation == CLASSES

    def absolute(self) -> MaskSettings:
        """The same settings with absolute paths, so that they do not depend on a worker's current folder."""
        paths = {name: getattr(self, name) for name in ("source", "run", "landmarks_model", "points", "reuse")}
        found = {name: path.absolute() for name, path in paths.items() if path is not None}
        return replace(self, kinds=tuple(parse_kind(kind).weighted_text for kind in self.kinds), **found)

    def config(self) -> dict[str, object]:
        """The settings that decide the output, as `--config` reads them: option names without dashes, files by name."""
        full = replace(self.absolute(), source=self.source.resolve())
        deciding = {one.name: getattr(full, one.name) for one in fields(self) if one.name not in _HOW}
        return {name.replace("_", "-"): _plain(value) for name, value in deciding.items() if value is not None}

    def deciding(self) -> dict[str, object]:
        """The settings that decide the output, by option name, as JSON values.

        The source is its absolute path. A landmark model, a points file, a print or a user's template is the hash of
        its content: it may be moved, and a changed file is another run.
        """
        plain: dict[str, object] = {"maskgen version": __version__}
        for field in fields(self):
            if field.name not in _HOW:
                plain[option_name(field.name)] = _plain(getattr(self, field.name))
        if self.segmentation == COVERAGE:
            plain["--segmentation"] = True
        plain["--kinds"] = [parse_kind(text).fingerprint() for text in self.kinds]
        plain["SOURCE"] = show_path(self.source.resolve())
        for name, path in (("--landmarks-model", self.landmarks_model), ("--points", self.points)):
            if path is not None:
                plain[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        # The index of the GPU does not change the output.
        plain["--device"] = self.device.partition(":")[0]
        return plain


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return list(value)
    return show_path(value) if isinstance(value, (Path, RemotePath)) else value
