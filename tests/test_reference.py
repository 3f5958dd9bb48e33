"""The site's reference has every command, every option and every name that is meant for programs."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import click
import pytest

import maskgen
from maskgen.pipelines.cli import COMMANDS, main

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference", ROOT / "docs" / "reference.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_option_of_every_command_has_its_row(reference: ModuleType) -> None:
    text = reference.commands()
    sections = {part.partition("\n")[0]: part for part in text.split("\n## maskgen ")[1:]}
    assert list(sections) == list(COMMANDS)
    for name in COMMANDS:
        command = main.get_command(click.Context(main), name)
        assert command is not None
        for option in command.params:
            if isinstance(option, click.Option):
                assert f"| `{option.opts[0]}`" in sections[name]
    for row in re.findall(r"^\|.*$", text, re.MULTILINE):
        assert len(re.findall(r"(?<!\\)\|", row)) == 4, row
    assert " object at 0x" not in text and "Sentinel" not in text


def test_what_maskgen_exports_is_described(reference: ModuleType) -> None:
    text = reference.library()
    for name in maskgen.__all__:
        assert name.startswith("_") or f"### maskgen.{name}\n" in text
    assert "- `seed`: another seed varies the position of the mask slightly" in text
    assert "- `Reason.NO_FACE`: 'no_face'" in text
    for called in ("MaskAugment", "BatchMasker"):
        assert f"**{called}.__call__**" in text
    for library in ("torchvision", "albumentations"):
        assert f"### maskgen.augment.{library}.MaskFace\n\n```python\nMaskFace(kinds: " in text
    assert " at 0x" not in text
    # Code of a module's docstring is a block of code.
    assert "\n    from maskgen.data import RecordDataset\n" in text


def test_the_site_is_made_with_it() -> None:
    site = (ROOT / "mkdocs.yml").read_text("utf-8")
    assert "hooks: [docs/reference.py]" in site
    for page in ("commands", "library"):
        assert f"reference/{page}.md" in site
