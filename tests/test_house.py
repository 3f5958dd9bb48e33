"""The rules of the house: who may import whom, nothing heavy for --help, everything public described."""

from __future__ import annotations

import ast
import configparser
import functools
import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HEAVY = (
    "numpy",
    "cv2",
    "torch",
    "pandas",
    "pyarrow",
    "scipy",
    "dlib",
    "PIL",
    "skimage",
    "joblib",
    "sklearn",
    "timm",
    "matplotlib",
    "onnx",
    "onnxruntime",
    "yaml",
    "tensorboard",
    "pytorch_metric_learning",
)
NOT_IN_THE_LIBRARY = ("click", "argparse", "tqdm", "joblib", "multiprocessing", "concurrent", "subprocess")
COUNTED = ("faces", "images", "pairs", "people", "photographs", "pictures", "probes", "rows", "steps")
LONGEST = 40  # lines of a function

MOST_MODULES = 15  # in one folder, __init__.py not counted

MAY_IMPORT = {
    "core": ("core", "_version"),
    "faces": ("core", "faces"),
    "masks": ("core", "masks", "mask_templates"),
    "points": ("core", "faces", "points"),
    "people": ("core", "masks", "people"),
    "masker": ("any_picture", "core", "faces", "masker", "masks", "points"),
    "torch_masks": ("core", "masks", "torch_masks"),
    "formats": ("core", "formats"),
    "manifests": ("core", "formats", "manifests"),
    "gallery": ("core", "faces", "gallery"),
    "benchmarks": ("benchmarks", "core", "formats", "manifests"),
    "metrics": ("core", "metrics"),
    "trainer": ("core", "formats", "manifests", "metrics", "trainer"),
    "embedders": ("core", "embedders", "faces", "formats", "manifests", "metrics", "trainer"),
    "mask_templates": ("core", "masks", "mask_templates"),
}
COMMAND_FOLDERS = ("mask", "pairs", "gallery", "train", "evaluate", "embed", "export", "kinds", "demo", "play")
DOORS = ("command", "settings", "run")
# Of the folders that commands share: what each imports of the others. All may import the modules that lie in none.
SHARED_FOLDERS = {
    "sources": ("sources",),
    "runs": ("runs", "sources"),
    "reports": ("reports", "runs", "sources"),
    "workers": ("reports", "runs", "workers"),
}
# What a run is asked to do travels with its shards.
SHARED_SETTINGS = ("mask.settings",)
# The commands that run others.
MAY_RUN = {"demo": ("mask.run", "mask.settings", "pairs.command"), "evaluate": ("gallery.settings",)}
COMMANDS: tuple[list[str], ...] = (
    [],
    *([name] for name in COMMAND_FOLDERS),
)


def package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def modules(name: str) -> Iterator[tuple[str, ast.Module]]:
    folder = package(name)
    for path in sorted(folder.rglob("*.py")):
        yield f"{name}:{path.relative_to(folder)}", parsed(path)


