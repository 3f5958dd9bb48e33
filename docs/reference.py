"""The site's reference, made from the code when the site is built: options of commands, docstrings of the library.

MkDocs calls `on_files` (`hooks` in mkdocs.yml), so no page can be out of date, and none is committed. The cards of the
built-in models, which lie beside their weights, are pages too.

python docs/reference.py FOLDER        # writes the pages as Markdown, to look at
"""

from __future__ import annotations

import ast
import enum
import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from maskgen.pipelines.cli import COMMANDS, main

# The modules that a program imports from, with what of each is meant for it; None for all that is public.
MODULES: dict[str, tuple[str, ...] | None] = {
    "maskgen": (
        "mask_photo",
        "Masker",
        "MaskerSettings",
        "MaskedFace",
        "Output",
        "Mark",
        "Photo",
        "SetAsideError",
        "Reason",
        "UserError",
    ),
    "maskgen.augment": None,
    "maskgen.augment.torchvision": ("MaskFace",),
    "maskgen.augment.albumentations": ("MaskFace",),
    "maskgen.torch_masks": ("BatchMasker", "MaskedBatch"),
    "maskgen.data": None,
    "maskgen.api": ("draw_sample",),
    "maskgen.masks.kinds": ("load_kind", "load_kinds", "printed_kind", "kind_names"),
    "maskgen.core.images": ("read_photo", "photo_of", "encode_image"),
    "maskgen.metrics.verification": None,
}
# Modules that import a library which the site is made without: they are read and not imported.
UNIMPORTED = ("maskgen.augment.torchvision", "maskgen.augment.albumentations")
_SECTION = re.compile(r"^(Args|Attributes|Returns|Raises|Example|Convention|Cost|Source):(.*)$")


WEIGHTS = "maskgen/embedders/weights"


def pages() -> dict[str, str]:
    """Each page's text by its path in the site."""
    folder = Path(__file__).parents[1] / WEIGHTS
    cards = {f"reference/{path.name}": path.read_text("utf-8") for path in sorted(folder.glob("*.md"))}
    return {"reference/commands.md": commands(), "reference/library.md": library(), **cards}


def on_files(files: Any, config: Any) -> Any:
    """What MkDocs calls with the files of the site; it gets ours beside them."""
    from mkdocs.structure.files import File

    for path, text in pages().items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """What MkDocs calls with each page: links to cards lead to their pages, and links to a folder to its index."""
    if page.file.src_uri.startswith("reference/"):
        return markdown.replace("](../../../docs/", "](../")
    return markdown.replace(f"](../{WEIGHTS}/", "](reference/").replace("](decisions)", "](decisions/README.md)")


def commands() -> str:
    """All commands with their arguments and options."""
    parts = ["# Commands\n", "What `maskgen COMMAND --help` prints, for all commands.\n"]
    for name in COMMANDS:
        command = main.get_command(click.Context(main), name)
        assert command is not None
        parts += [*_command(name, command)]
    return "\n".join(parts)


def _command(name: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=f"maskgen {name}")
    yield f"## maskgen {name}\n"
    yield f"    {command.get_usage(context).removeprefix('Usage: ')}\n"
    yield _text(command.help or "") + "\n"
    yield "| option | meaning | default |"
    yield "|---|---|---|"
    for option in command.params:
        if isinstance(option, click.Option) and not option.hidden:
            yield _option(option, context)
    yield ""
    if command.epilog:
        yield "\n".join(f"    {line}".rstrip() for line in command.epilog.replace("\b", "").strip().splitlines()) + "\n"


def _option(option: click.Option, context: click.Context) -> str:
    names = " / ".join(f"`{one}`" for one in (*option.opts, *option.secondary_opts))
    metavar = "" if option.is_flag else f" `{option.make_metavar(context)}`"
    record = option.help or ""
    told = record.partition("[default:")
    # A default that is none by itself is told in the help.
    default = told[2].partition("]")[0].strip() if told[1] else _default(option, context)
    return f"| {names}{_cell(metavar)} | {_cell(_text(told[0] if told[1] else record))} | {_cell(default)} |"


def _default(option: click.Option, context: click.Context) -> str:
    value = option.get_default(context)
    if option.is_flag and option.secondary_opts:
        return f"`{option.opts[0] if value else option.secondary_opts[0]}`"
    if value is None or value == () or option.is_flag or "Sentinel" in type(value).__name__:
        return ""
    return f"`{value}`"


def library() -> str:
    """The public names of the modules that are meant for programs."""
    parts = ["# Library\n", "What a program imports. [In Python](../library.md) introduces it.\n"]
    for module, names in MODULES.items():
        parts += [*(_unimported(module, names or ()) if module in UNIMPORTED else _module(module, names))]
    return "\n".join(parts)


