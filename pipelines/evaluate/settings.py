"""Settings of `maskgen evaluate`, checked before any work."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from maskgen.core.reasons import UserError

from ..checks import check_device_name, check_place, check_range
from .folder import OWN_LISTS, refuse_replacing, refuse_report

JUDGED = "judged"  # folder of reports beside the data


@dataclass(frozen=True, slots=True)
class EvaluateSettings:
    """All settings of `maskgen evaluate`.

    Example:
        maskgen evaluate dlib --data lists

    Cost: dlib takes about 25 ms of one core per picture; each picture is embedded once.

    Raises:
        UserError: a value that cannot be used, in one sentence that says what could be.
    """

    model: str
    data: Path | None = None
    gallery: Path | None = None
    benchmark: tuple[str, Path] | None = None
    report: Path | None = None
    far: float | None = None
    replicates: int = 1000
    seed: int = 0
    device: str = "cpu"
    workers: int = 1
    trust_pickle: bool = False
    input_file: Path | None = None
    allow_misaligned: bool = False

    def __post_init__(self) -> None:
        given = [one for one in (self.data, self.gallery, self.benchmark) if one is not None]
        if not given:
            raise UserError("Name the data: --data LISTS, --gallery GALLERY.csv, or --benchmark NAME FOLDER.")
        if len(given) > 1:
            raise UserError(
                "--data, --gallery and --benchmark are evaluated one at a time: give the command once for each."
            )
        check_range("--seed", self.seed, 0, 2**63 - 1)
        check_range("--replicates", self.replicates, 10, 10**6)
        check_range("--workers", self.workers, 1, 4096)
        check_device_name(self.device)
        if self.far is not None and self.gallery is None:
            raise UserError("--far is for --gallery: on lists TAR is reported at FAR 0.01, 0.001 and 0.0001.")
        if not 0 < self.false_accepts < 1:
            raise UserError(f"--far {self.far:g} is no share: give one above 0 and below 1, as 0.01.")
        if self.benchmark is not None:
            self._check_benchmark(*self.benchmark)
        check_place("--report", self.folder)
        for option, path in (("--data", self.data), ("--gallery", self.gallery)):
            if path is not None and not path.exists():
                raise UserError(f"{option} {path} is not there: name what `maskgen pairs` or `maskgen gallery` wrote.")
        refuse_report(self.folder)
        if self.report is None:
            refuse_replacing(self.folder, self.model, given[0][1] if isinstance(given[0], tuple) else given[0])

    def _check_benchmark(self, name: str, place: Path) -> None:
        from maskgen.benchmarks.by_name import benchmark

        benchmark(name)
        if not place.exists():
            raise UserError(f"--benchmark {name}: {place} is not there.")

    @property
    def false_accepts(self) -> float:
        """The false match rate at which the open-set threshold is set."""
        return 0.01 if self.far is None else self.far

    @property
    def folder(self) -> Path:
        """The report's folder: --report, or one beside the data.

        That of lists or a gallery is judged/MODEL; other data have their own, judged/MODEL-FILE or MODEL-BENCHMARK.
        """
        if self.report is not None:
            return self.report
        name, benchmark = model_name(self.model), self.benchmark or ("", Path())
        judged = self.data or self.gallery or benchmark[1]
        if judged.is_dir():
            return judged / JUDGED / (f"{name}-{benchmark[0]}" if self.benchmark else name)
        return judged.parent / JUDGED / (name if judged.name in OWN_LISTS else f"{name}-{judged.name}")


def model_name(model: str) -> str:
    """The folder name for a model: its own name, or the last two parts of a checkpoint's path.

    Example:
        >>> model_name("dlib"), model_name("runs/masked/best")
        ('dlib', 'masked-best')
    """
    parts = [part for part in Path(model).parts if part not in ("/", ".", "..")]
    return "-".join(parts[-2:]).replace(":", "-") or "model"
