"""`maskgen pairs`: the lists to train and test on, from the catalogues of runs, and their check."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from maskgen import __version__
from maskgen.core.reasons import UserError

from .progress import show_progress
from .settings import check_choice, check_range, differences

if TYPE_CHECKING:
    from maskgen.manifests.catalogue import Images
    from maskgen.manifests.lfw_pairs import Resolved
    from maskgen.manifests.plan import Manifests, Recipe
    from maskgen.manifests.write import PathWriter

Say = Callable[[str], None]

PROTOCOLS = ("disjoint", "reference")
VERIFY = ("names", "exist", "decode")
FORMATS = ("lfw", "label", "bin")
EXTRA_FILES = {"lfw": "pairs.txt", "label": "pairs_label.txt", "bin": "test.bin"}
UNFINISHED = "unfinished.json"  # in OUT while the command works; holds the settings

# How the work is done, never what comes out of it.
_HOW = frozenset({"out", "workers", "overwrite", "verify"})


@dataclass(frozen=True, slots=True)
class PairsSettings:
    """Everything that `maskgen pairs` can be told, but for --check.

    Example:
        maskgen pairs --train casia_masked --train vggface2_masked --eval lfw_masked lists

    Cost: see the table that `python benchmarks/manifests.py` prints on the machine at hand.

    Raises:
        UserError: a value that cannot be used, in one sentence that says what could be.
    """

    out: Path
    run: Path | None = None
    train: tuple[Path, ...] = ()
    eval: tuple[Path, ...] = ()
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
    bin_size: int = 112
    seed: int = 0
    workers: int = 1
    overwrite: bool = False

    def __post_init__(self) -> None:
        check_choice("--protocol", self.protocol, PROTOCOLS)
        check_choice("--pair-kinds", self.pair_kinds, ("any", "same", "other"))
        check_choice("--paths", self.paths, ("relative", "absolute"))
        check_choice("--verify", self.verify, VERIFY)
        check_range("--min-images", self.min_images, 1, 2**31)
        check_range("--bin-size", self.bin_size, 8, 2048)
        check_range("--workers", self.workers, 1, 4096)
        for option, value in (("--max-pairs", self.max_pairs), ("--balance", self.balance)):
            if value is not None:
                check_range(option, value, 1, 2**62)
        self._check_runs()
        self._check_people()
        self._check_protocol()
        self._check_test_pairs()

    def _check_runs(self) -> None:
        if self.run is not None and (self.train or self.eval):
            raise UserError("--run is one set for everything: leave out --train and --eval.")
        if self.run is None and not (self.train or self.eval):
            raise UserError("Name what to read: --run RUN, or --train RUN and --eval RUN.")

    def _check_people(self) -> None:
        if self.people is None:
            return
        if self.run is None:
            raise UserError("--people divides the set of --run: with --train and --eval leave it out.")
        if len(self.people) != 3 or min(self.people) < 0 or abs(sum(self.people) - 1) > 1e-6:
            raise UserError("--people takes three shares that sum to 1, for train, eval and test: 0.8,0.1,0.1.")

    def _check_protocol(self) -> None:
        if self.test_share is not None:
            check_range("--test-share", self.test_share, 0.0, 1.0)
            if self.run is not None and self.protocol == "disjoint":
                raise UserError("--test-share divides the set of --eval: with --run the third of --people does.")
        if self.protocol == "reference":
            chosen: dict[str, object] = {"--mix": self.mix, "--max-pairs": self.max_pairs}
            chosen |= {"--test-pairs": self.test_pairs}
            chosen |= {"--pair-kinds": None if self.pair_kinds == "any" else self.pair_kinds}
            for option, value in chosen.items():
                if value is not None:
                    raise UserError(f"{option} is for --protocol disjoint: the reference protocol fixes its pairs.")

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
            raise UserError("--test-share is of no use with --test-pairs: the file says who is tested.")

    def deciding(self) -> dict[str, object]:
        """What decides the bytes, by option name, in a form that JSON keeps; runs by their place from OUT."""
        plain: dict[str, object] = {"maskgen version": __version__}
        for field in fields(self):
            if field.name not in _HOW:
                plain["--" + field.name.replace("_", "-")] = self._plain(getattr(self, field.name))
        return plain

    def _plain(self, value: object) -> object:
        if isinstance(value, Path):
            from maskgen.manifests.write import PathWriter

            return PathWriter.prefix(value, self.out, self.paths == "absolute").rstrip("/") or "."
        if isinstance(value, tuple):
            return [self._plain(item) for item in value]
        return value


def run_pairs(settings: PairsSettings, say: Say = lambda _: None) -> dict[str, Any]:
    """Write the manifests; returns what report.json says.

    Raises:
        UserError: the images do not suffice, files are missing, or OUT holds something else.
    """
    names, folders = _runs(settings)
    _refuse_out(settings)
    images, left_out = _images(settings, names, folders, say)
    recipe, resolved = _recipe(settings, names, images)
    say("drawing pairs")
    from maskgen.manifests.plan import make_manifests

    manifests = make_manifests(images, recipe, None if resolved is None else resolved.drawn)
    return _write(_Work(settings, dict(zip(names, folders, strict=True)), manifests, left_out, resolved), say)


@dataclass(frozen=True, slots=True)
class _LeftOut:
    """Images that are not used because of their file: paths as in the manifests, person, run, reason."""

    rows: tuple[tuple[str, str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Work:
    settings: PairsSettings
    folders: dict[str, Path]
    manifests: Manifests
    left_out: _LeftOut
    resolved: Resolved | None


def _runs(settings: PairsSettings) -> tuple[list[str], list[Path]]:
    """Every run once, training first: its name and its folder."""
    from maskgen.manifests.catalogue import run_names

    folders = [settings.run] if settings.run is not None else [*settings.train, *settings.eval]
    for folder in folders:
        if not folder.is_dir():
            raise UserError(f"{folder} is not a folder: give one that `maskgen mask` wrote.")
    return run_names(folders), folders


def _refuse_out(settings: PairsSettings) -> None:
    """Raise UserError where OUT is no place for the lists."""
    from maskgen.manifests.schema import CATALOGUE

    out = settings.out
    if out.exists() and not out.is_dir():
        raise UserError(f"{out} is a file: give a folder.")
    if (out / CATALOGUE).exists():
        raise UserError(f"{out} is the folder of a run: give the lists one of their own, as {out / 'lists'}.")
    if not settings.overwrite:
        _refuse_others(out, _as_stored(settings))


def _open_out(settings: PairsSettings) -> None:
    """Clear OUT of earlier lists, and mark it as unfinished until the report is written."""
    from maskgen.manifests.schema import REPORT
    from maskgen.manifests.table import PART, write_whole

    write_whole(settings.out / UNFINISHED, _json_bytes({"settings": _as_stored(settings)}))
    halves = settings.out.glob(f".*{PART}")  # of a command that was killed
    for path in (*halves, *(settings.out / name for name in (REPORT, *_all_files()))):
        path.unlink(missing_ok=True)


def _as_stored(settings: PairsSettings) -> dict[str, object]:
    """The deciding settings as they come back from a JSON file."""
    stored: dict[str, object] = json.loads(json.dumps(settings.deciding()))
    return stored


def _all_files() -> list[str]:
    from maskgen.manifests import schema

    lists = [schema.TRAIN, schema.EVAL_SAME, schema.EVAL_DIFF, schema.TEST, schema.PEOPLE, schema.LEFT_OUT]
    return [*lists, schema.TRAIN_PREVIEW, schema.PAIRS_PREVIEW, *EXTRA_FILES.values()]


def _refuse_others(out: Path, asked: dict[str, object]) -> None:
    """Raise UserError where OUT holds lists of other settings, or files of another origin."""
    from maskgen.manifests.schema import REPORT

    for name in (REPORT, UNFINISHED):
        if (out / name).exists():
            changed = differences(_stored_settings(out / name), asked)
            if changed:
                raise UserError(
                    f"{out} holds lists of other settings: {changed[0]}; give another folder, or --overwrite."
                )
            return
    there = [name for name in _all_files() if (out / name).exists()]
    if there:
        raise UserError(f"{out} holds a {there[0]} of another origin: give another folder, or --overwrite.")


def _stored_settings(path: Path) -> dict[str, object]:
    try:
        stored = json.loads(path.read_bytes())["settings"]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is not a report of `maskgen pairs`: give another folder.") from error
    return stored if isinstance(stored, dict) else {}


def _images(settings: PairsSettings, names: list[str], folders: list[Path], say: Say) -> tuple[Images, _LeftOut]:
    from maskgen.manifests.catalogue import read_runs

    images = read_runs(list(zip(names, folders, strict=True)))
    if not len(images):
        raise UserError(f"The catalogue of {folders[0]} lists no image: mask some photographs first.")
    say(f"read {len(images):,} images of {len(images.people):,} people from {_runs_text(len(names))}")
    if settings.verify == "names":
        return images, _LeftOut()
    return _verified(settings, dict(zip(names, folders, strict=True)), images, say)


def _runs_text(n: int) -> str:
    return f"{n} runs" if n > 1 else "1 run"


def _verified(settings: PairsSettings, folders: dict[str, Path], images: Images, say: Say) -> tuple[Images, _LeftOut]:
    """The images whose files are there (and decode, where that is asked), and the others."""
    import numpy as np

    say("looking for every file" if settings.verify == "exist" else "decoding every file")
    reasons = dict(_faults(settings, folders, images))
    if not reasons:
        return images, _LeftOut()
    rows = np.array(sorted(reasons))
    paths = _path_writer(settings, folders, images)(rows).to_pylist()
    if not settings.leave_out_missing:
        raise UserError(
            f"{len(rows):,} of {len(images):,} images are missing or broken, the first is {paths[0]} "
            f"({reasons[int(rows[0])]}): mask again, or give --leave-out-missing."
        )
    people = [images.people[int(code)] for code in images.person[rows]]
    listed = [(path, who.name, who.run, reasons[int(row)]) for path, who, row in zip(paths, people, rows, strict=True)]
    good = np.ones(len(images), np.bool_)
    good[rows] = False
    return images.take(good), _LeftOut(tuple(listed))


def _faults(settings: PairsSettings, folders: dict[str, Path], images: Images) -> Iterator[tuple[int, str]]:
    """(row, reason) of every image whose file cannot be used."""
    import numpy as np

    from maskgen.manifests.table import stretches

    check = _broken if settings.verify == "decode" else _missing
    for name, folder in folders.items():
        own = np.array([person.run == name for person in images.people], np.bool_)
        for rows in stretches(np.flatnonzero(own[images.person])):
            yield from check(folder, rows.tolist(), images.paths.take(rows), settings.workers)


def _missing(folder: Path, rows: list[int], paths: Any, _: int) -> Iterator[tuple[int, str]]:
    from maskgen.manifests.files import MISSING, absent

    gone = absent(folder, paths).tolist()
    yield from ((row, MISSING) for row, is_gone in zip(rows, gone, strict=True) if is_gone)


def _broken(folder: Path, rows: list[int], paths: Any, workers: int) -> Iterator[tuple[int, str]]:
    """As `_missing`, and what is there is decoded, with a bar that shows how far it is."""
    from maskgen.manifests.files import fault

    missing = dict(_missing(folder, rows, paths, workers))
    yield from missing.items()
    files = {row: folder / path for row, path in zip(rows, paths.to_pylist(), strict=True) if row not in missing}
    with ThreadPoolExecutor(workers) as pool, show_progress(len(files), 0, 0) as progress:
        for row, reason in zip(files, pool.map(fault, files.values()), strict=True):
            progress.add(1, bool(reason))
            if reason:
                yield row, reason


def _path_writer(settings: PairsSettings, folders: dict[str, Path], images: Images) -> PathWriter:
    from maskgen.manifests.write import PathWriter

    absolute = settings.paths == "absolute"
    starts = {name: PathWriter.prefix(run, settings.out, absolute) for name, run in folders.items()}
    return PathWriter(images, starts)


def _recipe(settings: PairsSettings, names: list[str], images: Images) -> tuple[Recipe, Resolved | None]:
    from maskgen.manifests.pairs import KindRule, PairRules
    from maskgen.manifests.plan import Protocol, Recipe
    from maskgen.manifests.schema import Mix

    try:
        mix = None if settings.mix is None else Mix.of(dict(settings.mix))
    except ValueError as error:
        raise UserError(f"--mix cannot be used, {error}: write it like mm=1,mb=1,bb=0.") from error
    kinds = KindRule(settings.pair_kinds)
    rules = PairRules(mix, kinds, settings.allow_same_source, settings.max_pairs)
    shares = settings.people or (0.8, 0.1, 0.1)
    recipe = Recipe(
        protocol=Protocol(settings.protocol),
        shares=(shares[0], shares[1], shares[2]) if settings.run is not None else None,
        train_runs=frozenset(names[: len(settings.train)]),
        test_share=_test_share(settings, shares),
        rules=rules,
        balance=settings.balance,
        min_images=settings.min_images,
        seed=settings.seed,
    )
    return recipe, _resolve(settings, recipe, images)


def _test_share(settings: PairsSettings, shares: tuple[float, ...]) -> float:
    """Given, or by the reference protocol on one set what --people says of eval and test, or a tenth."""
    if settings.test_share is not None:
        return settings.test_share
    if settings.run is not None and settings.people is not None and shares[1] + shares[2] > 0:
        return round(shares[2] / (shares[1] + shares[2]), 9)
    return 0.1


def _resolve(settings: PairsSettings, recipe: Recipe, images: Images) -> Resolved | None:
    if settings.test_pairs is None:
        return None
    from maskgen.manifests.lfw_pairs import Wear, load_lfw_pairs, resolve

    try:
        listed = load_lfw_pairs(settings.test_pairs)
    except ValueError as error:
        raise UserError(f"{settings.test_pairs} is not a pairs.txt: {error}.") from error
    resolved = resolve(images, listed, Wear(settings.wear or "mixed"), recipe)
    if not len(resolved.drawn.same) + len(resolved.drawn.diff):
        why = resolved.left_out[0][1] if resolved.left_out else "it lists no pair"
        raise UserError(f"No pair of {settings.test_pairs} can be made: {why}.")
    return resolved


def _write(work: _Work, say: Say) -> dict[str, Any]:
    from maskgen.manifests.schema import REPORT
    from maskgen.manifests.table import write_whole
    from maskgen.manifests.write import write_manifests

    settings, out = work.settings, work.settings.out
    _open_out(settings)
    paths = _path_writer(settings, work.folders, work.manifests.images)
    say("writing lists")
    rows = write_manifests(work.manifests, out, paths)
    rows |= _write_left_out(work)
    rows |= _write_extra(work, paths)
    if settings.verify != "names":
        say("drawing previews")
        _write_previews(work)
    report = _report(work, rows)
    write_whole(out / REPORT, _json_bytes(report))
    (out / UNFINISHED).unlink(missing_ok=True)
    return report


def _write_left_out(work: _Work) -> dict[str, int]:
    from maskgen.manifests.files import as_array
    from maskgen.manifests.schema import LEFT_OUT, LEFT_OUT_COLUMNS
    from maskgen.manifests.table import write_columns

    rows = list(work.left_out.rows)
    if work.resolved is not None:
        rows += [(where, "", "", reason) for where, reason in work.resolved.left_out]
    if not rows:
        return {}
    columns = [as_array(column) for column in zip(*rows, strict=True)]
    return {LEFT_OUT: write_columns(work.settings.out / LEFT_OUT, LEFT_OUT_COLUMNS, columns)}


def _write_extra(work: _Work, paths: PathWriter) -> dict[str, int]:
    """The test pairs in the formats of others."""
    if not work.settings.also:
        return {}
    from maskgen.manifests import bin_pairs, label_pairs, lfw_pairs
    from maskgen.manifests.write import trial_pairs

    out, images = work.settings.out, work.manifests.images
    pairs = trial_pairs(work.manifests)
    files = {name: out / EXTRA_FILES[name] for name in work.settings.also}
    if "lfw" in files:
        lfw_pairs.save_lfw_pairs(files["lfw"], lfw_pairs.listed_pairs(images, pairs))
    same = images.person[pairs.first] == images.person[pairs.second]
    if "label" in files:
        label_pairs.save_label_pairs(files["label"], paths(pairs.first), paths(pairs.second), same)
    if "bin" in files:
        folders = [work.folders[person.run] for person in images.people]
        pictures = bin_pairs.encoded_pictures(images, pairs, folders, work.settings.bin_size)
        bin_pairs.save_bin(files["bin"], pictures, same.tolist())
    return {path.name: len(pairs) for path in files.values()}


def _write_previews(work: _Work) -> None:
    from maskgen.core.images import encode_image
    from maskgen.manifests import preview
    from maskgen.manifests.schema import PAIRS_PREVIEW, TRAIN_PREVIEW
    from maskgen.manifests.table import write_whole

    manifests = work.manifests
    folders = [work.folders[person.run] for person in manifests.images.people]
    pictures = {
        TRAIN_PREVIEW: preview.train_preview(manifests, folders),
        PAIRS_PREVIEW: preview.pairs_preview(manifests, folders),
    }
    for name, picture in pictures.items():
        if picture is not None:
            write_whole(work.settings.out / name, encode_image(picture, "png", 100))


def _report(work: _Work, rows: dict[str, int]) -> dict[str, Any]:
    from collections import Counter

    from maskgen.manifests.catalogue import digest

    settings, manifests = work.settings, work.manifests
    runs = [
        {
            "run": name,
            "folder": settings._plain(folder),
            "role": "all" if settings.run else "train" if folder in settings.train else "eval",
            "catalogue_sha256": digest(folder),
        }
        for name, folder in work.folders.items()
    ]
    report: dict[str, Any] = {
        "maskgen": __version__,
        "seed": settings.seed,
        "protocol": settings.protocol,
        "settings": settings.deciding(),
        "runs": runs,
        "rows": rows,
        "people": dict(sorted(Counter(str(split) for split in manifests.split).items())),
        **manifests.facts,
        "images_left_out": dict(sorted(Counter(row[3].split(":")[0] for row in work.left_out.rows).items())),
    }
    if work.resolved is not None:
        report["listed_pairs"] = work.resolved.counts()
    return report


def _json_bytes(value: object) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def table(report: dict[str, Any]) -> str:
    """What was written, for a terminal: one line a file, then what a person should know of it."""
    lines = [f"{name:<16}{rows:>12,} rows" for name, rows in report["rows"].items()]
    return "\n".join([*lines, *_remarks(report)])


def _remarks(report: dict[str, Any]) -> Iterator[str]:
    """What a person should know of the lists, a sentence each; counts of nothing are left out."""
    train, settings = report["train"], report["settings"]
    counts = {
        "people with fewer images than --min-images are not trained on": train["people_under_min_images"],
        "images over --balance are not trained on": train["images_over_balance"],
        "images are missing or broken: left_out.csv lists them": sum(report["images_left_out"].values()),
        "pairs of --test-pairs could not be made: left_out.csv lists them": report.get("listed_pairs", {}).get(
            "left_out", 0
        ),
        "photographs are, byte for byte, in training and in evaluation": report["leaks"][
            "photographs_in_training_and_evaluation"
        ],
    }
    yield from (f"{count:,} {what}." for what, count in counts.items() if count)
    for name in ("eval", "test"):
        yield from _pair_remarks(name, report[name], bool(settings["--allow-same-source"]))


def _pair_remarks(name: str, facts: dict[str, Any], allow_same_source: bool) -> Iterator[str]:
    if facts["people_with_one_photograph"] and not allow_same_source:
        yield (
            f"{name}: {facts['people_with_one_photograph']:,} people with one photograph serve in "
            "different-person rows only."
        )
    for sort in ("same", "diff"):
        counts = facts[sort]
        kinds = {"masked-masked": counts["mm"], "masked-bare": counts["mb"], "bare-bare": counts["bb"]}
        if counts["rows"]:
            parts = [f"{label} {100 * n / counts['rows']:.0f} %" for label, n in kinds.items() if n]
            yield f"{name}, {'same' if sort == 'same' else 'different'} person: {', '.join(parts)}"
    if facts["partners_from_the_other_part"]:
        yield f"{name}: {facts['partners_from_the_other_part']:,} partners had to come from the other part."


class Shares(click.ParamType[Any]):
    """Three numbers with commas between them."""

    name = "TRAIN,EVAL,TEST"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The numbers as a tuple."""
        if isinstance(value, tuple):
            return value
        try:
            return tuple(float(part) for part in value.split(","))
        except ValueError:
            self.fail(f"{value!r} is not three numbers like 0.8,0.1,0.1.", param, ctx)