def imports(tree: ast.Module, package: str = "") -> Iterator[str]:
    """Absolute names of what is imported; `package` is that of the module, for relative imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            pieces = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*pieces, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


@functools.cache
def tree_of_modules() -> dict[str, tuple[ast.Module, str]]:
    """Every module of the program by name, with its package."""
    folder = package("maskgen")
    found = {}
    for path in sorted(folder.rglob("*.py")):
        pieces = ("maskgen", *path.relative_to(folder).with_suffix("").parts)
        name = ".".join(pieces[:-1] if pieces[-1] == "__init__" else pieces)
        found[name] = (parsed(path), ".".join(pieces[:-1]))
    return found


@functools.cache
def edges() -> dict[str, set[str]]:
    """The modules of the program that each module imports, wherever in it the import stands."""
    trees = tree_of_modules()
    return {name: {one for one in imports(*found) if one in trees} - {name} for name, found in trees.items()}


def library() -> Iterator[tuple[str, ast.Module]]:
    yield from modules("maskgen")


def everything() -> Iterator[tuple[str, ast.Module]]:
    yield from library()
    yield from modules("maskgen.pipelines")


def part_of(module: str) -> str:
    pieces = module.split(".")
    return pieces[1] if pieces[0] == "maskgen" and len(pieces) > 1 else ""


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_parts_import_one_way(part: str) -> None:
    found = {name: ones for name, ones in edges().items() if name.startswith(f"maskgen.{part}.")}
    assert found or part == "mask_templates"
    for name, ones in found.items():
        if name.endswith(".__main__"):
            continue  # what `python -m` runs hands over to the commands
        parts = {part_of(module) for module in ones} - {""}
        assert parts <= set(MAY_IMPORT[part]) | {"__version__"}, name


def commands_modules() -> dict[str, set[str]]:
    """The modules of `maskgen.pipelines` and what they import of it, by their names below it."""
    start = "maskgen.pipelines."
    return {
        name.removeprefix(start): {one.removeprefix(start) for one in ones if one.startswith(start)}
        for name, ones in edges().items()
        if name.startswith(start)
    }


def test_every_command_has_the_same_three_doors() -> None:
    there = set(commands_modules())
    for folder in COMMAND_FOLDERS:
        assert {f"{folder}.{door}" for door in DOORS} <= there, folder
    assert {name.partition(".")[0] for name in there if "." in name} == {*COMMAND_FOLDERS, *SHARED_FOLDERS}


@pytest.mark.parametrize("folder", SHARED_FOLDERS)
def test_shared_folders_know_no_command(folder: str) -> None:
    for name, ones in commands_modules().items():
        if name.startswith(f"{folder}."):
            for one in ones - set(SHARED_SETTINGS):
                inside, dot, _ = one.partition(".")
                assert not dot or inside in SHARED_FOLDERS[folder], f"{name} imports {one}"


@pytest.mark.parametrize("folder", COMMAND_FOLDERS)
def test_commands_do_not_import_each_other(folder: str) -> None:
    allowed = {*SHARED_SETTINGS, *MAY_RUN.get(folder, ())}
    for name, ones in commands_modules().items():
        if name.startswith(f"{folder}."):
            others = {one for one in ones if one.partition(".")[0] in COMMAND_FOLDERS and "." in one}
            assert {one for one in others if not one.startswith(f"{folder}.")} <= allowed, name


def test_no_import_goes_in_a_circle() -> None:
    graph = edges()
    # A package's __init__ is imported with each of its modules: it counts by what it imports itself.
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join([*path[path.index(name) :], name])
        if name not in done:
            for one in sorted(graph[name]):
                visit(one, (*path, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())


def test_no_folder_is_crowded() -> None:
    counts: dict[str, int] = {}
    for name, (_, inside) in tree_of_modules().items():
        if name != inside:
            counts[inside] = counts.get(inside, 0) + 1
    assert {folder: count for folder, count in counts.items() if count > MOST_MODULES} == {}


def test_the_library_knows_no_commands() -> None:
    for name, tree in library():
        if "/pipelines/" in name or name.startswith("maskgen:pipelines") or name.endswith("/__main__.py"):
            continue
        for module in imports(tree):
            assert module.split(".")[0] not in NOT_IN_THE_LIBRARY, name
            assert not module.startswith("maskgen.pipelines"), name


# Runs command lines one after the other: of each what it says, what it says of a fault, and what is imported by then.
LINES_RUN = """
import contextlib, io, json, sys
from maskgen.pipelines.cli import main
told = []
for line in json.loads(sys.argv[1]):
    said, faults = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(faults), contextlib.suppress(SystemExit):
        main(line, prog_name="maskgen")
    told.append((said.getvalue(), faults.getvalue(), list(sys.modules)))
