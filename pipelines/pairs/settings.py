"""Settings of `maskgen pairs`, checked before any work."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from maskgen import __version__
from maskgen.core.reasons import UserError
from maskgen.formats.any_path import AnyPath, RemotePath

from ..checks import check_choice, check_place, check_range

PROTOCOLS = ("disjoint", "reference")
VERIFY = ("names", "exist", "decode")
EXTRA_FILES: dict[str, tuple[str, ...]] = {
    "lfw": ("pairs.txt",),
    "label": ("pairs_label.txt",),
    "bin": ("test.bin",),
    "rec": ("train.rec", "train.idx", "train.lst", "property"),
    "tar": (),  # a folder of them
    "cvlface": ("train.rec", "train.idx", "train.lst", "property", "train.tsv", "ldmk_5points.csv"),
    "adaface": ("test/memfile/mem_file.dat", "test/memfile/mem_file.dat.conf", "test_list.npy"),
    "facexzoo": ("train_list.txt",),
    "lmdb": ("train.lmdb",),
    "hub": ("hub/README.md", "hub/croissant.json"),
}
# Formats whose readers expect crops in InsightFace's alignment.
OF_ARCFACE = frozenset({"bin", "rec", "cvlface", "adaface", "facexzoo", "lmdb"})
FORMATS = tuple(EXTRA_FILES)
# Formats of the training list, and of the test pairs; adaface and hub hold both, and may lack the pairs.
OF_TRAINING = frozenset({"rec", "tar", "cvlface", "adaface", "facexzoo", "lmdb", "hub"})
OF_PAIRS = frozenset({"lfw", "label", "bin"})

# Settings that do not change the output.
_HOW = frozenset({"out", "workers", "overwrite", "verify", "allow_leak", "allow_misaligned"})


def refuse_nothing(what: str, also: tuple[str, ...], formats: frozenset[str], give: str = "more people") -> None:
    """Raise UserError for formats of --also that would hold nothing: most of their readers fail on such a file.

    Args:
        give: what would fill them.
    """
    if asked := [name for name in dict.fromkeys(also) if name in formats]:
        raise UserError(f"There are no {what} for --also {', '.join(asked)}: leave it out, or give {give}.")


@dataclass(frozen=True, slots=True)
class PairsSettings:
    """All settings of `maskgen pairs` without --check.

    Example:
        maskgen pairs --train casia_masked --train vggface2_masked --eval lfw_masked lists

    Cost: see the table that `python benchmarks/manifests.py` prints.

    Raises:
        UserError: an invalid value; the message names valid ones.
    """

    out: Path
    run: AnyPath | None = None
    train: tuple[AnyPath, ...] = ()
    eval: tuple[AnyPath, ...] = ()
    people: tuple[float, ...] | None = None
    protocol: str = "disjoint"
    test_share: float | None = None
    test_pairs: Path | None = None
    wear: str | None = None
    mix: tuple[tuple[str, float], ...] | None = None
    pair_kinds: str = "any"
    allow_same_source: bool = False
    max_pairs: int | None = None
    balance: int | None = None
    min_images: int = 1
    paths: str = "relative"
    verify: str = "exist"
    leave_out_missing: bool = False
    also: tuple[str, ...] = ()
    picture_size: int = 112
    license: str | None = None
    consent: str | None = None
    seed: int = 0
    workers: int = 1
    overwrite: bool = False
    allow_leak: bool = False
    allow_misaligned: bool = False

    def __post_init__(self) -> None:
        check_choice("--protocol", self.protocol, PROTOCOLS)
        check_choice("--pair-kinds", self.pair_kinds, ("any", "same", "other"))
        check_choice("--paths", self.paths, ("relative", "absolute"))
        check_choice("--verify", self.verify, VERIFY)
        check_range("--seed", self.seed, -(2**63), 2**63 - 1)
        check_range("--min-images", self.min_images, 1, 2**31)
        check_range("--picture-size", self.picture_size, 8, 2048)
        check_range("--workers", self.workers, 1, 4096)
        for option, value in (("--max-pairs", self.max_pairs), ("--balance", self.balance)):
            if value is not None:
                check_range(option, value, 1, 2**62)
        check_place("OUT", self.out)
        self._check_runs()
        self._check_people()
        self._check_protocol()
        self._check_test_pairs()
        self._check_also()
        self._check_card()

    def _check_also(self) -> None:
        rows = (
            ("training images", OF_TRAINING, self.trains, "--train"),
            ("test pairs", OF_PAIRS, self.evaluates, "--eval"),
        )
        for what, formats, there, option in rows:
            if not there:
                refuse_nothing(what, self.also, formats, option)

    def _check_card(self) -> None:
        for option, value in (("--license", self.license), ("--consent", self.consent)):
            if value is not None and "hub" not in self.also:
                raise UserError(f"{option} is for the card of --also hub: give that too, or leave it out.")
            if value is not None and (not value.strip() or not value.isprintable()):
                raise UserError(f"{option} must be one line of text.")

    def _check_runs(self) -> None:
        if self.run is not None and (self.train or self.eval):
            raise UserError("--run is for training and evaluation: leave out --train and --eval.")
        if self.run is None and not (self.train or self.eval):
            raise UserError("Name the runs: --run RUN, or --train RUN and --eval RUN.")

    def _check_people(self) -> None:
        if self.people is None:
            return
        if self.run is None:
            raise UserError("--people divides the people of --run: with --train and --eval leave it out.")
        if (
            len(self.people) != 3
            or not all(0 <= share <= 1 for share in self.people)  # also refuses NaN
            or abs(sum(self.people) - 1) > 1e-6
        ):
            raise UserError("--people takes three shares that sum to 1, for train, eval and test: 0.8,0.1,0.1.")

    def _check_protocol(self) -> None:
        if self.test_share is not None:
            check_range("--test-share", self.test_share, 0.0, 1.0)
            if self.run is not None and self.protocol == "disjoint":
                raise UserError(
                    "--test-share divides the people of --eval: with --run use the third number of --people."
                )
        if self.mix is not None:
            self._check_mix(self.mix)
        if self.protocol == "reference":
            chosen: dict[str, object] = {"--mix": self.mix, "--max-pairs": self.max_pairs}
            chosen |= {"--test-pairs": self.test_pairs}
            chosen |= {"--pair-kinds": None if self.pair_kinds == "any" else self.pair_kinds}
            for option, value in chosen.items():
                if value is not None:
                    raise UserError(f"{option} is for --protocol disjoint: the reference protocol fixes its pairs.")

    def _check_mix(self, mix: tuple[tuple[str, float], ...]) -> None:
        from maskgen.manifests.schema import Mix

        try:
            Mix.of(dict(mix))
        except ValueError as error:
            raise UserError(f"--mix cannot be used, {error}: write it like mm=1,mb=1,bb=0.") from error

    def _check_test_pairs(self) -> None:
        if self.test_pairs is None:
            if self.wear is not None:
                raise UserError("--wear is for the pairs that --test-pairs names: give --test-pairs FILE too.")
            return
        if self.run is None and not self.eval:
            raise UserError("--test-pairs needs the people it names: give --run RUN or --eval RUN.")
        if not self.test_pairs.is_file():
            raise UserError(f"--test-pairs {self.test_pairs} is not a file.")
        if self.test_share is not None:
            raise UserError("--test-share cannot be used with --test-pairs: the file names the test people.")

    @property
    def trains(self) -> bool:
        """Whether a training list is written."""
        return bool(self.train) or (self.run is not None and (self.people is None or self.people[0] > 0))

    @property
    def evaluates(self) -> bool:
        """Whether pairs are written."""
        return bool(self.eval) or (self.run is not None and (self.people is None or sum(self.people[1:]) > 0))

    def deciding(self) -> dict[str, object]:
        """The settings that decide the output, by option name, as JSON values; runs by their path relative to OUT."""
        plain: dict[str, object] = {"maskgen version": __version__}
        for field in fields(self):
            if field.name not in _HOW:
                plain["--" + field.name.replace("_", "-")] = self.plain(getattr(self, field.name))
        return plain

    def plain(self, value: object) -> object:
        """A setting as a JSON value; a run by its path relative to OUT."""
        if isinstance(value, (Path, RemotePath)):
            from maskgen.manifests.write import PathWriter

            return PathWriter.prefix(value, self.out, self.paths == "absolute").rstrip("/") or "."
        if isinstance(value, tuple):
            return [self.plain(item) for item in value]
        return value