class MixType(click.ParamType[Any]):
    """Weights by name, like mm=1,mb=1,bb=0."""

    name = "mm=A,mb=B,bb=C"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """(name, weight) of each as a tuple."""
        if isinstance(value, tuple):
            return value
        try:
            return tuple((name.strip(), float(weight)) for name, weight in _halves(value))
        except ValueError:
            self.fail(f"{value!r} is not like mm=1,mb=1,bb=0.", param, ctx)


def _halves(text: str) -> list[tuple[str, str]]:
    halves = [part.partition("=") for part in text.split(",")]
    names = [name.strip() for name, _, _ in halves]
    if len(set(names)) < len(names):
        raise ValueError("a name twice")
    return [(name, weight) for name, _, weight in halves]


PATH = click.Path(path_type=Path)

EPILOG = """\b
Examples:
  maskgen pairs --run masked lists
  maskgen pairs --run masked --people 0.7,0.2,0.1 --mix mm=1,mb=1 lists
  maskgen pairs --train casia --train vggface2 --eval lfw lists
  maskgen pairs --eval lfw --protocol reference --allow-same-source lists
  maskgen pairs --eval lfw --test-pairs pairs.txt --wear mixed --also bin lists
  maskgen pairs --check lists

\b
Exit codes: 0 written, or nothing wrong; 1 --check found faults; 2 usage.
"""