print(json.dumps(told))
"""


def lines_run(folder: Path, lines: list[list[str]]) -> list[tuple[str, str, set[str]]]:
    """Output, error output and imported modules after each line, all in one process: a module once imported stays."""
    command = [sys.executable, "-P", "-c", LINES_RUN, json.dumps(lines)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
    return [(said, faults, set(names)) for said, faults, names in json.loads(done.stdout)]


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    lines = [[*command, "--help"] for command in COMMANDS]
    for line, (said, faults, names) in zip(lines, lines_run(tmp_path, lines), strict=True):
        assert names & set(HEAVY) == set(), line
        assert faults.strip() == "", line
        assert "Usage" in said, line


def test_a_wrong_path_is_told_before_anything_heavy_is_imported(tmp_path: Path) -> None:
    (tmp_path / "setup.cfg").touch()
    lines = ["evaluate nope --data .", "evaluate maskd --gallery .", "embed nope setup.cfg OUT", "embed dlib nope OUT"]
    lines += ["export nope OUT.onnx", "gallery nope OUT", "mask nope OUT"]
    for line, (said, faults, names) in zip(lines, lines_run(tmp_path, [one.split() for one in lines]), strict=True):
        assert faults.startswith("Error: "), line
        assert faults.count("\n") == 1, faults
        assert said.strip() == "", line
        assert names & set(HEAVY) <= {"numpy", "cv2", "PIL"}, line


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_import_little(option: str) -> None:
    """Imports are what a start takes its time for: half a second on a slow machine, which no test may measure."""
    code = (
        "import sys\n"
        "from maskgen.pipelines.cli import main\n"
        f"try: main([{option!r}], prog_name='maskgen')\n"
        "except SystemExit: pass\n"
        "print(len(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stderr) < 200


def test_modules_say_what_they_are_for() -> None:
    for name, tree in everything():
        first = (ast.get_docstring(tree) or "").partition("\n")[0]
        assert first.endswith((".", ":")), f"{name} begins with {first!r}"


def definitions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node


def public(body: list[ast.stmt]) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    """Public functions and classes, and the public methods of these classes."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body)


def test_counts_in_sentences_are_in_the_singular_for_one() -> None:
    """`core.reasons.counted` writes them; a constant is never 1."""
    by_itself = re.compile(rf"{{[^{{}}]*[a-z][^{{}}]*:,}} (?:[a-z-]+ )?(?:{'|'.join(COUNTED)})\b")
    for name, tree in everything():
        texts = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
        assert [match[0] for text in texts for match in by_itself.finditer(text)] == [], name


def test_public_names_are_described() -> None:
    missing = [
        f"{name}: {node.name}"
        for name, tree in everything()
        for node in public(tree.body)
        if not ast.get_docstring(node)
    ]
    assert missing == []


def test_functions_are_short() -> None:
    long = [
        f"{name}: {node.name}"
        for name, tree in everything()
        for node in definitions(tree)
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno + 1 > LONGEST
    ]
    assert long == []


def test_every_package_is_installed() -> None:
    """setup.cfg names each folder with an `__init__.py`; one that it lacks is missing in an installed copy only."""
    root = Path(__file__).parents[1]
    if not (root / "setup.cfg").is_file():
        pytest.skip("an installed copy without its sources")
    config = configparser.ConfigParser()
    config.read(root / "setup.cfg", encoding="utf-8")
    named = config["options"]["packages"].split()
    found = {
        ".".join((prefix, *path.parent.relative_to(root / folder).parts))
        for folder, prefix in (("maskgen", "maskgen"), ("pipelines", "maskgen.pipelines"))
        for path in (root / folder).rglob("__init__.py")
    }
    assert found <= set(named)
    for package, patterns in config["options.package_data"].items():
        folder = Path(str(importlib.util.find_spec(package).origin)).parent
        assert all(any(folder.glob(pattern)) for pattern in patterns.replace("\n", "").split(", ")), package
