"""The tutorials run: every command and every line of Python on them, in order, in one folder, on drawn people."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from maskgen.pipelines.cli import main

DOCS = Path(__file__).parents[1] / "docs" / "tutorials"
ORDER = ("mask_a_folder", "lists", "gallery", "train_and_judge", "own_mask", "million")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder in which the pages go on from each other."""
    before, made = Path.cwd(), tmp_path_factory.mktemp("tutorials")
    os.chdir(made)
    yield made
    os.chdir(before)


def run(line: str) -> str:
    """What a command prints; it must end well."""
    words = shlex.split(line)
    assert words[0] == "maskgen", line
    if words[1] == "mask" and "--workers" not in words:
        words += ["--workers", "1"]  # starting others takes longer than the work
    result = CliRunner().invoke(main, words[1:])
    assert result.exit_code == 0, f"{line}\n{result.output}"
    return result.output


def plain(text: str) -> str:
    """Text without numbers and without how it is spaced: what is drawn may change, what is said may not."""
    return " ".join(re.sub(r"[-+]?\d[\d.,]*", "#", text).split())


def test_all_pages_are_run() -> None:
    assert {page.stem for page in DOCS.glob("*.md")} == set(ORDER)


@pytest.mark.parametrize("page", ORDER)
def test_a_tutorial_runs(page: str, folder: Path) -> None:
    text = (DOCS / f"{page}.md").read_text("utf-8")
    names: dict[str, object] = {"__name__": "page"}
    said = ""
    for block in BLOCK.finditer(text):
        kind, body = block.groups()
        if kind == "sh":
            said = "".join(run(line) for line in body.splitlines())
        elif kind == "python":
            line = text.count("\n", 0, block.start()) + 1
            exec(compile("\n" * line + body, f"{page}.md", "exec"), names)  # noqa: S102
        else:
            assert kind == "text"
            for told in filter(None, body.splitlines()):
                assert plain(told) in plain(said), f"{page}.md says {told!r}; the command says\n{said}"