@click.command("pairs", epilog=EPILOG)
@click.argument("out", type=PATH)
@click.option("--run", type=PATH, help="One set for everything; its people are divided by --people.")
@click.option(
    "--people",
    type=Shares(),
    help="Shares of the people of --run for train, eval and test.  [default: 0.8,0.1,0.1]",
)
@click.option("--train", type=PATH, multiple=True, help="A set to train on; may be given several times.")
@click.option("--eval", type=PATH, multiple=True, help="A set to judge on; may be given several times.")
@click.option(
    "--protocol",
    type=click.Choice(PROTOCOLS),
    default="disjoint",
    show_default=True,
    help="disjoint: nobody is in both eval and test, no pair twice. reference: eval and test are divided by "
    "image, and each eval image gives one same-person and one different-person row.",
)
@click.option(
    "--test-share",
    type=float,
    help="Share of the --eval set for test: of its people, or by the reference protocol of its images.  [default: 0.1]",
)
@click.option("--test-pairs", type=PATH, help="Test pairs as LFW's and MFR2's pairs.txt list them.")
@click.option(
    "--wear",
    type=click.Choice(["bare", "masked", "mixed"]),
    help="What the faces of --test-pairs wear; mixed: the first bare, the second masked.  [default: mixed]",
)
@click.option(
    "--mix",
    type=MixType(),
    help="Shares of masked-masked, masked-bare and bare-bare pairs: mm=1,mb=1,bb=0.  [default: as they fall]",
)
@click.option(
    "--pair-kinds",
    type=click.Choice(["any", "same", "other"]),
    default="any",
    show_default=True,
    help="Whether the two faces of a masked-masked pair wear the same mask or two different ones.",
)
@click.option(
    "--allow-same-source",
    is_flag=True,
    help="Let a same-person pair be two outputs of one photograph; the reference project's counts need it.",
)
@click.option(
    "--max-pairs",
    type=int,
    help="At most so many same-person and so many different-person rows a file.",
)
@click.option(
    "--balance", type=int, help="At most so many training images a person, spread over photographs and masks."
)
@click.option("--min-images", type=int, default=1, show_default=True, help="Do not train on people with fewer images.")
@click.option(
    "--paths",
    type=click.Choice(["relative", "absolute"]),
    default="relative",
    show_default=True,
    help="Paths from the folder of the lists, or from the root.",
)
@click.option(
    "--verify",
    type=click.Choice(VERIFY),
    default="exist",
    show_default=True,
    help="Check that every image's file exists, or that it decodes, or trust the names (then no previews).",
)
@click.option(
    "--leave-out-missing",
    is_flag=True,
    help="Go on without images whose file is missing; left_out.csv lists them.",
)
@click.option(
    "--also",
    type=click.Choice(FORMATS),
    multiple=True,
    help="Also write the test pairs as LFW's pairs.txt, as pairs_label.txt, or as InsightFace's test.bin.",
)
@click.option("--bin-size", type=int, default=112, show_default=True, help="Side of the pictures in test.bin.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same bytes.")
@click.option("--workers", type=int, default=1, show_default=True, help="Threads that decode for --verify decode.")
@click.option("--overwrite", is_flag=True, help="Replace lists of other settings in OUT.")
@click.option(
    "--check",
    is_flag=True,
    help="Write nothing: check the lists in OUT, a folder or one CSV file, also such as others made.",
)
@click.option("--root", type=PATH, help="With --check: what relative paths start from.  [default: the file's folder]")
def pairs_command(check: bool, root: Path | None, **options: Any) -> None:
    """Write the lists to train and test on into OUT, or --check those that are there.

    OUT gets train.csv, eval_same.csv, eval_diff.csv, test.csv, people.csv, report.json and two preview
    pictures.
    """
    if check:
        _refuse_sets(options)
        sys.exit(check_and_tell(options["out"], root, options["verify"], options["workers"]))
    if root is not None:
        raise UserError("--root is for --check: leave it out, or give --check.")
    write_and_tell(PairsSettings(**options))


def _refuse_sets(options: dict[str, Any]) -> None:
    for name in ("run", "train", "eval"):
        if options[name]:
            raise UserError(f"--check looks at what is in OUT: leave out --{name}.")


def write_and_tell(settings: PairsSettings) -> None:
    """Write the lists, print what was written and where to look."""
    report = run_pairs(settings, say=lambda text: click.echo(text, err=True))
    click.echo(table(report))
    for name in ("train_preview.png", "pairs_preview.png"):
        if (settings.out / name).exists():
            click.echo(f"Look at {settings.out / name}.")


def check_and_tell(out: Path, root: Path | None, verify: str, workers: int) -> int:
    """Check lists and print each finding; returns the exit code."""
    from maskgen.manifests.check import check_lists

    with ThreadPoolExecutor(workers) as pool:
        checked = check_lists(out, root, verify, pool.map)
    click.echo(checked.table())
    return 1 if checked.n_faults else 0