def _module(module: str, names: tuple[str, ...] | None) -> Iterator[str]:
    found = importlib.import_module(module)
    yield f"## {module}\n"
    yield _docstring(found) + "\n"
    for name in names or _public(found):
        yield from _entry(f"{module}.{name}", getattr(found, name))


def _unimported(module: str, names: tuple[str, ...]) -> Iterator[str]:
    """A module's classes from its source; of several classes with one name the docstrings are the same."""
    spec = importlib.util.find_spec(module)
    assert spec is not None and spec.origin is not None
    tree = ast.parse(Path(spec.origin).read_text("utf-8"))
    yield f"## {module}\n"
    yield _markdown(ast.get_docstring(tree)) + "\n"
    classes = {one.name: one for one in ast.walk(tree) if isinstance(one, ast.ClassDef)}
    made = next(one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef) and one.name == "__init__")
    arguments = ast.unparse(made.args).removeprefix("self, ")
    for name in names:
        yield f"### {module}.{name}\n"
        yield f"```python\n{name}({arguments})\n```\n"
        yield _markdown(ast.get_docstring(classes[name])) + "\n"


def _public(module: Any) -> list[str]:
    own = [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isclass(value) or inspect.isfunction(value))
        and value.__module__ == module.__name__
    ]
    return sorted(own, key=lambda name: inspect.getsourcelines(getattr(module, name))[1])


def _entry(name: str, value: Any) -> Iterator[str]:
    yield f"### {name}\n"
    if isinstance(value, type) and issubclass(value, enum.Enum):
        yield _docstring(value) + "\n"
        yield "\n".join(f"- `{type(one).__name__}.{one.name}`: {one.value!r}" for one in value) + "\n"
        return
    if not (isinstance(value, type) and issubclass(value, Exception) and "__init__" not in vars(value)):
        yield f"```python\n{_signature(name.rpartition('.')[2], value)}\n```\n"
    yield _docstring(value) + "\n"
    if not inspect.isclass(value):
        return
    for method, one in vars(value).items():
        hidden = method.startswith("_") and method != "__call__"
        if hidden or not inspect.isfunction(inspect.unwrap(one)) or not one.__doc__:
            continue
        yield f"**{name.rpartition('.')[2]}.{method}**\n"
        yield f"```python\n{_signature(method, one)}\n```\n"
        yield _docstring(one) + "\n"


def _signature(name: str, value: Any) -> str:
    """A call as a person writes it, one argument a line where it is long."""
    signature = inspect.signature(value)
    arguments: list[str] = []
    for one in signature.parameters.values():
        if one.kind is one.KEYWORD_ONLY and not any(said.startswith("*") for said in arguments):
            arguments.append("*")
        arguments.append(_argument(one))
    returns = "" if inspect.isclass(value) else f" -> {_type(signature.return_annotation)}"
    whole = f"{name}({', '.join(arguments)}){returns}"
    if len(whole) <= 100:
        return whole
    return "\n".join([f"{name}(", *(f"    {one}," for one in arguments), f"){returns}"])


def _argument(one: inspect.Parameter) -> str:
    stars = {one.VAR_POSITIONAL: "*", one.VAR_KEYWORD: "**"}.get(one.kind, "")
    typed = "" if one.annotation is one.empty else f": {_type(one.annotation)}"
    if one.default is one.empty:
        return f"{stars}{one.name}{typed}"
    value = "..." if " at 0x" in repr(one.default) or repr(one.default) == "<factory>" else repr(one.default)
    return f"{stars}{one.name}{typed} = {value}" if typed else f"{stars}{one.name}={value}"


def _type(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))


def _docstring(value: Any) -> str:
    return _markdown(inspect.getdoc(value))


def _markdown(docstring: str | None) -> str:
    """A docstring as Markdown: its sections under a bold word, what is indented as a list, examples as code."""
    lines = (docstring or "").splitlines()
    text: list[str] = []
    section = ""
    for line in lines:
        found = _SECTION.match(line)
        if found:
            section = found[1]
            text += ["", f"**{section}**{found[2]}", ""]
        elif section and line.startswith("    "):
            text.append(_inside(section, line[4:]))
        else:
            section = "" if line else section
            text.append(line)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(text)).strip()


def _inside(section: str, line: str) -> str:
    if section == "Example":
        return f"    {line}"
    item = re.match(r"([\w*, .]+): (.*)", line)
    if section in ("Args", "Attributes", "Raises") and item and not line.startswith(" "):
        return f"- `{item[1]}`: {item[2]}"
    if section in ("Args", "Attributes", "Raises"):
        return f"  {line.strip()}"
    return line if line.startswith("- ") else line.strip()


def _text(text: str) -> str:
    """Help as one line a paragraph."""
    return "\n\n".join(" ".join(one.split()) for one in re.split(r"\n\s*\n", inspect.cleandoc(text)))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    for path, text in pages().items():
        place = Path(sys.argv[1]) / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, "utf-8")
