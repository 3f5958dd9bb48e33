"""The rules of the house: who may import whom, nothing heavy for --help, everything public described."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
import time
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
LONGEST = 40  # lines of a function

MAY_IMPORT = {
    "core": ("core", "_version"),
    "faces": ("core", "faces"),
    "masks": ("core", "masks", "mask_templates"),
    "formats": ("core", "formats"),
    "manifests": ("core", "formats", "manifests"),
    "gallery": ("core", "faces", "gallery"),
    "metrics": ("core", "metrics"),
    "trainer": ("core", "formats", "manifests", "metrics", "trainer"),
    "embedders": ("core", "embedders", "faces", "formats", "manifests", "metrics", "trainer"),
    "mask_templates": ("core", "masks", "mask_templates"),
}
COMMANDS: tuple[list[str], ...] = (
    [],
    *([name] for name in ("mask", "pairs", "gallery", "train", "evaluate", "embed", "export", "kinds", "demo")),
)


def package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def modules(name: str) -> Iterator[tuple[str, ast.Module]]:
    folder = package(name)
    for path in sorted(folder.rglob("*.py")):
        yield f"{name}:{path.relative_to(folder)}", ast.parse(path.read_text("utf-8"))


def imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


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
    if importlib.util.find_spec(f"maskgen.{part}") is None:
        pytest.skip(f"maskgen.{part} is not written yet")
    for name, tree in modules(f"maskgen.{part}"):
        if name.endswith(":__main__.py"):
            continue  # what `python -m` runs hands over to the commands
        parts = {part_of(module) for module in imports(tree)} - {""}
        assert parts <= set(MAY_IMPORT[part]) | {"__version__"}, name


def test_the_library_knows_no_commands() -> None:
    for name, tree in library():
        if "/pipelines/" in name or name.startswith("maskgen:pipelines") or name.endswith("/__main__.py"):
            continue
        for module in imports(tree):
            assert module.split(".")[0] not in NOT_IN_THE_LIBRARY, name
            assert not module.startswith("maskgen.pipelines"), name


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command) or "maskgen")
def test_help_imports_nothing_heavy(command: list[str]) -> None:
    code = (
        "import sys\n"
        "from maskgen.pipelines.cli import main\n"
        f"try: main({[*command, '--help']!r}, prog_name='maskgen')\n"
        "except SystemExit: pass\n"
        f"sys.exit(' '.join(name for name in {HEAVY!r} if name in sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""
    assert "Usage" in done.stdout


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_take_half_a_second_at_most(option: str) -> None:
    code = f"from maskgen.pipelines.cli import main; main([{option!r}])"
    best = 9.0
    for _ in range(3):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, check=True)
        best = min(best, time.perf_counter() - begun)
    assert best < 0.5


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
